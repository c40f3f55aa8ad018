"""What is known of a word in a document."""

import re

from msgspec import Struct

from runbook_engine import quantity
from runbook_engine.document.diagnostics import CODES
from runbook_engine.document.nodes import extent
from runbook_engine.document.scalars import offsets
from runbook_engine.document.source import Path
from runbook_engine.editor.completion import Surroundings, kind_meaning
from runbook_engine.editor.index import Definition, Index, NameKind, Use, probe_of
from runbook_engine.editor.schemas import Schemas, schema_of
from runbook_engine.editor.tree import Place, place_at, raw
from runbook_engine.errors import RunbookError
from runbook_engine.graph.probe_schema import params_schema
from runbook_engine.graph.scope import ERROR, ERROR_TYPES, INPUTS
from runbook_engine.probe.registry import AnyProbe
from runbook_engine.quantity import MetricType
from runbook_engine.templates import readable


class Hover(Struct, frozen=True):
    """``told`` is Markdown about ``text[start:end]``."""

    told: str
    start: int
    end: int


_CODE = re.compile(r"\bRB\d{3}\b")
_WORD = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_LITERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\s*(?:%|/(?:s|min|h)\b|[A-Za-z]+)", re.ASCII)


def hover(index: Index, offset: int, around: Surroundings) -> Hover | None:
    """What is known of the word that a character belongs to; None where that is nothing."""
    code = _code(index.text, offset)
    place = place_at(index.root, offset)
    if code is not None or place is None:
        return code
    if index.kind == "runbook":
        found = _name(index, offset, around) or _word(index, place, offset, around)
        if found is not None:
            return found
    return _written(index, place, around)


def _written(index: Index, place: Place, around: Surroundings) -> Hover | None:
    """A probe, a kind of error, a key of the format, a value that says what it is."""
    if not place.is_key and place.path[-1:] == ("probe",):
        return _of(place, index.text, _probe(probe_of(place.text, around.registry)))
    names = [each for each in place.path if isinstance(each, str)]
    if not place.is_key and names[-1:] in (["kind"], ["on"]) and (meaning := kind_meaning(place.text)):
        return _of(place, index.text, _joined(f"**{place.text}**", meaning))
    schema = schema_of(index.kind, around.registry) if index.kind is not None else None
    if schema is None:
        return None
    schemas, document = Schemas(schema), raw(index.root)
    if place.is_key:
        about, detail = schemas.about(place.path, document), schemas.detail(place.path, document)
        return _of(place, index.text, _joined(f"**{place.text}**{f' — {detail}' if detail else ''}", about))
    chosen = next(
        (each for each in schemas.values(place.path, document) if each.name == place.text and each.told), None
    )
    return _of(place, index.text, _joined(f"**{chosen.name}**", chosen.told)) if chosen is not None else None


def _code(text: str, offset: int) -> Hover | None:
    """A code in a comment."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    line = text[start:].split("\n", 1)[0]
    if "#" not in line:
        return None
    for found in _CODE.finditer(line, line.index("#")):
        if found.start() <= offset - start <= found.end() and found[0] in CODES:
            told = f"**{found[0]}** — {CODES[found[0]]}\n\n`runbook check --explain {found[0]}` tells more"
            return Hover(told, start + found.start(), start + found.end())
    return None


def _of(place: Place, text: str, told: str) -> Hover | None:
    return Hover(told, *extent(place.event, text)) if told else None


def _joined(*parts: str) -> str:
    return "\n\n".join(each for each in parts if each)


def _name(index: Index, offset: int, around: Surroundings) -> Hover | None:
    """A name that is defined in the document, or a runbook's."""
    found = index.at(offset)
    if found is None:
        return None
    told = about(index, found, around)
    return Hover(told, found.start, found.end) if told else None


