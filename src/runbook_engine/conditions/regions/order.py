"""What follows from the order of several unknowns: what stands between, and how multiples of one name stand to each other."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from msgspec import Struct

from runbook_engine.conditions.regions.cells import LESS, MORE, SAME
from runbook_engine.conditions.tree import Arithmetic, Constant, Expression, Name

_MOST_TRIANGLES = 150
_CLEARLY = Fraction(1, 10**6)
"""Factors that differ by less may come out the other way round when they are rounded."""


class Pair(Struct, frozen=True):
    """Two unknowns that are compared."""

    left: Expression
    right: Expression


Triangle = tuple[Expression, Expression, Expression]

ORDERED: Mapping[tuple[int, int], int] = {
    (LESS, LESS): LESS,
    (LESS, SAME): LESS,
    (SAME, LESS): LESS,
    (SAME, SAME): SAME,
    (SAME, MORE): MORE,
    (MORE, SAME): MORE,
    (MORE, MORE): MORE,
}
"""How the first stands to the third, by how the first stands to the second and the second to the third."""

UNORDERED: Mapping[tuple[int, int], int] = {(SAME, SAME): SAME, (SAME, LESS): LESS, (LESS, SAME): LESS}
"""The same for texts, of which ``LESS`` says only that they differ."""


def triangles(pairs: Iterable[Pair]) -> tuple[list[Pair], list[Triangle]]:
    """Pairs to be added, and triangles of pairs, so that relations that agree in every triangle agree as a whole.

    Unknowns are taken away one by one, those with the fewest neighbours first, whose neighbours become pairs.
    """
    beside: dict[Expression, dict[Expression, None]] = {}
    for pair in pairs:
        beside.setdefault(pair.left, {})[pair.right] = None
        beside.setdefault(pair.right, {})[pair.left] = None
    added: list[Pair] = []
    found: list[Triangle] = []
    while beside and len(found) < _MOST_TRIANGLES:
        node = min(beside, key=lambda each: len(beside[each]))
        neighbours = list(beside.pop(node))
        for one, other in combinations(neighbours, 2):
            if other not in beside[one]:
                added.append(Pair(one, other))
                beside[one][other] = beside[other][one] = None
            found.append((node, one, other))
        for each in neighbours:
            del beside[each][node]
    return added, found


class Multiple(NamedTuple):
    """``factor * name + shift``; one of the two is not used."""

    name: Name
    factor: Fraction
    shift: Fraction


def multiple(node: Expression) -> Multiple | None:
    """``limit``, ``0.8 * limit``, ``limit / 2`` or ``limit - 5`` as what it is of the name."""
    match node:
        case Name():
            return Multiple(node, Fraction(1), Fraction(0))
        case (
            Arithmetic(operator="*", left=Name() as name, right=Constant(value=value))
            | Arithmetic(operator="*", left=Constant(value=value), right=Name() as name)
        ) if not isinstance(value, str) and value > 0:
            return Multiple(name, Fraction(value), Fraction(0))
        case Arithmetic(operator="/", left=Name() as name, right=Constant(value=value)) if (
            not isinstance(value, str) and value > 0
        ):
            return Multiple(name, 1 / Fraction(value), Fraction(0))
        case (
            Arithmetic(operator="+", left=Name() as name, right=Constant(value=value))
            | Arithmetic(operator="+", left=Constant(value=value), right=Name() as name)
        ) if not isinstance(value, str):
            return Multiple(name, Fraction(1), Fraction(value))
        case Arithmetic(operator="-", left=Name() as name, right=Constant(value=value)) if not isinstance(value, str):
            return Multiple(name, Fraction(1), -Fraction(value))
    return None


def same_name(nodes: Iterable[Expression]) -> Iterator[tuple[Pair, Multiple, Multiple]]:
    """Multiples of one name that differ clearly."""
    known = [(node, found) for node in nodes if (found := multiple(node)) is not None]
    for (left, one), (right, other) in combinations(known, 2):
        if one.name == other.name and standing(one, other) is not None:
            yield Pair(left, right), one, other


def standing(one: Multiple, other: Multiple) -> tuple[int, int, int] | None:
    """How the first stands to the second where the name is below zero, zero, and above; None where that is not certain.

    Rounding keeps the order, but may make equal what differs.
    """
    if one.factor == other.factor and one.shift != other.shift:
        found = (LESS if one.shift < other.shift else MORE) | SAME
        return found, found, found
    if one.shift == other.shift == 0 and abs(one.factor / other.factor - 1) > _CLEARLY:
        above, below = (LESS, MORE) if one.factor < other.factor else (MORE, LESS)
        return below | SAME, SAME, above | SAME
    return None
