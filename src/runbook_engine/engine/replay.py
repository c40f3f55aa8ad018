"""A recording, and walking it again without touching anything but its text."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runbook_engine.document.models import CallStep, Runbook
from runbook_engine.engine.border import Border
from runbook_engine.engine.codec import decode, encode
from runbook_engine.engine.events import (
    AttemptFailed,
    BlindSpot,
    CallStarted,
    Event,
    InputValue,
    MessagesRecognised,
    RunFinished,
    RunStarted,
    StepAnswered,
    StepDecided,
    StepFailed,
    StepMeasured,
    StepNotAsked,
    StepSkipped,
    StepStarted,
)
from runbook_engine.engine.inputs import Resolved
from runbook_engine.engine.judgement import Answer, NotAsked, Reading, Result, ScopeRun
from runbook_engine.engine.runner import call_reading, documents_of, not_well
from runbook_engine.engine.trace import child_scope, outcome_of
from runbook_engine.engine.walk import Moved
from runbook_engine.errors import RecordingError
from runbook_engine.files import write_whole
from runbook_engine.graph.plan import Plan
from runbook_engine.hostile import lines_of
from runbook_engine.ids import StepId
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.templates import Filled

SCHEMA = "runbook.recording/v1"
_HEADER = '{"schema":"runbook.recording/v1"}'


def write_recording(events: Iterable[Event], file: Path) -> None:
    """A recording: a header line and a line for each event. It holds the runbooks too, so it needs nothing beside it."""
    text = "\n".join((_HEADER, *(encode(each) for each in events), ""))
    try:
        write_whole(file, text, private=True)
    except OSError as error:
        raise RecordingError(f"the recording cannot be written to {file}: {error.strerror}") from error


def read_recording(file: Path) -> tuple[Event, ...]:
    """The events of a recording. Raises RecordingError that names the line."""
    try:
        if not file.is_file() and file.exists():  # a device may never end, and a pipe never begin
            raise RecordingError(f"the recording {file} cannot be read: it is not a file")
        lines = lines_of(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordingError(f"the recording {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{file} is not a recording: it is not UTF-8 text") from error
    except ValueError as error:
        raise RecordingError(f"the recording {file} cannot be read: {error}") from error
    if not lines or lines[0].replace(" ", "") != _HEADER:
        raise RecordingError(f"{file} is not a recording: its first line should be {_HEADER}")
    events = []
    for number, line in enumerate(lines[1:], 2):
        try:
            events.append(decode(line))
        except ValueError as error:
            raise RecordingError(f"{file}:{number}: {error}") from error
    if not events or not isinstance(events[0], RunStarted):
        raise RecordingError(f"{file}:2: a recording begins with run_started")
    return tuple(events)


def replay(events: Sequence[Event], plan: Plan) -> tuple[Event, ...]:
    """Walk ``plan`` again with the readings, errors and answers of ``events``; times are the recorded ones.

    What was known of error messages then is still said. With the plan that was recorded the result is the same event for
    event. With an edited one, a step that the recording never ran stays undecided and the outcome says that something was
    not seen.
    """
    return _Replay(events, plan).walk()


class _Replay:
    def __init__(self, events: Sequence[Event], plan: Plan) -> None:
        start = events[0]
        assert isinstance(start, RunStarted)  # noqa: S101 - read_recording has checked
        self._start = start
        self._recorded = events
        self._plan = plan
        self._out: list[Event] = []
        self._scopes: dict[str, ScopeRun] = {}
        self._running: set[tuple[str, str]] = set()
        self._started: dict[tuple[str, str], StepStarted] = {
            (each.scope, each.step): each for each in events if isinstance(each, StepStarted)
        }
        self._settled: set[tuple[str, str]] = set()
        decided = {(each.scope, each.step) for each in events if isinstance(each, StepDecided)}
        failed = {(each.scope, each.step) for each in events if isinstance(each, StepFailed)}
        self._cut_short = failed - decided
        self._at = start.at

    def walk(self) -> tuple[Event, ...]:
        kept = self._start.documents
        if self._plan.digest != self._start.digest:
            kept = documents_of(self._plan, Border())
        self._out.append(
            RunStarted(
                self._start.at,
                self._start.run_id,
                self._plan.runbook.runbook,
                self._plan.runbook.version,
                self._plan.digest,
                kept,
                self._start.inputs,
                self._start.engine,
                self._start.grants,
            )
        )
        self._enter("", self._plan, self._start.inputs)
        for event in self._recorded[1:]:
            self._at = event.at
            self._take(event)
        return tuple(self._out)

    def _take(self, event: Event) -> None:
        match event:
            case RunFinished():
                findings = [each for run in self._scopes.values() for each in run.findings]
                undecided = any(run.walk.undecided for run in self._scopes.values())
                blind = undecided or not_well(self._scopes.values())
                self._out.append(RunFinished(event.at, outcome_of(findings, blind=blind), event.ending))
            case CallStarted() if (event.scope, event.step) in self._running:
                child = self._scopes[event.scope].plan.steps[StepId(event.step)].child
                self._out.append(event)
                if child is not None:
                    self._enter(child_scope(event.scope, event.step), child, event.inputs)
            case AttemptFailed() if (event.scope, event.step) in self._running:
                self._out.append(event)
            case StepMeasured() | StepFailed() | StepAnswered() | StepNotAsked() if (
                event.scope,
                event.step,
            ) in self._running:
                self._settle(event)
            case MessagesRecognised() if (event.scope, event.step) in self._settled:
                self._out.append(event)
            case BlindSpot() if (event.scope, event.step) in self._cut_short:
                self._out.append(event)

    def _settle(self, event: StepMeasured | StepFailed | StepAnswered | StepNotAsked) -> None:
        key = (event.scope, event.step)
        if key in self._cut_short:
            self._running.discard(key)
            self._scopes[event.scope].blind_spots += 1
            self._out.append(event)
            return
        self._decide(event.scope, StepId(event.step), self._result(event), getattr(event, "attempt", 1))

    def _result(self, event: StepMeasured | StepFailed | StepAnswered | StepNotAsked) -> Result:
        step = self._scopes[event.scope].plan.steps[StepId(event.step)]
        match event:
            case StepFailed():
                return event.error
            case StepNotAsked():
                return NotAsked(event.inputs)
            case StepAnswered():
                return Answer(event.answer, MetricType(Dimension(event.dimension)), event.by)
            case StepMeasured():
                if isinstance(step.model, CallStep):
                    return call_reading(child_scope(event.scope, event.step), self._scopes.values())
                types = {name: MetricType(Dimension(each)) for name, each in event.dimensions.items()}
                return Reading(event.metrics, types, event.missing, event.evidence, event.samples)

    def _decide(self, scope: str, step: StepId, result: Result, attempt: int) -> None:
        run = self._scopes[scope]
        self._running.discard((scope, step))
        judged = run.judge(run.plan.steps[step], result, attempt=attempt, at=self._at)
        self._out.extend(judged.events)
        self._settled.add((scope, step))
        self._move(run, run.walk.decide(step, judged.targets))

    def _enter(self, scope: str, plan: Plan, inputs: Mapping[str, InputValue]) -> None:
        run = self._scopes[scope] = ScopeRun.of(scope, plan, _resolved(plan.runbook, inputs), Border())
        self._move(run, run.walk.begin(plan.runbook.start))

    def _move(self, run: ScopeRun, moved: Moved) -> None:
        self._out.extend(StepSkipped(self._at, run.scope, step) for step in moved.skipped)
        for step in moved.ready:
            known = self._started.get((run.scope, step))
            if known is not None:
                self._out.append(known)
                self._running.add((run.scope, step))


def _resolved(runbook: Runbook, inputs: Mapping[str, InputValue]) -> Mapping[str, Resolved]:
    from runbook_engine.graph.scope import input_type
    from runbook_engine.secret import Secret

    found: dict[str, Resolved] = {}
    for name, spec in runbook.inputs.items():
        given = inputs.get(name)
        value: Any = None if given is None else given.value
        if given is not None and spec.type == "secret":
            value = Secret("", given.shown)
        filled = Filled(value, input_type(spec).dimension)
        found[name] = (
            Resolved(filled, given.source, given.overruled, given.variable)
            if given
            else Resolved(filled, "not recorded")
        )
    return found
