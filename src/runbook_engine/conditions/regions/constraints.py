"""Which combinations cannot be: a value stands to another as their cells allow, a calculation has no result when a name
in it is missing.

Every constraint is a fact about evaluation. Without one of them more combinations are thought possible than there are.
"""

from collections.abc import Iterator

from runbook_engine.conditions.regions.cells import (
    LESS,
    MORE,
    NO,
    NO_RELATION,
    SAME,
    YES,
    Grid,
    bits,
)
from runbook_engine.conditions.regions.diagram import EVERYTHING, NOTHING
from runbook_engine.conditions.regions.monotone import is_monotone, pieces
from runbook_engine.conditions.regions.order import ORDERED, UNORDERED, Multiple, Pair, Triangle, standing
from runbook_engine.conditions.regions.space import Cells, Space
from runbook_engine.conditions.tree import Comparison, Contains, Expression, Matches, Name, names

ANY_RELATION = LESS | SAME | MORE


def possible(space: Space) -> int:
    """The combinations that can be, and perhaps some that cannot."""
    found = EVERYTHING
    for constraint in _constraints(space):
        found = space.diagrams.both(found, constraint)
    for level, domain in enumerate(space.domains):
        if not domain:
            found = space.diagrams.both(found, space.diagrams.where(level, 0))
    return found


def _constraints(space: Space) -> Iterator[int]:
    for node in space.survey.unknowns:
        if not isinstance(node, Name):
            yield from _calculated(node, space)
    for pair in space.pairs:
        yield _standing(pair, space)
    for pair, one, other in space.multiples:
        yield _multiples(pair, one, other, space)
    for triangle in space.triangles:
        yield _triangle(triangle, space)
    for node, level in space.open_level.items():
        if isinstance(node, Comparison | Matches | Contains):
            answered = space.diagrams.where(level, YES | NO)
            for name in dict.fromkeys(names(node)):
                yield _not_both(space, space.absent(name), answered)


def _not_both(space: Space, one: int, other: int) -> int:
    return space.diagrams.opposite(space.diagrams.both(one, other))


def _calculated(node: Expression, space: Space) -> Iterator[int]:
    """A calculation against the names in it."""
    present = space.diagrams.opposite(space.absent(node))
    for name in dict.fromkeys(names(node)):
        yield _not_both(space, space.absent(name), present)
    if not is_monotone(node):
        return
    (name,) = names(node)
    cells, line = space.cells[node], space.survey.unknowns[name].line
    if not isinstance(cells, Grid) or node not in space.compared_with:
        return
    where, level, own = space.diagrams.where, space.level[name], space.level[node]
    for point in space.compared_with[node]:
        allowed = NOTHING
        rest = space.domains[level]
        masks = [0, 0, 0]
        for span, side in pieces(node, name, line, point, lambda _name: None):
            masks[side] |= cells.between(line, span)
        for mask, side_cells in zip(masks, cells.sides(point), strict=True):
            allowed = space.diagrams.either(allowed, space.diagrams.both(where(level, mask), where(own, side_cells)))
            rest &= ~mask
        nothing = space.diagrams.both(where(level, rest), where(own, cells.absent))
        yield space.diagrams.either(allowed, nothing)


def _standing(pair: Pair, space: Space) -> int:
    """How two values stand to each other, by their cells."""
    first, second, level = space.level[pair.left], space.level[pair.right], space.level[pair]
    cells = space.cells[pair.left]
    turned = first > second
    is_ordered = isinstance(cells, Grid)
    if turned:
        first, second = second, first
    diagrams = space.diagrams

    def related(mask: int) -> int:
        return diagrams.where(level, _turned(mask) if turned and is_ordered else mask)

    edges = []
    for cell in bits(diagrams.domains[first]):
        below = [(mask, related(relation)) for mask, relation in _relations(cells, cell, diagrams.domains[second])]
        edges.append((1 << cell, diagrams.node(second, below)))
    return diagrams.node(first, edges)


def _relations(cells: Cells, cell: int, domain: int) -> Iterator[tuple[int, int]]:
    """The cells of the other, disjoint, with how a value of ``cell`` may stand to theirs."""
    if 1 << cell == cells.absent:
        yield domain, NO_RELATION
        return
    present = domain & cells.present
    yield domain & cells.absent, NO_RELATION
    yield present & 1 << cell, cells.relation(cell, cell)
    if isinstance(cells, Grid):
        yield present & ((1 << cell) - 1), MORE
        yield present & ~((2 << cell) - 1), LESS
    else:
        yield present & ~(1 << cell), LESS


def _multiples(pair: Pair, one: Multiple, other: Multiple, space: Space) -> int:
    """How two multiples of a name stand to each other, by the sign of the name."""
    allowed, grid, found = standing(one, other), space.cells[one.name], NOTHING
    if allowed is None or not isinstance(grid, Grid):
        return EVERYTHING
    both, either = space.diagrams.both, space.diagrams.either
    for cells, mask in zip((*grid.sides(0), grid.absent), (*allowed, NO_RELATION), strict=True):
        related = _related(pair.left, pair.right, mask | NO_RELATION, space)
        found = either(found, both(space.diagrams.where(space.level[one.name], cells), related))
    return found


def _triangle(triangle: Triangle, space: Space) -> int:
    """The relations of three values agree."""
    first, second, third = triangle
    after = ORDERED if isinstance(space.cells[first], Grid) else UNORDERED
    wrong = NOTHING
    for (one, other), outcome in after.items():
        there = space.diagrams.both(_related(first, second, one, space), _related(second, third, other, space))
        instead = _related(first, third, ANY_RELATION & ~outcome, space)
        wrong = space.diagrams.either(wrong, space.diagrams.both(there, instead))
    return space.diagrams.opposite(wrong)


def _related(left: Expression, right: Expression, mask: int, space: Space) -> int:
    level, turned = space.relation(left, right)
    is_ordered = isinstance(space.cells[left], Grid)
    return space.diagrams.where(level, _turned(mask) if turned and is_ordered else mask)


def _turned(relation: int) -> int:
    kept = relation & (SAME | NO_RELATION)
    return kept | (MORE if relation & LESS else 0) | (LESS if relation & MORE else 0)
