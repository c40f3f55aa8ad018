"""A condition as two sets of combinations: those in which it holds, and those in which it does not. In what neither has
it is undecided.
"""

from typing import NamedTuple

from runbook_engine.conditions.evaluation import evaluator
from runbook_engine.conditions.regions.atoms import (
    Absent,
    Cut,
    Fixed,
    Joined,
    Open,
    Opposite,
    Question,
    Related,
    Search,
)
from runbook_engine.conditions.regions.cells import LESS, MORE, NO, RELATIONS, SAME, YES, Choices, Grid, bits
from runbook_engine.conditions.regions.diagram import EVERYTHING, NOTHING
from runbook_engine.conditions.regions.space import Space
from runbook_engine.conditions.tree import Expression, Operator
from runbook_engine.quantity import Value


class Answer(NamedTuple):
    holds: int
    fails: int


def answer(question: Question, space: Space) -> Answer:
    """Where the condition holds and where it fails."""
    match question:
        case Fixed(value=value):
            return Answer(EVERYTHING if value is True else NOTHING, EVERYTHING if value is False else NOTHING)
        case Opposite(part=part):
            holds, fails = answer(part, space)
            return Answer(fails, holds)
        case Joined(parts=parts, decisive=decisive):
            return _joined([answer(part, space) for part in parts], space, decisive=decisive)
        case Absent(name=name, negated=negated):
            absent = space.absent(name)
            present = space.diagrams.opposite(absent)
            return Answer(present, absent) if negated else Answer(absent, present)
        case Cut(subject=subject, operator=operator, value=value):
            return _cut(subject, operator, value, space)
        case Related(left=left, operator=operator, right=right):
            return _related(left, operator, right, space)
        case Search(name=name, node=node):
            return _searched(name, node, space)
        case Open(node=node):
            return _open(node, space)


def _joined(parts: list[Answer], space: Space, *, decisive: bool) -> Answer:
    both, either = space.diagrams.both, space.diagrams.either
    first, *rest = parts
    holds, fails = first
    for part in rest:
        if decisive:
            holds, fails = either(holds, part.holds), both(fails, part.fails)
        else:
            holds, fails = both(holds, part.holds), either(fails, part.fails)
    return Answer(holds, fails)


def _cut(subject: Expression, operator: Operator, value: Value, space: Space) -> Answer:
    cut = space.survey.cuts.get((subject, value))
    if cut is None:
        cells = space.cells[subject]
        holds = _compared(cells, operator, value)
        return _split(space, subject, holds, cells.present ^ holds)
    name, found = cut
    grid = space.cells[name]
    line = space.survey.unknowns[name].line
    masks = [0, 0, 0]
    if isinstance(grid, Grid):
        for span, side in found:
            masks[side] |= grid.between(line, span)
    holds = Grid.chosen((masks[0], masks[1], masks[2]), operator)
    return _split(space, name, holds, sum(masks) ^ holds)


def _compared(cells: Grid | Choices, operator: Operator, value: Value) -> int:
    if isinstance(cells, Choices):
        return cells.compared(operator, value)
    if isinstance(value, str):
        raise TypeError("a number is compared with a text")
    return cells.compared(operator, value)


def _split(space: Space, node: Expression, holds: int, fails: int) -> Answer:
    level = space.level[node]
    return Answer(space.diagrams.where(level, holds), space.diagrams.where(level, fails))


def _related(left: Expression, operator: Operator, right: Expression, space: Space) -> Answer:
    wanted = RELATIONS[operator]
    if left == right:
        present = space.diagrams.opposite(space.absent(left))
        return Answer(present, NOTHING) if wanted & SAME else Answer(NOTHING, present)
    level, turned = space.relation(left, right)
    if turned:
        wanted = RELATIONS[operator.flipped]
    where = space.diagrams.where
    return Answer(where(level, wanted), where(level, (LESS | SAME | MORE) ^ wanted))


def _searched(name: Expression, node: Expression, space: Space) -> Answer:
    """Each text with a name is searched; what is found in all others is open."""
    cells, level, diagrams = space.cells[name], space.level[name], space.diagrams
    if not isinstance(cells, Choices):
        return _open(node, space)
    run = evaluator(node)
    holds = fails = 0
    for cell in bits(diagrams.domains[level] & cells.present & (cells.other - 1)):
        text = cells.values[cell]
        found = run(lambda _name, text=text: text)  # type: ignore[misc]  # bound now
        holds |= (1 << cell) if found else 0
        fails |= (1 << cell) if found is not None and not found else 0
    rest = diagrams.where(level, cells.other)
    open_ = _open(node, space)
    return Answer(
        diagrams.either(diagrams.where(level, holds), diagrams.both(rest, open_.holds)),
        diagrams.either(diagrams.where(level, fails), diagrams.both(rest, open_.fails)),
    )


def _open(node: Expression, space: Space) -> Answer:
    level = space.open_level[node]
    return Answer(space.diagrams.where(level, YES), space.diagrams.where(level, NO))
