"""All combinations of values that a step's conditions can meet: one variable for each unknown, for how each two that are
compared stand to each other, and for each question that cannot be reasoned with.
"""

from collections.abc import Iterable, Iterator

from runbook_engine.conditions.regions.cells import LESS, MORE, NO, NO_ANSWER, NO_RELATION, SAME, YES, Choices, Grid
from runbook_engine.conditions.regions.diagram import Diagrams, TooManyCellsError
from runbook_engine.conditions.regions.line import Number
from runbook_engine.conditions.regions.monotone import is_monotone, pieces
from runbook_engine.conditions.regions.order import Pair, same_name, triangles
from runbook_engine.conditions.regions.survey import Survey, Unknown, starts
from runbook_engine.conditions.tree import Expression, Name, names
from runbook_engine.quantity import Dimension, Value

Cells = Grid | Choices

MOST_VARIABLES = 120
_FEW = 8
"""So many whole numbers between two points are told apart where unknowns are compared with each other."""


class Space:
    """``level`` of an unknown or of a pair of them, ``open_level`` of a question that stays open."""

    def __init__(self, survey: Survey, most_work: int) -> None:
        self.survey = survey
        self.cells: dict[Expression, Cells] = {}
        self.level: dict[Expression | Pair, int] = {}
        self.open_level: dict[Expression, int] = {}
        self.compared_with: dict[Expression, tuple[Number, ...]] = {}
        """Of each calculation with one name that is compared with other unknowns: the points that its group is about."""
        self.domains: list[int] = []
        self.plain: dict[Expression, int] = {}
        """The cells of a name without the bounds that were only made points, where that leaves any."""
        if len(survey.unknowns) + len(survey.pairs) + len(survey.open) > MOST_VARIABLES:
            raise TooManyCellsError
        self.multiples = list(same_name(node for node, unknown in survey.unknowns.items() if unknown.related))
        pairs = dict(survey.pairs)
        for pair, _, _ in self.multiples:
            if Pair(pair.right, pair.left) not in pairs:
                pairs[pair] = None
        added, self.triangles = triangles(pairs)
        self.pairs: tuple[Pair, ...] = (*pairs, *added)
        self._pairs_of: dict[Expression, list[Pair]] = {}
        for pair in self.pairs:
            self._pairs_of.setdefault(pair.left, []).append(pair)
            self._pairs_of.setdefault(pair.right, []).append(pair)
        self._open_of: dict[Expression, list[Expression]] = {}
        for node in survey.open:
            self._open_of.setdefault(names(node)[0], []).append(node)
        for group in _groups(survey):
            self._lay(group)
        self.diagrams = Diagrams(self.domains, most_work)

    def relation(self, left: Expression, right: Expression) -> tuple[int, bool]:
        """The level of a pair, and whether it has the two the other way round."""
        level = self.level.get(Pair(left, right))
        return (self.level[Pair(right, left)], True) if level is None else (level, False)

    def asked(self) -> Iterator[tuple[int, tuple[Name, ...]]]:
        """Every level with the names that it is about."""
        for node, level in self.level.items():
            yield level, (*names(node.left), *names(node.right)) if isinstance(node, Pair) else names(node)
        for node, level in self.open_level.items():
            yield level, names(node)

    def absent(self, node: Expression) -> int:
        """All combinations in which it is missing."""
        return self.diagrams.where(self.level[node], self.cells[node].absent)

    def _lay(self, group: list[Unknown]) -> None:
        """Give the unknowns that are compared with each other their cells and levels. A pair comes right behind the second
        of the two, since the size of a diagram lies in what must be remembered from one level to a later one.
        """
        if group[0].is_numeric:
            grid = self._grid(group)
            for unknown in group:
                self._add(unknown, grid, grid.within(unknown.line))
            if len(group) > 1:
                self._simplify(group, grid)
            return
        choices = Choices(value for unknown in group for value in _choices(unknown))
        for unknown in group:
            mask = sum(1 << choices.at(value) for value in _choices(unknown, own=True))
            if unknown.known.dimension is Dimension.TEXT and not unknown.known.members:
                mask = choices.present
            self._add(unknown, choices, mask)

    def _grid(self, group: list[Unknown]) -> Grid:
        """One grid for all: with their bounds, where they are compared with each other."""
        points = {value for unknown in group for value in unknown.values if not isinstance(value, str)}
        if len(group) == 1:
            return Grid(points)
        points.add(0)
        for unknown in group:
            points.update(bound for bound in (unknown.known.lower, unknown.known.upper) if bound is not None)
        points.update(_whole(Grid(points), [unknown for unknown in group if unknown.known.integer]))
        own = tuple(sorted(points))
        for unknown in group:
            if isinstance(unknown.node, Name) or not is_monotone(unknown.node):
                continue
            self.compared_with[unknown.node] = own
            (name,) = names(unknown.node)
            line = self.survey.unknowns[name].line
            for point in own:
                points.update(starts(line, pieces(unknown.node, name, line, point, _nothing)))
        return Grid(points)

    def _add(self, unknown: Unknown, cells: Cells, present: int) -> None:
        node = unknown.node
        self.cells[node] = cells
        self.level[node] = self._variable(present | (cells.absent if unknown.may_be_absent else 0))
        for pair in self._pairs_of.get(node, ()):
            if pair.left in self.level and pair.right in self.level:
                self.level[pair] = self._variable(LESS | SAME | MORE | NO_RELATION)
        for each in self._open_of.get(node, ()):
            self.open_level[each] = self._variable(YES | NO | NO_ANSWER)

    def _simplify(self, group: list[Unknown], grid: Grid) -> None:
        asked = {value for unknown in group for value in unknown.values}
        made = sum(2 << 2 * index for index, point in enumerate(grid.points) if point not in asked)
        for unknown in group:
            if isinstance(unknown.node, Name) and self.domains[self.level[unknown.node]] & ~made:
                self.plain[unknown.node] = ~made

    def _variable(self, domain: int) -> int:
        self.domains.append(domain)
        return len(self.domains) - 1


def _groups(survey: Survey) -> list[list[Unknown]]:
    """The unknowns, those together that are compared with each other; in the order in which the conditions have them."""
    leader: dict[Expression, Expression] = {node: node for node in survey.unknowns}

    def led_by(node: Expression) -> Expression:
        while (above := leader[node]) is not node:
            node = above
        return node

    for pair in survey.pairs:
        leader[led_by(pair.right)] = led_by(pair.left)
    for node, unknown in survey.unknowns.items():
        if unknown.related and not isinstance(node, Name) and is_monotone(node):
            leader[led_by(node)] = led_by(names(node)[0])
    found: dict[Expression, list[Unknown]] = {}
    for node, unknown in survey.unknowns.items():
        found.setdefault(led_by(node), []).append(unknown)
    return list(found.values())


def _whole(grid: Grid, group: list[Unknown]) -> Iterator[int]:
    """The whole numbers between points, where they are so few that they cannot all differ."""
    for unknown in group:
        for cell in range(0, 2 * len(grid.points) + 1, 2):
            first, last = grid.span(unknown.line, cell)
            if last - first < min(len(group), _FEW):
                yield from range(first, last + 1)


def _nothing(_name: Name) -> None:
    return None


def _choices(unknown: Unknown, *, own: bool = False) -> Iterable[Value]:
    """The values with names; ``own`` only those that it can have."""
    if unknown.known.dimension is Dimension.BOOL:
        return (False, True)
    if unknown.known.members:
        return unknown.known.members if own else (*unknown.known.members, *unknown.values)
    return tuple(unknown.values)
