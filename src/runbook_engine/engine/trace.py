"""The fold of a run's events: what every report is rendered from."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from pydantic import JsonValue

from runbook_engine.document.models import FindingKind, Level, Runbook
from runbook_engine.engine.events import (
    AttemptFailed,
    BlindSpot,
    CallStarted,
    Ending,
    Event,
    Failure,
    FindingRaised,
    InputValue,
    KnownMessage,
    MessagesRecognised,
    Outcome,
    RunFinished,
    RunStarted,
    StepAnswered,
    StepDecided,
    StepFailed,
    StepMeasured,
    StepNotAsked,
    StepSkipped,
    StepStarted,
    StepStatus,
)
from runbook_engine.engine.known import KnownSoFar
from runbook_engine.quantity import Value
from runbook_engine.sampled import Sample

StepKind = Literal["probe", "ask", "call"]


@dataclass(slots=True)
class StepTrace:
    """One step of one runbook in the run. ``status`` is None while it is not decided (a run that was cut short)."""

    scope: str
    id: str
    title: str
    kind: StepKind
    probe: str | None = None
    status: StepStatus | None = None
    command: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    attempts: int = 0
    metrics: Mapping[str, Value | None] = field(default_factory=dict)
    dimensions: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    samples: Mapping[str, Sample] = field(default_factory=dict)
    error: Failure | None = None
    retries: list[AttemptFailed] = field(default_factory=list)
    answered_by: str = ""
    calls: str | None = None
    branch: tuple[str, int] | None = None
    when: str = ""
    why: str = ""
    finding: str | None = None
    goto: tuple[str, ...] = ()
    known: tuple[KnownMessage, ...] = ()
    not_asked: tuple[str, ...] = ()
    """The inputs that would configure it, where it was not asked."""

    @property
    def duration(self) -> float | None:
        """Seconds from the first attempt's start to the reading, or None."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(slots=True, repr=False)
class Trace:
    """One run. ``steps`` are keyed by scope and id, in the order of the document, those of a called runbook behind the step
    that calls it. ``findings`` and ``blind_spots`` have an order that does not depend on which probe answered first:
    causes before symptoms, then the worst, then the order of ``steps``. ``path`` has the steps
    that ran, in order of decision.
    """

    run_id: str
    runbook: str
    version: str
    digest: str
    runbooks: Mapping[str, Runbook]
    """By scope, in the order of ``steps``: the runbook asked for under ``""``, a called one under the scope of its steps."""
    inputs: Mapping[str, InputValue]
    engine: str
    started_at: float
    steps: dict[tuple[str, str], StepTrace]
    events: tuple[Event, ...]
    findings: list[FindingRaised] = field(default_factory=list)
    blind_spots: list[BlindSpot] = field(default_factory=list)
    path: list[tuple[str, str]] = field(default_factory=list)
    finished_at: float | None = None
    outcome: Outcome = Outcome.INCONCLUSIVE
    ending: Ending = Ending.INTERRUPTED
    grants: Mapping[str, str] = field(default_factory=dict)
    """What the run might do that is refused by default, each with what granted it."""

    def __repr__(self) -> str:
        return f"Trace({self.run_id!r}, {self.runbook!r}, {self.outcome!s}, {len(self.steps)} steps)"

    @property
    def document(self) -> Runbook:
        return self.runbooks[""]

    @property
    def duration(self) -> float:
        """Seconds."""
        return (self.finished_at if self.finished_at is not None else self.started_at) - self.started_at

    @property
    def given(self) -> Iterator[tuple[str, InputValue]]:
        """The inputs of the run by name, then those of the runbooks that it called."""
        for event in self.events:
            if isinstance(event, RunStarted | CallStarted):
                yield from event.inputs.items()

    @property
    def causes(self) -> list[FindingRaised]:
        """Findings that say why, worst first."""
        return [each for each in self.findings if each.kind == FindingKind.CAUSE]

    @property
    def not_asked(self) -> list[StepTrace]:
        """The steps that were not configured, in the order of ``steps``; those under a call that was not asked go with it."""
        unasked = {child_scope(*key) for key, each in self.steps.items() if each.status is StepStatus.NOT_ASKED}
        return [
            each
            for each in self.steps.values()
            if each.status is StepStatus.NOT_ASKED and unasked.isdisjoint(_enclosing(each.scope))
        ]

    @property
    def symptoms(self) -> list[FindingRaised]:
        """Findings that say what hurts, worst first."""
        return [each for each in self.findings if each.kind == FindingKind.SYMPTOM]

    def step(self, step_id: str, scope: str = "") -> StepTrace:
        return self.steps[scope, step_id]

    def statuses(self) -> Mapping[tuple[str, str], StepStatus | None]:
        """What is known of each step. One that the run's end cut short has no decision, yet it is blind; a call that was cut
        short is flagged if something was found under it.
        """
        blind = {(each.scope, each.step) for each in self.blind_spots}
        found = {scope for each in self.findings for scope in _enclosing(each.scope)}

        def status(key: tuple[str, str], step: StepTrace) -> StepStatus | None:
            if step.status is not None:
                return step.status
            if step.calls is None:
                return StepStatus.BLIND if key in blind else None
            return StepStatus.FLAGGED if child_scope(*key) in found else StepStatus.BLIND

        return {key: status(key, step) for key, step in self.steps.items()}


