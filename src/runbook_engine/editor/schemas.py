"""What may stand at a place of a document, by the JSON Schema of its kind with the installed probes in it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from runbook_engine.document.nodes import Raw
from runbook_engine.document.schema import SCHEMAS
from runbook_engine.document.source import Path
from runbook_engine.graph.probe_schema import document_schema
from runbook_engine.probe.registry import Registry

Schema = Mapping[str, Any]
_MOST_NESTED = 30


class Option(Struct, frozen=True):
    """A key or a value that may be written: ``told`` says what it is."""

    name: str
    told: str = ""
    detail: str = ""
    required: bool = False


@lru_cache(maxsize=16)
def schema_of(kind: str, registry: Registry) -> Schema | None:
    """The schema of a kind of document; None for a kind that has none."""
    return document_schema(kind, registry) if kind in SCHEMAS else None


class Schemas(Struct, frozen=True):
    """One kind's schema, and ways through it."""

    root: Schema

    def keys(self, path: Path, document: Raw) -> Sequence[Option]:
        """The keys that the mapping at a path may have, those that it must have first."""
        found: dict[str, Option] = {}
        schemas = self._at(path, document)
        closed = [each for each in schemas if each.get("additionalProperties") is False]
        allowed = {name for each in closed for name in each.get("properties", {})}
        barred = {
            name
            for each in schemas
            for name, below in each.get("properties", {}).items()
            if below is False or (isinstance(below, Mapping) and below.get("maxProperties") == 0)
        }
        for schema in schemas:
            required = schema.get("required", ())
            for name, each in schema.get("properties", {}).items():
                if name in barred or name in found or (closed and name not in allowed):
                    continue
                found[name] = Option(name, self.told(each), _detail(self._solved(each)), name in required)
        return sorted(found.values(), key=lambda each: not each.required)

    def values(self, path: Path, document: Raw) -> Sequence[Option]:
        """The values that may stand at a path, where they can be counted."""
        found: dict[str, Option] = {}
        for schema in self._at(path, document):
            for member in schema.get("enum", ()):
                found.setdefault(_written(member), Option(_written(member), schema.get("description", "")))
            if "const" in schema:
                name = _written(schema["const"])
                found.setdefault(name, Option(name, schema.get("description", "")))
            if schema.get("type") == "boolean":
                for name in ("true", "false"):
                    found.setdefault(name, Option(name))
        return [each for each in found.values() if each.name != "null"]

    def about(self, path: Path, document: Raw) -> str:
        """What is said of the value at a path."""
        return next((told for each in self._at(path, document, solve=False) if (told := self.told(each))), "")

    def detail(self, path: Path, document: Raw) -> str:
        return next((made for each in self._at(path, document) if (made := _detail(each))), "")

    def told(self, schema: Any) -> str:
        """A schema's own description, or that of the only one that it stands for."""
        if not isinstance(schema, Mapping):
            return ""
        if "description" in schema:
            return str(schema["description"])
        return str(self._solved(schema).get("description", "")) if "$ref" in schema else ""

    def _at(self, path: Path, document: Raw, *, solve: bool = True) -> Sequence[Schema]:
        here: list[Any] = [self.root]
        value = document
        for key in path:
            here = [below for each in here for arm in self._arms(each, value) for below in _below(arm, key)]
            value = _value_below(value, key)
        return [arm for each in here for arm in self._arms(each, value)] if solve else here

    def _arms(self, schema: Any, value: Raw, depth: int = 0) -> Iterator[Schema]:
        """All that a value must fit, and each of what it may fit that it does not contradict."""
        if not isinstance(schema, Mapping) or depth > _MOST_NESTED:
            return
        if "$ref" in schema:
            yield from self._arms(self._solved(schema), value, depth + 1)
            return
        yield schema
        for each in schema.get("allOf", ()):
            if "if" not in each:
                yield from self._arms(each, value, depth + 1)
            elif _applies(each["if"], value):
                yield from self._arms(each.get("then"), value, depth + 1)
        arms = [self._solved(each) for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
        chosen = [each for each in arms if _fits(each, value)]
        for each in chosen or arms:
            yield from self._arms(each, value, depth + 1)

    def _solved(self, schema: Any) -> Schema:
        for _ in range(_MOST_NESTED):
            if not (isinstance(schema, Mapping) and "$ref" in schema):
                break
            schema = self.root["$defs"].get(str(schema["$ref"]).removeprefix("#/$defs/"), {})
        return schema if isinstance(schema, Mapping) else {}


def _below(schema: Schema, key: str | int) -> Iterator[Any]:
    if isinstance(key, int):
        if "items" in schema:
            yield schema["items"]
        return
    if key in schema.get("properties", {}):
        yield schema["properties"][key]
        return
    for pattern, each in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            yield each
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield schema["additionalProperties"]


def _value_below(value: Raw, key: str | int) -> Raw:
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return None


def _applies(condition: Any, value: Raw) -> bool:
    """Whether ``value`` has what an ``if`` asks for: constants of its keys."""
    if not isinstance(value, dict) or not isinstance(condition, Mapping):
        return False
    properties = condition.get("properties", {})
    return all(key in value for key in condition.get("required", ())) and all(
        value[key] == each["const"] for key, each in properties.items() if key in value and "const" in each
    )


def _fits(schema: Schema, value: Raw) -> bool:
    """Whether a mapping has a key which only this arm knows, or the arm is one for such a value."""
    if isinstance(value, dict) and value:
        known = schema.get("properties", {})
        return bool(known) and all(key in known for key in value)
    return not isinstance(value, list) or schema.get("type") == "array"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _detail(schema: Schema) -> str:
    """``integer``, ``one of a, b``, ``[default 15.0]`` …"""
    if "enum" in schema:
        kind = f"one of {', '.join(map(_written, schema['enum']))}"
    else:
        arms = [_detail(each) for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) if "type" in each]
        kind = str(schema.get("type", "")) or " or ".join(dict.fromkeys(each for each in arms if each != "null"))
    default = schema.get("default")
    return f"{kind} [default {_written(default)}]".strip() if default not in (None, "", [], {}) else kind
