"""What several metrics are judged by is measured once, and a failure of it is everybody's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

import runbook_engine as rb
from runbook_engine.engine.events import StepMeasured
from runbook_engine.engine.once import measured_once
from runbook_engine.graph.triage_checks import compile_policy_file
from runbook_engine.ids import StepId
from runbook_engine.library import shipped_directory
from runbook_engine.probe import ErrorKind, ProbeContext, ProbeError, Reading, probe
from runbook_engine.probe.fake import AnyParams, reading_type
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.report import build

POLICY = shipped_directory() / "policy" / "metrics.yaml"
INPUTS = {"api_url": "https://api.test", "database_url": "postgresql://reader:pw@db/app"}


def test_response_time_and_error_rate_come_of_one_measurement(fakes: Callable[..., Any]) -> None:
    some = fakes()

    trace = rb.triage(POLICY, probes=some.registry, inputs=INPUTS, environ={})

    assert len(some.latency.calls) == 1
    readings = [each for each in trace.events if isinstance(each, StepMeasured)]
    first, second = (each for each in readings if each.step in ("response_time", "error_rate"))
    assert (first.metrics, first.evidence) == (second.metrics, second.evidence)


def test_metrics_of_different_measurements_are_measured_side_by_side(fakes: Callable[..., Any]) -> None:
    document = rb.load_triage(POLICY, probes=fakes().registry).runbook

    assert document.start == ("response_time", "cpu", "memory", "connections", "disk", "certificate")
    assert set(document.steps) - set(document.start) == {"error_rate"}


def test_a_failure_is_told_of_every_metric_and_measured_once(fakes: Callable[..., Any]) -> None:
    some = fakes({"http.latency": ProbeError(ErrorKind.THROTTLED, "too many requests", remedy="wait a minute")})

    trace = rb.triage(POLICY, probes=some.registry, inputs=INPUTS, environ={})

    assert len(some.latency.calls) == 1
    rows = build(trace).metrics[:2]
    assert [(each.step, each.level, each.why, each.remedy) for each in rows] == [
        ("response_time", "unknown", "throttled: too many requests", "wait a minute"),
        ("error_rate", "unknown", "throttled: too many requests", "wait a minute"),
    ]


def test_two_runs_of_one_plan_never_share_a_reading(fakes: Callable[..., Any]) -> None:
    some = fakes()
    some.latency.answers = (
        {**some.latency.answers[0], "error_rate": 2.0},
        {**some.latency.answers[0], "error_rate": 7.0},
    )
    plan = rb.load_triage(POLICY, probes=some.registry)
    seen: list[object] = []

    async def one() -> None:
        trace = await rb.arun(plan, inputs=INPUTS, environ={})
        seen.append([trace.step(each).metrics["error_rate"] for each in ("response_time", "error_rate")])

    async def both() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            tasks.start_soon(one)

    anyio.run(both)

    assert sorted(map(str, seen)) == ["[2.0, 2.0]", "[7.0, 7.0]"]
    assert len(some.latency.calls) == 2


class Hanging:
    """A probe that never answers, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        reading = reading_type({"p95": MetricType(Dimension.DURATION), "error_rate": MetricType(Dimension.PERCENT)})

        async def measure(_params: AnyParams, _ctx: ProbeContext) -> Reading:
            self.asked += 1
            await anyio.sleep_forever()
            raise AssertionError

        measure.__annotations__["return"] = reading
        self.probe = probe("small.latency", command=lambda _params: "wait")(measure)


@pytest.fixture
def two_of_one(small_text: str, tmp_path: Path) -> str:
    metrics = small_text[: small_text.index("  stock:")].replace("metric: p95", "timeout: 100ms\n    metric: p95")
    second = (
        metrics[metrics.index("  response_time:") :]
        .replace("response_time", "error_rate")
        .replace("metric: p95", "metric: error_rate")
        .replace("inputs.slow", "1%")
        .replace("inputs.very_slow", "5%")
    )
    text = "\n".join(line for line in (metrics + second).splitlines() if not line.startswith(("  name:", "  token:")))
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    return str(file)


def test_a_measurement_that_takes_too_long_is_not_waited_for_twice(two_of_one: str) -> None:
    hanging = Hanging()

    trace = rb.triage(two_of_one, probes=rb.Registry.of(hanging.probe))

    assert hanging.asked == 1
    first, second = build(trace).metrics
    assert (first.why, first.remedy) == (second.why, second.remedy)
    assert first.why == "timeout: small.latency gave no answer within 100 ms"
    assert trace.outcome is rb.Outcome.INCONCLUSIVE


def test_a_deadline_leaves_every_metric_unknown_and_says_why(two_of_one: str) -> None:
    trace = rb.triage(two_of_one, probes=rb.Registry.of(Hanging().probe), deadline=0.02)

    assert [(each.level, each.why) for each in build(trace).metrics] == [
        ("unknown", "timeout: not measured: the run's own deadline passed first"),
        ("unknown", "not measured: the run's own deadline passed first"),
    ]
    assert trace.outcome is rb.Outcome.INCONCLUSIVE


def test_a_plan_whose_steps_all_ask_something_else_stays_as_it_is(fakes: Callable[..., Any]) -> None:
    some = fakes()
    compiled = compile_policy_file(POLICY, some.registry, rb.Library((shipped_directory(),)))
    assert compiled.plan is not None

    plan = measured_once(compiled.plan)

    changed = {name for name, step in plan.steps.items() if step != compiled.plan.steps[name]}
    assert changed == {"response_time", "error_rate"}
    assert plan.digest == compiled.plan.digest


@pytest.mark.anyio
async def test_nothing_of_an_earlier_run_of_the_same_task_is_taken(fakes: Callable[..., Any]) -> None:
    some = fakes()
    plan = rb.load_triage(POLICY, probes=some.registry)
    await rb.arun(plan, inputs=INPUTS, environ={})
    some.latency.answers = (RuntimeError("a mistake of the probe"),)

    trace = await rb.arun(plan, inputs=INPUTS, environ={})

    assert [each.level for each in build(trace).metrics[:2]] == ["unknown", "unknown"]


@pytest.fixture
def two_chains(two_of_one: str) -> str:
    """The same twice: the second two metrics are of another API."""
    file = Path(two_of_one)
    metrics = file.read_text()[file.read_text().index("  response_time:") :]
    for name in ("response_time", "error_rate"):
        metrics = metrics.replace(f"{name}:", f"other_{name}:")
    file.write_text(f"{file.read_text()}\n{metrics.replace('api.example.com', 'other.example.com')}")
    return two_of_one


@pytest.mark.anyio
async def test_a_step_never_takes_what_another_chain_has_measured(two_chains: str) -> None:
    fake = rb.FakeProbe(
        "small.latency",
        {"p95": 0.1, "error_rate": 0.0},
        metrics={"p95": MetricType(Dimension.DURATION), "error_rate": MetricType(Dimension.PERCENT)},
    )
    plan = measured_once(rb.load_triage(two_chains, probes=rb.Registry.of(fake.probe)))
    first, behind, stranger = (
        plan.steps[StepId(each)].probe for each in ("response_time", "error_rate", "other_error_rate")
    )
    assert first is not None
    assert behind is not None
    assert stranger is not None

    for each in (first, behind, stranger):
        await each(AnyParams(), ProbeContext())

    assert len(fake.calls) == 2
