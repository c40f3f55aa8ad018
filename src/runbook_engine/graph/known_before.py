"""What holds when a step runs: the conditions that won on the only way to it."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from runbook_engine.conditions import Expression, Not, names
from runbook_engine.conditions.tree import both, either, renamed
from runbook_engine.graph.plan import PlannedStep, Way
from runbook_engine.ids import StepId


def known_before(
    steps: Mapping[StepId, PlannedStep], start: frozenset[StepId]
) -> Mapping[StepId, Sequence[Expression]]:
    """For each step what holds of the earlier steps that its own conditions ask for, the nearest first.

    A step that exactly one other leads to inherits what holds there. One that several lead to, or an error, begins
    anew. Such steps form trees, and each tree is walked once: the time grows with the number of steps, however long a
    chain of them is. The steps must have no circle.
    """
    entrances = {step: each for step, ways in _ways_in(steps).items() if step not in start and (each := _only(ways))}
    below: dict[StepId, list[StepId]] = {}
    for step, only in entrances.items():
        below.setdefault(only.owner, []).append(step)
    found: dict[StepId, Sequence[Expression]] = {}
    known: dict[StepId, Expression | None] = {}
    above: dict[str, tuple[int, StepId]] = {}
    """Each step between a root and here, with how far from the root it is and the step that follows it on the way."""

    def fact(step: StepId) -> Expression | None:
        if step not in known:
            owner, ways = entrances[step].owner, entrances[step].ways
            won = chosen(steps[owner].ways, ways)
            known[step] = None if won is None else renamed(won, owner)
        return known[step]

    for step, is_left in _walk([each for each in steps if each not in entrances], below):
        entrance = entrances.get(step)
        if is_left:
            if entrance is not None:
                del above[entrance.owner]
            continue
        if entrance is not None:
            above[entrance.owner] = (len(above), step)
        way_back = sorted((above[each] for each in _asked(steps[step]) if each in above), reverse=True)
        found[step] = [held for _, after in way_back if (held := fact(after)) is not None]
    return found


class _Entrance(Struct, frozen=True):
    """The ways of the only step that leads to another."""

    owner: StepId
    ways: list[Way]


def _only(ways_in: Sequence[tuple[StepId, Way]]) -> _Entrance | None:
    owners = {owner for owner, _ in ways_in}
    if len(owners) != 1 or any(way.place[0] == "on_error" for _, way in ways_in):
        return None
    return _Entrance(owners.pop(), [way for _, way in ways_in])


def _walk(roots: Sequence[StepId], below: Mapping[StepId, Sequence[StepId]]) -> Iterator[tuple[StepId, bool]]:
    """Each step of the trees twice: when it is entered, and, with True, when all below it are done."""
    rest = [(step, False) for step in reversed(roots)]
    while rest:
        step, is_left = rest.pop()
        yield step, is_left
        if not is_left:
            rest.append((step, True))
            rest.extend((each, False) for each in reversed(below.get(step, ())))


def _asked(step: PlannedStep) -> set[str]:
    """The steps whose metrics its conditions name; also the word before an input's name, which is no step."""
    expressions = (way.expression for way in step.ways)
    return {name.scope for each in expressions if each is not None for name in names(each) if name.scope is not None}


def _ways_in(steps: Mapping[StepId, PlannedStep]) -> Mapping[StepId, list[tuple[StepId, Way]]]:
    found: dict[StepId, list[tuple[StepId, Way]]] = {}
    for step_id, step in steps.items():
        for way in (*step.ways, *step.routes):
            for target in dict.fromkeys(way.targets):
                if target in steps:
                    found.setdefault(target, []).append((step_id, way))
    return found


def chosen(ways: Sequence[Way], taken: Sequence[Way]) -> Expression | None:
    """When one of some branches wins: its condition holds and none before it does. None where that says nothing."""
    arms: list[Expression] = []
    for way in taken:
        parts: list[Expression] = []
        for each in ways:
            if each.place == way.place:
                break
            if each.expression is not None:
                parts.append(Not(each.expression))
        if way.expression is not None:
            parts.append(way.expression)
        if not parts:
            return None
        arms.append(both(parts))
    return either(arms)
