"""What a run makes of values that were sampled: a finding, a bill of health, or a blind spot that says what would decide."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field

import runbook_engine as rb
from runbook_engine.engine.events import StepStatus
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import (
    Params,
    ProbeContext,
    Reading,
    SampledDuration,
    SampledPercent,
    probe,
    quantile,
    share,
)
from runbook_engine.probe.fake import FakeProbe
from runbook_engine.report import ReportFormat, build, render

Compile = Callable[..., rb.Plan]
Walk = Callable[..., rb.Trace]

TEXT = """
start: look
steps:
  look:
    probe: fake.sampled
    branches:
      - {when: error_rate > 5%, finding: failing}
      - {when: error_rate > 1%, finding: errors}
      - {else: end}
findings:
  failing: {level: critical, title: Failing}
  errors: {level: warning, title: Errors}
"""


class SampledParams(Params):
    samples: int = Field(20, ge=1, le=1000)


class Sampling(Reading):
    SAMPLES = "samples"

    error_rate: SampledPercent
    p95: SampledDuration | None = None


@probe("fake.sampled", command=lambda _: "look")
async def sampling(_params: SampledParams, _ctx: ProbeContext) -> Sampling:
    """Sampled."""
    raise AssertionError


@pytest.fixture
def walk(plan: Compile) -> Walk:
    def run(reading: Sampling, text: str = TEXT) -> rb.Trace:
        return rb.run(plan(text, FakeProbe("fake.sampled", reading, like=sampling)), environ={})

    return run


def failed(part: int, n: int) -> Sampling:
    return Sampling(error_rate=share(part, n))


@pytest.mark.parametrize(
    ("reading", "outcome", "findings", "blind"),
    [
        (failed(0, 300), "healthy", [], []),
        (failed(0, 100), "inconclusive", [], ["uncertain"]),
        (failed(0, 20), "inconclusive", [], ["uncertain"]),
        (failed(20, 100), "critical", ["failing"], []),
        (failed(8, 300), "warning", ["errors"], []),
        (failed(4, 100), "warning", ["errors"], ["uncertain"]),
        (Sampling.model_validate({"error_rate": 0.0}), "healthy", [], []),
        (Sampling.model_validate({"error_rate": 5.1}), "critical", ["failing"], []),
    ],
)
def test_a_threshold_between_the_bounds_is_undecided(
    walk: Walk, reading: Sampling, outcome: str, findings: list[str], blind: list[str]
) -> None:
    trace = walk(reading)
    assert trace.outcome == outcome
    assert [each.finding for each in trace.findings] == findings
    assert [each.kind for each in trace.blind_spots] == blind


def test_the_blind_spot_says_what_is_known_and_how_many_samples_would_decide(walk: Walk) -> None:
    (blind,) = walk(failed(0, 20)).blind_spots
    assert blind.message == (
        '"error_rate > 5%" cannot be decided: error_rate 0 % (up to 13.9 %, n = 20) is not told apart from 5 %'
    )
    assert blind.remedy == "about 59 samples would decide (with: {samples: 59})"


@pytest.mark.parametrize(
    ("reading", "remedy"),
    [
        (failed(53, 1000), "about 15,189 samples would decide, and samples is 1,000 at most"),
        (failed(1, 20), "error_rate is too near to the threshold for any number of samples"),
    ],
)
def test_where_no_number_of_samples_helps_it_says_so(walk: Walk, reading: Sampling, remedy: str) -> None:
    assert walk(reading).blind_spots[0].remedy.startswith(remedy)


def test_what_surely_holds_behind_an_open_condition_is_found_beside_the_blind_spot(walk: Walk) -> None:
    trace = walk(failed(4, 100))
    step = trace.step("look")
    assert step.status is StepStatus.FLAGGED
    assert step.why == "error_rate 4 % (1.38 % to 8.92 %, n = 100) > 1 %"
    assert '"error_rate > 5%" cannot be decided' in trace.blind_spots[0].message


def test_a_way_without_a_finding_behind_an_open_condition_is_not_taken(walk: Walk) -> None:
    trace = walk(
        failed(4, 100), TEXT.replace("{when: error_rate > 1%, finding: errors}", "{when: error_rate > 1%, goto: end}")
    )
    assert trace.outcome == "inconclusive"
    assert trace.step("look").status is StepStatus.BLIND


def test_error_routes_take_it_like_every_other_kind(walk: Walk) -> None:
    routed = TEXT.replace("findings:", "    on_error: [{kind: uncertain, finding: errors}]\nfindings:", 1)
    trace = walk(failed(0, 20), routed)
    assert [each.finding for each in trace.findings] == ["errors"]


def test_a_value_that_is_missing_counts_as_missing_also_beside_one_that_is_open(walk: Walk) -> None:
    either = TEXT.replace("error_rate > 5%", "p95 > 1s or error_rate > 5%")
    assert walk(failed(0, 20), either).blind_spots[0].kind is ErrorKind.MISSING


def test_a_later_step_judges_by_the_bounds_of_an_earlier_one(walk: Walk) -> None:
    later = """
start: look
steps:
  look: {probe: fake.sampled, with: {samples: 30}, branches: [{else: again}]}
  again: {probe: fake.sampled, branches: [{when: look.error_rate > 5%, finding: failing}, {else: end}]}
findings:
  failing: {level: critical, title: Failing}
"""
    trace = walk(failed(0, 30), later)
    assert [(each.step, each.kind) for each in trace.blind_spots] == [("again", "uncertain")]
    assert trace.blind_spots[0].remedy == "about 59 samples would decide (with: {samples: 59})"


def test_a_recording_replays_event_for_event_and_keeps_the_bounds(walk: Walk, tmp_path: Path) -> None:
    times = [0.01 * each for each in range(1, 101)]
    trace = walk(Sampling(error_rate=share(4, 100), p95=quantile(times, 0.95)))
    again = rb.record(trace, tmp_path / "run.jsonl").replay()
    assert again.events == trace.events
    assert again.step("look").samples["p95"].n == 100
    assert rb.render(again, rb.ReportFormat.JSON) == rb.render(trace, rb.ReportFormat.JSON)


def test_reports_show_the_bounds(walk: Walk) -> None:
    trace = walk(failed(0, 20))
    part = build(trace).steps[0].reading["error_rate"]
    assert part.shown == "0 % (up to 13.9 %, n = 20)"
    assert part.sample is not None
    assert (part.sample.n, part.sample.lower) == (20, 0.0)
    assert part.sample.upper == pytest.approx(13.91, rel=1e-3)
    for each in ReportFormat:
        assert "13.9" in render(trace, each)


def test_a_metric_that_is_made_missing_has_no_sample(walk: Walk) -> None:
    trace = walk(Sampling(error_rate=share(0, 300), p95=None, missing={"p95": "too few"}))
    assert set(trace.step("look").samples) == {"error_rate"}


def test_the_type_says_that_it_is_sampled() -> None:
    assert sampling.metrics["error_rate"].describe() == "percent, 0 % to 100 %, sampled"
