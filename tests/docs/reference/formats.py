"""The reference of each document's format, from its pydantic model and from a whole example."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct
from pydantic import BaseModel
from tests.docs.reference.markdown import code, fence, page, prose, sentence, table

from runbook_engine.document.cases import Cases
from runbook_engine.document.environment import Environment
from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.knowledge import Knowledge
from runbook_engine.document.models import DURATION_PATTERN, PERCENT_PATTERN, RUNBOOK_PATTERN, Runbook
from runbook_engine.document.playbook import Playbook
from runbook_engine.document.policy import Policy
from runbook_engine.ids import NAME_PATTERN
from runbook_engine.quantity import Dimension, show

EXAMPLES = Path(__file__).parent / "examples"
LONGEST_EXAMPLE = 100


class Format(Struct, frozen=True):
    """``file`` is how its documents are called, and ``example`` a whole one, which uses every key that there is."""

    title: str
    model: type[BaseModel]
    file: str
    example: str
    about: str


FORMATS: Mapping[str, Format] = {
    "runbook": Format(
        "Runbooks",
        Runbook,
        "runbooks/slow-shop.yaml",
        "slow-shop.yaml",
        "A runbook is found by its name in `runbooks/` of the project, on `RUNBOOK_PATH` and among the shipped ones, or given as a file. "
        "Conditions and the texts with `{{ }}` are described [on a page of their own](../conditions.md); what a step with "
        "`probe` may measure [is listed here](../probes/index.md).",
    ),
    "tests": Format(
        "Tests",
        Cases,
        "runbooks/slow-shop.test.yaml",
        "slow-shop.test.yaml",
        "Tests lie beside their runbook, in files that end in `.test.yaml`. `runbook test` and pytest carry them out. What a "
        "step is not given, it must not be asked for; what a case does not expect, may not occur.\n\n"
        "A step is given the metrics that it measures, `{error: timeout}` or "
        "`{error: {kind: timeout, message: ..., remedy: ...}}` for a probe that fails, `{answer: true}` for what a person "
        "says, `{outcome: warning}` for a called runbook as a whole, or a list of these, one for each attempt. What is "
        "sampled may be given with its number, `error_rate: {value: 3%, n: 100}`, a time with its bounds, `p95: {value: 900ms, "
        "n: 100, lower: 700ms, upper: 1.2s}`. The steps "
        "of a called runbook are named `call_step/step`.",
    ),
    "environment": Format(
        "Environments",
        Environment,
        "runbooks/environments/staging.yaml",
        "staging.yaml",
        "An environment gives inputs their values, for all runbooks at once. `-e staging` chooses the one in "
        "`environments/staging.yaml`.",
    ),
    "knowledge": Format(
        "Knowledge",
        Knowledge,
        "runbooks/knowledge.yaml",
        "knowledge.yaml",
        "Knowledge explains error messages: `runbook explain` searches it, and reports say beside the evidence what is known. "
        "A `knowledge.yaml` of one's own comes before the shipped one.",
    ),
    "policy": Format(
        "Policies of metrics",
        Policy,
        "runbooks/policy/metrics.yaml",
        "metrics.yaml",
        "A policy of metrics is what `runbook triage` measures: each metric with the thresholds by which it is judged.",
    ),
    "playbook": Format(
        "Playbooks",
        Playbook,
        "runbooks/playbooks/p0-critical.yaml",
        "playbook.yaml",
        "A playbook says what people do in an incident, in which phase, whose turn it is, and by when. It lies in `playbooks/` "
        "beside the runbooks.",
    ),
    "incidents": Format(
        "Policies of incidents",
        IncidentPolicy,
        "runbooks/policy/incidents.yaml",
        "incidents.yaml",
        "A policy of incidents says how bad an incident is, who is called when, who is told, and what is done afterwards. Its "
        "first line is `policy: incidents`. `runbook policy` shows it as tables.",
    ),
}
"""By the first key of a document, which tells what kind it is."""


def pages() -> Iterator[tuple[str, str]]:
    yield "formats/index.md", _index()
    for key, each in FORMATS.items():
        yield f"formats/{key}.md", _page(each)


def _begins(kind: str) -> str:
    """How a document of a kind begins."""
    return f"policy: {kind}" if kind == "incidents" else f"{kind}:"


def _index() -> str:
    rows = [
        (code(_begins(key)), f"[{each.title}]({key}.md)", prose(_doc(each.model)), code(each.file))
        for key, each in FORMATS.items()
    ]
    return page(
        "Formats",
        "Every document is a YAML file. Its first key tells what kind of document it is, and `runbook check` reads them all.",
        table(["first key", "format", "what it is", "where, for example"], rows),
        "YAML is read as version 1.2 says: `on`, `no` and `12:30` are texts. A key that is given twice, a key that is not "
        "known, tags, merge keys and several documents in one file are mistakes. A text that begins with `{{` stands in "
        "quotes.",
        "Quantities carry their unit: `500ms`, `80%`, `512MiB`, `12/s`. [All units](../conditions.md#units)",
        "`runbook schema` prints the JSON Schema of a format, [for editors](../../how-to/editors.md).",
    )


def _page(each: Format) -> str:
    text = (EXAMPLES / each.example).read_text("utf-8")
    schema = each.model.model_json_schema(by_alias=True)
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    shown = Shown(definitions, examples_of(each.model, text))
    sections = []
    for name in reached(schema, definitions):
        spec = schema if name == each.model.__name__ else definitions[name]
        title = "The document" if spec is schema else spaced(name)
        told = "" if spec is schema else sentence(prose(_first(spec.get("description", ""))))
        sections += [f"## {title}", told, shown.keys(name, spec)]
    whole = [
        "## A whole example",
        "It uses every key that there is, more than a document of one's own needs.",
        fence("yaml", text, title=each.example),
    ]
    return page(each.title, sentence(prose(_doc(each.model))), each.about, *sections, *whole)


class Shown(Struct, frozen=True):
    """Values in a reader's words. ``examples`` has a value of each key of each model, as the example document has it."""

    definitions: Mapping[str, Any]
    examples: Mapping[tuple[str, str], object]

    def keys(self, model: str, spec: Mapping[str, Any], head: str = "key") -> str:
        required = set(spec.get("required", ()))
        rows = []
        for key, value in spec["properties"].items():
            needed = "**required**" if key in required else self._default(value)
            told = sentence(prose(_first(value.get("description", ""))))
            example = self._example(model, key)
            rows.append(
                (
                    code(key),
                    f"{self.type(value)}\n{needed}".rstrip(),
                    f"{told}\n{example}".strip(),
                )
            )
        return table([head, "value", "what it is"], rows)

    def _default(self, value: Mapping[str, Any]) -> str:
        default = value.get("default")
        if default in (None, "", [], {}):
            return ""
        dimension = dimension_of(value)
        if dimension is not None and isinstance(default, float | int):
            return f"default {code(show(default, dimension).replace(' ', ''))}"
        return f"default {code(_flow(default))}"

    def _example(self, model: str, key: str) -> str:
        found = self.examples.get((model, key))
        if found is None:
            return ""
        for each in (found, _shorter(found)):
            text = f"{key}: {_flow(each)}"
            if len(text) <= LONGEST_EXAMPLE:
                return code(text)
        return ""

    def type(self, value: Mapping[str, Any]) -> str:
        dimension = dimension_of(value)
        if dimension is not None and "anyOf" not in value:
            return f"{_KINDS[dimension]}{_bounds(value, dimension)}"
        if "$ref" in value:
            return self._named(value["$ref"].rsplit("/", 1)[1])
        arms = value.get("anyOf") or value.get("oneOf")
        if arms:
            return " or ".join(dict.fromkeys(self.type(arm) for arm in arms if arm.get("type") != "null"))
        if "const" in value:
            return code(_flow(value["const"]))
        if "enum" in value:
            return f"one of {', '.join(code(_flow(each)) for each in value['enum'])}"
        match value.get("type"):
            case "array":
                return f"list of: {self.type(value['items'])}{_size(value, 'Items')}"
            case "object":
                inside = value.get("patternProperties")
                if inside:
                    return f"by name: {self.type(next(iter(inside.values())))}"
                extra = value.get("additionalProperties")
                return f"by name: {self.type(extra)}" if isinstance(extra, dict) else "by name: any value"
            case "string":
                return _text(value)
            case "boolean":
                return "`true` or `false`"
            case "integer":
                return f"whole number{_bounds(value)}"
            case "number":
                return f"number{_bounds(value)}"
        return "any value"

    def _named(self, name: str) -> str:
        spec = self.definitions[name]
        if "enum" in spec:
            return f"one of {', '.join(code(each) for each in spec['enum'])}"
        if "properties" not in spec:
            return self.type(spec)
        return f"[{spaced(name).lower()}](#{spaced(name).lower().replace(' ', '-')})"


