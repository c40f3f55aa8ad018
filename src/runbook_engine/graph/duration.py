"""How long a run may take at most: the longest path of timeouts."""

from collections.abc import Mapping

from msgspec import Struct

from runbook_engine.document.models import CallStep
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.ids import StepId


class Longest(Struct, frozen=True):
    """``seconds`` is None where a step may wait without end for a person; ``path`` is the longest, or leads to that step."""

    seconds: float | None
    path: tuple[StepId, ...]


def longest(plan: Plan) -> Longest:
    """The worst case of a walk, in which every step takes all its time. Steps side by side count once: the slowest."""
    until: dict[StepId, float] = {}
    through: dict[StepId, StepId | None] = dict.fromkeys(plan.order)
    for step in plan.order:
        took = at_most(plan.steps[step])
        if took is None:
            return Longest(None, _path(through, step))
        until[step] = until.get(step, 0.0) + took
        for target in plan.successors[step]:
            if until[step] > until.get(target, 0.0):
                until[target], through[target] = until[step], step
    if not until:
        return Longest(0.0, ())
    last = max(until, key=until.__getitem__)
    return Longest(until[last], _path(through, last))


def at_most(step: PlannedStep) -> float | None:
    """Seconds that a step takes at most, or None where it waits for a person without end.

    A probe's timeout is for all its attempts and the waits between them.
    """
    model = step.model
    if isinstance(model, CallStep):
        inside = longest(step.child).seconds if step.child is not None else None
        if model.timeout is None or inside is None:
            return model.timeout if inside is None else inside
        return min(model.timeout, inside)
    return model.timeout


def _path(through: Mapping[StepId, StepId | None], last: StepId) -> tuple[StepId, ...]:
    path: list[StepId] = []
    here: StepId | None = last
    while here is not None:
        path.append(here)
        here = through[here]
    return tuple(reversed(path))
