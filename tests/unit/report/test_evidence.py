from pydantic import JsonValue

from runbook_engine.report.evidence import MOST_CELL, MOST_COLUMNS, cell, tables
from runbook_engine.report.markdown import table as markdown_table
from runbook_engine.report.terminal import columns


def test_a_list_of_objects_is_a_table_with_the_columns_of_all_of_them() -> None:
    (table,) = tables({"rows": [{"a": 1, "b": "x"}, {"b": "y", "c": True}]})
    assert table.columns == ("a", "b", "c")
    assert table.rows == (("1", "x", "–"), ("–", "y", "yes"))


def test_columns_of_numbers_are_known_as_such() -> None:
    (table,) = tables({"rows": [{"calls": 3, "query": "x", "ok": True}, {"calls": 4.5, "query": "y", "ok": False}]})
    assert table.numeric == (True, False, False)


def test_an_object_is_names_and_values() -> None:
    (table,) = tables({"server": {"version": "16.3", "hot": None}})
    assert (table.name, table.columns, table.rows) == ("server", (), (("version", "16.3"), ("hot", "–")))


def test_a_list_of_words_is_one_column() -> None:
    (table,) = tables({"addresses": ["10.0.0.1", "10.0.0.2"]})
    assert table.rows == (("10.0.0.1",), ("10.0.0.2",))


def test_single_values_stand_together_first() -> None:
    first, second = tables({"rows": [1], "status": 200, "none": None, "empty": []})
    assert first.rows == (("status", "200"), ("none", "–"), ("empty", "[]"))
    assert second.name == "rows"


def test_rows_beyond_the_bound_are_counted() -> None:
    (table,) = tables({"rows": list(range(25))}, most_rows=20)
    assert len(table.rows) == 20
    assert table.left_out == "5 more rows (truncated)"


def test_rows_that_the_engine_had_cut_are_counted_too() -> None:
    (table,) = tables({"rows": [*range(100), {"truncated": True, "items": 250}]}, most_rows=20)
    assert table.more == 80 + 150
    assert all(row != ("truncated",) for row in table.rows)


def test_nothing_is_no_table() -> None:
    assert tables({}) == ()


def test_a_long_cell_is_cut_with_a_mark() -> None:
    assert cell("x" * 1000).endswith("… (truncated, 1000 characters)")
    assert len(cell({"deep": ["x" * 5000]})) < MOST_CELL + 50


def test_a_cell_is_one_line() -> None:
    assert cell("SELECT 1\n  FROM\tx") == "SELECT 1 FROM x"


def test_columns_that_are_left_out_are_told_as_rows_are() -> None:
    record: dict[str, JsonValue] = {f"c{number}": number for number in range(MOST_COLUMNS + 2)}

    (table,) = tables({"rows": [record]})

    assert len(table.columns) == MOST_COLUMNS
    assert table.left_out == "2 more columns (truncated)"
    assert list(columns(table, 200))[-1] == "… and 2 more columns (truncated)"
    (both,) = tables({"rows": [record, record]}, most_rows=1)
    assert both.left_out == "1 more row, 2 more columns (truncated)"
    assert both.left_out in markdown_table(both)


def test_a_table_says_in_words_what_its_rows_are() -> None:
    assert tables({"oldest_transactions": [{"pid": 1, "age": 2}]})[0].caption == "oldest transactions"
    assert tables({"addresses": ["10.0.0.1"]})[0].caption == "addresses"
