"""A runbook walked with given readings: no probe, no network, no waiting, and always in the same order.

Everything is decided by the code that decides a live run.
"""

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from runbook_engine.conditions import Name, names
from runbook_engine.document.models import CallStep, Input, ProbeStep
from runbook_engine.engine.border import Border
from runbook_engine.engine.events import (
    AttemptFailed,
    BlindSpot,
    CallStarted,
    Ending,
    Event,
    Failure,
    FindingRaised,
    Outcome,
    RunFinished,
    RunStarted,
    StepSkipped,
    StepStarted,
)
from runbook_engine.engine.given import Given, GivenStep
from runbook_engine.engine.given_values import NOT_GIVEN, Brought, Whole
from runbook_engine.engine.inputs import Resolved, resolve
from runbook_engine.engine.judgement import NotAsked, Reading, Result, ScopeRun
from runbook_engine.engine.measure import fill, lacking
from runbook_engine.engine.once import sharing
from runbook_engine.engine.open_values import STAND_IN, filling, is_open, left_open, stand_in
from runbook_engine.engine.runner import call_reading, documents_of, not_well
from runbook_engine.engine.trace import Trace, child_scope, fold, outcome_of
from runbook_engine.engine.walk import Moved
from runbook_engine.errors import InputsError
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.graph.scope import CALL_TYPES, INPUTS
from runbook_engine.ids import RunId, StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import Dimension, MetricType, show
from runbook_engine.templates import MissingValueError, readable
from runbook_engine.version import VERSION

_START = 0.0
_WORST = (Outcome.CRITICAL, Outcome.WARNING, Outcome.INCONCLUSIVE, Outcome.HEALTHY)


class Lack(Struct, frozen=True):
    """What a test would have to give, or must not. ``step`` is empty where it is about the run as a whole."""

    scope: str
    step: str
    message: str
    hint: str = ""

    @property
    def path(self) -> str:
        return child_scope(self.scope, self.step)

    @property
    def told(self) -> str:
        return f"step {self.path}: {self.message}" if self.step else self.message


class Rehearsal(Struct, frozen=True):
    """A walk, and what was lacking for it. With lacks the walk has not come to its end."""

    trace: Trace
    lacks: tuple[Lack, ...]
    unused: tuple[str, ...]
    """Steps that the case itself gives something, and that did not run."""


def rehearse(plan: Plan, given: Given) -> Rehearsal:
    """Walk a plan with what is given. Raises nothing: what is lacking is in ``lacks``, all that can be told at once."""
    return _Rehearsing(plan, given).walk()


class _LackError(Exception):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class _OpenError(Exception):
    """A call whose runbook could not be walked to its end, which has been told."""


