"""A runbook walked with what a test gives."""

from collections.abc import Callable

import pytest

import runbook_engine as rb
from runbook_engine.engine.events import AttemptFailed
from runbook_engine.testing import CaseResult, FileResult

Tested = Callable[..., FileResult]

SPEED = """
start: speed
inputs:
  slow: {type: duration, default: 1s}
steps:
  speed:
    probe: fake.state
    branches:
      - {when: p95 > inputs.slow, finding: slow, goto: room}
      - {else: end}
    on_error:
      - {kind: [timeout, refused], finding: down}
  room:
    probe: fake.state
    with: {which: room}
    branches:
      - {when: used > 80%, finding: full}
      - {else: end}
findings:
  slow: {level: warning, title: "p95 is {{ speed.p95 }}"}
  full: {level: critical, title: "{{ room.used }} of it are used"}
  down: {level: critical, title: "{{ error.message }}"}
"""


def only(result: FileResult) -> CaseResult:
    assert result.valid, result.told()
    assert len(result.cases) == 1
    return result.cases[0]


def lacks(case: CaseResult) -> list[tuple[str, str, str]]:
    return [(each.path, each.message, each.hint) for each in case.lacks]


def test_a_reading_is_judged_as_in_a_run(tested: Tested) -> None:
    case = only(
        tested(
            SPEED,
            """
cases:
  one:
    steps: {speed: {p95: 1200ms}, room: {used: 81%}}
    expect: {outcome: critical, findings: [slow, full], path: [speed, room]}
""",
        )
    )
    assert case.passed, case.told()
    assert [each.title for each in case.trace.findings] == ["81 % of it are used", "p95 is 1.2 s"]


@pytest.mark.parametrize(
    ("given", "outcome"), [("1s", "healthy"), ("1001ms", "warning"), ("0.9s", "healthy"), ("2min", "warning")]
)
def test_literals_carry_units(tested: Tested, given: str, outcome: str) -> None:
    tests = f"cases: {{one: {{steps: {{speed: {{p95: {given}}}, room: {{used: 0%}}}}, expect: {{outcome: {outcome}, findings: {'[slow]' if outcome == 'warning' else '[]'}}}}}}}\n"
    assert only(tested(SPEED, tests)).passed


def test_inputs_are_those_of_the_case_above_those_of_the_file_above_defaults(tested: Tested) -> None:
    result = tested(
        SPEED,
        """
inputs: {slow: 3s}
steps: {speed: {p95: 2500ms}, room: {used: 1%}}
cases:
  of_the_file: {expect: {outcome: healthy}}
  its_own: {inputs: {slow: 2s}, expect: {outcome: warning, findings: [slow]}}
""",
    )
    assert result.passed, result.told()


def test_a_case_changes_single_metrics_of_what_all_cases_have(tested: Tested) -> None:
    result = tested(
        SPEED.replace("p95 > inputs.slow", "p95 > inputs.slow and used < 50%"),
        """
steps: {speed: {p95: 2s, used: 10%}, room: {used: 1%}}
cases:
  as_it_is: {expect: {outcome: warning, findings: [slow]}}
  full: {steps: {speed: {used: 60%}}, expect: {outcome: healthy}}
  failed: {steps: {speed: {error: timeout}}, expect: {outcome: critical, findings: [down]}}
""",
    )
    assert result.passed, result.told()


def test_an_error_takes_its_route_with_its_message(tested: Tested) -> None:
    case = only(
        tested(
            SPEED,
            """
cases:
  one:
    steps: {speed: {error: {kind: refused, message: nobody is there}}}
    expect: {outcome: critical, findings: [down], path: [speed]}
""",
        )
    )
    assert case.passed, case.told()
    assert [each.title for each in case.trace.findings] == ["nobody is there"]


def test_an_error_without_a_route_is_a_blind_spot_that_has_to_be_expected(tested: Tested) -> None:
    result = tested(
        SPEED,
        """
steps: {speed: {error: auth}}
cases:
  told: {expect: {outcome: inconclusive, blind_spots: [speed]}}
  untold: {expect: {outcome: inconclusive}}
""",
    )
    assert [each.passed for each in result.cases] == [True, False]
    assert [each.about for each in result.cases[1].differences] == ["blind_spots"]


