"""What a recorded run gives to a test: its inputs, its readings, its errors and answers."""

from collections.abc import Iterable, Mapping

from runbook_engine.document.models import CallStep, Input, InputType, Scalar
from runbook_engine.engine.events import (
    AttemptFailed,
    Event,
    InputValue,
    RunStarted,
    StepAnswered,
    StepFailed,
    StepMeasured,
)
from runbook_engine.engine.given import Given, GivenStep, Key, locate
from runbook_engine.engine.given_values import NOT_GIVEN, Brought
from runbook_engine.engine.inputs import NOT_GIVEN as NO_VALUE
from runbook_engine.engine.judgement import Answer, Reading
from runbook_engine.engine.trace import child_scope
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.quantity import Value


def recorded(events: Iterable[Event], plan: Plan) -> Given:
    """What fits the runbook as it is now; steps, metrics and inputs that it no longer has are left out.

    Inputs that were defaults then are left to the defaults of now.
    """
    inputs: Mapping[str, Scalar] = {}
    steps: dict[Key, tuple[Brought, ...]] = {}
    for event in events:
        if isinstance(event, RunStarted):
            inputs = _inputs(event.inputs, plan.runbook.inputs)
        elif isinstance(event, AttemptFailed | StepFailed | StepMeasured | StepAnswered):
            located = locate(plan, child_scope(event.scope, event.step))
            if isinstance(located, str):
                continue
            scope, _, step = located
            brought = _brought(event, step)
            if brought is not None:
                key = (scope, step.id)
                steps[key] = (*steps.get(key, ()), brought)
    return Given(inputs, {key: GivenStep(each, own=False) for key, each in steps.items()})


def _brought(event: AttemptFailed | StepFailed | StepMeasured | StepAnswered, step: PlannedStep) -> Brought | None:
    match event:
        case AttemptFailed() | StepFailed():
            return event.error
        case StepAnswered():
            type_ = step.types.get("answer")
            return Answer(event.answer, type_, "given") if type_ and type_.dimension == event.dimension else None
    if isinstance(step.model, CallStep):
        return None  # its own steps tell
    metrics: dict[str, Value | None] = {}
    missing: dict[str, str] = {}
    for name, type_ in step.types.items():
        known = event.dimensions.get(name) == type_.dimension
        metrics[name] = event.metrics.get(name) if known else None
        if metrics[name] is None:
            missing[name] = event.missing.get(name, "") if known and name in event.metrics else NOT_GIVEN
    samples = {name: each for name, each in event.samples.items() if metrics.get(name) is not None}
    return Reading(metrics, step.types, missing, samples=samples)


def _inputs(inputs: Mapping[str, InputValue], specs: Mapping[str, Input]) -> Mapping[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, given in inputs.items():
        if name not in specs or given.source in ("default", NO_VALUE):
            continue
        if specs[name].type is InputType.SECRET:
            found[name] = "recorded"
        elif given.value is not None:
            found[name] = given.value
    return found
