"""The decision graph as one SVG: text stays text, colours are CSS variables, so that it suits light and dark."""

from collections.abc import Callable, Iterator, Sequence
from html import escape

from runbook_engine.document.models import Level, Runbook
from runbook_engine.graph.drawing import icons
from runbook_engine.graph.drawing.cards import (
    CARD,
    DETAIL_SIZE,
    ICON,
    INDENT,
    LABEL_PAD,
    LINE,
    PAD,
    STEM,
    TEXT_SIZE,
    TITLE_LINE,
    TITLE_SIZE,
    Card,
    Label,
    Row,
    card,
)
from runbook_engine.graph.drawing.layout import Box, Layout, Link, Segment, layout
from runbook_engine.graph.drawing.overlay import Overlay
from runbook_engine.graph.drawing.palette import DARK, LIGHT, variables
from runbook_engine.graph.drawing.picture import Node, Picture, picture
from runbook_engine.graph.drawing.words import described, spoken
from runbook_engine.hostile import one_line

_MARGIN = 20.0
_START = Box(14.0, 14.0)
_HEAD = 7.0
_ARC = 60.0
_COLOURS = ("ok", "warning", "critical", "blind", "muted", "faint", "accent")

CSS = (
    '.rb-graph{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}'
    ".rb-graph text{fill:var(--rb-ink)}"
    f".rb-graph .title{{font-size:{TITLE_SIZE}px;font-weight:600}}"
    f".rb-graph .detail{{font-size:{DETAIL_SIZE}px;fill:var(--rb-muted)}}"
    f".rb-graph .row{{font-size:{TEXT_SIZE}px}}"
    ".rb-graph .mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"
    '"DejaVu Sans Mono","Liberation Mono",monospace}'
    ".rb-graph .card{fill:var(--rb-surface);stroke:var(--rb-edge);stroke-width:1.2}"
    ".rb-graph .label{fill:var(--rb-sunken);stroke:var(--rb-line)}"
    ".rb-graph .rule{stroke:var(--rb-line);stroke-width:1}"
    ".rb-graph .arrow{fill:none;stroke:var(--rb-edge);stroke-width:1.4}"
    ".rb-graph .head{fill:var(--rb-edge)}"
    ".rb-graph .error{stroke-dasharray:5 4}"
    ".rb-graph .start{fill:var(--rb-ink)}"
    # What a run went through is strong, what it passed by is faint.
    ".rb-run .arrow{stroke:var(--rb-quiet)}.rb-run .head{fill:var(--rb-quiet)}"
    ".rb-run .arrow.taken{stroke:var(--rb-accent);stroke-width:2.4}.rb-run .head.taken{fill:var(--rb-accent)}"
    ".rb-run .row{fill:var(--rb-faint)}.rb-run .row.taken{fill:var(--rb-ink);font-weight:600}"
    ".rb-run .mark{fill:none}.rb-run .mark.taken{fill:var(--rb-accent)}"
    ".rb-graph .flagged.warning .card{fill:var(--rb-warning-tint);stroke:var(--rb-warning);stroke-width:1.8}"
    ".rb-graph .flagged.critical .card{fill:var(--rb-critical-tint);stroke:var(--rb-critical);stroke-width:1.8}"
    ".rb-graph .blind .card{stroke:var(--rb-blind);stroke-width:1.8;stroke-dasharray:1.5 4;stroke-linecap:round}"
    ".rb-graph .hatch{stroke:var(--rb-blind-tint);stroke-width:5}"
    ".rb-graph .skipped .card,.rb-graph .not-reached .card,.rb-graph .not-asked .card{fill:none;stroke:var(--rb-line)}"
    ".rb-graph .skipped text,.rb-graph .not-reached text,.rb-graph .not-asked text{fill:var(--rb-faint)}"
    ".rb-graph .skipped .label,.rb-graph .not-reached .label,.rb-graph .not-asked .label{fill:none;stroke:var(--rb-line)}"
    + "".join(f".rb-graph .{name}-sign{{color:var(--rb-{name})}}" for name in _COLOURS)
    + ".rb-graph .warning-text,.rb-run .row.taken.warning-text{fill:var(--rb-warning)}"
    ".rb-graph .critical-text,.rb-run .row.taken.critical-text{fill:var(--rb-critical)}"
    ".rb-run .row.warning-text:not(.taken),.rb-run .row.critical-text:not(.taken){fill:var(--rb-faint)}"
    ".rb-graph a{text-decoration:none}"
    ".rb-graph a:hover .card,.rb-graph a:focus .card{stroke:var(--rb-accent);stroke-width:2.2}" + icons.css(".rb-graph")
)
"""The style of every picture; the colours are those of ``palette``, as ``--rb-ink`` and so on."""


def svg(
    runbook: Runbook,
    overlay: Overlay | None = None,
    *,
    standalone: bool = True,
    link: Callable[[str], str] | None = None,
    ident: str = "runbook",
) -> str:
    """Draw it. An ``overlay`` shows a run: the path taken, what was found, what was blind.

    Not ``standalone``, it has neither colours nor style of its own: the page around it gives ``CSS`` and the variables once.
    ``link`` makes each step a link to the address that it returns; ``ident`` keeps the ids of several pictures apart.
    """
    return "".join(_draw(picture(runbook, overlay), standalone=standalone, link=link, ident=ident))


