"""The formats of documents as JSON Schema, for editors and other tools."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from runbook_engine.document.models import DURATION_PATTERN, PERCENT_PATTERN, AnswerType, InputType, Runbook
from runbook_engine.kinds import ErrorKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def runbook_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a runbook as it is written in YAML.

    What refers to another part of the document (names, conditions, templates, the place of ``else``) is beyond it:
    ``runbook check`` proves that.
    """
    schema = Runbook.model_json_schema(by_alias=True, schema_generator=Untitled)
    definitions: dict[str, Any] = schema["$defs"]
    definitions["Input"]["allOf"] = [_rule(each, is_default=each is InputType.STRING) for each in InputType]
    definitions["AskStep"]["allOf"] = [_rule(each, is_default=each is AnswerType.BOOL) for each in AnswerType]
    return _finished(schema)


def policy_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a policy of metrics as it is written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.policy import Policy

    schema = Policy.model_json_schema(by_alias=True, schema_generator=Untitled)
    definitions: dict[str, Any] = schema["$defs"]
    definitions["Input"]["allOf"] = [_rule(each, is_default=each is InputType.STRING) for each in InputType]
    definitions["Threshold"]["oneOf"] = [{"required": ["above"]}, {"required": ["below"]}]
    return _finished(schema)


def incident_policy_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a policy of incidents as it is written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.incident_policy import IncidentPolicy

    return _finished(IncidentPolicy.model_json_schema(by_alias=True, schema_generator=Untitled))


def playbook_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a playbook as it is written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.playbook import Playbook

    schema = Playbook.model_json_schema(by_alias=True, schema_generator=Untitled)
    definitions: dict[str, Any] = schema["$defs"]
    definitions["Task"]["dependentRequired"] = {"with": ["runbook"], "message": ["audience"], "audience": ["message"]}
    definitions["Task"]["not"] = {"required": ["runbook", "message"]}
    return _finished(schema)


def environment_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of an environment as it is written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.environment import Environment

    return _finished(Environment.model_json_schema(by_alias=True, schema_generator=Untitled))


def knowledge_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of knowledge as it is written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.knowledge import Knowledge

    return _finished(Knowledge.model_json_schema(by_alias=True, schema_generator=Untitled))


def tests_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of tests of a runbook as they are written in YAML; ``runbook check`` proves the rest."""
    from runbook_engine.document.cases import ERROR, STEP_PATTERN, Cases

    schema = Cases.model_json_schema(by_alias=True, schema_generator=Untitled)
    definitions: dict[str, Any] = schema["$defs"]
    kind = {"enum": list(ErrorKind), "description": "The kind of the error"}
    text = {"type": "string"}
    error = {
        "type": "object",
        "properties": {"kind": kind, "message": text, "remedy": text},
        "required": ["kind"],
        "additionalProperties": False,
    }
    definitions["Brought"] = {
        "description": "Metrics by name, {error: kind}, {answer: value}, or for a call {outcome: ...}",
        "type": "object",
        "properties": {ERROR: {"description": "It fails, and measures nothing", "anyOf": [kind, error]}},
        "if": {"required": [ERROR]},
        "then": {"maxProperties": 1},
    }
    brought = {"$ref": "#/$defs/Brought"}
    attempts = {"description": "One for each attempt", "type": "array", "items": brought, "minItems": 1}
    for steps in (schema["properties"]["steps"], definitions["Case"]["properties"]["steps"]):
        steps["propertyNames"] = {"pattern": STEP_PATTERN}
        steps["additionalProperties"] = {"anyOf": [brought, attempts]}
    return _finished(schema)


SCHEMAS: Mapping[str, Callable[[], dict[str, object]]] = MappingProxyType(
    {
        "runbook": runbook_schema,
        "tests": tests_schema,
        "policy": policy_schema,
        "incidents": incident_policy_schema,
        "playbook": playbook_schema,
        "environment": environment_schema,
        "knowledge": knowledge_schema,
    }
)
"""What makes the schema of each kind of document. None knows the probes that are installed."""


def _finished(schema: Any) -> dict[str, object]:
    done: dict[str, object] = tidied(schema)
    return {"$schema": DIALECT, **done}


class Untitled(GenerateJsonSchema):
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
    "jmespath": {"type": "string", "minLength": 1},
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


def tidied(schema: Any) -> Any:
    """Without what pydantic adds for itself: bounds of numbers that are written as texts, and defaults that are nothing."""
    if isinstance(schema, list):
        return [tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: tidied(value) for key, value in schema.items()}
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
