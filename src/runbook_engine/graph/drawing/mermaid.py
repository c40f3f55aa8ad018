"""The decision graph in Mermaid, as GitHub, GitLab and many wikis draw it."""

import re
from collections.abc import Iterator
from itertools import count

from runbook_engine.document.models import Runbook
from runbook_engine.graph.drawing.overlay import Overlay
from runbook_engine.graph.drawing.palette import LIGHT
from runbook_engine.graph.drawing.picture import Fork, Node, Picture, Way, picture
from runbook_engine.hostile import one_line

_SIGNS = {"warning": "⚠", "critical": "⛔"}
_STATUS_SIGNS = {
    "passed": "✓",
    "flagged": "⚑",
    "blind": "⊘",
    "skipped": "⤼",
    "answered": "✎",
    "not reached": "…",
    "not asked": "–",
}
_STYLES = {
    "passed": f"fill:{LIGHT['ok-tint']},stroke:{LIGHT['ok']},color:{LIGHT['ink']}",
    "answered": f"fill:{LIGHT['ok-tint']},stroke:{LIGHT['ok']},color:{LIGHT['ink']}",
    "warning": f"fill:{LIGHT['warning-tint']},stroke:{LIGHT['warning']},stroke-width:2px,color:{LIGHT['ink']}",
    "critical": f"fill:{LIGHT['critical-tint']},stroke:{LIGHT['critical']},stroke-width:2px,color:{LIGHT['ink']}",
    "blind": f"fill:{LIGHT['blind-tint']},stroke:{LIGHT['blind']},stroke-width:2px,stroke-dasharray:2 3,color:{LIGHT['ink']}",
    "skipped": f"fill:{LIGHT['surface']},stroke:{LIGHT['line']},color:{LIGHT['faint']}",
    "fork": f"fill:{LIGHT['sunken']},stroke:{LIGHT['line']},color:{LIGHT['ink']}",
    "start": f"fill:{LIGHT['ink']},stroke:{LIGHT['ink']}",
}


def mermaid(runbook: Runbook, overlay: Overlay | None = None) -> str:
    """A ``flowchart TD``. Error routes are dotted; with an ``overlay`` the path taken is thick."""
    return "\n".join(_Chart(picture(runbook, overlay)).lines()) + "\n"


class _Chart:
    def __init__(self, drawn: Picture) -> None:
        self._drawn = drawn
        self._number = count()
        self._forks = count(1)
        self._thick: list[int] = []
        self._classes: dict[str, list[str]] = {}

    def lines(self) -> Iterator[str]:
        yield f"---\ntitle: {_yaml(self._drawn.title)}\n---"
        yield "flowchart TD"
        yield "  start(( ))"
        self._style("start", "start")
        for node in self._drawn.nodes:
            yield f"  {_id(node)}{_shape(node)}"
            self._style(_style_of(node), _id(node))
        for step in self._drawn.start:
            yield self._arrow("start", f"s_{step}", taken=self._drawn.has_run)
        for node in self._drawn.nodes:
            for fork in node.leading:
                yield from self._fork(node, fork)
            for way in node.ending:
                yield from self._ending(node, way)
        for name, members in self._classes.items():
            yield f"  classDef {name} {_STYLES[name]}"
            yield f"  class {','.join(members)} {name}"
        if self._thick:
            yield f"  linkStyle {','.join(map(str, self._thick))} stroke:{LIGHT['accent']},stroke-width:3px"

    def _fork(self, node: Node, fork: Fork) -> Iterator[str]:
        plain = node.unconditional and not fork.error
        label = "" if plain else "<br/>".join(_way(way) for way in fork.ways)
        if len(fork.targets) == 1 or plain:
            for target in fork.targets:
                yield self._arrow(_id(node), f"s_{target}", label, error=fork.error, taken=fork.taken)
            return
        name = f"fork{next(self._forks)}"
        yield f'  {name}["{label}"]'
        self._style("fork", name)
        yield self._arrow(_id(node), name, error=fork.error, taken=fork.taken)
        for target in fork.targets:
            yield self._arrow(name, f"s_{target}", error=fork.error, taken=fork.taken)

    def _ending(self, node: Node, way: Way) -> Iterator[str]:
        name = f"fork{next(self._forks)}"
        error = way.kind == "error"
        if way.finding:
            sign = _SIGNS[way.level or "warning"]
            yield f'  {name}(["{sign} {_text(way.finding)}"])'
            if not self._drawn.has_run or way.taken:
                self._style(way.level or "warning", name)
            yield self._arrow(_id(node), name, _text(way.text), error=error, taken=way.taken)
        else:
            yield f"  {name}(( ))"
            yield self._arrow(_id(node), name, _text(way.text), error=error, taken=way.taken)

    def _arrow(self, source: str, target: str, label: str = "", *, error: bool = False, taken: bool = False) -> str:
        number = next(self._number)
        if taken:
            self._thick.append(number)
        line = "-.->" if error else "-->"
        return f'  {source} {line}|"{label}"| {target}' if label else f"  {source} {line} {target}"

    def _style(self, name: str, member: str) -> None:
        if name in _STYLES:
            self._classes.setdefault(name, []).append(member)


def _id(node: Node) -> str:
    """With a prefix: Mermaid has words of its own, such as ``end`` and ``style``."""
    return f"s_{node.id}"


def _shape(node: Node) -> str:
    sign = f"{_STATUS_SIGNS[node.status]} " if node.status else ""
    note = f" · {_text(node.note)}" if node.note else ""
    text = f"{sign}{_text(node.title)}<br/><small>{_text(node.detail)}{note}</small>"
    left, right = {"probe": ('["', '"]'), "ask": ('{{"', '"}}'), "call": ('[["', '"]]')}[node.kind]
    return f"{left}{text}{right}"


def _style_of(node: Node) -> str:
    if node.status == "flagged":
        return node.level or "warning"
    return "skipped" if node.status in ("not reached", "not asked") else node.status


def _way(way: Way) -> str:
    finding = f" {_SIGNS[way.level or 'warning']} {_text(way.finding)}" if way.finding else ""
    return f"{_text(way.text)}{finding}"


_SPECIAL = re.compile(r"""[#"<>&`\\{}\[\]|*~;]|(?<![^\W_])_|_(?![^\W_])|(?<=\d)\.(?=\s)|^[-+](?=\s)""")
_NAMED = {"<": "lt", ">": "gt", "&": "amp", '"': "quot"}


def _text(text: str) -> str:
    """Inside quotes, with Mermaid's own entities (``#gt;``) for what its Markdown and HTML would read."""
    return _SPECIAL.sub(lambda found: f"#{_NAMED.get(found.group(), ord(found.group()))};", one_line(text))


def _yaml(text: str) -> str:
    return "'" + one_line(text).replace("'", "''") + "'"
