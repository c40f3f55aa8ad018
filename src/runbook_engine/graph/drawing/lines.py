"""The order of what stands on one line, so that arrows cross as little as sweeping barycentres can make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum  # exact, and the same on every Python


@dataclass(frozen=True, slots=True)
class Join:
    """Two items on neighbouring lines that an arrow joins. ``port`` is where it leaves ``upper``, from its middle;
    ``weight`` says how much it wants to be straight.
    """

    upper: int
    lower: int
    port: float
    weight: float


_SWEEPS = 10
_MANY = 3_000


def ordered(lines: list[list[int]], joins: Sequence[Join], width: Sequence[float]) -> list[list[int]]:
    """The lines, each in a better order. Of all orders seen the one with fewest crossings is kept; ties to the first."""
    count = len(width)
    above: list[list[Join]] = [[] for _ in range(count)]
    below: list[list[Join]] = [[] for _ in range(count)]
    for join in joins:
        below[join.upper].append(join)
        above[join.lower].append(join)
    place = [0.0] * count
    _number(lines, place)
    best = [list(line) for line in lines]
    fewest = _crossings(lines, below, place, width)
    sweeps = _SWEEPS if count < _MANY else 2
    for sweep in range(sweeps):
        if not fewest:
            break
        down = sweep % 2 == 0
        for line in lines[1:] if down else reversed(lines[:-1]):
            line.sort(key=lambda item: _wish(item, above if down else below, place, width, down=down))
            for index, item in enumerate(line):
                place[item] = float(index)
        found = _crossings(lines, below, place, width)
        if found < fewest:
            fewest, best = found, [list(line) for line in lines]
    return best


def _number(lines: list[list[int]], place: list[float]) -> None:
    for line in lines:
        for index, item in enumerate(line):
            place[item] = float(index)


def _port(join: Join, width: Sequence[float]) -> float:
    """A port as a part of a place: below a half, so that it never passes a neighbour."""
    return 0.8 * join.port / width[join.upper] if width[join.upper] else 0.0


def _wish(
    item: int, joined: Sequence[Sequence[Join]], place: Sequence[float], width: Sequence[float], *, down: bool
) -> float:
    found = joined[item]
    if not found:
        return place[item]
    if down:
        return fsum(place[join.upper] + _port(join, width) for join in found) / len(found)
    return fsum(place[join.lower] - _port(join, width) for join in found) / len(found)


def _crossings(
    lines: list[list[int]], below: Sequence[Sequence[Join]], place: Sequence[float], width: Sequence[float]
) -> int:
    return sum(
        _inversions(
            [
                int(place[join.lower])
                for item in upper
                for join in sorted(below[item], key=lambda join: (_port(join, width), place[join.lower]))
            ],
            len(lower),
        )
        for upper, lower in pairwise(lines)
    )


def _inversions(sequence: Sequence[int], size: int) -> int:
    """Pairs that stand the wrong way round, counted with a Fenwick tree."""
    tree = [0] * (size + 1)
    crossings = 0
    for seen, value in enumerate(sequence):
        index, not_greater = value + 1, 0
        while index:
            not_greater += tree[index]
            index &= index - 1
        crossings += seen - not_greater
        index = value + 1
        while index <= size:
            tree[index] += 1
            index += index & -index
    return crossings
