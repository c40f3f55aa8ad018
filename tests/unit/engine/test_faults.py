"""A mistake of the engine's own, while it judges or fills: it costs one step its judgement, and the run never its report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

import runbook_engine as rb
from runbook_engine.conditions import explain
from runbook_engine.engine import judgement, runner
from runbook_engine.engine.events import Outcome, StepStatus
from runbook_engine.engine.measure import prepare
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Dimension, MetricType
from runbook_engine.probe.fake import FakeProbe

Fake = Callable[..., FakeProbe]
Compile = Callable[..., rb.Plan]

TWO_STEPS = """
inputs:
  where: {type: string, default: here}
start: [good, broken]
steps:
  good:
    probe: fake.value
    branches: [{when: p95 > 1s, finding: slow}, {else: end}]
  broken:
    probe: fake.other
    with: {tag: "{{ inputs.where }}"}
    branches: [{when: used > 80%, finding: full}, {else: end}]
findings:
  slow: {level: warning, title: "It takes {{ good.p95 }}"}
  full: {level: critical, title: "{{ broken.used }} are in use"}
"""


def _reported(trace: rb.Trace) -> str:
    return "".join(rb.render(trace, each) for each in rb.ReportFormat)


def _broken_for(name: str, real: Any) -> Callable[..., Any]:
    def broken(expression: Any, *more: Any) -> Any:
        if name in str(expression):
            raise OverflowError("int too large to convert to float; dsn=postgresql://app:hunter22@db/x")
        return real(expression, *more)

    return broken


def test_a_mistake_while_judging_is_a_blind_spot_of_that_step_and_the_finding_beside_it_stands(
    plan: Compile, fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(judgement, "explain", _broken_for("used", explain))
    compiled = plan(TWO_STEPS, fake({"p95": 2.0}), fake({"used": 90.0}, name="fake.other"))
    trace = rb.run(compiled, environ={})
    assert trace.outcome is Outcome.WARNING
    assert [each.title for each in trace.findings] == ["It takes 2 s"]
    (spot,) = trace.blind_spots
    assert (spot.step, spot.kind) == ("broken", ErrorKind.OTHER)
    assert spot.message.startswith("a fault in runbook, not in what was asked: OverflowError: int too large")
    assert "(at test_faults.py:" in spot.message
    assert trace.step("broken").status is StepStatus.BLIND
    assert rb.record(trace, tmp_path / "run.jsonl").replay().events == trace.events
    reported = _reported(trace)
    assert "a fault in runbook" in reported
    assert "hunter22" not in reported


def test_a_mistake_while_a_finding_is_told_leaves_no_half_of_it(
    plan: Compile, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> NoReturn:
        raise RecursionError("too deep")

    monkeypatch.setattr(judgement.ScopeRun, "_finding", broken)
    compiled = plan(TWO_STEPS, fake({"p95": 2.0}), fake({"used": 10.0}, name="fake.other"))
    trace = rb.run(compiled, environ={})
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert not trace.findings
    assert [each.step for each in trace.blind_spots] == ["good"]


def test_a_mistake_while_parameters_are_filled_is_an_error_of_that_step(
    plan: Compile, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken(step: Any, *more: Any) -> Any:
        if step.id == "broken":
            raise ValueError("exceeds the limit for integer string conversion")
        return prepare(step, *more)

    monkeypatch.setattr(runner, "prepare", broken)
    compiled = plan(TWO_STEPS, fake({"p95": 2.0}), fake({"used": 10.0}, name="fake.other"))
    trace = rb.run(compiled, environ={})
    assert trace.outcome is Outcome.WARNING
    assert [each.step for each in trace.blind_spots] == ["broken"]


@pytest.mark.parametrize("number", [10**400, -(10**400)], ids=["great", "small"])
def test_an_integer_that_no_float_holds_is_malformed_and_the_finding_beside_it_stands(
    plan: Compile, fake: Fake, number: int
) -> None:
    counted = FakeProbe("fake.other", {"used": number}, metrics={"used": MetricType(Dimension.NUMBER, integer=True)})
    trace = rb.run(plan(TWO_STEPS.replace("80%", "80"), fake({"p95": 2.0}), counted), environ={})
    assert trace.outcome is Outcome.WARNING
    (spot,) = trace.blind_spots
    assert (spot.step, spot.kind) == ("broken", ErrorKind.MALFORMED)
    assert spot.message == "fake.other measured used = a number that is too large"
    assert _reported(trace)


def test_an_infinite_number_is_missing_as_it_is_in_a_recording(plan: Compile, fake: Fake, tmp_path: Path) -> None:
    compiled = plan(TWO_STEPS, fake({"p95": float("inf")}), fake({"used": 10.0}, name="fake.other"))
    trace = rb.run(compiled, environ={})
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert "the probe measured a number without end" in trace.blind_spots[0].message
    assert rb.record(trace, tmp_path / "run.jsonl").replay().events == trace.events


def test_evidence_that_no_encoding_has_is_kept_in_characters_that_do(plan: Compile, fake: Fake, tmp_path: Path) -> None:
    odd: dict[str, Any] = {"said\ud800": "half \udc00 of a pair", "size": 10**400, "deep": [[[10**400]]]}
    compiled = plan(TWO_STEPS, fake({"p95": 2.0, "evidence": odd}), fake({"used": 10.0}, name="fake.other"))
    trace = rb.run(compiled, environ={})
    kept = trace.step("good").evidence
    assert kept["said\ufffd"] == "half \ufffd of a pair"
    assert kept["size"] == "a number that is too large"
    assert rb.record(trace, tmp_path / "run.jsonl").replay().events == trace.events
    assert _reported(trace)