def about(index: Index, name: Definition | Use, around: Surroundings) -> str:
    """What a name stands for, in Markdown."""
    defined = index.find(name.kind, name.name)
    if name.kind is NameKind.RUNBOOK:
        return _runbook(name.name, around)
    if defined is None:
        return ""
    heading = f"**{name.name}** — {name.kind}"
    match name.kind:
        case NameKind.STEP:
            step = index.step(name.name)
            probe = step.get("probe") if isinstance(step, dict) else None
            metrics = _metrics(dict(index.metrics(name.name, around.registry)))
            return _joined(heading + (f", measured by `{probe}`" if probe else ""), readable(defined.title), metrics)
        case NameKind.INPUT:
            spec = index.inputs()[name.name]
            facts = [f"type {spec.type}"]
            facts += [f"default {spec.default}"] if spec.default is not None else []
            facts += [f"from `${spec.env}`"] if spec.env else []
            facts += [f"one of {', '.join(spec.values)}"] if spec.values else []
            return _joined(heading, "; ".join(facts), spec.help)
        case _:
            return _joined(heading, readable(defined.title))


def _runbook(name: str, around: Surroundings) -> str:
    try:
        loaded = around.library.load(name, near=around.path)
    except RunbookError as error:
        return str(error).splitlines()[0]
    runbook = loaded.partial
    if runbook is None:
        return f"**{name}** — a runbook with mistakes"
    inputs = "\n".join(f"- `{key}` ({each.type}) {each.help}".rstrip() for key, each in runbook.inputs.items())
    told = f"Inputs:\n\n{inputs}" if inputs else ""
    return _joined(f"**{name}** — {readable(runbook.title)}", readable(runbook.description), told)


def _word(index: Index, place: Place, offset: int, around: Surroundings) -> Hover | None:
    """A metric or a literal in a condition or a template."""
    path = place.path
    is_condition = path[-1:] == ("when",)
    if place.is_key or not (is_condition or "{{" in place.text):
        return None
    where = offsets(place.event, index.text)
    if where is None:
        return None

    def at(start: int, end: int) -> tuple[int, int] | None:
        first, last = where[start][0], where[end - 1][1]
        return (first, last) if first <= offset <= last else None

    for literal in _LITERAL.finditer(place.text) if is_condition else ():
        span = at(*literal.span())
        if span is not None and (told := _literal(literal[0])):
            return Hover(told, *span)
    for word in _WORD.finditer(place.text):
        span = at(*word.span())
        if span is not None and (told := _metric(index, word[0], path, around)):
            return Hover(told, *span)
    return None


def _literal(text: str) -> str:
    try:
        value, dimension = quantity.parse(text)
    except ValueError:
        return ""
    shown = quantity.show(value, dimension)
    base = f"{value:g} {quantity.BASE_UNIT[dimension]}".strip()
    return f"**{text}** — {dimension}: {shown}" + (f" ({base})" if base != shown else "")


def _metric(index: Index, name: str, path: Path, around: Surroundings) -> str:
    scope, _, last = name.rpartition(".")
    if scope == ERROR:
        found = ERROR_TYPES.get(last)
    elif scope == INPUTS:
        found = index.input_types().get(last)
    else:
        step = scope or (str(path[1]) if path[:1] == ("steps",) and len(path) > 1 else "")
        found = index.metrics(step, around.registry).get(last)
    return _joined(f"**{name}** — {_type(found)}", found.doc) if found is not None else ""


def _type(found: MetricType) -> str:
    return (
        found.describe()
        + (f" (in {found.unit})" if found.unit else "")
        + (", may be missing" if found.optional else "")
    )


def _metrics(types: dict[str, MetricType]) -> str:
    if not types:
        return ""
    rows = "\n".join(f"- `{name}`: {_type(each)}. {each.doc}".rstrip(" .") for name, each in types.items())
    return f"Metrics:\n\n{rows}"


def _probe(probe: AnyProbe | None) -> str:
    if probe is None:
        return ""
    schema = params_schema(probe)
    required = schema.get("required", ())
    params = "\n".join(
        f"- `{name}`{' (required)' if name in required else ''}: {each.get('description', '')}".rstrip(" :")
        for name, each in schema.get("properties", {}).items()
    )
    needs = f"Runs only with `--allow {', '.join(sorted(probe.grants))}`" if probe.grants else ""
    return _joined(
        f"**{probe.name}**",
        probe.doc,
        f"Parameters:\n\n{params}" if params else "",
        _metrics(dict(probe.metrics)),
        needs,
    )
