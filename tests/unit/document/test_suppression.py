"""Comments that say why a warning may stand."""

import pytest

from runbook_engine.document import Diagnostic, DiagnosticLevel, Span
from runbook_engine.document.suppression import suppressed, suppressions

RUNBOOK = """\
runbook: slow-page
findings:
  down: {level: critical}
"""


def at(line: int, code: str = "RB208", level: DiagnosticLevel = DiagnosticLevel.WARNING) -> Diagnostic:
    return Diagnostic(code, "unused", "a.yaml", Span(line, 3, line, 7), level=level)


def told(text: str, *found: Diagnostic) -> list[tuple[str, int, str | None]]:
    return [(each.code, each.span.line, each.suppressed) for each in suppressed(text, "a.yaml", found)]


def test_a_comment_on_the_line_of_a_warning_suppresses_it_with_its_reason() -> None:
    text = RUNBOOK.replace("critical}", "critical} # runbook: ignore[RB208] because the mobile team needs it")

    assert told(text, at(3)) == [("RB208", 3, "the mobile team needs it")]


def test_a_comment_alone_on_a_line_is_about_the_next_line_that_is_no_comment() -> None:
    text = RUNBOOK.replace(
        "  down", "  # runbook: ignore[RB208] because of A\n  # runbook: ignore[RB206] because of B\n  # C\n  down"
    )

    assert told(text, at(6), at(6, "RB206")) == [("RB206", 6, "of B"), ("RB208", 6, "of A")]


def test_a_comment_behind_a_value_is_about_no_other_line() -> None:
    text = RUNBOOK.replace("findings:", "findings: # runbook: ignore[RB208] because")

    assert [each[0] for each in told(text.replace("because", "because of A"), at(3))] == ["RB126", "RB208"]


def test_one_comment_suppresses_several_codes_and_every_warning_of_them_on_its_line() -> None:
    text = RUNBOOK.replace("critical}", "critical} # runbook: ignore[RB208, RB206]: of A")
    other = Diagnostic("RB208", "unused too", "a.yaml", Span(3, 9, 3, 10), level=DiagnosticLevel.NOTE)

    assert told(text, at(3), at(3, "RB206"), other) == [
        ("RB206", 3, "of A"),
        ("RB208", 3, "of A"),
        ("RB208", 3, "of A"),
    ]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("# runbook: ignore[RB208] because of A", "of A"),
        ("#runbook:ignore[RB208] of A", "of A"),
        ("# runbook: ignore[RB208] - of A", "of A"),
        ("# runbook: ignore[RB208]: because: of A", "of A"),
        ("# runbook: ignore[RB208] becauseway is closed", "becauseway is closed"),
    ],
)
def test_a_reason_is_what_stands_behind_the_codes(written: str, reason: str) -> None:
    assert [each.reason for each in suppressions(f"a: 1 {written}\n")] == [reason]


@pytest.mark.parametrize("reason", ["", " ", " because", " because ", " -", ":"])
def test_without_a_reason_nothing_is_suppressed_and_the_comment_is_a_mistake(reason: str) -> None:
    text = RUNBOOK.replace("critical}", f"critical}} # runbook: ignore[RB208]{reason}")

    found = suppressed(text, "a.yaml", [at(3)])

    assert [(each.code, each.level, each.suppressed) for each in found] == [
        ("RB208", DiagnosticLevel.WARNING, None),
        ("RB125", DiagnosticLevel.ERROR, None),
    ]


def test_an_error_cannot_be_suppressed() -> None:
    text = RUNBOOK.replace("critical}", "critical} # runbook: ignore[RB203] because of A")

    found = suppressed(text, "a.yaml", [at(3, "RB203", DiagnosticLevel.ERROR)])

    assert [(each.code, each.suppressed) for each in found] == [("RB203", None), ("RB126", None)]
    assert found[1].message == "RB203 is an error here, and errors cannot be suppressed"
    assert found[1].level is DiagnosticLevel.WARNING


def test_a_comment_that_suppresses_nothing_is_a_warning_at_its_code() -> None:
    (found,) = suppressed("a: 1 # runbook: ignore[RB208] because of A\n", "a.yaml", [])

    assert (found.code, found.level) == ("RB126", DiagnosticLevel.WARNING)
    assert found.message == "there is no RB208 to suppress on line 1"
    assert found.span == Span(1, 24, 1, 29)


def test_nothing_is_said_of_a_comment_whose_warning_may_stand_behind_an_error() -> None:
    text = RUNBOOK.replace("critical}", "critical} # runbook: ignore[RB208] because of A")

    assert told(text, at(1, "RB111", DiagnosticLevel.ERROR)) == [("RB111", 1, None)]


def test_an_unknown_code_is_told_with_the_one_that_was_meant() -> None:
    (found,) = suppressed("a: 1 # runbook: ignore[rb208] because of A\n", "a.yaml", [])

    assert found.message == '"rb208" is no code'
    assert found.label == 'did you mean "RB208"?'


def test_a_comment_without_a_code_suppresses_nothing() -> None:
    (found,) = suppressed("a: 1 # runbook: ignore because of A\n", "a.yaml", [])

    assert found.message == "a suppression that names no code, and so suppresses nothing"


@pytest.mark.parametrize(
    "text",
    [
        'a: "x # runbook: ignore[RB208] because of A"\n',
        "a: 'x # runbook: ignore[RB208] because of A'\n",
        "a: |\n  x # runbook: ignore[RB208] because of A\n",
        "a: >-\n  x\n\n  # runbook: ignore[RB208] because of A\n",
        'a: "x\n  # runbook: ignore[RB208] because of A\n  y"\n',
        "a: x# runbook: ignore[RB208] because of A\n",
        "a: # see # runbook: ignored\n",
    ],
)
def test_what_stands_in_a_text_is_no_comment(text: str) -> None:
    assert suppressions(text) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: | # runbook: ignore[RB208] because of A\n  x\n", 1),
        ("a: |\n  x\n# runbook: ignore[RB208] because of A\nb: 1\n", 4),
        ("a: [1,\n  2, # runbook: ignore[RB208] because of A\n  3]\n", 2),
        ("# runbook: ignore[RB208] because of A\r\na: 1\r\n", 2),
        ("a: 'it''s # x' # runbook: ignore[RB208] because of A\n", 1),
        ("a: 1 # runbook: ignore[RB208] because of A", 1),
    ],
)
def test_comments_are_found_as_yaml_finds_them(text: str, line: int) -> None:
    assert [each.line for each in suppressions(text)] == [line]


def test_a_text_that_is_no_yaml_has_no_suppressions() -> None:
    assert suppressions('a: " # runbook: ignore[RB208] because of A\n') == ()
