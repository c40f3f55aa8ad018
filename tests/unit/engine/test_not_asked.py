"""What was not configured is not asked: no blind spot, no bill of health, and told once."""

from collections.abc import Callable
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.engine.events import StepNotAsked, StepStatus
from runbook_engine.library import Library
from runbook_engine.probe.fake import FakeProbe
from runbook_engine.report import ReportFormat, build, render

Fake = Callable[..., FakeProbe]
Compile = Callable[..., rb.Plan]

HERE_AND_THERE = """
inputs:
  here: {default: a}
  cluster: {optional: true, env: CLUSTER}
  service: {optional: true}
start: [known, unknown]
steps:
  known:
    title: Is it well here?
    probe: fake.value
    with: {where: "{{ inputs.here }}"}
    branches: [{when: used > 90%, finding: full}, {else: end}]
  unknown:
    title: Is it well there?
    probe: fake.value
    with: {where: "{{ inputs.cluster }}", what: {name: ["{{ inputs.service }}"]}}
    branches: [{when: used > 90%, finding: full}, {else: end}]
    on_error: [{kind: missing, finding: gone, goto: after}]
  after:
    title: And what of it?
    probe: fake.value
    with: {where: "{{ inputs.here }}"}
    branches: [{when: unknown.used is missing, goto: end}, {else: end}]
  further:
    probe: fake.value
    with: {p95: "{{ unknown.p95 }}"}
    branches: [{else: end}]
findings:
  full: {level: critical, title: Full}
  gone: {level: critical, title: Gone}
"""


@pytest.fixture
def here_and_there(plan: Compile, fake: Fake) -> Callable[..., tuple[rb.Plan, FakeProbe]]:
    def make(text: str = HERE_AND_THERE) -> tuple[rb.Plan, FakeProbe]:
        probe = fake({"used": 10.0, "p95": 0.1, "state": "up"})
        return plan(text.replace("goto: after", "goto: [after, further]"), probe), probe

    return make


def test_a_step_that_is_not_configured_is_not_asked_and_raises_nothing(
    here_and_there: Callable[..., tuple[rb.Plan, FakeProbe]],
) -> None:
    compiled, probe = here_and_there()

    trace = rb.run(compiled, environ={})

    assert trace.outcome is rb.Outcome.HEALTHY
    assert trace.step("unknown").status is StepStatus.NOT_ASKED
    assert trace.step("unknown").not_asked == ("cluster", "service")
    assert (trace.findings, trace.blind_spots) == ([], [])
    assert [each.model_dump() for each in probe.calls] == [{"where": "a"}, {"where": "a"}]


def test_the_run_goes_on_where_it_would_if_there_were_nothing_to_measure(
    here_and_there: Callable[..., tuple[rb.Plan, FakeProbe]],
) -> None:
    trace = rb.run(here_and_there()[0], environ={})

    assert trace.step("unknown").goto == ("after", "further")
    assert sorted(step for _, step in trace.path) == ["after", "known"]


def test_what_needs_a_reading_of_it_is_not_asked_either(
    here_and_there: Callable[..., tuple[rb.Plan, FakeProbe]],
) -> None:
    trace = rb.run(here_and_there()[0], environ={})

    assert [(each.id, each.not_asked) for each in trace.not_asked] == [
        ("unknown", ("cluster", "service")),
        ("further", ("cluster", "service")),
    ]


def test_a_condition_that_lacks_an_input_leaves_a_blind_spot_and_hides_no_other_condition(
    here_and_there: Callable[..., tuple[rb.Plan, FakeProbe]],
) -> None:
    compiled, _ = here_and_there(
        """
inputs: {most: {type: percent, optional: true}}
start: only
steps:
  only: {probe: fake.value, branches: [{when: used > inputs.most, finding: full}, {else: end}]}
findings: {full: {level: critical, title: Full}}
"""
    )

    assert rb.run(compiled, environ={}).outcome is rb.Outcome.INCONCLUSIVE