def reached(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[str]:
    """The models of a format, in the order in which a reader meets them."""
    found: dict[str, None] = {str(schema["title"]): None}
    rest: list[object] = [schema["properties"]]
    while rest:
        here = rest.pop(0)
        if isinstance(here, list):
            rest = [*here, *rest]
        elif isinstance(here, dict):
            name = str(here.get("$ref", "")).rsplit("/", 1)[-1]
            if name and name not in found and "properties" in definitions[name]:
                found[name] = None
                rest.append(definitions[name]["properties"])
            rest = [*(value for key, value in here.items() if key != "default"), *rest]
    return list(found)


def examples_of(model: type[BaseModel], text: str) -> Mapping[tuple[str, str], object]:
    """For each key of each model the first value that the document has for it, as it is written."""
    schema = model.model_json_schema(by_alias=True)
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    found: dict[tuple[str, str], object] = {}

    def look(spec: Mapping[str, Any], value: object) -> None:
        if "$ref" in spec:
            name = spec["$ref"].rsplit("/", 1)[1]
            if "properties" in definitions[name]:
                keys(name, definitions[name], value)
        elif arms := (spec.get("anyOf") or spec.get("oneOf")):
            fitting = [each for each in arms if _fits(each, value, definitions)]
            if fitting:
                look(fitting[0], value)
        elif isinstance(value, list) and "items" in spec:
            for each in value:
                look(spec["items"], each)
        elif isinstance(value, dict):
            inside = next(iter(spec.get("patternProperties", {}).values()), spec.get("additionalProperties"))
            if isinstance(inside, dict):
                for each in value.values():
                    look(inside, each)

    def keys(name: str, spec: Mapping[str, Any], value: object) -> None:
        for key, each in value.items() if isinstance(value, dict) else ():
            found.setdefault((name, key), each)
            look(spec["properties"].get(key, {}), each)

    # Values as they are written: 500ms and 1.0.0 are texts, and so are numbers and true.
    keys(model.__name__, schema, yaml.load(text, Loader=yaml.BaseLoader))
    return found


def _fits(spec: Mapping[str, Any], value: object, definitions: Mapping[str, Any]) -> bool:
    if "$ref" in spec:
        named = definitions[spec["$ref"].rsplit("/", 1)[1]]
        if "properties" not in named:
            return isinstance(value, str)
        return isinstance(value, dict) and set(named.get("required", ())) <= set(value)
    match spec.get("type"):
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
    return isinstance(value, str) and spec.get("type") != "null"


def spaced(name: str) -> str:
    """``ProbeStep`` as people read it: Probe step."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _doc(model: type[BaseModel]) -> str:
    return _first(model.__doc__ or "")


def _first(text: str) -> str:
    return " ".join(text.split())


def _flow(value: object) -> str:
    """A value in one line of YAML, as people write it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if not isinstance(value, str):
        return json.dumps(value)
    quoting = re.search(r"""^[\s{[&*!|>'"%@`#?-]|[,{}\[\]]|: |\s#|^$""", value)
    return json.dumps(value, ensure_ascii=False) if quoting else value


def _shorter(value: object) -> object:
    """A list or a mapping with the first of what is in it."""
    if isinstance(value, list) and value:
        return value[:1]
    if isinstance(value, dict) and value:
        key = next(iter(value))
        return {key: value[key]}
    return value


_KINDS: Mapping[Dimension, str] = {
    Dimension.DURATION: "duration",
    Dimension.PERCENT: "percentage",
    Dimension.BYTES: "size",
    Dimension.RATE: "rate",
}
_WORDS: Mapping[str, str] = {
    NAME_PATTERN: "name: lower-case letters, digits and `_`",
    RUNBOOK_PATTERN: "name: lower-case words joined by `-`",
}


def dimension_of(value: Mapping[str, Any]) -> Dimension | None:
    """Of a number that is written with its unit: as the key ``dimension`` says, or the pattern that it is held to."""
    if "dimension" in value:
        return Dimension(value["dimension"])
    patterns = [value.get("pattern"), *(each.get("pattern") for each in value.get("anyOf", ()))]
    if DURATION_PATTERN in patterns:
        return Dimension.DURATION
    return Dimension.PERCENT if PERCENT_PATTERN in patterns else None


def _text(value: Mapping[str, Any]) -> str:
    pattern = str(value.get("pattern", ""))
    if pattern in _WORDS:
        return _WORDS[pattern]
    return f"text, {code(pattern)}" if pattern else "text"


_BOUNDS = {
    "minimum": "at least",
    "ge": "at least",
    "gt": "more than",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "le": "at most",
}


def _bounds(value: Mapping[str, Any], dimension: Dimension = Dimension.NUMBER) -> str:
    found = [f"{words} {show(value[key], dimension)}" for key, words in _BOUNDS.items() if key in value]
    return f", {', '.join(found)}" if found else ""


def _size(value: Mapping[str, Any], of: str) -> str:
    least, most = value.get(f"min{of}"), value.get(f"max{of}")
    said: Sequence[str] = [f"at least {least}" if least else "", f"at most {most}" if most else ""]
    shown = ", ".join(each for each in said if each)
    return f" ({shown})" if shown else ""
