"""A step as a card, and below it a label for each fork that leads on: how big they are and where their parts stand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum  # exact, and the same on every Python

from runbook_engine.graph.drawing.lettering import clip, width, wrap
from runbook_engine.graph.drawing.picture import Fork, Node, Way

CARD = 250.0
PAD = 13.0
ICON = 17.0
TITLE_SIZE, DETAIL_SIZE, TEXT_SIZE = 13.0, 11.0, 10.5
TITLE_LINE, LINE = 17.0, 14.0
STEM = 18.0
LABEL_PAD = 10.0
_BOLD = 1.12
INDENT = 17.0
_BETWEEN = 12.0
_ROW_GAP = 6.0
_CONDITION_LINES = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One way out: its condition from ``y`` on (a base line, from the top of its card or label), its finding below it."""

    way: Way
    condition: tuple[str, ...]
    finding: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on a fork. Without rows it is a bare line. ``left`` is from the left of the block; ``indent`` leaves
    room for signs.
    """

    fork: Fork
    rows: tuple[Row, ...]
    left: float
    width: float
    height: float
    indent: float


@dataclass(frozen=True, slots=True)
class Card:
    """``left`` is from the left of the block; ``labels`` hang below."""

    node: Node
    title: tuple[str, ...]
    detail: str
    rows: tuple[Row, ...]
    rule: float
    """Where the rule above the rows is, from the top."""
    left: float
    height: float
    labels: tuple[Label, ...]
    block_width: float
    block_height: float


def card(node: Node) -> Card:
    text_room = CARD - 2 * PAD - ICON - 8
    title = tuple(wrap(node.title, text_room, TITLE_SIZE * _BOLD, 2))
    note_room = width(node.note, DETAIL_SIZE) + 8 if node.note else 0.0
    detail = clip(node.detail, text_room - note_room, DETAIL_SIZE, mono=node.kind == "probe")
    rule = PAD + len(title) * TITLE_LINE + LINE + 7
    rows = _rows(node.ending, rule + 7, CARD - 2 * PAD - INDENT)
    height = rows[-1].y + rows[-1].height - 6 if rows else rule + 3
    labels = _labels(node)
    spread = fsum(each.width for each in labels) + _BETWEEN * max(0, len(labels) - 1)
    block = max(CARD, spread)
    left = (block - spread) / 2
    placed = []
    for each in labels:
        placed.append(replace(each, left=left))
        left += each.width + _BETWEEN
    below = max((STEM + each.height for each in labels if each.rows), default=0.0)
    return Card(node, title, detail, rows, rule, (block - CARD) / 2, height, tuple(placed), block, height + below)


def _labels(node: Node) -> list[Label]:
    found = []
    for fork in node.leading:
        if node.unconditional and not fork.error:
            found.append(Label(fork, (), 0.0, 24.0, 0.0, 0.0))
            continue
        rows = _rows(fork.ways, 7.0, CARD - 2 * PAD - INDENT)
        widest = max(
            width(line, TEXT_SIZE, mono=mono)
            for row in rows
            for line, mono in (*((each, True) for each in row.condition), (row.finding, False))
        )
        indent = INDENT if fork.level else 0.0
        wide = max(46.0, widest + indent + 2 * LABEL_PAD)
        found.append(Label(fork, rows, 0.0, wide, rows[-1].y + rows[-1].height - 9, indent))
    return found


def _rows(ways: Sequence[Way], top: float, room: float) -> tuple[Row, ...]:
    rows = []
    for way in ways:
        finding = clip(way.finding, room, TEXT_SIZE)
        condition = tuple(wrap(way.text, room, TEXT_SIZE, _CONDITION_LINES, mono=True))
        height = LINE * (len(condition) + bool(finding)) + _ROW_GAP
        rows.append(Row(way, condition, finding, top + 10.5, height))
        top += height
    return tuple(rows)
