"""What a run does with readings, errors, retries, deadlines, questions and calls."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

import runbook_engine as rb
from runbook_engine.engine.asking import Question
from runbook_engine.engine.events import AttemptFailed, Ending, Event, Outcome, StepStatus
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import ProbeError
from runbook_engine.probe.fake import FakeProbe

Fake = Callable[..., FakeProbe]
Compile = Callable[..., rb.Plan]

ONE_STEP = """
start: look
steps:
  look:
    probe: fake.value
    branches:
      - {when: p95 > 1s, finding: slow}
      - {else: end}
findings:
  slow: {level: warning, title: "It takes {{ look.p95 }}", resolution: fix}
resolutions:
  fix: {title: Fix it, steps: [Fix it]}
"""


def test_a_reading_over_the_threshold_raises_the_finding_with_its_evidence(plan: Compile, fake: Fake) -> None:
    probe = fake({"p95": 1.24})
    trace = rb.run(plan(ONE_STEP, probe), environ={})
    assert trace.outcome is Outcome.WARNING
    (finding,) = trace.findings
    assert finding.title == "It takes 1.24 s"
    assert [(each.name, each.value, each.unit, each.shown) for each in finding.evidence] == [
        ("p95", 1.24, "s", "1.24 s")
    ]
    assert trace.step("look").why == "p95 1.24 s > 1 s"
    assert trace.step("look").status is StepStatus.FLAGGED


def test_a_reading_under_the_threshold_is_healthy_and_says_why(plan: Compile, fake: Fake) -> None:
    trace = rb.run(plan(ONE_STEP, fake({"p95": 0.22})), environ={})
    assert trace.outcome is Outcome.HEALTHY
    assert trace.step("look").why == "p95 220 ms ≤ 1 s"
    assert trace.step("look").status is StepStatus.PASSED


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_metric_is_a_blind_spot_and_never_not_exceeded(
    plan: Compile, fake: Fake, missing: float | None
) -> None:
    trace = rb.run(plan(ONE_STEP, fake({"p95": missing})), environ={})
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert trace.step("look").status is StepStatus.BLIND
    (spot,) = trace.blind_spots
    assert spot.kind is ErrorKind.MISSING
    assert '"p95 > 1s" cannot be decided: p95 is missing' in spot.message


def test_the_reason_for_a_missing_metric_becomes_the_remedy(plan: Compile, fake: Fake) -> None:
    reading = {"p95": None, "missing": {"p95": "GRANT pg_monitor TO app"}}
    trace = rb.run(plan(ONE_STEP, fake(reading)), environ={})
    assert trace.blind_spots[0].remedy == "GRANT pg_monitor TO app"


def test_a_failed_probe_without_a_route_is_a_blind_spot_with_its_remedy(plan: Compile, fake: Fake) -> None:
    probe = fake(ProbeError(ErrorKind.FORBIDDEN, "no permission", remedy="grant it"))
    trace = rb.run(plan(ONE_STEP, probe), environ={})
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert [(each.kind, each.message, each.remedy) for each in trace.blind_spots] == [
        (ErrorKind.FORBIDDEN, "no permission", "grant it")
    ]


ROUTED = """
start: look
steps:
  look:
    probe: fake.value
    branches: [{else: end}]
    on_error:
      - {kind: [refused, dns], finding: down, goto: next}
      - {else: next}
  next: {probe: fake.next}
findings:
  down: {level: critical, title: "It is down ({{ error.kind }})", cause: "{{ error.message }}", resolution: fix}
resolutions:
  fix: {title: Fix it, steps: [Fix it]}
