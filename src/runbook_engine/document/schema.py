"""The formats of documents as JSON Schema, for editors and other tools."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from runbook_engine.document.models import DURATION_PATTERN, PERCENT_PATTERN, AnswerType, InputType, Runbook

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def runbook_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a runbook as it is written in YAML.

    What refers to another part of the document (names, conditions, templates, the place of ``else``) is beyond it:
    ``runbook check`` proves that.
    """
    schema = Runbook.model_json_schema(by_alias=True, schema_generator=_Untitled)
    definitions: dict[str, Any] = schema["$defs"]
    definitions["Input"]["allOf"] = [_rule(each, is_default=each is InputType.STRING) for each in InputType]
    definitions["AskStep"]["allOf"] = [_rule(each, is_default=each is AnswerType.BOOL) for each in AnswerType]
    tidied: dict[str, object] = _tidied(schema)
    return {"$schema": DIALECT, **tidied}


def policy_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a policy of metrics as it is written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.policy import Policy

    schema = Policy.model_json_schema(by_alias=True, schema_generator=_Untitled)
    definitions: dict[str, Any] = schema["$defs"]
    definitions["Input"]["allOf"] = [_rule(each, is_default=each is InputType.STRING) for each in InputType]
    definitions["Threshold"]["oneOf"] = [{"required": ["above"]}, {"required": ["below"]}]
    tidied: dict[str, object] = _tidied(schema)
    return {"$schema": DIALECT, **tidied}


def environment_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of an environment as it is written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.environment import Environment

    tidied: dict[str, object] = _tidied(Environment.model_json_schema(by_alias=True, schema_generator=_Untitled))
    return {"$schema": DIALECT, **tidied}


def knowledge_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of knowledge as it is written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.knowledge import Knowledge

    tidied: dict[str, object] = _tidied(Knowledge.model_json_schema(by_alias=True, schema_generator=_Untitled))
    return {"$schema": DIALECT, **tidied}


class _Untitled(GenerateJsonSchema):
    """Titles made of field names only repeat them in an editor."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*"
_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "enum": {"type": "string"},
    "url": {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]"},
    "duration": {"type": "string", "pattern": _NUMBER + r"(ns|us|ms|s|min|h|d)\s*$"},
    "percent": {"type": "string", "pattern": _NUMBER + r"%\s*$"},
    "bytes": {"type": "string", "pattern": _NUMBER + r"(B|[kMGT]B|[KMGT]iB)\s*$"},
    "rate": {"type": "string", "pattern": _NUMBER + r"/(s|min|h)\s*$"},
}
"""How the default of each type is written."""


def _rule(kind: InputType | AnswerType, *, is_default: bool) -> dict[str, object]:
    """What a type asks of ``default`` and ``values``. A type that is the default applies where none is given."""
    applies: dict[str, object] = {"properties": {"type": {"const": str(kind)}}}
    if not is_default:
        applies["required"] = ["type"]
    if kind is InputType.SECRET:
        return {"if": applies, "then": {"properties": {"default": {"type": "null"}, "values": {"maxItems": 0}}}}
    properties: dict[str, object] = {"default": {"anyOf": [_DEFAULTS[kind], {"type": "null"}]}}
    if kind in (InputType.ENUM, AnswerType.ENUM):
        return {
            "if": applies,
            "then": {"required": ["values"], "properties": {**properties, "values": {"minItems": 1}}},
        }
    return {"if": applies, "then": {"properties": {**properties, "values": {"maxItems": 0}}}}


def _tidied(schema: Any) -> Any:
    """Without what pydantic adds for itself: bounds of numbers that are written as texts, and defaults that are nothing."""
    if isinstance(schema, list):
        return [_tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _tidied(value) for key, value in schema.items()}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = tidy["description"].replace("``", "`")
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    if tidy.get("default", 0) is None:
        del tidy["default"]
    unit = {DURATION_PATTERN: "s", PERCENT_PATTERN: "%"}.get(str(tidy.get("pattern")))
    if unit is not None:
        for bound in ("gt", "ge", "le"):
            tidy.pop(bound, None)
        if isinstance(tidy.get("default"), float):
            tidy["default"] = f"{tidy['default']:g}{unit}"
    return tidy
