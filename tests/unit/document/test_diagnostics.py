import re
from pathlib import Path

import pytest

import runbook_engine
from runbook_engine.document import CODES, Diagnostic, DiagnosticLevel, Span, load, render, render_all

STYLE = """\
error[RB203]: step "database" goes to "slow_querys", which does not exist
  --> runbooks/high-latency.yaml:31:43
   |
31 |       - {when: "utilization > 80%", goto: slow_querys}
   |                                           ^^^^^^^^^^^ did you mean "slow_queries"?
   = help: steps of this runbook: cache, compute, database, response_time, slow_queries"""


def one(message: str = "wrong", *, span: Span, label: str = "", hint: str = "") -> Diagnostic:
    return Diagnostic("RB111", message, "r.yaml", span, label, hint)


def excerpt(diagnostic: Diagnostic, text: str) -> list[str]:
    """The line of the text and the carets below it, without the gutter."""
    shown = render(diagnostic, text).splitlines()
    return [line.partition("| ")[2] for line in shown[3:5]]


def test_a_diagnostic_shows_its_line_with_carets_label_and_help() -> None:
    line = '      - {when: "utilization > 80%", goto: slow_querys}'
    diagnostic = Diagnostic(
        "RB203",
        'step "database" goes to "slow_querys", which does not exist',
        "runbooks/high-latency.yaml",
        Span(31, 43, 31, 54),
        'did you mean "slow_queries"?',
        "steps of this runbook: cache, compute, database, response_time, slow_queries",
    )

    assert render(diagnostic, "\n" * 30 + line + "\n") == STYLE


def test_a_diagnostic_in_one_line_gives_file_place_code_and_message() -> None:
    assert str(one("no such key", span=Span(3, 5, 3, 9))) == "r.yaml:3:5: error[RB111]: no such key"


def test_a_warning_says_that_it_is_one() -> None:
    warning = Diagnostic("RB206", "unused", "r.yaml", Span(1, 1, 1, 2), level=DiagnosticLevel.WARNING)

    assert render(warning, "a: 1").startswith("warning[RB206]: unused")


def test_diagnostics_sort_by_file_line_column_and_code() -> None:
    places = [
        ("b", 1, 1, "RB102"),
        ("a", 2, 1, "RB102"),
        ("a", 1, 9, "RB102"),
        ("a", 1, 2, "RB104"),
        ("a", 1, 2, "RB103"),
    ]
    found = [Diagnostic(code, "m", file, Span(line, column, line, column)) for file, line, column, code in places]

    assert sorted(found) == found[::-1]


def test_all_diagnostics_end_with_a_count_by_level_and_file() -> None:
    errors = [Diagnostic("RB111", "m", file, Span(1, 1, 1, 2)) for file in ("a", "a", "b")]
    warning = Diagnostic("RB206", "w", "a", Span(1, 1, 1, 2), level=DiagnosticLevel.WARNING)

    text = render_all([*errors[1:], warning, errors[0]], {"a": "x", "b": "y"})

    assert text.splitlines()[-1] == "3 errors, 1 warning in 2 files"
    assert render_all(errors[:1], {"a": "x"}).splitlines()[-1] == "1 error in 1 file"
    assert text.index("a:1:1") < text.index("b:1:1")


def test_no_diagnostics_are_said_to_be_none() -> None:
    assert render_all([], {"a": "x", "b": "y"}) == "no mistakes in 2 files"


def test_carets_stand_below_text_after_tabs_and_wide_characters() -> None:
    assert excerpt(one(span=Span(1, 5, 1, 7)), "\t漢: xy") == ["    漢: xy", "        ^^"]
    assert excerpt(one(span=Span(1, 2, 1, 3)), "\t漢: xy") == ["    漢: xy", "    ^^"]


def test_combining_marks_take_no_column() -> None:
    assert excerpt(one(span=Span(1, 4, 1, 6)), "e\u0301 ab") == ["e\u0301 ab", "  ^^"]