def test_a_step_that_runs_and_is_given_nothing_is_an_error_in_the_test(tested: Tested) -> None:
    case = only(
        tested(SPEED, "cases: {one: {steps: {speed: {p95: 2s}}, expect: {outcome: warning, findings: [slow]}}}\n")
    )
    assert lacks(case) == [
        ("room", "it runs, and the test gives it no reading", "room: {used: 10%}, or room: {error: timeout}")
    ]
    assert not case.passed
    assert case.differences == ()


def test_all_steps_side_by_side_that_are_given_nothing_are_told_at_once(tested: Tested) -> None:
    runbook = """
start: [one, other]
steps:
  one: {probe: fake.state}
  other: {probe: fake.state, with: {a: b}}
"""
    case = only(tested(runbook, "cases: {it: {expect: {outcome: healthy}}}\n"))
    assert [each.path for each in case.lacks] == ["one", "other"]


def test_a_metric_that_a_condition_needs_has_to_be_given_where_it_is_never_missing(tested: Tested) -> None:
    case = only(tested(SPEED, "cases: {one: {steps: {speed: {used: 1%}}, expect: {outcome: healthy}}}\n"))
    assert lacks(case) == [
        (
            "speed",
            '"p95 > inputs.slow" depends on p95, which is not given by the test and is never missing',
            "give speed a p95: duration, at least 0 s",
        )
    ]


def test_a_metric_of_an_earlier_step_that_a_condition_needs_has_to_be_given_as_well(tested: Tested) -> None:
    runbook = SPEED.replace("used > 80%", "used > 80% and speed.connections > 3")
    tests = (
        "cases: {one: {steps: {speed: {p95: 2s}, room: {used: 90%}}, expect: {outcome: warning, findings: [slow]}}}\n"
    )
    assert [each[1] for each in lacks(only(tested(runbook, tests)))] == [
        '"used > 80% and speed.connections > 3" depends on connections of step speed, '
        "which is not given by the test and is never missing"
    ]


def test_a_metric_that_decides_nothing_may_be_left_out(tested: Tested) -> None:
    runbook = SPEED.replace("used > 80%", "used > 80% and speed.connections > 3")
    tests = (
        "cases: {one: {steps: {speed: {p95: 2s}, room: {used: 10%}}, expect: {outcome: warning, findings: [slow]}}}\n"
    )
    assert only(tested(runbook, tests)).passed


OPTIONAL = """
start: cache
steps:
  cache:
    probe: fake.state
    branches:
      - {when: hit_rate < 80%, finding: misses}
      - {else: end}
    on_error:
      - {kind: missing, goto: other}
  other: {ask: "Is it new?", branches: [{when: answer, goto: end}, {else: end}]}
findings:
  misses: {level: warning, title: Misses}
"""


@pytest.mark.parametrize("given", ["{}", "{hit_rate: null}"])
def test_a_metric_that_may_be_missing_is_missing_where_it_is_not_given(tested: Tested, given: str) -> None:
    tests = f"""
cases:
  one:
    steps: {{cache: {given}, other: {{answer: true}}}}
    expect: {{outcome: inconclusive, blind_spots: [cache], path: [cache, other]}}
"""
    case = only(tested(OPTIONAL, tests))
    assert case.passed, case.told()


def test_an_attempt_after_an_error_may_bring_something_else_and_nobody_waits(tested: Tested) -> None:
    runbook = SPEED.replace(
        "    probe: fake.state\n    branches",
        "    probe: fake.state\n    retry: {attempts: 3, wait: 60s, max_wait: 10min}\n    branches",
        1,
    )
    result = tested(
        runbook,
        """
cases:
  the_third: {steps: {speed: [{error: timeout}, {error: refused}, {p95: 1s}]}, expect: {outcome: healthy}}
  never: {steps: {speed: {error: timeout}}, expect: {outcome: critical, findings: [down]}}
  not_tried_again: {steps: {speed: {error: auth}}, expect: {outcome: inconclusive, blind_spots: [speed]}}
""",
    )
    assert result.passed, result.told()
    waits = [[each.wait for each in case.trace.events if isinstance(each, AttemptFailed)] for case in result.cases]
    assert waits == [[60.0, 120.0], [60.0, 120.0], []]
    assert [case.trace.step("speed").attempts for case in result.cases] == [3, 3, 1]
    assert result.cases[0].trace.duration == 180.0