"""


def test_an_error_route_with_a_finding_makes_the_error_a_diagnosis(plan: Compile, fake: Fake) -> None:
    probe = fake(ProbeError(ErrorKind.REFUSED, "127.0.0.1:1 refuses"))
    trace = rb.run(plan(ROUTED, probe, fake({}, name="fake.next")), environ={})
    assert trace.outcome is Outcome.CRITICAL
    assert (trace.findings[0].title, trace.findings[0].cause) == ("It is down (refused)", "127.0.0.1:1 refuses")
    assert trace.blind_spots == []
    assert trace.step("next").status is StepStatus.PASSED


def test_an_error_route_without_a_finding_goes_on_and_stays_a_blind_spot(plan: Compile, fake: Fake) -> None:
    probe = fake(ProbeError(ErrorKind.AUTH, "wrong password"))
    trace = rb.run(plan(ROUTED, probe, fake({}, name="fake.next")), environ={})
    assert trace.step("next").status is StepStatus.PASSED
    assert trace.outcome is Outcome.INCONCLUSIVE


RETRIED = ONE_STEP.replace("probe: fake.value", "probe: fake.value\n    retry: {attempts: 3, wait: 1s, jitter: 20%}")


def test_a_retry_waits_twice_as_long_each_time_and_takes_the_reading_that_comes(
    plan: Compile, fake: Fake, clock: Any
) -> None:
    error = ProbeError(ErrorKind.REFUSED, "not yet")
    probe = fake(error, error, {"p95": 0.1})
    seen: list[Event] = []
    trace = rb.run(plan(RETRIED, probe), environ={}, clock=clock, observe=seen.append)
    assert trace.outcome is Outcome.HEALTHY
    assert clock.slept == [1.0, 2.0]
    assert trace.step("look").attempts == 3
    assert [each.wait for each in seen if isinstance(each, AttemptFailed)] == [1.0, 2.0]


def test_jitter_spreads_the_waits_within_its_share(plan: Compile, fake: Fake, clock: Any) -> None:
    clock.luck = 0.0
    error = ProbeError(ErrorKind.REFUSED, "not yet")
    rb.run(plan(RETRIED, fake(error, error, error)), environ={}, clock=clock)
    assert clock.slept == [0.8, 1.6]


def test_an_error_that_a_retry_cannot_mend_is_not_retried(plan: Compile, fake: Fake, clock: Any) -> None:
    probe = fake(ProbeError(ErrorKind.AUTH, "wrong password"))
    rb.run(plan(RETRIED, probe), environ={}, clock=clock)
    assert len(probe.calls) == 1


def test_a_step_that_exceeds_its_timeout_is_a_timeout(plan: Compile, fake: Fake) -> None:
    text = ONE_STEP.replace("probe: fake.value", "probe: fake.value\n    timeout: 50ms")
    with anyio_limit():
        trace = rb.run(plan(text, fake({"p95": 0.1}, delay=30)), environ={})
    assert trace.blind_spots[0].kind is ErrorKind.TIMEOUT
    assert trace.blind_spots[0].message == "fake.value gave no answer within 50 ms"


def anyio_limit() -> Any:
    """A guard: the test fails when the engine waits longer than ten seconds."""
    import contextlib
    import time

    @contextlib.contextmanager
    def guard() -> Any:
        begun = time.monotonic()
        yield
        assert time.monotonic() - begun < 10

    return guard()


def test_the_run_deadline_reports_what_was_found_and_what_was_not_seen(plan: Compile, fake: Fake) -> None:
    text = """
start: [look, wait]
steps:
  look: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow}, {else: end}]}
  wait: {probe: fake.slow, branches: [{else: after}]}
  after: {probe: fake.value}
findings:
  slow: {level: critical, title: Slow, resolution: fix}
resolutions: {fix: {title: Fix it, steps: [Fix it]}}
"""
    compiled = plan(text, fake({"p95": 2.0}), fake({}, name="fake.slow", delay=30))
    with anyio_limit():
        trace = rb.run(compiled, environ={}, deadline=0.1)
    assert trace.ending is Ending.DEADLINE
    assert trace.outcome is Outcome.CRITICAL
    assert [each.step for each in trace.blind_spots] == ["wait"]
    assert "deadline" in trace.blind_spots[0].message
    assert trace.step("after").status is None


@pytest.mark.anyio
async def test_a_cancelled_run_keeps_what_it_had(plan: Compile, fake: Fake) -> None:
    text = ONE_STEP.replace("start: look", "start: [look, wait]").replace(
        "steps:", "steps:\n  wait: {probe: fake.slow}", 1
    )
    runner = rb.prepare(plan(text, fake({"p95": 2.0}), fake({}, name="fake.slow", delay=30)), environ={})
    with anyio.move_on_after(0.1):
        await runner.run()
    trace = runner.trace()
    assert trace.ending is Ending.INTERRUPTED
    assert [each.finding for each in trace.findings] == ["slow"]
    assert [each.step for each in trace.blind_spots] == ["wait"]


def test_a_reading_outside_its_declared_bounds_is_malformed(plan: Compile, fake: Fake) -> None:
    text = ONE_STEP.replace("p95 > 1s", "used > 90%")
    trace = rb.run(plan(text, fake({"used": 140.0})), environ={})
    assert trace.blind_spots[0].kind is ErrorKind.MALFORMED
    assert "outside its declared bounds (percent, 0 % to 100 %)" in trace.blind_spots[0].message


def test_a_mistake_inside_a_probe_is_a_blind_spot_not_a_crash(plan: Compile, fake: Fake) -> None:
    trace = rb.run(plan(ONE_STEP, fake(ZeroDivisionError("division by zero"))), environ={})
    assert trace.blind_spots[0].kind is ErrorKind.OTHER
    assert "ZeroDivisionError" in trace.blind_spots[0].message


def test_a_library_that_is_not_installed_is_unavailable_with_the_command_that_installs_it(
    plan: Compile, fake: Fake
) -> None:
    trace = rb.run(
        plan(ONE_STEP, fake(ModuleNotFoundError("No module named 'boto3'", name="boto3.session"))), environ={}
    )
    assert trace.blind_spots[0].kind is ErrorKind.UNAVAILABLE
    assert trace.blind_spots[0].remedy == "pip install boto3"


ASKED = """
start: question
steps:
  question:
    ask: Was there a deployment?
    branches:
      - {when: answer, finding: deployed}
      - {else: end}
