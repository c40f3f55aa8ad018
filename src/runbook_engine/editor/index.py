"""The names of a document: where each is defined, and everywhere that it is used, also in conditions and templates."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from runbook_engine.document.models import AnswerType, AskStep, CallStep, Extract, Input, ProbeStep
from runbook_engine.document.nodes import MappingNode, Node, Raw, extent
from runbook_engine.document.scalars import offsets
from runbook_engine.editor.tree import Place, node_at, places, raw
from runbook_engine.errors import RunbookError
from runbook_engine.graph.scope import ERROR, INPUTS, input_type, step_types
from runbook_engine.ids import END
from runbook_engine.probe.registry import AnyProbe, Registry
from runbook_engine.quantity import Dimension, MetricType


class NameKind(StrEnum):
    STEP = "step"
    INPUT = "input"
    FINDING = "finding"
    RESOLUTION = "resolution"
    RUNBOOK = "runbook"


SECTIONS: Mapping[str, NameKind] = {
    "inputs": NameKind.INPUT,
    "steps": NameKind.STEP,
    "findings": NameKind.FINDING,
    "resolutions": NameKind.RESOLUTION,
}


class Definition(Struct, frozen=True):
    """``text[start:end]`` is the name, ``text[start:stop]`` all that belongs to it."""

    kind: NameKind
    name: str
    start: int
    end: int
    stop: int
    title: str


class Use(Struct, frozen=True):
    kind: NameKind
    name: str
    start: int
    end: int


class Index(Struct, frozen=True):
    """All names of a document, by the tree of its text."""

    text: str
    root: Node | None
    kind: str | None
    definitions: Sequence[Definition]
    uses: Sequence[Use]

    def find(self, kind: NameKind, name: str) -> Definition | None:
        return next((each for each in self.definitions if (each.kind, each.name) == (kind, name)), None)

    def names(self, kind: NameKind) -> Sequence[Definition]:
        return [each for each in self.definitions if each.kind is kind]

    def at(self, offset: int) -> Definition | Use | None:
        """The name that a character belongs to, or the one just before it."""
        everything: list[Definition | Use] = [*self.definitions, *self.uses]
        return next((each for each in everything if each.start <= offset <= each.end), None)

    def step(self, name: str) -> Raw:
        return raw(node_at(self.root, ("steps", name)))

    def metrics(self, step: str, registry: Registry) -> Mapping[str, MetricType]:
        """What a step measures, as far as it is written already."""
        value = self.step(step)
        if not isinstance(value, dict):
            return {}
        if isinstance(value.get("probe"), str):
            probe = probe_of(value["probe"], registry)
            extract = value.get("extract")
            extracts = {key: _extract(each) for key, each in extract.items()} if isinstance(extract, dict) else {}
            return step_types(ProbeStep.model_construct(probe=value["probe"], extract=extracts), probe)
        if "ask" in value:
            kind = value.get("type", "bool")
            members = value.get("values")
            if kind not in tuple(AnswerType):
                return {"answer": MetricType(Dimension.TEXT)}
            values = tuple(map(str, members)) if isinstance(members, list) else ()
            return step_types(AskStep.model_construct(ask="", type=AnswerType(kind), values=values), None)
        return step_types(CallStep.model_construct(call=""), None) if "call" in value else {}

    def inputs(self) -> Mapping[str, Input]:
        """The inputs that can be read."""
        found: dict[str, Input] = {}
        for each in self.names(NameKind.INPUT):
            try:
                found[each.name] = Input.model_validate(raw(node_at(self.root, ("inputs", each.name))))
            except ValueError:
                found[each.name] = Input()
        return found

    def input_types(self) -> Mapping[str, MetricType]:
        return {name: input_type(each) for name, each in self.inputs().items()}


def _extract(value: object) -> Extract:
    try:
        return Extract.model_validate(value)
    except ValueError:
        return Extract(path="@")


def probe_of(name: str, registry: Registry) -> AnyProbe | None:
    try:
        return registry.get(name)
    except RunbookError:
        return None


def index(text: str, root: Node | None, kind: str | None) -> Index:
    """The names in a text, whose tree is given."""
    definitions = tuple(_definitions(text, root)) if kind == "runbook" else ()
    uses = tuple(_uses(text, root, kind))
    return Index(text, root, kind, definitions, uses)


def _definitions(text: str, root: Node | None) -> Iterator[Definition]:
    for section, kind in SECTIONS.items():
        node = node_at(root, (section,))
        for name, (key, value) in node.entries.items() if isinstance(node, MappingNode) else ():
            start, end = extent(key, text)
            stop = max(end, extent(value, text)[1])
            yield Definition(kind, name, start, end, stop, _title(raw(value)))


def _title(value: Raw) -> str:
    if not isinstance(value, dict):
        return ""
    told = next((value[key] for key in ("title", "help", "ask", "probe", "call") if value.get(key)), "")
    return str(told)


_DOTTED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\.([A-Za-z_]\w*)", re.ASCII)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_HOLE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_NAMED = {"finding": NameKind.FINDING, "resolution": NameKind.RESOLUTION}
_TARGETS = frozenset({"goto", "else", "start"})


def _uses(text: str, root: Node | None, kind: str | None) -> Iterator[Use]:
    for place in places(root):
        if place.is_key or not place.text:
            continue
        if kind == "runbook":
            yield from _runbook_uses(place, text)
        elif place.path == ("tests",) or (len(place.path) > 1 and place.path[-1] == "runbook"):
            yield from _whole(place, NameKind.RUNBOOK, text)


def _runbook_uses(place: Place, text: str) -> Iterator[Use]:
    path = place.path
    names = [each for each in path if isinstance(each, str)]
    last = names[-1] if names else ""
    in_way = len(path) > 3 and path[0] == "steps" and path[2] in ("branches", "on_error")
    if (in_way and last in _TARGETS) or path[0] == "start":
        if place.text != END:
            yield from _whole(place, NameKind.STEP, text)
    elif (in_way and last == "finding") or (path[0] == "findings" and len(path) == 3 and last == "resolution"):
        yield from _whole(place, _NAMED[last], text)
    elif path[0] == "steps" and len(path) == 3 and last == "call":
        yield from _whole(place, NameKind.RUNBOOK, text)
    elif in_way and last == "when":
        yield from _dotted(place, text, _outside_quotes(place.text))
    elif "{{" in place.text:
        holes = [(found.start(), found[0]) for found in _HOLE.finditer(place.text)]
        within = [(at + start, at + end) for at, hole in holes for start, end in _outside_quotes(hole)]
        yield from _dotted(place, text, within)


def _whole(place: Place, kind: NameKind, text: str) -> Iterator[Use]:
    start, end = extent(place.event, text)
    if place.event.style in ("'", '"'):
        start, end = start + 1, end - 1
    yield Use(kind, place.text, start, end)


def _outside_quotes(text: str) -> Sequence[tuple[int, int]]:
    bounds = [0, *(each for found in _QUOTED.finditer(text) for each in found.span()), len(text)]
    return list(zip(bounds[::2], bounds[1::2], strict=True))


def _dotted(place: Place, text: str, within: Sequence[tuple[int, int]]) -> Iterator[Use]:
    where = offsets(place.event, text)
    if where is None:
        return
    for start, end in within:
        for found in _DOTTED.finditer(place.text, start, end):
            if found[1] == INPUTS:
                kind, group = NameKind.INPUT, 2
            elif found[1] == ERROR:
                continue
            else:
                kind, group = NameKind.STEP, 1
            first, last = found.span(group)
            yield Use(kind, found[group], where[first][0], where[last - 1][1])
