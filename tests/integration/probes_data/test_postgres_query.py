"""postgres.query against a real server."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import runbook_engine as rb
from runbook_engine.engine.events import Outcome
from runbook_engine.probe import ErrorKind, Secret
from runbook_probes.postgres import query

pytestmark = pytest.mark.anyio


async def test_rows_are_objects_by_column_name(postgres: Any, measure: Any) -> None:
    reading = await measure(
        query, dsn=postgres.dsn(), sql="SELECT n AS number, 'x' || n AS name FROM generate_series(1, 3) AS n"
    )
    assert reading.document == [{"number": n, "name": f"x{n}"} for n in (1, 2, 3)]
    assert reading.rows == 3
    assert 0 < reading.time < 5
    assert "truncated" not in reading.evidence
    assert reading.incomplete == ""


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("NULL", None),
        ("true", True),
        ("12.50::numeric", 12.5),
        ("12::numeric", 12),
        ("'NaN'::numeric", None),
        ("10::numeric ^ 307", 10**307),
        ("round(10::numeric ^ 400)", "1" + "0" * 400),
        ("'NaN'::float8", None),
        ("'-infinity'::float8", None),
        ("9007199254740993::int8", 9007199254740993),
        ("'2024-02-29'::date", "2024-02-29"),
        ("'2024-02-29 12:30:00+00'::timestamptz AT TIME ZONE 'UTC'", "2024-02-29 12:30:00"),
        ("'infinity'::timestamptz", "infinity"),
        ("'4713-01-01 BC'::date", "4713-01-01 BC"),
        ("interval '1 day 90 seconds'", 86490.0),
        ("'6f1c7c3e-5c1c-4f0e-9a53-3f3a6f0a0001'::uuid", "6f1c7c3e-5c1c-4f0e-9a53-3f3a6f0a0001"),
        (r"'\x00ff'::bytea", r"\x00ff"),
        ("'{\"a\": [1, 2.5, null]}'::jsonb", {"a": [1, 2.5, None]}),
        ("ARRAY[1, NULL, 3]", [1, None, 3]),
        ("'10.0.0.0/8'::cidr", "10.0.0.0/8"),
        ("int4range(1, 5)", "[1, 5)"),
        ("ROW(1, 'a')", ["1", "a"]),
        ("'happy'::text", "happy"),
    ],
)
async def test_every_type_becomes_json(postgres: Any, measure: Any, sql: str, value: object) -> None:
    reading = await measure(query, dsn=postgres.dsn(), sql=f"SELECT {sql} AS x")
    assert reading.document == [{"x": value}]
    assert json.loads(json.dumps(reading.document, allow_nan=False)) == reading.document


async def test_dates_do_not_depend_on_the_servers_style(postgres: Any, password: str, admin: Any, measure: Any) -> None:
    admin.execute("ALTER ROLE stats SET datestyle = 'German'")
    admin.execute("ALTER ROLE stats SET intervalstyle = 'iso_8601'")
    try:
        sql = "SELECT DATE '2024-02-29' AS day, interval '2 days' AS age"
        reading = await measure(query, dsn=postgres.dsn("stats", password), sql=sql)
        assert reading.document == [{"day": "2024-02-29", "age": 172800.0}]
    finally:
        admin.execute("ALTER ROLE stats RESET ALL")


async def test_parameters_are_values_and_never_sql(postgres: Any, measure: Any) -> None:
    reading = await measure(
        query,
        dsn=postgres.dsn(),
        sql="SELECT %s::text AS a, %s::int + 1 AS b, %s::float8 AS c, %s::bool AS d, %s::text AS e, 5 %% 3 AS f",
        params=["'; DROP TABLE x; --", 41, 0.5, True, None],
    )
    assert reading.document == [{"a": "'; DROP TABLE x; --", "b": 42, "c": 0.5, "d": True, "e": None, "f": 2}]


async def test_percent_signs_need_no_escape_without_parameters(postgres: Any, measure: Any) -> None:
    reading = await measure(query, dsn=postgres.dsn(), sql="SELECT 'abc' LIKE 'a%' AS x;  ")
    assert reading.document == [{"x": True}]


async def test_no_more_rows_are_read_than_asked_for(postgres: Any, measure: Any) -> None:
    sql = "SELECT b AS n FROM generate_series(1, 10000) AS a, generate_series(1, 10000) AS b"
    reading = await measure(query, dsn=postgres.dsn(), sql=sql, max_rows=2, deadline=5.0)
    assert reading.document == [{"n": 1}, {"n": 2}]
    assert reading.rows == 2
    assert reading.evidence["truncated"] is True
    assert reading.cut == (
        "the statement gives more than the 2 rows that were read; raise max_rows up to 1000, or count in the statement"
    )


async def test_a_result_that_is_just_large_enough_is_not_truncated(postgres: Any, measure: Any) -> None:
    reading = await measure(query, dsn=postgres.dsn(), sql="VALUES (1), (2)", max_rows=2)
    assert reading.rows == 2
    assert "truncated" not in reading.evidence


async def test_no_rows_are_an_empty_document(postgres: Any, measure: Any) -> None:
    reading = await measure(query, dsn=postgres.dsn(), sql="SELECT 1 AS x WHERE false")
    assert reading.document == []
    assert reading.rows == 0


@pytest.mark.parametrize("sql", ["SHOW max_connections", "EXPLAIN SELECT 1", "-- why\n/* how */ (SELECT 1 AS x)"])
async def test_statements_that_show_something_are_read(postgres: Any, measure: Any, sql: str) -> None:
    reading = await measure(query, dsn=postgres.dsn(), sql=sql)
    assert reading.rows >= 1


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM kept",
        "DO $$ BEGIN COMMIT; DELETE FROM kept; END $$",
        "COPY kept TO PROGRAM 'cat'",
        "/* SELECT */ CALL something()",
        "SET default_transaction_read_only = off",
        "",
        "*/ SELECT 1",
        "/* /* */ SELECT */ COPY (SELECT 1) TO PROGRAM 'cat'",
    ],
)
def test_statements_that_do_not_only_read_are_refused_before_they_are_sent(sql: str) -> None:
    with pytest.raises(ValidationError, match="a statement that only reads begins with SELECT, WITH, VALUES, TABLE"):
        query.params(dsn=Secret("postgresql://127.0.0.1/x"), sql=sql)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH gone AS (DELETE FROM kept RETURNING id) SELECT * FROM gone",
        "EXPLAIN ANALYZE DELETE FROM kept",
        "SELECT id INTO copied FROM kept",
    ],
)
async def test_what_changes_something_after_all_is_forbidden_by_the_transaction(
    postgres: Any, admin: Any, fails: Any, sql: str
) -> None:
    admin.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS id")
    error = await fails(query, dsn=postgres.dsn(), sql=sql)
    assert error.kind is ErrorKind.FORBIDDEN
    assert error.message.startswith("probes only read, and this statement changes something (")
    assert admin.execute("SELECT count(*) FROM kept").fetchone() == (1,)


async def test_several_statements_are_malformed_and_none_is_run(postgres: Any, admin: Any, fails: Any) -> None:
    error = await fails(query, dsn=postgres.dsn(), sql="SELECT 1; COMMIT; CREATE TABLE second (id int)")
    assert error.kind is ErrorKind.MALFORMED
    assert "cannot insert multiple commands" in error.message
    assert admin.execute("SELECT to_regclass('second')").fetchone() == (None,)


async def test_two_columns_of_one_name_are_malformed(postgres: Any, fails: Any) -> None:
    error = await fails(query, dsn=postgres.dsn(), sql="SELECT count(*), count(*) FROM pg_class")
    assert error.kind is ErrorKind.MALFORMED
    assert error.message == "two columns of the result have one name: count, count"
    assert error.remedy == "name each column with AS"


@pytest.mark.parametrize(
    ("sql", "kind", "told"),
    [
        ("SELECT * FROM nowhere", ErrorKind.MISSING, 'relation "nowhere" does not exist'),
        ("SELECT nothing AS x", ErrorKind.MISSING, 'column "nothing" does not exist'),
        ("SELECT nothing()", ErrorKind.MISSING, "function nothing() does not exist"),
        ("SELECT FROM WHERE", ErrorKind.MALFORMED, "syntax error"),
        ("SELECT 1 / 0", ErrorKind.MALFORMED, "division by zero"),
        ("SELECT * FROM pg_authid", ErrorKind.FORBIDDEN, "permission denied for table pg_authid"),
    ],
)
async def test_errors_of_statements_have_their_kinds(
    postgres: Any, password: str, fails: Any, sql: str, kind: ErrorKind, told: str
) -> None:
    error = await fails(query, dsn=postgres.dsn("app", password), sql=sql)
    assert error.kind is kind
    assert told in error.message
    assert error.__cause__.sqlstate is not None


def test_the_command_is_what_a_shell_needs() -> None:
    params = query.params(
        dsn=Secret("postgresql://u:p@h/d", "$DATABASE_URL"),
        sql="SELECT '$HOME', `x`, 5 %% 3, %s, %s,\n%s, %s -- \"quoted\"",
        params=["it's", 3, None, True],
    )
    words = subprocess.run(
        ["sh", "-c", f"DATABASE_URL=there; printf '%s|' {query.command(params)}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("|")
    assert words == [
        "psql", "there", "-c", "SELECT '$HOME', `x`, 5 % 3, 'it''s', 3,\nNULL, True -- \"quoted\"", "",
    ]  # fmt: skip


@pytest.mark.parametrize("condition", ["rows > 50", "all > 500", "largest > 500"])
def test_more_rows_than_are_read_are_judged_by_nobody(postgres: Any, tmp_path: Path, condition: str) -> None:
    file = tmp_path / "rows.yaml"
    file.write_text(
        "runbook: rows\ntitle: Rows\nstart: look\ninputs: {dsn: {type: secret}}\nsteps:\n  look:\n    probe: postgres.query\n"
        '    with: {dsn: "{{ inputs.dsn }}", sql: "SELECT n FROM generate_series(1, 1001) AS n"}\n'
        '    extract: {all: {path: length(@), type: count}, largest: {path: "max([].n)", type: count}}\n'
        f"    branches: [{{when: {condition}, finding: many}}, {{else: end}}]\n"
        "findings: {many: {level: warning, title: Many}}\n"
    )
    trace = rb.run(file, inputs={"dsn": postgres.dsn()}, environ={})
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert "raise max_rows up to 1000, or count in the statement" in trace.blind_spots[0].remedy