def fold(events: Iterable[Event], known: Mapping[str, Runbook] | None = None) -> Trace:
    """The trace of a run, whole or cut short. ``known`` are documents of it that need no validation any more.

    Raises ValueError where the first event is not the start of a run.
    """
    kept = tuple(events)
    if not kept or not isinstance(kept[0], RunStarted):
        raise ValueError("a run begins with its start")
    start = kept[0]
    documents = {
        name: known[name] if known and name in known else Runbook.model_validate(document)
        for name, document in start.documents.items()
    }
    runbooks = {"": documents[start.runbook]}
    trace = Trace(
        run_id=start.run_id,
        runbook=start.runbook,
        version=start.version,
        digest=start.digest,
        runbooks=runbooks,
        inputs=start.inputs,
        engine=start.engine,
        grants=start.grants,
        started_at=start.at,
        finished_at=start.at,
        steps={},
        events=kept,
    )
    _enter(trace, "", documents[start.runbook])
    for event in kept[1:]:
        trace.finished_at = event.at
        apply = _APPLY.get(type(event))
        if apply is not None:
            apply(trace, trace.steps[event.scope, event.step], event)  # type: ignore[union-attr]  # those of _APPLY have both
        elif isinstance(event, CallStarted):
            scope = child_scope(event.scope, event.step)
            runbooks[scope] = documents[event.runbook]
            trace.steps[event.scope, event.step].calls = event.runbook
            _enter(trace, scope, documents[event.runbook])
        elif isinstance(event, RunFinished):
            trace.outcome, trace.ending = event.outcome, event.ending
    _put_in_order(trace)
    _fill_texts(trace)
    if trace.ending is Ending.INTERRUPTED:
        trace.outcome = outcome_of(trace.findings, blind=True)
    return trace


def child_scope(scope: str, step: str) -> str:
    return f"{scope}/{step}" if scope else step


def outcome_of(findings: Iterable[FindingRaised], *, blind: bool) -> Outcome:
    """The worst finding; with none, inconclusive where something could not be seen."""
    levels = {each.level for each in findings}
    if Level.CRITICAL in levels:
        return Outcome.CRITICAL
    if levels:
        return Outcome.WARNING
    return Outcome.INCONCLUSIVE if blind else Outcome.HEALTHY


def _enter(trace: Trace, scope: str, runbook: Runbook) -> None:
    for step_id, step in runbook.steps.items():
        kind: StepKind = "probe" if hasattr(step, "probe") else "ask" if hasattr(step, "ask") else "call"
        trace.steps[scope, step_id] = StepTrace(
            scope, step_id, step.title or step_id.replace("_", " "), kind, getattr(step, "probe", None)
        )