class _Rehearsing:
    def __init__(self, plan: Plan, given: Given) -> None:
        self._plan = plan
        self._given = given
        self._at = _START
        self._out: list[Event] = []
        self._scopes: list[ScopeRun] = []
        self._assumed: list[Outcome] = []
        self._lacks: list[Lack] = []
        self._border = Border()

    def walk(self) -> Rehearsal:
        runbook = self._plan.runbook
        inputs: dict[str, Resolved] = {}
        try:
            inputs = self._resolved(runbook.inputs, self._plan, self._given.inputs, {})
        except InputsError as error:
            self._lacks.append(Lack("", "", "; ".join(error.problems)))
        self._out.append(
            RunStarted(
                self._at,
                RunId("rehearsal"),
                runbook.runbook,
                runbook.version,
                self._plan.digest,
                documents_of(self._plan, self._border),
                {name: each.shown() for name, each in inputs.items()},
                VERSION,
            )
        )
        if not self._lacks:
            self._walk(ScopeRun.of("", self._plan, inputs, self._border))
        if not self._lacks:
            self._out.append(RunFinished(self._at, self._outcome(), Ending.COMPLETED))
        trace = fold(self._out, {name: each.runbook for name, each in self._plan.plans.items()})
        ran = {(each.scope, each.step) for each in self._out if isinstance(each, StepStarted)}
        unused = (
            ()
            if self._lacks
            else tuple(child_scope(*key) for key, each in self._given.steps.items() if each.own and key not in ran)
        )
        return Rehearsal(trace, tuple(self._lacks), unused)

    def _outcome(self) -> Outcome:
        findings = [finding for each in self._scopes for finding in each.findings]
        found = outcome_of(findings, blind=not_well(self._scopes))
        return min((found, *self._assumed), key=_WORST.index)

    def _walk(self, run: ScopeRun) -> None:
        self._scopes.append(run)
        shares = sharing(run.plan)
        ready: deque[StepId] = deque()
        self._move(run, run.walk.begin(run.plan.runbook.start), ready)
        while ready:
            step = run.plan.steps[ready.popleft()]
            try:
                result, attempt = self._result(run, step, shares.get(step.id))
                self._hold(run, step, result)
            except _OpenError:
                continue
            except _LackError as lack:
                # Whatever else can be told is told, too; what follows from this step stays open.
                self._lacks.append(Lack(run.scope, step.id, lack.message, lack.hint))
                continue
            judged = run.judge(step, result, attempt=attempt, at=self._at)
            self._out.extend(judged.events)
            self._move(run, run.walk.decide(step.id, judged.targets), ready)

    def _move(self, run: ScopeRun, moved: Moved, ready: deque[StepId]) -> None:
        self._out.extend(StepSkipped(self._at, run.scope, step) for step in moved.skipped)
        ready.extend(moved.ready)

    def _result(self, run: ScopeRun, step: PlannedStep, first: StepId | None) -> tuple[Result, int]:
        """What the step brings, and by which attempt."""
        given = self._brought(run, step, first)
        self._out.append(StepStarted(self._at, run.scope, step.id))
        unasked = run.unasked(step)
        if unasked is not None:
            return self._not_asked(unasked, given), 1
        if isinstance(step.model, CallStep):
            return self._called(run, step, given), 1
        try:
            fill(step.filling, filling(run, step))
        except MissingValueError as error:
            return self._unmeasured(lacking(error, run.plan.runbook.inputs), given), 1
        if given is None:
            raise _LackError("it runs, and the test gives it " + _WHAT[type(step.model).__name__], _hint(step))
        return self._attempted(run, step, given)

    def _brought(self, run: ScopeRun, step: PlannedStep, first: StepId | None) -> GivenStep | None:
        """What the test gives the step. One that asks the same as the steps before it takes their reading."""
        given = self._given.steps.get((run.scope, step.id))
        before = self._given.steps.get((run.scope, first)) if first is not None else None
        if before is None:
            return given
        taken = before.attempts[-1]
        if not isinstance(taken, Reading):
            return GivenStep((taken,), own=False)
        metrics = {name: value for name, value in taken.metrics.items() if name in step.types}
        missing = {name: why for name, why in taken.missing.items() if name in step.types}
        own = given.attempts[-1] if given is not None else None
        if isinstance(own, Failure):
            raise _LackError(
                f'it takes the reading of step "{first}", which asks the same, and the test gives it an error'
            )
        for name in step.types:
            value = own.metrics.get(name) if isinstance(own, Reading) else None
            if value is not None and metrics.get(name) not in (None, value):
                raise _LackError(
                    f'it takes the reading of step "{first}", which asks the same, and the test gives it another {name}',
                    f"give it to {first} alone",
                )
            if name not in metrics or value is not None:
                metrics[name] = value
                missing = {each: why for each, why in missing.items() if each != name}
                if value is None:
                    missing[name] = NOT_GIVEN
        return GivenStep((Reading(metrics, step.types, missing),), own=False)

    def _not_asked(self, unasked: NotAsked, given: GivenStep | None) -> NotAsked:
        """A step that is not configured asks nothing, whatever a test gives it."""
        if given is not None and given.own:
            told = f"the test gives it something, and it is not asked: {', '.join(unasked.inputs)} has no value"
            raise _LackError(told, f"inputs: {{{', '.join(f'{each}: ...' for each in unasked.inputs)}}}")
        return unasked

    def _unmeasured(self, failure: Failure, given: GivenStep | None) -> Failure:
        """A step for which a value is missing measures nothing, whatever a test gives it."""
        if given is not None and given.own and not isinstance(given.attempts[-1], Failure):
            hint = failure.remedy and "give the input a value, or the step no reading"
            raise _LackError(f"the test gives it a reading, and it would measure nothing: {failure.message}", hint)
        return failure

    def _attempted(self, run: ScopeRun, step: PlannedStep, given: GivenStep) -> tuple[Result, int]:
        """The attempts, as the step's retry makes them; nobody waits."""
        retry = step.model.retry if isinstance(step.model, ProbeStep) else None
        attempt = 0
        while True:
            result = given.attempts[min(attempt, len(given.attempts) - 1)]
            attempt += 1
            assert not isinstance(result, Whole)  # noqa: S101 - only calls are given so
            if (
                not isinstance(result, Failure)
                or retry is None
                or attempt >= retry.attempts
                or result.kind not in retry.on
            ):
                return result, attempt
            wait = min(retry.max_wait, retry.wait * 2.0 ** (attempt - 1))
            self._out.append(AttemptFailed(self._at, run.scope, step.id, attempt, result, wait))
            self._at += wait

    def _hold(self, run: ScopeRun, step: PlannedStep, result: Result) -> None:
        """Refuse to decide by what the test does not say."""
        if isinstance(result, Failure | NotAsked):
            return
        before = run.results.get(step.id)
        run.results[step.id] = result
        look_up = run.value(step.id)
        try:
            for way in step.ways:
                if way.condition is None or way.expression is None:
                    return
                for name in names(way.expression):
                    if name.scope == INPUTS and run.inputs[name.name].source == STAND_IN:
                        message = f'"{way.text}" depends on the input {name.name}, which has no default'
                        raise _LackError(message, f"give it a value: inputs: {{{name.name}: ...}}")
                truth = way.condition.evaluate(look_up)
                for name in truth.missing:
                    self._hold_metric(run, step, name, way.text)
                if truth.value is not False:
                    return
        finally:
            if before is None:
                del run.results[step.id]

    def _hold_metric(self, run: ScopeRun, step: PlannedStep, name: Name, text: str) -> None:
        if name.scope == INPUTS:
            return
        owner = step.id if name.scope is None else StepId(name.scope)
        if not left_open(run, owner, name.name):
            return
        whose = "" if name.scope is None else f" of step {owner}"
        type_ = run.plan.steps[owner].types[name.name]
        raise _LackError(
            f'"{text}" depends on {name.name}{whose}, which is {NOT_GIVEN} and is never missing',
            f"give {owner} a {name.name}: {type_.describe()}",
        )

    def _called(self, run: ScopeRun, step: PlannedStep, given: GivenStep | None) -> Result:
        child, model = step.child, step.model
        assert child is not None  # noqa: S101 - a plan without it was refused
        assert isinstance(model, CallStep)  # noqa: S101 - asked before
        brought: Brought | None = given.attempts[-1] if given is not None else None
        if isinstance(brought, Failure):
            return brought
        scope = child_scope(run.scope, step.id)
        try:
            inputs = self._handed_down(run, step, child)
        except MissingValueError as error:
            return self._unmeasured(lacking(error, run.plan.runbook.inputs), given)
        except InputsError as error:
            failure = Failure(ErrorKind.MISSING, f"{model.call} cannot be called: {'; '.join(error.problems)}")
            return self._unmeasured(failure, given)
        self._out.append(
            CallStarted(self._at, run.scope, step.id, model.call, {name: each.shown() for name, each in inputs.items()})
        )
        called = ScopeRun.of(scope, child, inputs, self._border)
        if isinstance(brought, Whole):
            return self._whole(called, brought)
        before = len(self._lacks)
        self._walk(called)
        if len(self._lacks) > before:
            if not self._given.under(scope):
                del self._lacks[before:]
                raise _LackError(f"it runs, and the test gives it {_WHAT['CallStep']}", _hint(step))
            raise _OpenError
        return call_reading(scope, self._scopes)

    def _whole(self, called: ScopeRun, whole: Whole) -> Reading | NotAsked:
        """A called runbook that came to what the test says, without a look at its steps."""
        self._scopes.append(called)
        plan = called.plan
        for finding in whole.findings:
            spec = plan.runbook.findings[finding]
            where = next((each.id for each in plan.steps.values() if _raises(each, finding)), plan.order[0])
            raised = FindingRaised(
                self._at, called.scope, where, finding, spec.kind, spec.level, readable(spec.title),
                readable(spec.cause), spec.resolution, (), "the test says so",
            )  # fmt: skip
            called.findings.append(raised)
            self._out.append(raised)
        for step in whole.blind_spots:
            called.blind_spots += 1
            self._out.append(BlindSpot(self._at, called.scope, step, ErrorKind.OTHER, "the test says so", ""))
        if whole.outcome is None or whole.outcome == Outcome.HEALTHY:
            return call_reading(called.scope, self._scopes)
        self._assumed.append(Outcome(whole.outcome))
        metrics = {"outcome": whole.outcome, "findings": None, "blind_spots": None}
        return Reading(metrics, CALL_TYPES, {"findings": NOT_GIVEN, "blind_spots": NOT_GIVEN})

    def _handed_down(self, run: ScopeRun, step: PlannedStep, child: Plan) -> dict[str, Resolved]:
        """The inputs of a called runbook. What the test leaves open goes on being open there."""
        look_up = filling(run, step)
        open_ = {key for key, each in step.filling.items() if is_open(each, run)}
        given = fill({key: each for key, each in step.filling.items() if key not in open_}, look_up)
        inherited = {name: each for name, each in run.inputs.items() if name not in open_}
        specs = child.runbook.inputs
        inherited |= {name: stand_in(name, specs[name]) for name in open_ if name in specs}
        return self._resolved(specs, child, given, inherited)

    def _resolved(
        self, specs: Mapping[str, Input], plan: Plan, given: Mapping[str, Any], inherited: Mapping[str, Resolved]
    ) -> dict[str, Resolved]:
        """Inputs with values, and stand-ins for those that a live run would have to be given. Raises InputsError."""
        open_ = {
            name: stand_in(name, spec)
            for name, spec in specs.items()
            if name not in given and name not in inherited and spec.default is None and not spec.optional
        }
        return resolve(plan.runbook, given, {}, inherited={**inherited, **open_}, source="test")


