"""The formats of documents as JSON Schema, with what the installed probes take and measure."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from runbook_engine.document.schema import SCHEMAS, Untitled, tidied
from runbook_engine.errors import RunbookError
from runbook_engine.probe.registry import AnyProbe, Registry
from runbook_engine.quantity import MetricType

_WITH_PROBES: Mapping[str, str] = MappingProxyType({"runbook": "ProbeStep", "policy": "PolicyMetric"})
"""The documents that name probes, with the definition that does."""

_TEMPLATE = r"\{\{.*\}\}"
_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "integer": r"^\s*[+-]?[0-9_]+\s*$",
        "number": r"^\s*[+-]?([0-9_]+\.?[0-9_]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$",
        "boolean": r"^\s*(true|false|yes|no|on|off|[tfyn10]|True|False|TRUE|FALSE|Yes|No|YES|NO|On|Off|ON|OFF|[TFYN])\s*$",
    }
)
"""Texts that are taken for a value of that type: quotes do not make a number a mistake."""


def document_schema(kind: str, registry: Registry | None) -> Mapping[str, object]:
    """JSON Schema (draft 2020-12) of a kind of document (a key of ``SCHEMAS``) as it is written in YAML.

    With a registry, parameters and metrics of its probes are in it. A probe that cannot be loaded takes anything.
    """
    schema: dict[str, Any] = SCHEMAS[kind]()
    named = _WITH_PROBES.get(kind)
    if named is None or registry is None:
        return schema
    definitions = schema["$defs"]
    place = definitions[named]
    names: list[object] = []
    rules: list[object] = []
    for name, probe in probes(registry):
        names.append({"const": name, "description": about(probe) if probe is not None else "It cannot be loaded"})
        if probe is None:
            continue
        definitions.update(_definitions(probe))
        applies = {"properties": {"probe": {"const": name}}, "required": ["probe"]}
        rules.append({"if": applies, "then": _rule(probe, definitions[_with(name)])})
    place["properties"]["probe"] = {"description": place["properties"]["probe"]["description"], "anyOf": names}
    place["allOf"] = [*place.get("allOf", ()), *rules]
    return schema


def probes(registry: Registry) -> Iterator[tuple[str, AnyProbe | None]]:
    """All that are installed, by name; None for one that cannot be loaded."""
    for name in registry.names():
        try:
            yield name, registry.get(name)
        except RunbookError:
            yield name, None


def about(probe: AnyProbe) -> str:
    """What it does, and what it measures."""
    metrics = ", ".join(f"{name} ({type_.describe()})" for name, type_ in probe.metrics.items())
    return "\n\n".join(each for each in (probe.doc, f"Metrics: {metrics}" if metrics else "") if each)


def params_schema(probe: AnyProbe) -> dict[str, Any]:
    """What a step's ``with`` may hold, with a definition for each model that it uses, named after the probe.

    Where a value may be converted before it is looked at, anything may stand, unless the parameter says what it takes.
    """
    made = probe.params.model_json_schema(
        by_alias=True, ref_template=f"#/$defs/{probe.name}.{{model}}", schema_generator=_Lenient
    )
    schema: dict[str, Any] = tidied(made)
    schema.pop("title", None)
    return schema


def _definitions(probe: AnyProbe) -> Mapping[str, object]:
    schema = params_schema(probe)
    nested = schema.pop("$defs", {})
    inner = {f"{probe.name}.{name}": _filled(each) for name, each in nested.items()}
    schema["properties"] = {name: _filled(each) for name, each in schema.get("properties", {}).items()}
    return {_with(probe.name): schema, **inner}


def _with(name: str) -> str:
    return f"with {name}"


def _rule(probe: AnyProbe, params: Mapping[str, Any]) -> Mapping[str, object]:
    """What stands beside the probe's name."""
    metrics = probe.metrics
    properties: dict[str, object] = {"with": {"$ref": f"#/$defs/{_with(probe.name)}"}}
    if probe.extracts:
        properties["extract"] = {"propertyNames": {"not": {"enum": list(metrics)}}} if metrics else {}
    else:
        properties["extract"] = {"description": f"{probe.name} measures its metrics itself", "maxProperties": 0}
        properties["metric"] = {"anyOf": [_metric(name, type_) for name, type_ in metrics.items()]}
    needed = {"required": ["with"]} if params.get("required") else {}
    return {"properties": properties, **needed}


def _metric(name: str, type_: MetricType) -> Mapping[str, object]:
    told = (type_.doc, type_.describe(), "may be missing" if type_.optional else "")
    return {"const": name, "description": "; ".join(each for each in told if each)}


_SAID = ("description", "default", "examples", "deprecated")
_SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})


def _filled(schema: Any) -> Any:
    """The same, and in place of each scalar a template that is filled in later."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return schema
    made = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _filled(made[key])
    if "properties" in made:
        made["properties"] = {name: _filled(each) for name, each in made["properties"].items()}
    arms = made.get("anyOf") or made.get("oneOf")
    if arms:
        return made if any(map(_takes_texts, arms)) else {**made, "anyOf": [*map(_filled, arms), _text(arms)]}
    if not _is_scalar(made) or _takes_texts(made):
        return made
    said = {key: made.pop(key) for key in _SAID if key in made}
    return {**said, "anyOf": [made, _text([made])]}


def _takes_texts(schema: Mapping[str, Any]) -> bool:
    """Whether any text may stand there already, and so any template."""
    bounds = ("pattern", "format", "maxLength", "enum", "const")
    return schema.get("type") == "string" and not any(each in schema for each in bounds)


def _is_scalar(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in _SCALARS or "enum" in schema or "const" in schema


def _text(arms: Sequence[Mapping[str, Any]]) -> Mapping[str, object]:
    patterns = [_TEMPLATE, *(_TEXTS[str(each["type"])] for each in arms if each.get("type") in _TEXTS)]
    return {"type": "string", "pattern": "|".join(patterns)}


class _Lenient(Untitled):
    """Never refuses what a probe's parameters would take."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        if "json_schema_input_schema" not in schema and self.mode == "validation":
            return {}
        return super().function_before_schema(schema)

    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> JsonSchemaValue:
        if "json_schema_input_schema" not in schema and self.mode == "validation":
            return {}
        return super().function_wrap_schema(schema)

    def handle_invalid_for_json_schema(
        self,
        schema: core_schema.CoreSchema,  # noqa: ARG002 - pydantic's signature
        error_info: str,  # noqa: ARG002
    ) -> JsonSchemaValue:
        return {}

    def encode_default(self, dft: Any) -> Any:
        try:
            return super().encode_default(dft)
        except (PydanticInvalidForJsonSchema, ValueError):
            return None
