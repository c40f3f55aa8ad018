"""What a case expects, held against what came."""

from collections.abc import Callable

import pytest

from runbook_engine.testing import CaseResult, FileResult

Tested = Callable[..., FileResult]

WIDE = """
start: [left, right]
steps:
  left: {ask: "Left?", branches: [{when: answer, finding: on_the_left, goto: under_left}, {else: end}]}
  right: {ask: "Right?", branches: [{when: answer, finding: on_the_right, goto: both}, {else: end}]}
  under_left: {ask: "Deeper?", branches: [{else: both}]}
  both: {ask: "Both?", branches: [{when: answer, finding: on_the_left}, {else: end}]}
findings:
  on_the_left: {level: warning, title: Left}
  on_the_right: {level: critical, title: Right}
"""
STEPS = "steps: {left: {answer: true}, right: {answer: true}, under_left: {answer: true}, both: {answer: true}}\n"


def compare(tested: Tested, expect: str) -> CaseResult:
    result = tested(WIDE, f"{STEPS}cases: {{one: {{expect: {expect}}}}}\n")
    assert result.valid, result.told()
    return result.cases[0]


def lines(case: CaseResult) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(each.about, each.message, each.lines) for each in case.differences]


def test_findings_are_the_same_in_any_order_and_each_once(tested: Tested) -> None:
    assert compare(tested, "{outcome: critical, findings: [on_the_right, on_the_left]}").passed
    assert compare(tested, "{outcome: critical, findings: [on_the_left, on_the_right]}").passed


def test_what_is_not_named_may_not_be_found(tested: Tested) -> None:
    assert lines(compare(tested, "{outcome: critical, findings: [on_the_right]}")) == [
        (
            "findings",
            "expected on_the_right, came on_the_right, on_the_left",
            ("+ on_the_left (not expected)",),
        )
    ]
    assert len(lines(compare(tested, "{outcome: critical}"))[0][2]) == 2


def test_all_that_differs_is_told_at_once(tested: Tested) -> None:
    case = compare(tested, "{outcome: warning, findings: [on_the_left], blind_spots: [left], path: [left]}")
    assert [each.about for each in case.differences] == ["outcome", "findings", "blind_spots", "path"]
    assert case.differences[0].message == "expected warning, came critical"
    assert case.differences[2].lines == ("- left (expected, and not blind)",)


@pytest.mark.parametrize(
    "path",
    [
        "left, right, under_left, both",
        "right, left, under_left, both",
        "left, under_left, right, both",
    ],
)
def test_steps_side_by_side_have_no_order(tested: Tested, path: str) -> None:
    assert compare(tested, f"{{outcome: critical, findings: [on_the_left, on_the_right], path: [{path}]}}").passed


def test_a_step_before_one_that_leads_to_it_is_another_path(tested: Tested) -> None:
    case = compare(
        tested, "{outcome: critical, findings: [on_the_left, on_the_right], path: [under_left, left, right, both]}"
    )
    assert lines(case) == [
        ("path", "left is decided before under_left; the order was left, right, under_left, both", ())
    ]


def test_other_steps_are_told_in_their_places(tested: Tested) -> None:
    case = compare(
        tested, "{outcome: critical, findings: [on_the_left, on_the_right], path: [left, right, both, both]}"
    )
    assert lines(case) == [
        (
            "path",
            "other steps ran",
            (
                "  left",
                "  right",
                "+ under_left (ran, and was not expected)",
                "  both",
                "- both (expected, and did not run)",
            ),
        )
    ]


def test_a_step_that_is_named_twice_has_not_run_twice(tested: Tested) -> None:
    path = "left, right, under_left, both, both"
    case = compare(tested, f"{{outcome: critical, findings: [on_the_left, on_the_right], path: [{path}]}}")
    assert [each.about for each in case.differences] == ["path"]


CALLER = """
start: [one, two]
steps:
  one: {call: called, branches: [{else: end}]}
  two: {call: called, branches: [{else: last}]}
  last: {ask: "Well?", branches: [{else: end}]}
"""
CALLED = """
start: look
steps: {look: {ask: "Bad?", branches: [{when: answer, finding: bad}, {else: end}]}}
findings: {bad: {level: warning, title: Bad}}
"""


@pytest.mark.parametrize(
    ("path", "passes"),
    [
        ("one, two, last", True),
        ("one/look, one, two, last", True),
        ("two/look, one, one/look, two, last", False),
        ("two/look, two, one/look, last, one", True),
        ("one, two/look, last, two", False),
        ("one, two/look, last", False),
        ("one/look, one, two, last, two/look", False),
    ],
)
def test_steps_of_a_call_count_where_the_path_names_one_of_them(tested: Tested, path: str, passes: bool) -> None:
    result = tested(
        CALLER,
        f"""
steps: {{one/look: {{answer: false}}, two/look: {{answer: false}}, last: {{answer: true}}}}
cases: {{one: {{expect: {{outcome: healthy, path: [{path}]}}}}}}
""",
        called=CALLED,
    )
    assert result.valid, result.told()
    assert result.passed == passes, result.told()


@pytest.mark.parametrize(
    ("findings", "passes"),
    [("[bad]", True), ("[one/bad, two/bad]", True), ("[one/bad]", False), ("[one/bad, bad]", True), ("[]", False)],
)
def test_a_bare_name_stands_for_the_finding_of_any_call(tested: Tested, findings: str, passes: bool) -> None:
    result = tested(
        CALLER,
        f"""
steps: {{one/look: {{answer: true}}, two/look: {{answer: true}}, last: {{answer: true}}}}
cases: {{one: {{expect: {{outcome: warning, findings: {findings}}}}}}}
""",
        called=CALLED,
    )
    assert result.valid, result.told()
    assert result.passed == passes, result.told()
