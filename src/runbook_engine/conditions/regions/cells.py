"""The values of one unknown, sorted into cells within which no question tells them apart. A set of cells is a mask.

The cell of the values that are missing, or that a calculation does not have, comes last.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from runbook_engine.conditions.regions.line import Line, Number, Span
from runbook_engine.conditions.tree import Operator
from runbook_engine.quantity import Value

LESS, SAME, MORE, NO_RELATION = 1, 2, 4, 8
"""How one value stands to another."""

YES, NO, NO_ANSWER = 1, 2, 4

RELATIONS = {
    Operator.EQUAL: SAME,
    Operator.UNEQUAL: LESS | MORE,
    Operator.LESS: LESS,
    Operator.AT_MOST: LESS | SAME,
    Operator.MORE: MORE,
    Operator.AT_LEAST: SAME | MORE,
}


def bits(mask: int) -> Iterator[int]:
    """The cells of a mask, from the lowest."""
    while mask:
        bit = mask & -mask
        yield bit.bit_length() - 1
        mask ^= bit


class Grid:
    """Numbers, cut at points: the values below the first, the first, those between it and the second, and so on."""

    __slots__ = ("absent", "points", "present")

    def __init__(self, points: Iterable[Number]) -> None:
        self.points: Sequence[Number] = sorted(set(points))
        self.absent = 1 << 2 * len(self.points) + 1
        self.present = self.absent - 1

    def within(self, line: Line) -> int:
        """The cells in which the line has values."""
        if line.first > line.last:
            return 0
        low, high = self.at(line, line.first), self.at(line, line.last)
        found = 0
        for cell in range(low, high + 1):
            first, last = self.span(line, cell)
            if first <= last:
                found |= 1 << cell
        return found

    def at(self, line: Line, rank: int) -> int:
        """The cell of a value of the line."""
        return self.place(line.value(rank))

    def place(self, value: Number) -> int:
        """The cell of a value."""
        index = bisect_left(self.points, value)
        return 2 * index + (index < len(self.points) and self.points[index] == value)

    def between(self, line: Line, span: Span) -> int:
        """The cells from the one in which the span begins to the one in which it ends."""
        return (2 << self.at(line, span[1])) - (1 << self.at(line, span[0]))

    def span(self, line: Line, cell: int) -> Span:
        """The values of the line in a cell."""
        index, is_point = divmod(cell, 2)
        if is_point:
            return line.clipped((line.at_least(self.points[index]), line.at_most(self.points[index])))
        first = line.at_most(self.points[index - 1]) + 1 if index else line.first
        last = line.at_least(self.points[index]) - 1 if index < len(self.points) else line.last
        return line.clipped((first, last))

    def sides(self, value: Number) -> tuple[int, int, int]:
        """The cells below, at and above a value that is one of the points."""
        point = 1 << 2 * bisect_left(self.points, value) + 1
        return point - 1, point, self.present ^ (point | (point - 1))

    def compared(self, operator: Operator, value: Number) -> int:
        """The cells whose values compare so with one of the points."""
        return self.chosen(self.sides(value), operator)

    @staticmethod
    def chosen(sides: tuple[int, int, int], operator: Operator) -> int:
        wanted = RELATIONS[operator]
        return sum(side for side, relation in zip(sides, (LESS, SAME, MORE), strict=True) if wanted & relation)

    def relation(self, one: int, other: int) -> int:
        """How a value of one cell may stand to a value of another."""
        if one == other:
            return SAME if one % 2 else LESS | SAME | MORE
        return LESS if one < other else MORE


class Choices:
    """Texts, or true and false: each value that is named, and in one cell all others."""

    __slots__ = ("_index", "absent", "other", "present", "values")

    def __init__(self, values: Iterable[Value]) -> None:
        self.values: Sequence[Value] = tuple(dict.fromkeys(values))
        self._index = {value: index for index, value in enumerate(self.values)}
        self.other = 1 << len(self.values)
        self.absent = self.other << 1
        self.present = self.absent - 1

    def at(self, value: Value) -> int:
        """The cell of a value."""
        return self._index.get(value, len(self.values))

    def compared(self, operator: Operator, value: Value) -> int:
        found = 1 << self._index[value]
        return found if operator is Operator.EQUAL else self.present ^ found

    def relation(self, one: int, other: int) -> int:
        """How a value of one cell may stand to a value of another: the same, or not (which is ``LESS``)."""
        if one == other:
            return SAME if one < len(self.values) else SAME | LESS
        return LESS
