"""A trace -> what a report says. Texts from outside are made harmless here, once, for every format."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice

from pydantic import JsonValue

from runbook_engine.conditions.showing import shown_bounds
from runbook_engine.document.models import AskStep, FindingKind, Level, Runbook
from runbook_engine.engine.called import ended
from runbook_engine.engine.events import (
    AttemptFailed,
    BlindSpot,
    Failure,
    FindingRaised,
    InputValue,
    KnownMessage,
    StepStatus,
)
from runbook_engine.engine.inputs import ways_to_set
from runbook_engine.engine.trace import StepTrace, Trace
from runbook_engine.graph.edges import EdgeKind, step_edges
from runbook_engine.hostile import cut, harmless, one_line
from runbook_engine.ids import TRIAGE, ResolutionId, StepId
from runbook_engine.quantity import BASE_UNIT, Dimension, Value, show
from runbook_engine.report.model import (
    BlindSpotPart,
    BranchPart,
    ErrorPart,
    EvidencePart,
    FindingPart,
    InputPart,
    JudgedPart,
    KnowledgePart,
    MetricPart,
    NotAskedPart,
    ReferencePart,
    Report,
    ResolutionPart,
    RetryPart,
    RunbookPart,
    SamplePart,
    StepPart,
    SymptomPart,
)
from runbook_engine.sampled import Sample

MOST_TEXT = 4_200
"""A little more than the border lets through: its own mark of truncation stays whole."""
MOST_KNOWN = 10
_LATEST = 253402300799.0
_NOT_RUN = (None, StepStatus.SKIPPED, StepStatus.NOT_ASKED)


def build(trace: Trace) -> Report:
    """What a report of this run says."""
    status = trace.statuses()
    return Report(
        run_id=_line(trace.run_id),
        runbook=_runbook(trace),
        outcome=trace.outcome,
        ending=trace.ending,
        started_at=timestamp(trace.started_at),
        finished_at=timestamp(trace.finished_at if trace.finished_at is not None else trace.started_at),
        duration_ms=_milliseconds(trace.duration),
        inputs={_line(name): _input(value) for name, value in trace.inputs.items()},
        findings=tuple(_finding(each, trace.runbooks[each.scope]) for each in trace.findings),
        symptom=_symptom(trace) if trace.runbook != TRIAGE else None,
        steps=tuple(_step(each, trace.runbooks[each.scope], status[key]) for key, each in trace.steps.items()),
        path=tuple(_line(f"{scope}/{step}" if scope else step) for scope, step in trace.path),
        blind_spots=tuple(_blind_spot(each, trace) for each in trace.blind_spots),
        not_asked=tuple(_not_asked(each, trace) for each in trace.not_asked),
        metrics=_metrics(trace),
        knowledge=_knowledge(trace),
        prevention=_prevention(trace),
        grants={_line(name): _line(source) for name, source in trace.grants.items()},
        overruled=_overruled(trace),
        engine=_line(trace.engine),
    )


def timestamp(at: float) -> str:
    """ISO 8601 in UTC with milliseconds. ``at`` is Unix seconds."""
    moment = datetime.fromtimestamp(min(max(0.0, at), _LATEST), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3) if math.isfinite(seconds) else 0.0


def _text(text: str) -> str:
    return cut(harmless(text), MOST_TEXT)


def _line(text: str) -> str:
    return cut(one_line(text), MOST_TEXT)


def _value(value: Value | None) -> Value | None:
    if isinstance(value, str):
        return _text(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return _text(value)
        case list():
            return [_json(each) for each in value]
        case dict():
            return {_line(key): _json(each) for key, each in value.items()}
    return value


def _runbook(trace: Trace) -> RunbookPart:
    document = trace.document
    return RunbookPart(
        name=_line(trace.runbook),
        version=_line(trace.version),
        digest=_line(trace.digest),
        title=_line(document.title) or _line(trace.runbook),
        description=_text(document.description),
        owner=_line(document.owner),
        severity=document.severity,
        symptoms=tuple(_line(each) for each in document.symptoms),
        references=tuple(ReferencePart(title=_line(each.title), url=_line(each.url)) for each in document.references),
    )


def _prevention(trace: Trace) -> tuple[str, ...]:
    """That of the runbook asked for, and of those of its called ones that found something."""
    found = {"", *(each.scope for each in trace.findings)}
    runbooks = (runbook for scope, runbook in trace.runbooks.items() if scope in found)
    return tuple(dict.fromkeys(_line(each) for runbook in runbooks for each in runbook.prevention))


def _input(given: InputValue) -> InputPart:
    return InputPart(value=_value(given.value), shown=_line(given.shown), source=_line(given.source))


def _overruled(trace: Trace) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, given in trace.given:
        if given.overruled:
            counted = f"{given.variable}, which is not set" if given.variable else given.source
            found.setdefault(_line(given.overruled), _line(counted))
    return found


def _symptom(trace: Trace) -> SymptomPart | None:
    """The steps of the runbook asked for that can confirm a symptom, and what they saw.

    That something could be measured at all says nothing of a symptom that only an error confirms.
    """
    document = trace.document
    symptoms = {name for name, each in document.findings.items() if each.kind is FindingKind.SYMPTOM}
    ways = {step_id: list(step_edges(step_id, step)) for step_id, step in document.steps.items()}
    looked = {
        step_id: step
        for step_id in document.steps
        if (step := trace.step(step_id)).status not in _NOT_RUN
        and any(edge.finding in symptoms for edge in ways[step_id])
    }
    confirmed = bool(trace.symptoms)
    seen = [
        step
        for step_id, step in looked.items()
        if step.status is not StepStatus.BLIND
        and any(edge.finding in symptoms and edge.kind is not EdgeKind.ERROR for edge in ways[step_id])
    ]
    if not confirmed and not seen:
        return None
    why = "" if confirmed else "; ".join(_line(step.why) for step in seen if step.why)
    return SymptomPart(confirmed=confirmed, steps=tuple(_line(step.id) for step in looked.values()), why=why)


def _metrics(trace: Trace) -> tuple[JudgedPart, ...]:
    if trace.runbook != TRIAGE:
        return ()
    from runbook_engine.report.judging import judged

    return judged(trace)


def _knowledge(trace: Trace) -> tuple[KnowledgePart, ...]:
    """Each entry once, at the first step that saw it."""
    seen: dict[str, list[tuple[StepTrace, KnownMessage]]] = {}
    for step in trace.steps.values():
        for each in step.known:
            seen.setdefault(each.entry, []).append((step, each))
    return tuple(_known(*first, [step for step, _ in more]) for first, *more in islice(seen.values(), MOST_KNOWN))


def _known(step: StepTrace, message: KnownMessage, others: Iterable[StepTrace]) -> KnowledgePart:
    return KnowledgePart(
        id=_line(message.entry),
        pattern=_line(message.pattern),
        text=_line(message.text),
        cause=_line(message.cause),
        solution=_line(message.solution),
        source=ReferencePart(title=_line(message.source), url=_line(message.url)),
        runbook=_line(message.runbook),
        step=_line(step.id),
        scope=_line(step.scope),
        also=tuple(_line(f"{each.scope}/{each.id}" if each.scope else each.id) for each in others),
    )


def _finding(raised: FindingRaised, runbook: Runbook) -> FindingPart:
    spec = runbook.resolutions.get(ResolutionId(raised.resolution)) if raised.resolution else None
    condition = _line(raised.condition)
    return FindingPart(
        id=_line(raised.finding),
        kind=FindingKind(raised.kind),
        level=Level(raised.level),
        title=_line(raised.title) or _line(raised.finding),
        cause=_line(raised.cause),
        step=_line(raised.step),
        scope=_line(raised.scope),
        condition=condition,
        evidence=tuple(
            EvidencePart(
                metric=_line(each.name),
                value=_value(each.value),
                unit=_line(each.unit),
                shown=_line(each.shown),
                condition=condition,
            )
            for each in raised.evidence
        ),
        resolution=ResolutionPart(
            id=_line(raised.resolution or ""), title=_line(spec.title), steps=tuple(_line(each) for each in spec.steps)
        )
        if spec
        else None,
    )


def _step(step: StepTrace, runbook: Runbook, status: StepStatus | None) -> StepPart:
    spec = runbook.steps[StepId(step.id)]
    branch = None
    if step.branch is not None:
        branch = BranchPart(
            when=_line(step.when),
            finding=_line(step.finding) if step.finding else None,
            goto=tuple(_line(each) for each in step.goto),
            why=_line(step.why),
        )
    return StepPart(
        id=_line(step.id),
        scope=_line(step.scope),
        title=_line(step.title) or _line(step.id),
        description=_text(spec.description),
        kind=step.kind,
        status=status,
        probe=_line(step.probe) if step.probe else None,
        calls=_line(step.calls) if step.calls else None,
        ended=_line(ended(step.calls, step.metrics)) if step.calls and step.metrics else "",
        question=_line(spec.ask) if isinstance(spec, AskStep) else "",
        answered_by=_line(step.answered_by),
        reading=dict(_reading(step)),
        evidence={_line(name): _json(value) for name, value in step.evidence.items()},
        error=_error(step.error) if step.error else None,
        branch=branch,
        command=_text(step.command).strip(),
        started_at=timestamp(step.started_at) if step.started_at is not None else None,
        duration_ms=_milliseconds(step.duration) if step.duration is not None else None,
        attempts=step.attempts,
        retries=tuple(_retry(each) for each in step.retries),
    )


def _reading(step: StepTrace) -> Mapping[str, MetricPart]:
    found = {}
    for name, value in step.metrics.items():
        dimension = _dimension(step.dimensions.get(name))
        found[_line(name)] = MetricPart(
            value=_value(value),
            unit=BASE_UNIT[dimension],
            shown=_line(_shown(value, dimension, step.samples.get(name))),
            missing=_line(step.missing.get(name, "")),
            sample=_sample(step.samples.get(name)),
        )
    return found


def _shown(value: Value | None, dimension: Dimension, sample: Sample | None) -> str:
    text = show(value, dimension)
    return text if sample is None else f"{text} ({shown_bounds(sample, dimension)})"


def _sample(sample: Sample | None) -> SamplePart | None:
    return None if sample is None else SamplePart(n=sample.n, lower=sample.lower, upper=sample.upper)


def _dimension(name: str | None) -> Dimension:
    return next((each for each in Dimension if each == name), Dimension.NUMBER)


def _error(failure: Failure) -> ErrorPart:
    return ErrorPart(kind=failure.kind, message=_text(failure.message), remedy=_text(failure.remedy))


def _retry(attempt: AttemptFailed) -> RetryPart:
    return RetryPart(attempt=attempt.attempt, error=_error(attempt.error), wait_ms=_milliseconds(attempt.wait))


def _not_asked(step: StepTrace, trace: Trace) -> NotAskedPart:
    called = {name: spec for runbook in trace.runbooks.values() for name, spec in runbook.inputs.items()}
    known = called | trace.document.inputs
    unset = {name: given.variable for name, given in trace.given if given.variable}
    ways = (ways_to_set(name, known[name], unset.get(name, "")) for name in step.not_asked if name in known)
    return NotAskedPart(
        step=_line(step.id),
        scope=_line(step.scope),
        title=_line(step.title) or _line(step.id),
        inputs=tuple(_line(each) for each in step.not_asked),
        remedy=_line("; ".join(ways)),
    )


def _blind_spot(blind: BlindSpot, trace: Trace) -> BlindSpotPart:
    return BlindSpotPart(
        step=_line(blind.step),
        scope=_line(blind.scope),
        title=_line(trace.steps[blind.scope, blind.step].title) or _line(blind.step),
        kind=blind.kind,
        message=_text(blind.message),
        remedy=_text(blind.remedy),
    )
