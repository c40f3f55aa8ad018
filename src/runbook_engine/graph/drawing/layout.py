"""A layered layout of boxes and arrows, from top to bottom (Sugiyama's method).

Boxes stand on lines by longest path. Arrows to one box that pass lines in between share a trunk, so that twenty error routes
to one step are one line and not twenty, and the layout of a long runbook stays linear. On its way an arrow is vertical
beside boxes and bends only between lines, so it never runs under a box.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from runbook_engine.graph.drawing.columns import columns
from runbook_engine.graph.drawing.lines import Join, ordered
from runbook_engine.graph.drawing.ranks import backward, ranks


@dataclass(frozen=True, slots=True)
class Box:
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Link:
    """An arrow. It leaves ``source`` at ``port`` (from its middle) and ``drop`` (from its top)."""

    source: int
    target: int
    port: float
    drop: float
    error: bool = False
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of one or several arrows: from (x1, y1) straight down to ``bend``, in a curve to (x2, y2), where it goes on
    down to ``end``. ``head`` says that it has arrived.
    """

    x1: float
    y1: float
    bend: float
    x2: float
    y2: float
    end: float
    error: bool
    taken: bool
    head: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """``boxes`` has the left and top of each box."""

    width: float
    height: float
    boxes: tuple[tuple[float, float], ...]
    segments: tuple[Segment, ...]
    backward: tuple[int, ...]
    """The links that close a circle; they have no segments."""


_GAP = 14.0
_TRUNK_GAP = 9.0
_LEAST_BETWEEN = 46.0
_MOST_BETWEEN = 96.0
_ONLY_WAY, _TRUNK = 4.0, 8.0
"""How much straighter than others an arrow is that alone leads to a box, and the trunk of many."""


@dataclass(slots=True)
class _Plan:
    """Boxes and trunk pieces alike are items; ``lines`` has the items of each rank."""

    widths: list[float]
    gaps: list[float]
    lines: list[list[int]]
    joins: list[Join] = field(default_factory=list)
    arrows: list[tuple[int, int, float, float, bool, bool]] = field(default_factory=list)
    """Upper item, lower item, port, drop, error, taken."""
    trunks: list[list[int]] = field(default_factory=list)


def layout(boxes: Sequence[Box], links: Sequence[Link]) -> Layout:
    """Lay out; the first box is where everything starts."""
    arrows = [(link.source, link.target) for link in links]
    closing = backward(len(boxes), arrows)
    rank = ranks(len(boxes), arrows, closing)
    plan = _plan(boxes, [link for place, link in enumerate(links) if place not in closing], rank)
    lines = ordered(plan.lines, plan.joins, plan.widths)
    middles = columns(lines, plan.joins, plan.widths, plan.gaps, plan.trunks)
    tops, bottoms = _heights(lines, boxes, plan, middles)
    line_of = {item: index for index, line in enumerate(lines) for item in line}
    segments = []
    for upper, lower, port, drop, error, taken in plan.arrows:
        above, below = line_of[upper], line_of[lower]
        start = tops[above] + drop if upper < len(boxes) else bottoms[above]
        head = lower < len(boxes)
        end = tops[below] if head else bottoms[below]
        segments.append(
            Segment(middles[upper] + port, start, bottoms[above], middles[lower], tops[below], end, error, taken, head)
        )
    placed = tuple((middles[index] - box.width / 2, tops[line_of[index]]) for index, box in enumerate(boxes))
    width = max((middles[item] + plan.widths[item] / 2 for item in line_of), default=0.0)
    return Layout(width, bottoms[-1] if bottoms else 0.0, placed, tuple(segments), tuple(sorted(closing)))


def _plan(boxes: Sequence[Box], links: Sequence[Link], rank: Sequence[int]) -> _Plan:
    plan = _Plan([box.width for box in boxes], [_GAP] * len(boxes), [[] for _ in range(max(rank, default=-1) + 1)])
    for box in range(len(boxes)):
        plan.lines[rank[box]].append(box)
    trunks: dict[tuple[int, bool], list[Link]] = {}
    arriving = Counter(link.target for link in links)
    for link in links:
        if rank[link.target] - rank[link.source] == 1:
            straight = _ONLY_WAY if arriving[link.target] == 1 else 1.0
            _arrow(plan, link.source, link.target, link, taken=link.taken, straight=straight)
        else:
            trunks.setdefault((link.target, link.error), []).append(link)
    for (target, _), joining in trunks.items():
        _trunk(plan, target, sorted(joining, key=lambda link: rank[link.source]), rank)
    return plan


def _trunk(plan: _Plan, target: int, joining: Sequence[Link], rank: Sequence[int]) -> None:
    """One vertical line into ``target`` for all arrows of a kind that come from further up."""
    first = rank[joining[0].source] + 1
    pieces = {}
    for line in range(first, rank[target]):
        item = pieces[line] = len(plan.widths)
        plan.widths.append(0.0)
        plan.gaps.append(_TRUNK_GAP)
        plan.lines[line].append(item)
    plan.trunks.append(list(pieces.values()))
    taken_from = min((rank[link.source] for link in joining if link.taken), default=len(plan.lines))
    for link in joining:
        _arrow(plan, link.source, pieces[rank[link.source] + 1], link, taken=link.taken)
    for line, item in pieces.items():
        passing = Link(item, target, 0.0, 0.0, joining[0].error)
        _arrow(plan, item, pieces.get(line + 1, target), passing, taken=taken_from < line, straight=_TRUNK)


def _arrow(plan: _Plan, upper: int, lower: int, link: Link, *, taken: bool, straight: float = 1.0) -> None:
    plan.arrows.append((upper, lower, link.port, link.drop, link.error, taken))
    plan.joins.append(Join(upper, lower, link.port, straight))


def _heights(
    lines: Sequence[Sequence[int]], boxes: Sequence[Box], plan: _Plan, middles: Sequence[float]
) -> tuple[list[float], list[float]]:
    """The top and bottom of each line; the further arrows travel sideways between two, the further these stand apart."""
    sideways = [0.0] * len(lines)
    line_of = {item: index for index, line in enumerate(lines) for item in line}
    for join in plan.joins:
        above = line_of[join.upper]
        sideways[above] = max(sideways[above], abs(middles[join.upper] + join.port - middles[join.lower]))
    tops, bottoms, y = [], [], 0.0
    for index, line in enumerate(lines):
        tops.append(y)
        y += max((boxes[item].height for item in line if item < len(boxes)), default=0.0)
        bottoms.append(y)
        y += min(_MOST_BETWEEN, _LEAST_BETWEEN + sideways[index] * 0.06)
    return tops, bottoms