def test_with_all_of_its_inputs_it_is_asked(here_and_there: Callable[..., tuple[rb.Plan, FakeProbe]]) -> None:
    compiled, _ = here_and_there()

    half = rb.run(compiled, environ={"CLUSTER": "c"})
    whole = rb.run(compiled, inputs={"service": "s"}, environ={"CLUSTER": "c"})

    assert half.step("unknown").not_asked == ("service",)
    assert (whole.not_asked, whole.step("unknown").status) == ([], StepStatus.PASSED)


def test_a_run_in_which_nothing_was_asked_is_not_healthy(
    here_and_there: Callable[..., tuple[rb.Plan, FakeProbe]],
) -> None:
    compiled, probe = here_and_there(HERE_AND_THERE.replace("{default: a}", "{optional: true}"))

    trace = rb.run(compiled, environ={})

    assert probe.calls == []
    assert trace.outcome is rb.Outcome.INCONCLUSIVE
    assert "Nothing was asked, because nothing is configured. This does not mean that it is healthy." in render(
        trace, ReportFormat.TEXT
    )


CALLER = """
runbook: caller
title: Calls
inputs: {dsn: {optional: true}, also: {default: x}}
start: [own, called]
steps:
  own: {probe: fake.value, with: {where: "{{ inputs.also }}"}, branches: [{else: end}]}
  called:
    title: The other one
    call: about-it
    branches: [{when: outcome == "critical", goto: end}, {else: after}]
  after: {probe: fake.value, with: {dsn: "{{ inputs.dsn }}"}, branches: [{else: end}]}
"""
CALLED = """
runbook: about-it
title: Is called
inputs: {dsn: {}}
start: one
steps:
  one: {probe: fake.value, with: {dsn: "{{ inputs.dsn }}"}, branches: [{else: end}]}
"""


@pytest.fixture
def caller(tmp_path: Path, fake: Fake) -> Callable[..., rb.Trace]:
    """A runbook that may do without what the runbook that it calls is about; run with inputs."""
    (tmp_path / "caller.yaml").write_text(CALLER)
    (tmp_path / "about-it.yaml").write_text(CALLED)
    probes = rb.Registry.of(fake({"used": 10.0, "p95": 0.1, "state": "up"}).probe)
    compiled = rb.load("caller", library=Library((tmp_path,)), probes=probes)

    def run(**inputs: str) -> rb.Trace:
        return rb.run(compiled, inputs=inputs, environ={})

    return run


def test_a_call_under_which_nothing_is_configured_is_not_asked_as_a_whole(caller: Callable[..., rb.Trace]) -> None:
    trace = caller()

    assert trace.outcome is rb.Outcome.HEALTHY
    assert [(each.id, each.not_asked) for each in trace.not_asked] == [("called", ("dsn",))]
    assert trace.step("after").status is StepStatus.SKIPPED
    assert trace.step("one", "called").status is StepStatus.NOT_ASKED
    assert caller(dsn="d").step("called").metrics["outcome"] == "healthy"


def test_a_recording_tells_again_what_was_not_asked(caller: Callable[..., rb.Trace], tmp_path: Path) -> None:
    trace = caller()

    again = rb.record(trace, tmp_path / "run.jsonl").replay()

    assert [each.inputs for each in again.events if isinstance(each, StepNotAsked)] == [("dsn",), ("dsn",)]
    assert build(again) == build(trace)


@pytest.mark.parametrize(
    ("format_", "told"),
    [
        (ReportFormat.TEXT, "The other one (dsn)"),
        (ReportFormat.MARKDOWN, "Not asked, because not configured: The other one (dsn)"),
        (ReportFormat.HTML, "The other one (dsn)"),
        (ReportFormat.JUNIT, 'message="not asked, because not configured: dsn"'),
    ],
)
def test_every_report_says_once_what_was_not_asked(
    caller: Callable[..., rb.Trace], format_: ReportFormat, told: str
) -> None:
    assert render(caller(), format_).count(told) == 1


def test_the_json_says_how_to_configure_it(caller: Callable[..., rb.Trace]) -> None:
    (part,) = build(caller()).not_asked
    assert (part.step, part.scope, part.title, part.inputs) == ("called", "", "The other one", ("dsn",))
    assert part.remedy == "give -s dsn=VALUE"