ASK = """
start: meant
steps:
  meant: {ask: "Which one?", type: enum, values: [blue, green], default: blue, branches: [{when: answer == "green", finding: it}, {else: end}]}
findings:
  it: {level: warning, title: "It is {{ meant.answer }}"}
"""


def test_an_answer_is_given_and_a_default_is_not_taken_for_it(tested: Tested) -> None:
    result = tested(
        ASK,
        """
cases:
  green: {steps: {meant: {answer: green}}, expect: {outcome: warning, findings: [it]}}
  nobody: {steps: {meant: {error: missing}}, expect: {outcome: inconclusive, blind_spots: [meant]}}
  forgotten: {expect: {outcome: healthy}}
""",
    )
    assert [each.passed for each in result.cases] == [True, True, False]
    assert lacks(result.cases[2]) == [("meant", "it runs, and the test gives it no answer", "meant: {answer: blue}")]


NEEDS = """
start: first
inputs:
  url: {type: url}
  most: {type: int}
  token: {type: secret, optional: true}
steps:
  first:
    probe: fake.state
    with: {url: "{{ inputs.url }}/x"}
    branches:
      - {when: connections > 1000000, finding: many}
      - {when: connections > inputs.most, finding: many}
      - {else: second}
  second:
    probe: fake.state
    with: {token: "{{ inputs.token }}", then: "{{ first.p95 }}"}
findings:
  many: {level: warning, title: "More than {{ inputs.most }} at {{ inputs.url }}"}
"""


def test_an_input_that_only_goes_into_parameters_need_not_be_given(tested: Tested) -> None:
    tests = "cases: {one: {steps: {first: {connections: 1000001}}, expect: {outcome: warning, findings: [many]}}}\n"
    case = only(tested(NEEDS, tests))
    assert case.passed, case.told()
    assert case.trace.findings[0].title == "More than <most> at <url>"


def test_an_input_that_a_condition_reads_has_to_be_given(tested: Tested) -> None:
    case = only(tested(NEEDS, "cases: {one: {steps: {first: {connections: 5}}, expect: {outcome: healthy}}}\n"))
    assert lacks(case) == [
        (
            "first",
            '"connections > inputs.most" depends on the input most, which has no default',
            "give it a value: inputs: {most: ...}",
        )
    ]


def test_a_step_that_is_not_configured_is_not_asked_as_in_a_run(tested: Tested) -> None:
    result = tested(
        NEEDS,
        """
inputs: {most: 10}
steps: {first: {connections: 5}}
cases:
  without: {expect: {outcome: healthy, not_asked: [second], path: [first]}}
  given_in_vain: {steps: {second: {}}, expect: {outcome: healthy}}
  with_a_token: {inputs: {token: given}, steps: {second: {}}, expect: {outcome: healthy}}
""",
    )
    assert [each.passed for each in result.cases] == [True, False, True], result.told()
    assert lacks(result.cases[1]) == [
        (
            "second",
            "the test gives it something, and it is not asked: token has no value",
            "inputs: {token: ...}",
        )
    ]


EXTRACTS = """
start: rows
steps:
  rows:
    probe: fake.answer
    extract:
      errors: {path: "length(rows)", type: count}
      age: {path: "rows[0].age", type: duration, unit: ms}
    branches:
      - {when: errors > 1 and age < 5min, finding: errors}
      - {else: end}
findings:
  errors: {level: warning, title: "{{ rows.errors }} errors"}
"""


def test_extracted_metrics_are_given_as_such_or_as_the_answer_that_they_are_taken_out_of(tested: Tested) -> None:
    result = tested(
        EXTRACTS,
        """
cases:
  metrics: {steps: {rows: {errors: 2, age: 1min}}, expect: {outcome: warning, findings: [errors]}}
  answer: {steps: {rows: {document: {rows: [{age: 100}, {age: 2}]}}}, expect: {outcome: warning, findings: [errors]}}
  both: {steps: {rows: {errors: 1, document: {rows: [{age: 100}, {age: 2}]}}}, expect: {outcome: healthy}}
  nothing_there: {steps: {rows: {errors: 2, document: {}}}, expect: {outcome: inconclusive, blind_spots: [rows]}}
""",
    )
    assert result.passed, result.told()