def _fill_texts(trace: Trace) -> None:
    """What people read of the runbooks, with what the run came to know in it."""
    known = KnownSoFar()
    for event in trace.events:
        known.learn(event)
    for scope, runbook in trace.runbooks.items():
        told = known.document(runbook, scope)
        if told is runbook:
            continue
        trace.runbooks = {**trace.runbooks, scope: told}
        for step_id, step in told.steps.items():
            trace.steps[scope, step_id].title = step.title or step_id.replace("_", " ")


def _put_in_order(trace: Trace) -> None:
    if len(trace.runbooks) > 1:
        trace.steps = dict(_nested(trace, ""))
        trace.runbooks = {scope: trace.runbooks[scope] for scope in dict.fromkeys(scope for scope, _ in trace.steps)}
    if trace.findings or trace.blind_spots:
        place = {key: index for index, key in enumerate(trace.steps)}
        trace.findings.sort(key=lambda each: (*_rank(each), place[each.scope, each.step]))
        trace.blind_spots.sort(key=lambda each: place[each.scope, each.step])


def _nested(trace: Trace, scope: str) -> Iterator[tuple[tuple[str, str], StepTrace]]:
    for step_id in trace.runbooks[scope].steps:
        yield (scope, step_id), trace.steps[scope, step_id]
        called = child_scope(scope, step_id)
        if called in trace.runbooks:
            yield from _nested(trace, called)


def _rank(finding: FindingRaised) -> tuple[bool, bool]:
    """Causes before symptoms, and the worst first."""
    return finding.kind != FindingKind.CAUSE, finding.level != Level.CRITICAL


def _enclosing(scope: str) -> Iterator[str]:
    """A scope and those around it."""
    while scope:
        yield scope
        scope = scope.rpartition("/")[0]


def _started(_trace: Trace, step: StepTrace, event: StepStarted) -> None:
    step.started_at, step.command = event.at, event.command


def _attempted(_trace: Trace, step: StepTrace, event: AttemptFailed) -> None:
    step.retries.append(event)
    step.attempts = event.attempt


def _measured(_trace: Trace, step: StepTrace, event: StepMeasured) -> None:
    step.finished_at, step.attempts = event.at, event.attempt
    step.metrics, step.dimensions = event.metrics, event.dimensions
    step.missing, step.evidence, step.samples = event.missing, event.evidence, event.samples


def _failed(_trace: Trace, step: StepTrace, event: StepFailed) -> None:
    step.finished_at, step.attempts, step.error = event.at, event.attempt, event.error


def _answered(_trace: Trace, step: StepTrace, event: StepAnswered) -> None:
    step.finished_at, step.answered_by = event.at, event.by
    step.metrics, step.dimensions = {"answer": event.answer}, {"answer": event.dimension}


def _recognised(_trace: Trace, step: StepTrace, event: MessagesRecognised) -> None:
    step.known = event.messages


def _raised(trace: Trace, _step: StepTrace, event: FindingRaised) -> None:
    trace.findings.append(event)


def _unseen(trace: Trace, _step: StepTrace, event: BlindSpot) -> None:
    trace.blind_spots.append(event)


def _decided(trace: Trace, step: StepTrace, event: StepDecided) -> None:
    step.status, step.branch, step.when, step.why = event.status, event.branch, event.when, event.why
    step.finding, step.goto = event.finding, event.goto
    if event.status is not StepStatus.NOT_ASKED:
        trace.path.append((event.scope, event.step))


def _unasked(_trace: Trace, step: StepTrace, event: StepNotAsked) -> None:
    step.not_asked, step.started_at = event.inputs, None


def _skipped(_trace: Trace, step: StepTrace, _event: StepSkipped) -> None:
    step.status = StepStatus.SKIPPED


# By type and not by a chain of cases: most of the time that a fold takes is spent here.
_APPLY: Mapping[type, Callable[[Trace, StepTrace, Any], None]] = MappingProxyType(
    {
        StepStarted: _started,
        AttemptFailed: _attempted,
        StepMeasured: _measured,
        StepFailed: _failed,
        StepAnswered: _answered,
        StepNotAsked: _unasked,
        MessagesRecognised: _recognised,
        FindingRaised: _raised,
        BlindSpot: _unseen,
        StepDecided: _decided,
        StepSkipped: _skipped,
    }
)