def _draw(drawn: Picture, *, standalone: bool, link: Callable[[str], str] | None, ident: str) -> Iterator[str]:
    cards = [card(node) for node in drawn.nodes]
    placed = layout([_START, *(Box(each.block_width, each.block_height) for each in cards)], list(_links(drawn, cards)))
    width = placed.width + 2 * _MARGIN + (_ARC if placed.backward else 0.0)
    height = placed.height + 2 * _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rb-graph{" rb-run" if drawn.has_run else ""}" '
        f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}" '
        f'role="group" aria-labelledby="{escape(ident)}-title {escape(ident)}-desc">'
        f'<title id="{escape(ident)}-title">{_t(drawn.title)}</title>'
        f'<desc id="{escape(ident)}-desc">{_t(described(drawn))}</desc>'
    )
    if standalone:
        yield (
            f"<style>.rb-graph{{{variables(LIGHT)}}}"
            f"@media(prefers-color-scheme:dark){{.rb-graph{{{variables(DARK)}}}}}{CSS}</style>"
            '<rect width="100%" height="100%" rx="12" fill="var(--rb-page)"/>'
        )
    yield (
        f'<defs><pattern id="{escape(ident)}-hatch" width="10" height="10" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><path class="hatch" d="M0 0V10"/></pattern></defs>'
        f'<g transform="translate({_n(_MARGIN)} {_n(_MARGIN)})">'
    )
    yield from _arrows(placed.segments)
    yield from _circles(drawn, cards, placed)
    x, y = placed.boxes[0]
    yield f'<circle class="start" cx="{_n(x + 7)}" cy="{_n(y + 7)}" r="6"><title>Start</title></circle>'
    for each, (x, y) in zip(cards, placed.boxes[1:], strict=True):
        yield from _block(each, x, y, link=link, hatch=f"{ident}-hatch", has_run=drawn.has_run)
    yield "</g></svg>\n"


def _links(drawn: Picture, cards: list[Card]) -> Iterator[Link]:
    number = {node.id: index for index, node in enumerate(drawn.nodes, 1)}
    for step in drawn.start:
        yield Link(0, number[step], 0.0, _START.height, taken=drawn.has_run)
    for each in cards:
        source = number[each.node.id]
        for label in each.labels:
            port = label.left + label.width / 2 - each.block_width / 2
            drop = each.height + (STEM + label.height if label.rows else 0.0)
            for target in label.fork.targets:
                yield Link(source, number[target], port, drop, error=label.fork.error, taken=label.fork.taken)


def _arrows(segments: Sequence[Segment]) -> Iterator[str]:
    """What was taken comes last, so that it lies on top. Pieces that several arrows share are drawn once."""
    drawn: set[str] = set()
    for each in sorted(segments, key=lambda each: each.taken):
        for piece in _pieces(each):
            if piece not in drawn:
                drawn.add(piece)
                yield piece


def _pieces(each: Segment) -> Iterator[str]:
    names = f"{' error' if each.error else ''}{' taken' if each.taken else ''}"
    if each.bend > each.y1:
        yield f'<path class="arrow{names}" d="M{_n(each.x1)} {_n(each.y1)}V{_n(each.bend)}"/>'
    end = each.end - _HEAD + 1 if each.head else each.end
    top = min(each.y2, end)
    pull = (top - each.bend) * 0.5
    curve = f"{_n(each.x1)} {_n(each.bend + pull)} {_n(each.x2)} {_n(top - pull)} {_n(each.x2)} {_n(top)}"
    down = f"V{_n(end)}" if end > top else ""
    yield f'<path class="arrow{names}" d="M{_n(each.x1)} {_n(each.bend)}C{curve}{down}"/>'
    if each.head:
        yield _head(each.x2, each.end, " taken" if each.taken else "")


def _head(x: float, y: float, names: str) -> str:
    return f'<path class="head{names}" d="M{_n(x - 4.5)} {_n(y - _HEAD)}h9L{_n(x)} {_n(y)}z"/>'


def _circles(drawn: Picture, cards: list[Card], placed: Layout) -> Iterator[str]:
    """Arrows that lead back up, which only a broken runbook has: in an arc on the right."""
    links = list(_links(drawn, cards))
    for place in placed.backward:
        link = links[place]
        (x1, y1), (x2, y2) = placed.boxes[link.source], placed.boxes[link.target]
        right1 = x1 + cards[link.source - 1].block_width
        right2 = x2 + cards[link.target - 1].block_width
        out = max(right1, right2) + _ARC
        yield (
            f'<path class="arrow error" d="M{_n(right1)} {_n(y1 + 20)}C{_n(out)} {_n(y1)} {_n(out)} {_n(y2 + 40)} '
            f'{_n(right2)} {_n(y2 + 20)}"/>'
        )


