"""Sets of combinations: decision diagrams over several variables with many values each.

A variable's values are bits of a mask. A node asks one variable and leads on by disjoint masks; what no mask has leads to
``NOTHING``. Variables are asked in the order of their levels, equal nodes are one node, and a variable on which nothing
depends is not asked: so two sets are equal exactly when their nodes are. Over a single variable a set is one mask.
"""

from collections.abc import Iterator, Sequence

NOTHING, EVERYTHING = 0, 1

_BOTTOM = 1 << 30
"""Below every level."""

Edges = tuple[tuple[int, int], ...]


class TooManyCellsError(Exception):
    """There are more combinations than will be looked at."""


class Diagrams:
    """``domains`` has, by level, the mask of all values of that variable. ``most_work`` bounds all the operations."""

    def __init__(self, domains: Sequence[int], most_work: int) -> None:
        self.domains = domains
        self._work = most_work
        self._levels = [_BOTTOM, _BOTTOM]
        self._edges: list[Edges] = [(), ()]
        self._known: dict[tuple[int, int, int, Edges], int] = {}
        self._both: dict[tuple[int, int], int] = {}
        self._opposite: dict[int, int] = {NOTHING: EVERYTHING, EVERYTHING: NOTHING}

    def allow(self, work: int) -> None:
        """At least so much more work."""
        self._work = max(self._work, work)

    def where(self, level: int, mask: int) -> int:
        """All combinations in which this variable has one of these values."""
        return self.node(level, [(mask & self.domains[level], EVERYTHING)])

    def node(self, level: int, edges: Sequence[tuple[int, int]]) -> int:
        """The set that goes on by disjoint masks. The nodes below ask later levels."""
        self._work -= len(edges) + 1
        if self._work < 0:
            raise TooManyCellsError
        parts = _merged(edges)
        if not parts:
            return NOTHING
        if len(parts) == 1 and parts[0][0] == self.domains[level]:
            return parts[0][1]
        # Masks of neighbouring bits, which most are, have few hashes: they are powers of two, modulo 2**61 - 1.
        key = (level, parts[0][0].bit_length(), parts[0][0].bit_count(), parts)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._levels)
            self._levels.append(level)
            self._edges.append(parts)
        return found

    def both(self, one: int, other: int) -> int:
        if NOTHING in (one, other):
            return NOTHING
        if one in (EVERYTHING, other):
            return other
        if other == EVERYTHING:
            return one
        key = (one, other) if one < other else (other, one)
        found = self._both.get(key)
        if found is None:
            found = self._both[key] = self._joined(one, other)
        return found

    def _joined(self, one: int, other: int) -> int:
        level, below = self._levels[one], self._levels[other]
        if level > below:
            one, other, level, below = other, one, below, level
        if level < below:
            return self.node(level, [(mask, self.both(child, other)) for mask, child in self._edges[one]])
        edges = [
            (common, self.both(child, beside))
            for mask, child in self._edges[one]
            for also, beside in self._edges[other]
            if (common := mask & also)
        ]
        return self.node(level, edges)

    def opposite(self, one: int) -> int:
        found = self._opposite.get(one)
        if found is None:
            level = self._levels[one]
            rest = self.domains[level]
            edges = []
            for mask, child in self._edges[one]:
                rest ^= mask
                edges.append((mask, self.opposite(child)))
            edges.append((rest, EVERYTHING))
            found = self._opposite[one] = self.node(level, edges)
            self._opposite[found] = one
        return found

    def either(self, one: int, other: int) -> int:
        if EVERYTHING in (one, other):
            return EVERYTHING
        if one in (NOTHING, other):
            return other
        if other == NOTHING:
            return one
        return self.opposite(self.both(self.opposite(one), self.opposite(other)))

    def without(self, one: int, other: int) -> int:
        return self.both(one, self.opposite(other))

    def holds(self, one: int, cells: Sequence[int]) -> bool:
        """Whether the combination, a mask of one bit for each level, is in the set."""
        while one > EVERYTHING:
            cell = cells[self._levels[one]]
            one = next((child for mask, child in self._edges[one] if mask & cell), NOTHING)
        return one == EVERYTHING

    def boxes(self, one: int) -> Iterator[tuple[int, ...]]:
        """The set as disjoint boxes, each a mask for every level."""
        box = list(self.domains)

        def below(node: int) -> Iterator[tuple[int, ...]]:
            if node == EVERYTHING:
                yield tuple(box)
                return
            level = self._levels[node]
            for mask, child in self._edges[node]:
                box[level] = mask
                yield from below(child)
            box[level] = self.domains[level]

        if one != NOTHING:
            yield from below(one)


def _merged(edges: Sequence[tuple[int, int]]) -> Edges:
    """In order, those that lead to the same as one, and without those that lead to nothing."""
    if len(edges) == 1:
        ((mask, child),) = edges
        return ((mask, child),) if mask and child != NOTHING else ()
    masks: dict[int, int] = {}
    for mask, child in edges:
        if mask and child != NOTHING:
            masks[child] = masks.get(child, 0) | mask
    return tuple(sorted((mask, child) for child, mask in masks.items()))
