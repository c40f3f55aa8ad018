"""The shape of the graph: order, cycles, reach."""

from collections import deque
from collections.abc import Mapping, Sequence

from runbook_engine.document.models import Runbook
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.ids import StepId


def topological_order(successors: Mapping[StepId, Sequence[StepId]]) -> tuple[StepId, ...] | None:
    """Steps in an order in which each comes after all that lead to it, or None where steps lead in a circle."""
    waiting = dict.fromkeys(successors, 0)
    for targets in successors.values():
        for target in targets:
            waiting[target] += 1
    free = deque(step for step, count in waiting.items() if count == 0)
    order = []
    while free:
        step = free.popleft()
        order.append(step)
        for target in successors[step]:
            waiting[target] -= 1
            if waiting[target] == 0:
                free.append(target)
    return tuple(order) if len(order) == len(waiting) else None


def check_structure(
    runbook: Runbook,
    order: tuple[StepId, ...] | None,
    successors: Mapping[StepId, Sequence[StepId]],
    mistakes: Mistakes,
    *,
    whole: bool,
) -> None:
    """Report cycles as errors, and steps that nothing leads to as warnings.

    ``whole`` says that every way could be read: else nobody knows where the missing ones lead.
    """
    if order is None:
        from runbook_engine.graph.dag import smallest_cycles

        for cycle in smallest_cycles(runbook):
            mistakes.add(
                "RB205",
                f"steps lead in a circle: {' -> '.join((*cycle, cycle[0]))}",
                ("steps", cycle[0]),
                key=True,
                help="a runbook always moves forward; to measure again, give the step a retry",
            )
    if not whole:
        return
    reached = _reach(runbook, successors)
    for step in runbook.steps:
        if step not in reached:
            mistakes.warn(
                "RB206",
                f'nothing leads to step "{step}", so it never runs',
                ("steps", step),
                key=True,
                help=f"name it in a goto or in start, or delete it; the runbook starts with {', '.join(runbook.start)}",
            )


def _reach(runbook: Runbook, successors: Mapping[StepId, Sequence[StepId]]) -> set[StepId]:
    reached = {step for step in runbook.start if step in successors}
    open_ = list(reached)
    while open_:
        for target in successors[open_.pop()]:
            if target not in reached:
                reached.add(target)
                open_.append(target)
    return reached


def ancestors(
    order: Sequence[StepId], successors: Mapping[StepId, Sequence[StepId]]
) -> tuple[Mapping[StepId, int], Mapping[StepId, int]]:
    """Bit sets: ``(bit of each step, steps before each step)``. A step comes before another if some way leads there."""
    bit = {step: 1 << index for index, step in enumerate(order)}
    before = dict.fromkeys(order, 0)
    for step in order:
        own = before[step] | bit[step]
        for target in successors[step]:
            before[target] |= own
    return bit, before
