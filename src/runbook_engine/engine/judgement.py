"""From what a step brought back to what follows: the pure heart of a run.

A live run and a replay both come through here, so that a recording walked again decides everything anew.
"""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine.conditions import Name, Truth, evidence, explain
from runbook_engine.document.models import ProbeStep
from runbook_engine.engine.border import Border
from runbook_engine.engine.called import called_status, ended
from runbook_engine.engine.certainty import uncertain
from runbook_engine.engine.events import (
    BlindSpot,
    Event,
    Failure,
    FindingRaised,
    Measured,
    StepAnswered,
    StepDecided,
    StepFailed,
    StepMeasured,
    StepNotAsked,
    StepStatus,
)
from runbook_engine.engine.fault import fault
from runbook_engine.engine.inputs import Resolved, ways_to_set
from runbook_engine.engine.walk import Walk
from runbook_engine.graph.extracting import remedy
from runbook_engine.graph.plan import Filling, Plan, PlannedStep, Way, dimensions
from runbook_engine.graph.scope import ERROR, INPUTS
from runbook_engine.ids import FindingId, StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import MetricType, Value, show
from runbook_engine.sampled import Sample, Sampled
from runbook_engine.templates import Filled, Lookup, Template

Values = Callable[[Name], Value | None]
UNKNOWN = "unknown"
_MOST_WHY = 500
_HOLDS = Truth(True)


class Reading(Struct, frozen=True):
    """A measurement as the engine keeps it: masked, within the declared bounds, NaN made missing."""

    metrics: Mapping[str, Value | None]
    types: Mapping[str, MetricType]
    missing: Mapping[str, str] = {}
    evidence: Mapping[str, JsonValue] = {}
    samples: Mapping[str, Sample] = {}
    """What stands behind the metrics that were sampled."""

    def value(self, metric: str) -> Value | None:
        """As conditions compare it: with its bounds where it was sampled."""
        value, sample = self.metrics.get(metric), self.samples.get(metric)
        return value if sample is None or not isinstance(value, float | int) else Sampled(value, sample)


class Answer(Struct, frozen=True):
    value: Value
    type: MetricType
    by: str


class NotAsked(Struct, frozen=True):
    """Nothing was asked, because optional ``inputs`` that say what is meant have no value."""

    inputs: tuple[str, ...]


Result = Reading | Answer | Failure | NotAsked


class Judgement(Struct, frozen=True):
    """The events to append and the steps chosen."""

    events: tuple[Event, ...]
    targets: tuple[StepId, ...]