def test_control_characters_never_reach_the_terminal() -> None:
    evil = 'x: "\x1b[31m\u202e\x9b"\x07'
    shown = render(one("bad \x1b[2J\nvalue", span=Span(1, 4, 1, 5), label="\x1b]0;", hint="\u2028"), evil, color=False)

    assert all(character.isprintable() or character == "\n" for character in shown)
    assert r'x: "\x1b[31m\u202e\x9b"\x07' in shown
    assert r"bad \x1b[2J\x0avalue" in shown
    assert r"bad \x1b[2J\x0avalue" in str(one("bad \x1b[2J\nvalue", span=Span(1, 1, 1, 1)))


def test_an_escaped_control_character_is_underlined_whole() -> None:
    assert excerpt(one(span=Span(1, 2, 1, 3)), "a\x1bb") == [r"a\x1bb", " ^^^^"]


@pytest.mark.parametrize("column", [1, 50, 200, 999, 1000])
def test_a_long_line_is_cut_to_a_window_round_the_place(column: int) -> None:
    text = "".join(chr(ord("a") + index % 26) for index in range(1000))

    line, carets = excerpt(one(span=Span(1, column, 1, column + 1)), text)

    assert len(line) <= 122
    assert line[carets.index("^")] == text[column - 1]
    assert line.startswith("…") == (column > 41)
    assert line.endswith("…") == (column < 920)


def test_carets_end_with_the_window() -> None:
    line, carets = excerpt(one(span=Span(1, 1, 1, 900)), "x" * 1000)

    assert len(carets) == len(line) - 1


def test_a_place_over_several_lines_is_underlined_to_the_end_of_the_first() -> None:
    assert excerpt(one(span=Span(1, 3, 3, 2)), "a: b  \nc\nd") == ["a: b", "  ^^"]


def test_a_place_at_the_end_of_the_text_has_one_caret() -> None:
    assert excerpt(one(span=Span(1, 5, 1, 5)), "a: b") == ["a: b", "    ^"]


def test_lines_end_as_editors_count_them() -> None:
    text = "a: 1\r\nb: x\u2028y\nc: 2\rd: 3"

    assert excerpt(one(span=Span(4, 1, 4, 2)), text)[0] == "d: 3"
    assert excerpt(one(span=Span(2, 1, 2, 2)), text)[0] == r"b: x\u2028y"


def test_a_place_outside_the_text_is_shown_without_a_line() -> None:
    assert excerpt(one(span=Span(9, 9, 9, 10)), "a: 1") == ["", "^"]


def test_color_is_only_added_and_changes_no_text() -> None:
    diagnostic = one(span=Span(1, 1, 1, 2), label="here", hint="there")
    colored = render(diagnostic, "a: 1", color=True)

    assert "\x1b[1;31m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(diagnostic, "a: 1")


def test_every_code_has_a_meaning_and_a_range() -> None:
    assert all(
        code.startswith("RB") and code[2] in "12345678" and len(code) == 5 and meaning
        for code, meaning in CODES.items()
    )


def test_the_table_has_exactly_the_codes_that_are_reported() -> None:
    package = Path(runbook_engine.__file__).parent
    table = package / "document" / "diagnostics.py"
    used = {
        code
        for file in package.rglob("*.py")
        if file != table
        for code in re.findall(r'"(RB\d{3})"', file.read_text(encoding="utf-8"))
    }

    assert used == set(CODES)


def test_a_secret_written_into_the_file_is_starred_out_wherever_its_line_is_shown() -> None:
    text = 'runbook: x\ntitle: T\nstart: a\ninputs:\n  token: {type: secret, default: "hunter2-long", hlep: y}\nsteps: {a: {ask: Well?}}\n'
    found = load(text, "x.yaml")
    shown = render_all(found.diagnostics, {"x.yaml": text})
    assert "RB123" in shown
    assert "RB111" in shown
    assert "hunter2" not in shown


def test_a_password_in_a_url_is_starred_out_of_the_line_that_is_shown() -> None:
    text = (
        "runbook: x\ntitle: T\nstart: a\nsteps: {a: {ask: Well?, brances: [], description: postgres://u:hunter2@h}}\n"
    )
    assert "hunter2" not in render_all(load(text, "x.yaml").diagnostics, {"x.yaml": text})