def _block(
    each: Card, x: float, y: float, *, link: Callable[[str], str] | None, hatch: str, has_run: bool
) -> Iterator[str]:
    node = each.node
    names = " ".join(filter(None, [node.status.replace(" ", "-"), node.level or ""]))
    yield f'<g class="step {names}" transform="translate({_n(x)} {_n(y)})">'
    if link is not None:
        yield f'<a href="{escape(link(node.id))}">'
    yield f"<title>{_t(spoken(node))}</title>"
    box = f'x="{_n(each.left)}" width="{_n(CARD)}" height="{_n(each.height)}" rx="9"'
    yield f'<rect class="card" {box}/>'
    if node.status == "blind":
        yield f'<rect {box} fill="url(#{escape(hatch)})"/><rect class="card" {box} fill-opacity="0"/>'
    yield from _head_of_card(each)
    if each.rows:
        yield (f'<path class="rule" d="M{_n(each.left + PAD)} {_n(each.rule)}h{_n(CARD - 2 * PAD)}"/>')
        for row in each.rows:
            yield from _row(row, each.left + PAD, 0.0, INDENT, has_run=has_run, ends=True)
    if link is not None:
        yield "</a>"
    for label in each.labels:
        yield from _label(each, label, has_run=has_run)
    yield "</g>"


def _head_of_card(each: Card) -> Iterator[str]:
    node = each.node
    sign, colour = _sign(node)
    left = each.left + PAD
    yield _icon(sign, colour, left, PAD - 1, ICON)
    text = left + ICON + 8
    for index, line in enumerate(each.title):
        yield f'<text class="title" x="{_n(text)}" y="{_n(PAD + 12 + index * TITLE_LINE)}">{_t(line)}</text>'
    below = PAD + 12 + (len(each.title) - 1) * TITLE_LINE + LINE + 2
    mono = " mono" if node.kind == "probe" else ""
    yield f'<text class="detail{mono}" x="{_n(text)}" y="{_n(below)}">{_t(each.detail)}</text>'
    if node.note:
        right = each.left + CARD - PAD
        yield f'<text class="detail" x="{_n(right)}" y="{_n(below)}" text-anchor="end">{_t(node.note)}</text>'


def _sign(node: Node) -> tuple[str, str]:
    match node.status:
        case "":
            return node.kind, "muted"
        case "flagged":
            level = node.level or Level.WARNING
            return level, level
        case "passed" | "answered":
            return node.status, "ok"
        case "blind":
            return "blind", "blind"
    return node.status, "faint"


def _label(each: Card, label: Label, *, has_run: bool) -> Iterator[str]:
    if not label.rows:
        return
    names = f"{' error' if label.fork.error else ''}{' taken' if label.fork.taken else ''}"
    middle = label.left + label.width / 2
    start = min(max(middle, each.left + 12), each.left + CARD - 12)
    top = each.height + STEM
    yield (
        f'<path class="arrow{names}" d="M{_n(start)} {_n(each.height)}'
        f'C{_n(start)} {_n(each.height + 8)} {_n(middle)} {_n(top - 8)} {_n(middle)} {_n(top)}"/>'
        f'<rect class="label" x="{_n(label.left)}" y="{_n(top)}" width="{_n(label.width)}" '
        f'height="{_n(label.height)}" rx="7"/>'
    )
    for row in label.rows:
        yield from _row(row, label.left + LABEL_PAD, top, label.indent, has_run=has_run)


def _row(row: Row, x: float, top: float, indent: float, *, has_run: bool, ends: bool = False) -> Iterator[str]:
    way, taken = row.way, " taken" if row.way.taken else ""
    faint = has_run and not way.taken
    if taken:
        height = row.height - 8
        mark = f'x="{_n(x - 6)}" y="{_n(top + row.y - 9.5)}" width="2.6" height="{_n(height)}" rx="1.3"'
        yield f'<rect class="mark taken" {mark}/>'
    if way.level is not None:
        yield _icon(way.level, "faint" if faint else way.level, x, top + row.y - 10, 12.0)
    elif ends:
        yield _icon("end", "faint", x, top + row.y - 10, 12.0)
    y = top + row.y
    for line in row.condition:
        full = f"<title>{_t(way.text)}</title>" if len(row.condition) > 1 else ""
        yield f'<text class="row mono{taken}" x="{_n(x + indent)}" y="{_n(y)}">{full}{_t(line)}</text>'
        y += LINE
    if row.finding:
        yield f'<text class="row {way.level}-text{taken}" x="{_n(x + indent)}" y="{_n(y)}">{_t(row.finding)}</text>'


def _icon(name: str, colour: str, x: float, y: float, size: float) -> str:
    place = f"translate({_n(x)} {_n(y)}) scale({_n(size / 16, 3)})"
    return f'<g class="{colour}-sign" transform="{place}">{icons.ICONS[name]}</g>'


def _n(value: float, digits: int = 1) -> str:
    """A number as short as SVG allows."""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if value else "0"


def _t(text: str) -> str:
    return escape(one_line(text), quote=False)
