"""The decision graph in Graphviz's DOT, for ``dot -Tsvg``."""

from collections.abc import Iterator

from runbook_engine.document.models import Level, Runbook
from runbook_engine.graph.drawing.overlay import Overlay
from runbook_engine.graph.drawing.palette import LIGHT
from runbook_engine.graph.drawing.picture import Fork, Node, Picture, Way, picture
from runbook_engine.hostile import one_line

_SHAPES = {"probe": "box", "ask": "hexagon", "call": "component"}
_LINES = {Level.WARNING: "⚠", Level.CRITICAL: "⛔"}


def dot(runbook: Runbook, overlay: Overlay | None = None) -> str:
    """A ``digraph``. Error routes are dashed; with an ``overlay`` the path taken is thick."""
    return "\n".join(_lines(picture(runbook, overlay))) + "\n"


def _lines(drawn: Picture) -> Iterator[str]:
    yield f"digraph {_quoted(drawn.name)} {{"
    yield f'  graph [label={_quoted(drawn.title)}, labelloc=t, rankdir=TB, fontname="Helvetica", nodesep=0.3]'
    yield '  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", fillcolor=white]'
    yield f'  edge [fontname="Helvetica", fontsize=9, color="{LIGHT["edge"]}"]'
    yield '  start [shape=circle, width=0.15, label="", fillcolor=black]'
    for node in drawn.nodes:
        yield f"  {_quoted(node.id)} [{_looks(node)}]"
    for step in drawn.start:
        yield _arrow('"start"', _quoted(step), taken=drawn.has_run)
    number = 0
    for node in drawn.nodes:
        for fork in node.leading:
            number += 1
            yield from _fork(node, fork, f'"fork {number}"')
        for way in node.ending:
            number += 1
            yield from _ending(node, way, f'"fork {number}"', has_run=drawn.has_run)
    yield "}"


def _looks(node: Node) -> str:
    note = f" · {node.note}" if node.note else ""
    label = _quoted(f"{node.title}\n{node.detail}{note}")
    looks = [f"label={label}", f"tooltip={_quoted(node.status or node.id)}", f"shape={_SHAPES[node.kind]}"]
    match node.status:
        case "flagged":
            looks += _coloured(node.level or Level.WARNING)
        case "passed" | "answered":
            looks += _coloured("ok")
        case "blind":
            looks += [*_coloured("blind"), 'style="rounded,filled,dotted"']
        case "skipped" | "not reached" | "not asked":
            looks += [f'color="{LIGHT["line"]}"', f'fontcolor="{LIGHT["faint"]}"']
    return ", ".join(looks)


def _coloured(name: str) -> list[str]:
    return [f'color="{LIGHT[name]}"', f'fillcolor="{LIGHT[f"{name}-tint"]}"', "penwidth=1.6"]


def _fork(node: Node, fork: Fork, name: str) -> Iterator[str]:
    plain = node.unconditional and not fork.error
    label = "" if plain else "\n".join(_way(way) for way in fork.ways)
    if len(fork.targets) == 1 or plain:
        for target in fork.targets:
            yield _arrow(_quoted(node.id), _quoted(target), label, error=fork.error, taken=fork.taken)
        return
    yield f'  {name} [label={_quoted(label)}, shape=plaintext, style="", fontsize=9]'
    yield _arrow(_quoted(node.id), name, error=fork.error, taken=fork.taken, head=False)
    for target in fork.targets:
        yield _arrow(name, _quoted(target), error=fork.error, taken=fork.taken)


def _ending(node: Node, way: Way, name: str, *, has_run: bool) -> Iterator[str]:
    error = way.kind == "error"
    if way.finding:
        level = way.level or Level.WARNING
        looks = ["shape=box", "fontsize=9"]
        if way.taken or not has_run:
            looks += _coloured(level)
        yield f"  {name} [label={_quoted(f'{_LINES[level]} {way.finding}')}, {', '.join(looks)}]"
    else:
        yield f'  {name} [shape=point, width=0.08, tooltip="end"]'
    yield _arrow(_quoted(node.id), name, way.text, error=error, taken=way.taken)


def _way(way: Way) -> str:
    return f"{way.text} {_LINES[way.level]} {way.finding}" if way.finding and way.level else way.text


def _arrow(
    source: str, target: str, label: str = "", *, error: bool = False, taken: bool = False, head: bool = True
) -> str:
    looks = []
    if label:
        looks.append(f"label={_quoted(label)}")
    if error:
        looks.append("style=dashed")
    if taken:
        looks += [f'color="{LIGHT["accent"]}"', "penwidth=2.4"]
    if not head:
        looks.append("arrowhead=none")
    return f"  {source} -> {target} [{', '.join(looks)}]" if looks else f"  {source} -> {target}"


def _quoted(text: str) -> str:
    """A DOT string; the line breaks that we put in are kept, those from outside are not."""
    lines = (one_line(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
