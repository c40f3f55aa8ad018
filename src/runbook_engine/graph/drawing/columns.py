"""Where on its line each item stands: near what it is joined to, in the given order, never overlapping."""

import math
from collections.abc import Sequence
from math import fsum  # exact, and the same on every Python

from runbook_engine.graph.drawing.lines import Join

_SWEEPS = 8
_STAY = 0.001
"""How much an item that nothing pulls wants to stay where it is."""


def columns(
    lines: Sequence[Sequence[int]],
    joins: Sequence[Join],
    width: Sequence[float],
    gap: Sequence[float],
    trunks: Sequence[Sequence[int]] = (),
) -> list[float]:
    """The middle of each item. ``gap`` is the least distance that an item keeps on either side, halved.

    ``trunks`` lists items from top to bottom that should stand in one column where there is room.
    """
    count = len(width)
    above: list[list[Join]] = [[] for _ in range(count)]
    below: list[list[Join]] = [[] for _ in range(count)]
    for join in joins:
        below[join.upper].append(join)
        above[join.lower].append(join)
    x = [0.0] * count
    for line in lines:
        _spread(line, [(0.0, _STAY)] * len(line), width, gap, x)
    for sweep in range(_SWEEPS):
        down, last = sweep % 2 == 0, sweep >= _SWEEPS - 2
        for line in lines if down else reversed(lines):
            pulls = [
                _pull(x[item], above[item] if down or last else [], below[item] if not down or last else [], x)
                for item in line
            ]
            _spread(line, pulls, width, gap, x)
    _straighten(trunks, _room(lines), width, gap, x)
    left = min((x[item] - width[item] / 2 for line in lines for item in line), default=0.0)
    return [each - left for each in x]


def _pull(at: float, above: Sequence[Join], below: Sequence[Join], x: Sequence[float]) -> tuple[float, float]:
    """Where an item wants to be, and how much."""
    total, weight = at * _STAY, _STAY
    for join in above:
        total += join.weight * (x[join.upper] + join.port)
        weight += join.weight
    for join in below:
        total += join.weight * (x[join.lower] - join.port)
        weight += join.weight
    return total / weight, weight


def _spread(
    line: Sequence[int],
    pulls: Sequence[tuple[float, float]],
    width: Sequence[float],
    gap: Sequence[float],
    x: list[float],
) -> None:
    """The places nearest to the wishes (weighted least squares) that keep order and distance: isotonic regression."""
    offset = 0.0
    offsets = []
    pools: list[list[float]] = []  # [sum of weighted wishes, sum of weights, members]
    for index, item in enumerate(line):
        if index:
            before = line[index - 1]
            offset += (width[before] + width[item]) / 2 + gap[before] + gap[item]
        offsets.append(offset)
        wish, weight = pulls[index]
        pools.append([(wish - offset) * weight, weight, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    index = 0
    for wishes, weights, members in pools:
        for _ in range(int(members)):
            x[line[index]] = wishes / weights + offsets[index]
            index += 1


def _room(lines: Sequence[Sequence[int]]) -> dict[int, tuple[int | None, int | None]]:
    """The neighbours of each item on its line."""
    found: dict[int, tuple[int | None, int | None]] = {}
    for line in lines:
        for index, item in enumerate(line):
            found[item] = (
                line[index - 1] if index else None,
                line[index + 1] if index + 1 < len(line) else None,
            )
    return found


def _straighten(
    trunks: Sequence[Sequence[int]],
    neighbours: dict[int, tuple[int | None, int | None]],
    width: Sequence[float],
    gap: Sequence[float],
    x: list[float],
) -> None:
    """Give each trunk as few bends as its neighbours allow."""
    for trunk in trunks:
        run: list[int] = []
        low, high = -math.inf, math.inf
        for item in trunk:
            left, right = neighbours[item]
            least = x[left] + width[left] / 2 + gap[left] + gap[item] if left is not None else -math.inf
            most = x[right] - width[right] / 2 - gap[right] - gap[item] if right is not None else math.inf
            if max(low, least) > min(high, most):
                _align(run, low, high, x)
                run, low, high = [], -math.inf, math.inf
            run.append(item)
            low, high = max(low, least), min(high, most)
        _align(run, low, high, x)


def _align(run: Sequence[int], low: float, high: float, x: list[float]) -> None:
    if run:
        middle = min(max(fsum(x[item] for item in run) / len(run), low), high)
        for item in run:
            x[item] = middle