findings:
  deployed: {level: warning, title: A deployment, resolution: fix}
resolutions: {fix: {title: Fix it, steps: [Fix it]}}
"""


def test_a_persons_answer_decides(plan: Compile) -> None:
    asked: list[Question] = []

    async def ask(question: Question) -> bool:
        asked.append(question)
        return True

    trace = rb.run(plan(ASKED), environ={}, ask=ask)
    assert asked[0].text == "Was there a deployment?"
    assert [each.finding for each in trace.findings] == ["deployed"]
    assert trace.step("question").answered_by == "person"


def test_a_question_that_nobody_answers_is_a_blind_spot(plan: Compile) -> None:
    trace = rb.run(plan(ASKED), environ={})
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert trace.blind_spots[0].remedy == "answer it at the terminal, or give --answer question=VALUE"


def test_an_answer_given_beforehand_is_not_asked_for(plan: Compile) -> None:
    trace = rb.run(plan(ASKED), environ={}, answers={"question": "no"})
    assert trace.outcome is Outcome.HEALTHY
    assert trace.step("question").status is StepStatus.ANSWERED


CHILD = """runbook: child
title: The child
inputs:
  limit: {type: duration, default: 1s}
  name: {type: string}
start: look
steps:
  look: {probe: fake.value, branches: [{when: p95 > inputs.limit, finding: slow}, {else: end}]}
findings:
  slow: {level: critical, title: "{{ inputs.name }} takes {{ look.p95 }}", resolution: fix}
resolutions: {fix: {title: Fix it, steps: [Fix it]}}
"""
PARENT = """runbook: parent
title: The parent
inputs:
  limit: {type: duration, default: 300ms}
start: below
steps:
  below:
    call: child
    with: {name: the child}
    branches:
      - {when: outcome == "critical", goto: after}
      - {else: end}
  after: {probe: fake.value}
"""


def test_a_called_runbook_brings_its_findings_along_and_inherits_inputs(tmp_path: Path, fake: Fake) -> None:
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "parent.yaml").write_text(PARENT)
    trace = rb.run(
        tmp_path / "parent.yaml",
        environ={},
        probes=rb.Registry.of(fake({"p95": 0.4}).probe),
        library=rb.Library((tmp_path,)),
    )
    assert trace.outcome is Outcome.CRITICAL
    assert [(each.scope, each.title) for each in trace.findings] == [("below", "the child takes 400 ms")]
    assert trace.step("below").metrics == {"outcome": "critical", "findings": 1, "blind_spots": 0}
    assert trace.step("look", scope="below").status is StepStatus.FLAGGED
    assert trace.step("after").status is StepStatus.PASSED
    again = rb.record(trace, tmp_path / "run.jsonl").replay()
    assert again.steps == trace.steps
    assert again.findings == trace.findings


def test_running_inside_a_running_loop_says_what_to_do(plan: Compile, fake: Fake) -> None:
    compiled = plan(ONE_STEP, fake({"p95": 0.1}))

    async def inside() -> None:
        with pytest.raises(rb.UsageError, match=r"use `await arun\(\.\.\.\)` there"):
            rb.run(compiled, environ={})

    anyio.run(inside)
