"""What a run says of error messages that are known."""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.api import Recording, record
from runbook_engine.engine.events import (
    Failure,
    KnownMessage,
    MessagesRecognised,
    RunFinished,
    RunStarted,
    StepMeasured,
)
from runbook_engine.engine.knowledge import KnowledgeBase
from runbook_engine.engine.replay import replay
from runbook_engine.kinds import ErrorKind
from runbook_engine.library import shipped_directory
from runbook_engine.probe import Count, Params, ProbeContext, ProbeError, Reading, probe
from runbook_engine.probe.fake import FakeProbe

Compile = Callable[..., rb.Plan]

TEXT = """
start: [logs, other]
steps:
  logs:
    probe: fake.logs
    branches:
      - {when: matches > 0, finding: errors}
      - {else: end}
  other:
    probe: fake.value
    branches: [{else: end}]
findings:
  errors: {level: warning, title: Errors, resolution: fix}
resolutions:
  fix: {title: Fix it, steps: [Fix it]}
"""


class Logs(Reading):
    LOGS = ("samples",)

    matches: Count


@probe("fake.logs", command=lambda _: "cat log")
async def logs(_params: Params, _ctx: ProbeContext) -> Logs:
    """Logs."""
    raise AssertionError


def lines(*samples: str) -> Logs:
    return Logs(matches=len(samples), evidence={"samples": list(samples), "query": "deadlock detected"})


@pytest.fixture
def shipped() -> KnowledgeBase:
    return KnowledgeBase.of(rb.Library((shipped_directory(),)))


@pytest.fixture
def walk(plan: Compile, fake: Callable[..., FakeProbe], shipped: KnowledgeBase) -> Callable[..., rb.Trace]:
    def run(reading: Logs, *answers: object) -> rb.Trace:
        probes = (FakeProbe("fake.logs", reading, like=logs), fake(*answers))
        return rb.run(plan(TEXT, *probes), environ={}, knowledge=shipped)

    return run


def known(trace: rb.Trace) -> Sequence[tuple[str, str]]:
    return [
        (each.step, one.entry) for each in trace.events if isinstance(each, MessagesRecognised) for one in each.messages
    ]


def test_messages_in_logs_and_errors_are_recognised(walk: Callable[..., rb.Trace]) -> None:
    trace = walk(lines("FATAL: sorry, too many clients already"), ProbeError(ErrorKind.TIMEOUT, "no answer"))
    assert sorted(known(trace)) == [("logs", "postgresql-too-many-connections"), ("other", "timeout")]
    assert [each.entry for each in trace.step("logs").known] == ["postgresql-too-many-connections"]


def test_evidence_that_is_not_a_log_is_not_searched(walk: Callable[..., rb.Trace]) -> None:
    assert known(walk(lines("all is well"), {"p95": 1.0})) == []


def test_a_run_in_which_nothing_fails_reads_no_knowledge(walk: Callable[..., rb.Trace], shipped: KnowledgeBase) -> None:
    walk(Logs(matches=0), {"p95": 1.0})
    assert "_read" not in vars(shipped)


def test_a_replayed_recording_says_the_same_event_for_event(walk: Callable[..., rb.Trace], tmp_path: Path) -> None:
    trace = walk(lines("deadlock detected"), ProbeError(ErrorKind.AUTH, "no"))
    recording = record(trace, tmp_path / "run.jsonl")
    again = Recording(recording.file).replay()
    assert [event for event in again.events if not isinstance(event, RunStarted)] == [
        event for event in trace.events if not isinstance(event, RunStarted)
    ]
    assert rb.render(again, rb.ReportFormat.JSON) == rb.render(trace, rb.ReportFormat.JSON)


def test_what_was_known_of_a_step_that_does_not_run_any_more_is_left_out(
    walk: Callable[..., rb.Trace], plan: Compile, fake: Callable[..., FakeProbe]
) -> None:
    trace = walk(lines("deadlock detected"), {"p95": 1.0})
    edited = plan(
        TEXT.replace("[logs, other]", "other").replace(
            "branches: [{else: end}]", "branches: [{when: p95 < 0s, goto: logs}, {else: end}]"
        ),
        FakeProbe("fake.logs", lines(), like=logs),
        fake({}),
    )
    assert not [each for each in replay(trace.events, edited) if isinstance(each, MessagesRecognised)]


def test_secrets_in_a_message_are_masked_before_it_is_recognised(
    plan: Compile, fake: Callable[..., FakeProbe], shipped: KnowledgeBase
) -> None:
    probes = (FakeProbe("fake.logs", lines("deadlock detected with hunter2secret"), like=logs), fake({"p95": 1.0}))
    trace = rb.run(plan(TEXT, *probes), environ={"API_TOKEN": "hunter2secret"}, knowledge=shipped)
    (known_message,) = trace.step("logs").known
    assert known_message.text == "deadlock detected with ***"


def test_a_run_may_do_without_knowledge(plan: Compile, fake: Callable[..., FakeProbe]) -> None:
    probes = (FakeProbe("fake.logs", lines("deadlock detected"), like=logs), fake({"p95": 1.0}))
    assert known(rb.run(plan(TEXT, *probes), environ={}, knowledge=None)) == []


class Waiting:
    """Knows nothing before it is told to, in the thread that asks."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def in_failure(self, _failure: Failure, _probe: str) -> tuple[KnownMessage, ...]:
        assert self.go.wait(30)
        return (KnownMessage("timeout", "no answer", "no answer", "It is slow.", "Wait.", "", ""),)

    def in_logs(self, _logs: Iterable[object]) -> tuple[KnownMessage, ...]:
        raise ZeroDivisionError("token=hunter2secret")


BEHIND = TEXT.replace("branches: [{else: end}]", "on_error: [{else: last}]\n    branches: [{else: end}]").replace(
    "findings:", "  last:\n    probe: fake.last\n    branches: [{else: end}]\nfindings:", 1
)


def test_no_step_waits_for_what_is_known_of_another(plan: Compile, fake: Callable[..., FakeProbe]) -> None:
    waiting = Waiting()

    @probe("fake.last", command=lambda _: "last")
    async def measured_last(_params: Params, _ctx: ProbeContext) -> Logs:
        """The last."""
        waiting.go.set()  # nobody says what is known before this step is measured
        return Logs(matches=0)

    probes = (FakeProbe("fake.logs", lines(), like=logs), fake(ProbeError(ErrorKind.TIMEOUT, "no answer")))
    last = FakeProbe("fake.last", like=measured_last)
    last.probe = measured_last
    trace = rb.run(plan(BEHIND, *probes, last), environ={}, knowledge=waiting)
    assert known(trace) == [("other", "timeout")]
    assert [each.step for each in trace.events if isinstance(each, StepMeasured)] == ["logs", "last"]
    assert isinstance(trace.events[-1], RunFinished)


def test_a_mistake_in_looking_for_what_is_known_costs_nothing_else(
    plan: Compile, fake: Callable[..., FakeProbe], caplog: pytest.LogCaptureFixture
) -> None:
    probes = (FakeProbe("fake.logs", lines("deadlock detected"), like=logs), fake({"p95": 1.0}))
    trace = rb.run(plan(TEXT, *probes), environ={"TOKEN": "hunter2secret"}, knowledge=Waiting())
    assert [each.title for each in trace.findings] == ["Errors"]
    assert known(trace) == []
    assert "ZeroDivisionError" in caplog.text
    assert "hunter2secret" not in caplog.text