_WHAT: Mapping[str, str] = MappingProxyType({"ProbeStep": "no reading", "AskStep": "no answer", "CallStep": "nothing"})


def _hint(step: PlannedStep) -> str:
    """What to write."""
    match type(step.model).__name__:
        case "AskStep":
            return f"{step.id}: {{answer: {_example(step.types['answer'])}}}"
        case "CallStep":
            return f"{step.id}: {{outcome: healthy}}, or its own steps as {step.id}/step"
    needed = [name.name for way in step.ways if way.expression for name in names(way.expression) if name.scope is None]
    shown = ", ".join(f"{name}: {_example(step.types[name])}" for name in dict.fromkeys(needed) if name in step.types)
    return f"{step.id}: {{{shown}}}, or {step.id}: {{error: timeout}}"


def _example(type_: MetricType) -> str:
    if type_.members:
        return type_.members[0]
    low = type_.lower or 0.0
    match type_.dimension:
        case Dimension.BOOL:
            return "true"
        case Dimension.TEXT:
            return "some text"
        case Dimension.NUMBER:
            return str(int(low) or 1)
    return show(low or _EXAMPLES[type_.dimension], type_.dimension).replace(" ", "")


_EXAMPLES: Mapping[Dimension, float] = MappingProxyType(
    {
        Dimension.DURATION: 0.1,
        Dimension.PERCENT: 10.0,
        Dimension.BYTES: 2.0**20,
        Dimension.RATE: 12.0,
    }
)


def _raises(step: PlannedStep, finding: str) -> bool:
    return any(each.finding == finding for each in (*step.ways, *step.routes))