class ScopeRun(Struct):
    """One runbook being walked: what has been measured in it so far, and what came of it."""

    scope: str
    plan: Plan
    inputs: Mapping[str, Resolved]
    border: Border
    walk: Walk
    results: dict[StepId, Reading | Answer] = {}
    not_asked: dict[StepId, tuple[str, ...]] = {}
    """The steps that were not asked, each with the inputs that would configure it."""
    findings: list[FindingRaised] = []
    blind_spots: int = 0

    @classmethod
    def of(cls, scope: str, plan: Plan, inputs: Mapping[str, Resolved], border: Border) -> "ScopeRun":
        return cls(scope, plan, inputs, border, Walk(plan.successors))

    def value(self, step: StepId) -> Values:
        """Names as conditions in ``step`` see them; None is missing."""
        own = self.results.get(step)

        def look_up(name: Name) -> Value | None:
            if name.scope is None:
                return _value(own, name.name)
            if name.scope == INPUTS:
                found = self.inputs[name.name].filled.value if name.name in self.inputs else None
                return found if isinstance(found, bool | int | float | str) else None
            return _value(self.results.get(StepId(name.scope)), name.name)

        return look_up

    def type(self, step: StepId) -> Callable[[Name], MetricType | None]:
        """The type of a name as seen from ``step``."""

        def look_up(name: Name) -> MetricType | None:
            if name.scope == INPUTS:
                return self.plan.input_types.get(name.name)
            owner = step if name.scope is None else StepId(name.scope)
            result = self.results.get(owner)
            return _types(result).get(name.name) if result is not None else None

        return look_up

    def filled(self, step: StepId, failure: Failure | None = None) -> Callable[[Name], Filled]:
        """Names as texts in ``step`` see them."""
        values, types = self.value(step), self.type(step)

        def look_up(name: Name) -> Filled:
            if name.scope == INPUTS:
                found = self.inputs.get(name.name)
                return found.filled if found else Filled(None)
            if name.scope == ERROR:
                return Filled(None if failure is None else failure.message if name.name == "message" else failure.kind)
            known = types(name)
            return Filled(values(name), known.dimension) if known else Filled(None)

        return look_up

    def ways_to_set(self, name: str) -> str:
        """How to give an input of the runbook a value."""
        given = self.inputs.get(name)
        return ways_to_set(name, self.plan.runbook.inputs[name], given.variable if given else "")

    def unasked(self, step: PlannedStep) -> NotAsked | None:
        """Why the step is not asked, if so: its parameters need an optional input without a value, or what a step that was
        not asked would have measured. Only parameters and extracts count; a condition that lacks a value leaves a blind spot.
        """
        filling = {} if step.params is not None else step.filling
        if not (filling or step.extracting):
            return None
        look_up = self.filled(step.id)
        inputs: dict[str, None] = {}
        for name in (*_lacking(filling, look_up), *_lacking(step.extracting, look_up)):
            if name.scope == INPUTS:
                inputs[name.name] = None
            elif name.scope is not None:
                inputs.update(dict.fromkeys(self.not_asked.get(StepId(name.scope), ())))
        return NotAsked(tuple(inputs)) if inputs else None

    def judge(self, step: PlannedStep, result: Result, *, attempt: int, at: float) -> Judgement:
        """Decide a step that has run. A mistake of ours on the way is an error of this step alone, as a probe's is."""
        findings, blind_spots = len(self.findings), self.blind_spots
        try:
            return self._judged(step, result, attempt, at)
        except Exception as error:  # noqa: BLE001 - what was found elsewhere must not be lost for want of this step
            failure = fault(error, self.border)
        del self.findings[findings:]
        self.blind_spots = blind_spots
        self.results.pop(step.id, None)
        before = (StepFailed(at, self.scope, step.id, attempt, failure),)
        try:
            return self._failed(step, failure, at, before)
        except Exception:  # noqa: BLE001 - a route of this step that cannot be told either
            return self._blind(failure, step, at, before)

    def _judged(self, step: PlannedStep, result: Result, attempt: int, at: float) -> Judgement:
        where = (at, self.scope, step.id)
        if isinstance(result, Failure):
            return self._failed(step, result, at, (StepFailed(*where, attempt, result),))
        if isinstance(result, NotAsked):
            return self._unasked(step, result, at)
        self.results[step.id] = result
        first: Event
        if isinstance(result, Answer):
            first = StepAnswered(*where, result.value, result.type.dimension, result.by)
        else:
            known = step.dimensions if result.types is step.types else dimensions(result.types)
            first = StepMeasured(
                *where, attempt, result.metrics, known, result.missing, result.evidence, result.samples
            )
        look_up = self.value(step.id)
        way, unsure = self._way(step, look_up)
        if unsure is not None and (way is None or way.condition is None or way.finding is None):
            return self._failed(step, unsure, at, (first,))
        if way is not None:
            return self._chosen(step, way, result, at, first, look_up, unsure)
        why = _called(step, result)
        return Judgement((first, StepDecided(*where, _status(step, result), None, "", why, None, ())), ())

    def _way(self, step: PlannedStep, look_up: Values) -> tuple[Way | None, Failure | None]:
        """The first way whose condition holds, and why one before it is undecided.

        Bounds of what was sampled may leave ``error_rate > 5%`` open and tell that ``error_rate > 1%`` holds all the same. A
        value that is missing leaves everything behind it open.
        """
        unsure: Failure | None = None
        for way in step.ways:
            truth = way.condition.evaluate(look_up) if way.condition is not None else _HOLDS
            if truth.value:
                return way, unsure
            if truth.value is None and unsure is None:
                unsure = self._undecided(step, way, truth, look_up)
            if truth.missing:
                return None, unsure
        return None, unsure

    def _chosen(
        self,
        step: PlannedStep,
        way: Way,
        result: Reading | Answer,
        at: float,
        first: Event,
        look_up: Values,
        unsure: Failure | None,
    ) -> Judgement:
        where = (at, self.scope, step.id)
        if way.finding is None:
            why = _called(step, result) or self._why(step, way, look_up)
            decided = StepDecided(*where, _status(step, result), way.place, way.text, why, None, way.targets)
            return Judgement((first, decided), way.targets)
        why = self._why(step, way, look_up)
        seen: tuple[Measured, ...] = ()
        if way.expression is not None:
            seen = tuple(
                Measured(each.name, each.value, each.unit, each.shown)
                for each in evidence(way.expression, look_up, self.type(step.id))
            )
        finding = self._finding(step, way.finding, at, seen, why or way.text, None)
        decided = StepDecided(*where, StepStatus.FLAGGED, way.place, way.text, why, way.finding, way.targets)
        if unsure is None:
            return Judgement((first, finding, decided), way.targets)
        self.blind_spots += 1
        blind = BlindSpot(*where, unsure.kind, unsure.message, unsure.remedy)
        return Judgement((first, finding, blind, decided), way.targets)

    def _failed(self, step: PlannedStep, failure: Failure, at: float, before: tuple[Event, ...]) -> Judgement:
        """A probe's error, or a value that a condition needs and that is missing: to the error routes."""
        where = (at, self.scope, step.id)
        route = next((each for each in step.routes if each.kinds is None or failure.kind in each.kinds), None)
        if route is not None and route.finding is not None:
            why = _told(failure)
            finding = self._finding(step, route.finding, at, (), why, failure)
            decided = StepDecided(
                *where, StepStatus.FLAGGED, route.place, route.text, why, route.finding, route.targets
            )
            return Judgement((*before, finding, decided), route.targets)
        return self._blind(failure, step, at, before, route)

    def _blind(
        self, failure: Failure, step: PlannedStep, at: float, before: tuple[Event, ...], route: Way | None = None
    ) -> Judgement:
        where = (at, self.scope, step.id)
        self.blind_spots += 1
        place, text, targets = (route.place, route.text, route.targets) if route else (None, "", ())
        blind = BlindSpot(*where, failure.kind, failure.message, failure.remedy)
        decided = StepDecided(*where, StepStatus.BLIND, place, text, _told(failure), None, targets)
        return Judgement((*before, blind, decided), targets)

    def _unasked(self, step: PlannedStep, unasked: NotAsked, at: float) -> Judgement:
        """Nothing is raised; the run goes on where it would go if the step had nothing to measure."""
        where = (at, self.scope, step.id)
        self.not_asked[step.id] = unasked.inputs
        route = next((each for each in step.routes if each.kinds is None or ErrorKind.MISSING in each.kinds), None)
        place, text, targets = (route.place, route.text, route.targets) if route else (None, "", ())
        why = f"not configured: {', '.join(unasked.inputs)}"
        decided = StepDecided(*where, StepStatus.NOT_ASKED, place, text, why, None, targets)
        return Judgement((StepNotAsked(*where, unasked.inputs), decided), targets)

    def _finding(
        self,
        step: PlannedStep,
        finding_id: FindingId,
        at: float,
        seen: tuple[Measured, ...],
        condition: str,
        failure: Failure | None,
    ) -> FindingRaised:
        spec = self.plan.runbook.findings[finding_id]
        title, cause = self.plan.findings[finding_id]
        look_up = self.filled(step.id, failure)
        raised = FindingRaised(
            at,
            self.scope,
            step.id,
            finding_id,
            spec.kind,
            spec.level,
            self.border.text(title.text(look_up, unknown=UNKNOWN)),
            self.border.text(cause.text(look_up, unknown=UNKNOWN)),
            spec.resolution,
            seen,
            condition,
        )
        self.findings.append(raised)
        return raised

    def _why(self, step: PlannedStep, chosen: Way, look_up: Values) -> str:
        """The chosen condition with its values; for ``else``, those of the conditions that did not hold."""
        types = self.type(step.id)
        if chosen.expression is not None:
            return self.border.text(explain(chosen.expression, look_up, types), _MOST_WHY)
        told = dict.fromkeys(explain(way.expression, look_up, types) for way in step.ways if way.expression is not None)
        return self.border.text("; ".join(told), _MOST_WHY)

    def _undecided(self, step: PlannedStep, way: Way, truth: Truth, look_up: Values) -> Failure:
        if not truth.missing and way.expression is not None:
            told = self.border.text(explain(way.expression, look_up, self.type(step.id)), _MOST_WHY)
            return uncertain(way.text, told, truth.uncertain, look_up)
        missing = dict.fromkeys((each.scope, each.name) for each in truth.missing)
        reasons = [self._reason(step.id, name) for name in missing]
        told = "; ".join(why for why, _ in reasons)
        remedy = "; ".join(dict.fromkeys(cure for _, cure in reasons if cure))
        return Failure(ErrorKind.MISSING, self.border.text(f'"{way.text}" cannot be decided: {told}'), remedy)

    def _reason(self, step: StepId, name: tuple[str | None, str]) -> tuple[str, str]:
        scope, metric = name
        asked = Name(scope, metric)
        value, known = self.value(step)(asked), self.type(step)(asked)
        if value is not None and known is not None:  # a divisor, or what else leaves a calculation without a result
            return f"{asked} is {show(value, known.dimension)}", ""
        if scope == INPUTS:
            return f"the input {metric} has no value", self.ways_to_set(metric)
        owner = step if scope is None else StepId(scope)
        written = metric if scope is None else f"{scope}.{metric}"
        result = self.results.get(owner)
        if result is None:
            cures = (self.ways_to_set(each) for each in self.not_asked.get(owner, ()))
            did = "was not asked" if owner in self.not_asked else "measured nothing"
            return f'{written} is not known, because step "{owner}" {did}', "; ".join(cures)
        why = result.missing.get(metric, "") if isinstance(result, Reading) else ""
        model = self.plan.runbook.steps[owner]
        cure = why
        if why and isinstance(model, ProbeStep) and metric in model.extract:
            cure = remedy(why, model.probe)
        return f"{written} is missing" + (f" ({why})" if why else ""), cure


def _status(step: PlannedStep, result: Reading | Answer) -> StepStatus:
    return StepStatus.ANSWERED if isinstance(result, Answer) else called_status(step, result.metrics)


def _called(step: PlannedStep, result: Reading | Answer) -> str:
    return ended(step.child.runbook.runbook, result.metrics) if step.child and isinstance(result, Reading) else ""


def _told(failure: Failure) -> str:
    return f"{failure.kind}: {failure.message}"[:_MOST_WHY]


def _lacking(filling: Filling | Mapping[str, Filling], look_up: Lookup) -> Iterator[Name]:
    """The names without a value for want of which parameters cannot be filled in."""
    match filling:
        case Template():
            yield from filling.missing(look_up)
        case Mapping():
            for each in filling.values():
                yield from _lacking(each, look_up)
        case list():
            for each in filling:
                yield from _lacking(each, look_up)


def _value(result: Reading | Answer | None, metric: str) -> Value | None:
    if isinstance(result, Reading):
        return result.value(metric)
    return result.value if isinstance(result, Answer) and metric == "answer" else None


def _types(result: Reading | Answer) -> Mapping[str, MetricType]:
    return result.types if isinstance(result, Reading) else {"answer": result.type}
