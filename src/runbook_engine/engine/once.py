"""One measurement for a chain of steps that ask the same: the first step measures, those behind it take its reading.

A step decides once, so two metrics of one measurement that both want to be judged are two steps. The reading travels in the
context of the task in which the chain is walked: runs of one plan, one after the other or side by side, never take each
other's.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar

import anyio
from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.document.models import ProbeStep
from runbook_engine.engine.measure import timed_out
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.ids import StepId
from runbook_engine.probe import Params, ProbeContext, ProbeError, Reading
from runbook_engine.probe.registry import AnyProbe


class _Kept(Struct, frozen=True):
    step: StepId
    result: Reading | ProbeError


_KEPT: ContextVar[_Kept | None] = ContextVar("measured by the step before", default=None)

Measure = Callable[[Params, ProbeContext], Awaitable[Reading]]


def measured_once(plan: Plan) -> Plan:
    """The same plan; a step that asks the same as all steps that lead to it does not measure again.

    So it is in the runbooks that it calls. Steps of different runbooks measure anew, and so do steps with another one
    between them.
    """
    before = sharing(plan)
    steps: dict[StepId, PlannedStep] = {}
    for step_id in plan.order:
        step = plan.steps[step_id]
        first = before.get(step_id)
        if step.child is not None:
            steps[step_id] = replace(step, child=measured_once(step.child))
        elif step.probe is None:
            steps[step_id] = step
        elif first is not None:
            steps[step_id] = replace(step, probe=replace(step.probe, measure=_taken(step.probe, first)))
        elif step_id in before.values():
            steps[step_id] = replace(step, probe=replace(step.probe, measure=_kept(step.probe, step)))
        else:
            steps[step_id] = step
    return replace(plan, steps={step_id: steps[step_id] for step_id in plan.steps})


def sharing(plan: Plan) -> Mapping[StepId, StepId]:
    """Of each step that need not measure, the one whose reading it takes: the first of its chain, with which all ways to it
    begin.
    """
    ways: dict[StepId, list[StepId]] = {step_id: [] for step_id in plan.order}
    for step_id, targets in plan.successors.items():
        for target in targets:
            ways[target].append(step_id)
    found: dict[StepId, StepId] = {}
    for step_id in plan.order:
        asks = _asks(plan, step_id)
        firsts = {found.get(each, each) for each in ways[step_id]}
        if asks is not None and len(firsts) == 1 and all(_asks(plan, each) == asks for each in ways[step_id]):
            found[step_id] = firsts.pop()
    return found


def _asks(plan: Plan, step_id: StepId) -> tuple[str, object] | None:
    model = plan.steps[step_id].model
    return (model.probe, model.params) if isinstance(model, ProbeStep) else None


def _kept(probe: AnyProbe, step: PlannedStep) -> Measure:
    """Measures, and keeps what came of it; also that time ran out."""

    async def measure(params: Params, ctx: ProbeContext) -> Reading:
        _KEPT.set(None)  # what an earlier run of the same task has left
        try:
            reading: Reading = await probe.measure(params, ctx)
        except ProbeError as error:
            _KEPT.set(_Kept(step.id, error))
            raise
        except anyio.get_cancelled_exc_class():
            seconds = step.model.timeout if isinstance(step.model, ProbeStep) else 0.0
            failure = timed_out(step, seconds)
            _KEPT.set(_Kept(step.id, ProbeError(failure.kind, failure.message, remedy=failure.remedy)))
            raise
        _KEPT.set(_Kept(step.id, reading))
        return reading

    return measure


def _taken(probe: AnyProbe, first: StepId) -> Measure:
    """Takes what the first step of the chain kept. It measures itself where there is nothing."""

    async def measure(params: Params, ctx: ProbeContext) -> Reading:
        kept = _KEPT.get()
        if kept is None or kept.step != first:
            reading: Reading = await probe.measure(params, ctx)
            return reading
        if isinstance(kept.result, ProbeError):
            raise ProbeError(kept.result.kind, kept.result.message, remedy=kept.result.remedy) from kept.result
        return kept.result

    return measure