OPEN = """
inputs:
  where: {type: jmespath, default: app.latency_ms}
  measure: {type: enum, values: [ms, s], default: ms}
start: look
steps:
  look:
    probe: fake.answer
    extract: {took: {path: "{{ inputs.where }}", type: duration, unit: "{{ inputs.measure }}"}}
    branches: [{when: took > 500ms, finding: slow}, {else: end}]
findings: {slow: {level: warning, title: Slow}}
"""
OPEN_TESTS = """
cases:
  usual: {steps: {look: {document: {app: {latency_ms: 501}}}}, expect: {outcome: warning, findings: [slow]}}
  another:
    inputs: {where: deps.app.latency_s, measure: s}
    steps: {look: {document: {deps: {app: {latency_s: 0.501}}}}}
    expect: {outcome: warning, findings: [slow]}
  wrong:
    inputs: {where: deps.app.latency_s}
    steps: {look: {document: {app: {latency_ms: 501}}}}
    expect: {outcome: inconclusive, blind_spots: [look]}
"""


def test_what_an_input_says_of_an_answer_counts_in_a_test_too(tested: Tested) -> None:
    result = tested(OPEN, OPEN_TESTS)
    assert result.passed, result.told()


def test_what_a_called_runbook_says_of_an_answer_counts_in_a_test_too(tested: Tested) -> None:
    calling = """
inputs: {where: {type: jmespath, default: deps.app.latency_ms}}
start: one
steps:
  one: {call: called}
  two: {call: called, with: {where: app.latency_ms}}
"""
    result = tested(
        calling.replace("start: one", "start: [one, two]"),
        """
cases:
  both:
    steps:
      one/look: {document: {deps: {app: {latency_ms: 501}}}}
      two/look: {document: {app: {latency_ms: 400}}}
    expect: {outcome: warning, findings: [slow]}
""",
        called=OPEN,
    )
    assert result.passed, result.told()


def test_an_answer_that_nothing_says_the_path_of_is_a_mistake_of_the_test(
    tested: Tested, said: Callable[[FileResult], list[str]]
) -> None:
    result = tested(
        OPEN.replace("default: app.latency_ms", "optional: true"),
        "cases: {one: {steps: {look: {document: {}}}, expect: {outcome: healthy}}}\n",
    )
    assert said(result) == ['2 RB804 took of step "look" cannot be taken: nothing says what where is']


SAME = """
start: speed
steps:
  speed: {probe: fake.state, with: &same {a: b}, branches: [{when: p95 > 1s, finding: slow, goto: failures}, {else: failures}]}
  failures: {probe: fake.state, with: *same, branches: [{when: used > 50%, finding: full}, {else: end}]}
findings:
  slow: {level: warning, title: Slow}
  full: {level: warning, title: Full}
"""


def test_a_step_that_asks_the_same_takes_the_reading_of_the_first(tested: Tested) -> None:
    result = tested(
        SAME,
        """
cases:
  once: {steps: {speed: {p95: 2s, used: 60%}}, expect: {outcome: warning, findings: [slow, full]}}
  parts: {steps: {speed: {p95: 2s}, failures: {used: 60%}}, expect: {outcome: warning, findings: [slow, full]}}
  failed: {steps: {speed: {error: timeout}}, expect: {outcome: inconclusive, blind_spots: [speed]}}
  two_things: {steps: {speed: {p95: 2s, used: 60%}, failures: {used: 50%}}, expect: {outcome: warning}}
  impossible: {steps: {speed: {p95: 2s}, failures: {error: timeout}}, expect: {outcome: warning}}
""",
    )
    assert [each.passed for each in result.cases] == [True, True, True, False, False], result.told()
    assert [each[1] for case in result.cases for each in lacks(case)] == [
        'it takes the reading of step "speed", which asks the same, and the test gives it another used',
        'it takes the reading of step "speed", which asks the same, and the test gives it an error',
    ]


def test_what_is_given_to_steps_that_do_not_run_is_told_and_is_no_failure(tested: Tested) -> None:
    case = only(
        tested(SPEED, "cases: {one: {steps: {speed: {p95: 1ms}, room: {used: 1%}}, expect: {outcome: healthy}}}\n")
    )
    assert case.passed
    assert case.rehearsal.unused == ("room",)


def test_a_walk_without_end_has_no_outcome_to_be_trusted(tested: Tested) -> None:
    result = tested(SPEED, "cases: {as_if: {expect: {outcome: inconclusive}}, other: {expect: {outcome: critical}}}\n")
    for case in result.cases:
        assert not case.passed
        assert case.differences == ()
        assert case.trace.ending is rb.Ending.INTERRUPTED
