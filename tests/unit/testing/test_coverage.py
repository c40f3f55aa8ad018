"""How much of a runbook its tests have walked."""

from collections.abc import Callable
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.engine.coverage import Covered
from runbook_engine.testing import FileResult, coverage_of, find_files

Tested = Callable[..., FileResult]

RUNBOOK = """
start: look
steps:
  look:
    probe: fake.state
    branches:
      - {when: used > 80%, finding: full}
      - {when: hit_rate < 10%, goto: call_it}
      - {else: end}
    on_error:
      - {kind: [timeout, missing], finding: unseen}
      - {else: end}
  call_it: {call: called, branches: [{else: end}]}
findings:
  full: {level: warning, title: Full}
  unseen: {level: warning, title: Unseen}
"""
CALLED = """
start: ask
steps: {ask: {ask: "Well?", branches: [{when: answer, finding: well}, {else: end}]}}
findings: {well: {level: warning, title: Well}}
"""
ALL = [
    "step look: branch 1 (used > 80%)",
    "step look: branch 2 (hit_rate < 10%)",
    "step look: branch 3 (else)",
    "step look: error route 1 (missing)",
    "step look: error route 1 (timeout)",
    "step look: error route 2 (else)",
    "step call_it: branch 1 (else)",
    "finding full",
    "finding unseen",
]


def reached(tested: Tested, steps: str) -> list[str]:
    result = tested(RUNBOOK, f"cases: {{one: {{steps: {steps}, expect: {{outcome: healthy}}}}}}\n", called=CALLED)
    assert result.valid, result.told()
    own = result.coverage[0]
    return [str(each) for each in own.items if each in own.reached]


def test_all_that_can_be_covered_is_counted_errors_by_their_kind(tested: Tested) -> None:
    result = tested(RUNBOOK, "cases: {one: {expect: {outcome: healthy}}}\n", called=CALLED)
    (own,) = result.coverage
    assert [str(each) for each in own.items] == ALL
    assert [str(each) for each in own.missed] == ALL
    assert (own.percent, own.shown) == (0.0, "0 %")


@pytest.mark.parametrize(
    ("steps", "covers"),
    [
        ("{look: {used: 81%}}", [ALL[0], ALL[7]]),
        ("{look: {used: 1%, hit_rate: 50%}}", [ALL[2]]),
        ("{look: {error: timeout}}", [ALL[4], ALL[8]]),
        ("{look: {error: missing}}", [ALL[3], ALL[8]]),
        ("{look: {error: tls}}", [ALL[5]]),
        ("{look: {used: 1%, hit_rate: null}}", [ALL[3], ALL[8]]),
        ("{look: {used: 1%, hit_rate: 1%}, call_it: {outcome: healthy}}", [ALL[1], ALL[6]]),
    ],
)
def test_a_case_covers_the_ways_that_it_took_and_what_it_found(tested: Tested, steps: str, covers: list[str]) -> None:
    assert reached(tested, steps) == covers


def test_a_called_runbook_is_covered_where_it_was_walked(tested: Tested) -> None:
    walked = "{look: {used: 1%, hit_rate: 1%}, call_it/ask: {answer: true}}"
    result = tested(RUNBOOK, f"cases: {{one: {{steps: {walked}, expect: {{outcome: healthy}}}}}}\n", called=CALLED)
    own, called = result.coverage
    assert (own.plan.runbook.runbook, own.tested) == ("example", True)
    assert (called.plan.runbook.runbook, called.tested) == ("called", False)
    assert [str(each) for each in called.missed] == ["step ask: branch 2 (else)"]


def test_what_a_test_says_of_a_call_covers_nothing_in_it(tested: Tested) -> None:
    whole = "{look: {used: 1%, hit_rate: 1%}, call_it: {findings: [well]}}"
    result = tested(RUNBOOK, f"cases: {{one: {{steps: {whole}, expect: {{outcome: healthy}}}}}}\n", called=CALLED)
    assert [each.plan.runbook.runbook for each in result.coverage] == ["example"]


def test_files_of_one_runbook_are_added_up(tested: Tested) -> None:
    one = tested(RUNBOOK, "cases: {one: {steps: {look: {error: tls}}, expect: {outcome: healthy}}}\n", called=CALLED)
    other = tested(RUNBOOK, "cases: {one: {steps: {look: {used: 99%}}, expect: {outcome: healthy}}}\n", called=CALLED)
    (own,) = coverage_of([one, other])
    assert [str(each) for each in own.items if each in own.reached] == [ALL[0], ALL[5], ALL[7]]


def test_an_edited_runbook_is_another_one(tested: Tested) -> None:
    case = "cases: {one: {steps: {look: {used: 99%}}, expect: {outcome: healthy}}}\n"
    one = tested(RUNBOOK, case, called=CALLED)
    other = tested(RUNBOOK.replace("80%", "70%"), case, called=CALLED)
    assert len(coverage_of([one, other])) == 2


def test_hardly_less_than_everything_is_not_shown_as_everything(tested: Tested) -> None:
    result = tested(RUNBOOK, "cases: {one: {expect: {outcome: healthy}}}\n", called=CALLED)
    plan, every = result.coverage[0].plan, result.coverage[0].items
    many = tuple(every[:1] * 1) + tuple(
        type(every[0])("branch", f"step_{index}", ("steps", f"step_{index}", "branches", 0), "else")
        for index in range(9_999)
    )
    assert Covered(plan, many, frozenset(many[1:]), tested=True).shown == "99.9 %"
    assert Covered(plan, many, frozenset(many), tested=True).shown == "100 %"
    assert Covered(plan, (), frozenset(), tested=True).shown == "100 %"


def test_tests_of_an_earlier_directory_stand_for_those_of_the_same_name(tmp_path: Path) -> None:
    for folder in ("own", "shipped"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.test.yaml").write_text("tests: same\n")
    (tmp_path / "shipped" / "other.test.yaml").write_text("tests: other\n")
    library = rb.Library((tmp_path / "own", tmp_path / "shipped"))
    assert find_files(library=library) == (tmp_path / "own/same.test.yaml", tmp_path / "shipped/other.test.yaml")
