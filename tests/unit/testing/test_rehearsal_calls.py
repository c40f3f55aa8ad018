"""Calls in tests: walked with the readings of their own steps, or taken as a whole."""

from collections.abc import Callable

from runbook_engine.testing import CaseResult, FileResult

Tested = Callable[..., FileResult]

CALLER = """
start: call_it
inputs:
  limit: {type: percent, default: 80%}
steps:
  call_it:
    call: called
    with: {most: "{{ inputs.limit }}"}
    branches:
      - {when: outcome == "critical", finding: bad, goto: after}
      - {when: findings > 0, goto: after}
      - {else: end}
  after: {ask: "Well?", branches: [{when: answer, goto: end}, {else: end}]}
findings:
  bad: {level: critical, title: Bad}
"""
CALLED = """
start: look
inputs:
  most: {type: percent, default: 10%}
steps:
  look: {probe: fake.state, branches: [{when: used > inputs.most, finding: full}, {when: state == "down", finding: down}, {else: end}]}
findings:
  full: {level: warning, title: "{{ look.used }}"}
  down: {level: critical, title: Down}
"""
MIDDLE = """
start: deeper
steps:
  deeper: {call: called, with: {most: 50%}, branches: [{else: end}]}
"""


def lacks(case: CaseResult) -> list[tuple[str, str, str]]:
    return [(each.path, each.message, each.hint) for each in case.lacks]


def test_a_called_runbook_is_walked_with_what_its_own_steps_are_given(tested: Tested) -> None:
    result = tested(
        CALLER,
        """
cases:
  full:
    steps: {call_it/look: {used: 81%}, after: {answer: true}}
    expect: {outcome: warning, findings: [call_it/full], path: [call_it/look, call_it, after]}
  not_full:
    steps: {call_it/look: {used: 80%, state: up}}
    expect: {outcome: healthy, path: [call_it]}
  more:
    inputs: {limit: 90%}
    steps: {call_it/look: {used: 85%, state: down}, after: {answer: false}}
    expect: {outcome: critical, findings: [bad, down]}
""",
        called=CALLED,
    )
    assert result.passed, result.told()


def test_runbooks_are_called_over_several_floors(tested: Tested) -> None:
    result = tested(
        CALLER.replace('call: called\n    with: {most: "{{ inputs.limit }}"}', "call: middle"),
        """
cases:
  full:
    steps: {call_it/deeper/look: {used: 51%}, after: {answer: true}}
    expect: {outcome: warning, findings: [call_it/deeper/full], path: [call_it/deeper/look, call_it/deeper, call_it, after]}
  bare:
    steps: {call_it/deeper/look: {used: 51%}, after: {answer: true}}
    expect: {outcome: warning, findings: [full]}
  half_given:
    steps: {call_it/deeper: {findings: [full]}, after: {answer: true}}
    expect: {outcome: warning, findings: [call_it/deeper/full], path: [call_it/deeper, call_it, after]}
""",
        called=CALLED,
        middle=MIDDLE,
    )
    assert result.passed, result.told()


def test_a_call_may_be_given_as_a_whole(tested: Tested) -> None:
    result = tested(
        CALLER,
        """
steps: {after: {answer: true}}
cases:
  by_findings:
    steps: {call_it: {findings: [full, down]}}
    expect: {outcome: critical, findings: [bad, call_it/full, call_it/down], path: [call_it, after]}
  by_outcome:
    steps: {call_it: {outcome: critical}}
    expect: {outcome: critical, findings: [bad]}
  healthy: {steps: {call_it: {outcome: healthy}}, expect: {outcome: healthy, path: [call_it]}}
  blind: {steps: {call_it: {blind_spots: [look]}}, expect: {outcome: inconclusive, blind_spots: [call_it/look]}}
""",
        called=CALLED,
    )
    assert result.passed, result.told()


def test_how_much_was_found_is_left_open_by_an_outcome_alone(tested: Tested) -> None:
    result = tested(
        CALLER,
        "cases: {one: {steps: {call_it: {outcome: warning}}, expect: {outcome: warning}}}\n",
        called=CALLED,
    )
    assert lacks(result.cases[0]) == [
        (
            "call_it",
            '"findings > 0" depends on findings, which is not given by the test and is never missing',
            "give call_it a findings: whole number, at least 0",
        )
    ]


def test_an_outcome_alone_counts_for_the_run(tested: Tested) -> None:
    caller = "start: call_it\nsteps:\n  call_it: {call: called, branches: [{else: end}]}\n"
    result = tested(
        caller,
        """
cases:
  warned: {steps: {call_it: {outcome: warning}}, expect: {outcome: warning}}
  unseen: {steps: {call_it: {outcome: inconclusive}}, expect: {outcome: inconclusive}}
""",
        called=CALLED,
    )
    assert result.passed, result.told()


def test_a_call_that_is_given_nothing_is_told_as_one(tested: Tested) -> None:
    result = tested(CALLER, "cases: {one: {expect: {outcome: healthy}}}\n", called=CALLED)
    assert lacks(result.cases[0]) == [
        (
            "call_it",
            "it runs, and the test gives it nothing",
            "call_it: {outcome: healthy}, or its own steps as call_it/step",
        )
    ]


def test_a_step_of_a_call_that_lacks_something_is_named_with_its_call(tested: Tested) -> None:
    result = tested(
        CALLER, "cases: {one: {steps: {call_it/look: {used: 1%}}, expect: {outcome: healthy}}}\n", called=CALLED
    )
    assert [each.path for each in result.cases[0].lacks] == ["call_it/look"]


def test_a_call_that_fails_is_a_blind_spot(tested: Tested) -> None:
    result = tested(
        CALLER,
        "cases: {one: {steps: {call_it: {error: timeout}}, expect: {outcome: inconclusive, blind_spots: [call_it]}}}\n",
        called=CALLED,
    )
    assert result.passed, result.told()


def test_what_a_case_says_of_a_call_replaces_what_all_cases_say(tested: Tested) -> None:
    result = tested(
        CALLER,
        """
steps: {call_it: {outcome: healthy}, after: {answer: true}}
cases:
  as_a_whole: {expect: {outcome: healthy}}
  walked: {steps: {call_it/look: {used: 100%}}, expect: {outcome: warning, findings: [full]}}
""",
        called=CALLED,
    )
    assert result.passed, result.told()
    result = tested(
        CALLER,
        """
steps: {call_it/look: {used: 100%}, after: {answer: true}}
cases:
  walked: {expect: {outcome: warning, findings: [full]}}
  as_a_whole: {steps: {call_it: {outcome: healthy}}, expect: {outcome: healthy}}
""",
        called=CALLED,
    )
    assert result.passed, result.told()


def test_an_input_that_is_left_open_stays_open_in_what_is_called(tested: Tested) -> None:
    result = tested(
        CALLER.replace("limit: {type: percent, default: 80%}", "limit: {type: percent}"),
        """
cases:
  open: {steps: {call_it/look: {used: 81%}}, expect: {outcome: healthy}}
  given: {inputs: {limit: 90%}, steps: {call_it/look: {used: 81%, state: up}}, expect: {outcome: healthy}}
""",
        called=CALLED,
    )
    assert [each.passed for each in result.cases] == [False, True], result.told()
    assert [each[:2] for each in lacks(result.cases[0])] == [
        ("call_it/look", '"used > inputs.most" depends on the input most, which has no default')
    ]
