import pytest

from runbook_engine.document import Path, Source

TEXT = """\
runbook: high-latency
steps:
  database:
    branches:
      - {when: "utilization > 80%", goto: slow_querys}
      - when: p95 > 1s
        goto: [cache, compute]
      - else: end
    title: &t Shared
  cache:
    title: *t
empty:
"""


def marked(source: Source, path: Path, *, key: bool = False) -> str:
    """The text at a path's place."""
    return cut(source, source.span(path, key=key))


def cut(source: Source, span: object) -> str:
    lines = source.text.splitlines(keepends=True)
    offset = [sum(map(len, lines[:index])) for index in range(len(lines) + 1)]
    line, column, end_line, end_column = (getattr(span, name) for name in ("line", "column", "end_line", "end_column"))
    return source.text[offset[line - 1] + column - 1 : offset[end_line - 1] + end_column - 1]


@pytest.fixture
def source() -> Source:
    return Source("r.yaml", TEXT)


BRANCHES: Path = ("steps", "database", "branches")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("runbook",), "high-latency"),
        ((*BRANCHES, 0, "goto"), "slow_querys"),
        ((*BRANCHES, 0, "when"), '"utilization > 80%"'),
        ((*BRANCHES, 0), '{when: "utilization > 80%", goto: slow_querys}'),
        ((*BRANCHES, 1, "goto", 1), "compute"),
        ((*BRANCHES, 1), "when: p95 > 1s\n        goto: [cache, compute]"),
        ((*BRANCHES, 2, "else"), "end"),
    ],
)
def test_a_value_is_found_where_it_stands(source: Source, path: Path, text: str) -> None:
    assert marked(source, path) == text


def test_lines_and_columns_count_from_one(source: Source) -> None:
    span = source.span((*BRANCHES, 0, "goto"))

    assert (span.line, span.column, span.end_line, span.end_column) == (5, 43, 5, 54)


def test_a_key_is_found_where_it_stands(source: Source) -> None:
    assert marked(source, (*BRANCHES, 1, "goto"), key=True) == "goto"
    assert source.span((*BRANCHES, 1, "goto"), key=True).line == 7


def test_the_key_of_a_list_item_is_the_item(source: Source) -> None:
    assert marked(source, (*BRANCHES, 0), key=True).startswith("{when")


def test_an_index_below_a_text_means_the_text(source: Source) -> None:
    assert marked(source, (*BRANCHES, 0, "goto", 0)) == "slow_querys"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("steps", "database", "timeout"), "database"),
        (("steps", "nowhere", "timeout"), "steps"),
        (("runbook", "deep", "deeper"), "runbook"),
        ((*BRANCHES, 9), "branches"),
        ((*BRANCHES, "when"), "branches"),
        (("nothing",), "runbook"),
    ],
)
def test_a_path_that_leads_nowhere_falls_to_the_nearest_key_above(source: Source, path: Path, text: str) -> None:
    assert marked(source, path) == text
    assert marked(source, path, key=True) == text


def test_the_whole_document_is_its_first_key_when_a_key_is_asked_for(source: Source) -> None:
    assert marked(source, (), key=True) == "runbook"
    assert source.span(()).end_line == 12


def test_what_an_alias_stands_for_is_at_its_anchor(source: Source) -> None:
    assert source.span(("steps", "cache", "title")).line == 9


def test_a_mapping_that_ends_with_an_alias_ends_behind_it() -> None:
    source = Source("r.yaml", "a: &x {b: 1}\nc:\n  d: 1\n  e: *x\nf: 2\n")

    assert source.span(("c",)).line == 3
    assert source.span(("c",)).end_line in (4, 5)


def test_a_block_of_text_ends_with_its_last_word() -> None:
    source = Source("r.yaml", "a: |\n  one\n  two\n\n\nb: 1\n")

    assert cut(source, source.span(("a",))) == "|\n  one\n  two"


def test_an_empty_value_is_just_behind_its_key(source: Source) -> None:
    span = source.span(("empty",))

    assert (span.line, span.column) == (12, 7)


@pytest.mark.parametrize("text", ["", "# nothing\n", "a: [", "\ufeff"])
def test_a_text_without_a_document_has_all_places_at_its_beginning(text: str) -> None:
    span = Source("r.yaml", text).span(("a", "b"))

    assert (span.line, span.column, span.end_line, span.end_column) == (1, 1, 1, 1)


def test_line_ends_and_byte_order_mark_move_no_place() -> None:
    source = Source("r.yaml", "\ufeffa: 1\r\nb:\r\n  - é: x\r\n    漢: target\r\n")

    span = source.span(("b", 0, "漢"))
    assert (span.line, span.column, span.end_column) == (4, 8, 14)
    assert source.span(("a",), key=True).column == 1


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("p95 > target and x", "target"),
        ("'it''s a target, isn''t it'", "target"),
        (r'"tab\t quote\" \u00e9 target \x41"', "target"),
        ('"folded\n    over target lines"', "target"),
        ('"continued \\\n    here target"', "target"),
        ("plain over\n    several target lines", "target"),
        ("|\n    first line\n      second target line\n", "target"),
        ("|2-\n    indented target\n", "target"),
        ("|  # a comment\n    target\n", "target"),
        (">\n    folded text\n    with a target in it\n\n    and more\n", "target"),
        ("&anchor p95 > target", "target"),
    ],
)
def test_offsets_into_a_text_lead_to_its_place_however_it_is_written(written: str, word: str) -> None:
    import yaml

    text = f"a:\n  when: {written}\n"
    source = Source("r.yaml", text)
    value = yaml.safe_load(text)["a"]["when"]
    start = value.index(word)

    assert cut(source, source.span_within(("a", "when"), start, start + len(word))) == word


def test_an_escape_is_one_character_of_the_text() -> None:
    source = Source("r.yaml", r'a: "x\u00e9y"')

    assert cut(source, source.span_within(("a",), 1, 2)) == r"\u00e9"
    assert cut(source, source.span_within(("a",), 2, 3)) == "y"


def test_a_doubled_quote_is_one_character_of_the_text() -> None:
    source = Source("r.yaml", "a: 'x''y'")

    assert cut(source, source.span_within(("a",), 1, 2)) == "''"


def test_offsets_outside_the_text_mean_all_of_it() -> None:
    source = Source("r.yaml", "a: short\nb: [1]\n")

    assert cut(source, source.span_within(("a",), 90, 99)) == "short"
    assert cut(source, source.span_within(("b",), 0, 1)) == "[1]"
    assert cut(source, source.span_within(("c",), 0, 1)) == "a"
    assert cut(source, source.span_within(("a",), 2, 99)) == "ort"


def test_a_salvaged_source_finds_what_moved() -> None:
    source = Source("r.yaml", "stpes: [a, b, c]\n").salvaged({(): {"steps": "stpes"}, ("steps",): {0: 1, 1: 2}})

    assert cut(source, source.span(("steps", 1))) == "c"
    assert cut(source, source.span(("steps",), key=True)) == "stpes"
