"""What a probe's document looks like: declared with Python's types, read into a tree that paths are held against."""

import json
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine.errors import ProbeContractError

ANYTHING = frozenset({"object", "array", "string", "number", "boolean", "null"})
"""The kinds of JSON, as JMESPath names them."""

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "object": "an object",
        "array": "a list",
        "string": "a text",
        "number": "a number",
        "boolean": "true or false",
        "null": "nothing",
    }
)
_SCALARS: Mapping[object, str] = MappingProxyType(
    {str: "string", int: "number", float: "number", bool: "boolean", None: "null", type(None): "null"}
)
_MOST_KEYS = 8
_MOST_MERGED = 3
_MOST_WIDE = 64


class Document(Struct, frozen=True, eq=False):
    """What a probe's document is, for people and for the checker.

    ``says`` describes it in a sentence. ``shape`` is a type of JSON: ``str``, ``int``, ``float``, ``bool``, ``None``, their
    unions, ``dict[str, X]`` for an object of whatever keys, ``Any`` for anything; ``{"key": X}`` is an object that has no
    other keys, ``[X]`` a list. ``example`` is such a document::

        DOCUMENT = Document("Rows by column name", shape=[dict[str, Any]], example=[{"state": "active", "sessions": 12}])
    """

    says: str
    shape: Any = Any
    example: JsonValue = None


class Shape(Struct, frozen=True):
    """What may stand somewhere in a document. ``keys`` are those that an object is known to have, ``others`` is what any
    other key leads to (None: there are no others), ``items`` what a list holds (None: anything).
    """

    kinds: frozenset[str] = ANYTHING
    keys: Mapping[str, "Shape"] = {}
    others: "Shape | None" = None
    items: "Shape | None" = None

    @property
    def is_anything(self) -> bool:
        return self.kinds == ANYTHING and not self.keys and self.items is None

    @property
    def is_nothing(self) -> bool:
        return self.kinds == {"null"}

    def at(self, key: str) -> "Shape":
        """What a key of it leads to."""
        if "object" not in self.kinds:
            return NOTHING
        return self.keys.get(key) or (ANY if self.is_anything else self.others or NOTHING)

    @property
    def item(self) -> "Shape":
        """What an item of it is."""
        if "array" not in self.kinds:
            return NOTHING
        return self.items or ANY

    def describe(self) -> str:
        """``an object with value, values, result``."""
        if self.is_anything:
            return "anything"
        told = []
        for kind in ("object", "array", "string", "number", "boolean", "null"):
            if kind in self.kinds:
                more = ""
                if kind == "object" and self.keys:
                    more = f" with {listed(list(self.keys))}"
                elif kind == "array" and self.items is not None and self.items.kinds == {"object"} and self.items.keys:
                    more = f" of objects with {listed(list(self.items.keys))}"
                told.append(f"{_WORDS[kind]}{more}")
        return " or ".join(told)


ANY = Shape()
NOTHING = Shape(frozenset({"null"}))


@lru_cache(maxsize=256)
def shape_of(document: Document) -> Shape:
    """The shape that is declared, read once.

    Raises ProbeContractError where it is no shape, or the example does not fit it.
    """
    found = _read(document.shape)
    problem = next(misfits(document.example, found), None) if document.example is not None else None
    if problem is not None:
        raise ProbeContractError(f"the example of a document does not fit its shape: {problem}")
    return found


def listed(names: Sequence[str]) -> str:
    """``status, version and 3 more``."""
    if not names:
        return "no keys"
    shown = ", ".join(names[:_MOST_KEYS])
    return f"{shown} and {len(names) - _MOST_KEYS} more" if len(names) > _MOST_KEYS else shown


def kind_of(value: JsonValue) -> str:
    """JMESPath's word for what a value is."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case dict():
            return "object"
    return "array"


def written(document: JsonValue, wide: int = 100, indent: str = "") -> str:
    """A document as JSON: in one line where it fits, else an item in each."""
    line = json.dumps(document, ensure_ascii=False)
    if len(line) + len(indent) <= wide or not isinstance(document, dict | list):
        return line
    below = f"{indent}  "
    if isinstance(document, dict):
        items = [
            f"{json.dumps(key, ensure_ascii=False)}: {written(each, wide, below)}" for key, each in document.items()
        ]
        return "{\n" + ",\n".join(f"{below}{each}" for each in items) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{below}{written(each, wide, below)}" for each in document) + f"\n{indent}]"


def misfits(value: JsonValue, shape: Shape, place: str = "the document") -> Iterator[str]:
    """What keeps a value from being of a shape. A key may be left out."""
    kind = kind_of(value)
    if kind not in shape.kinds:
        yield f"{place} is {_WORDS[kind]}, and should be {shape.describe()}"
        return
    if isinstance(value, dict):
        for key, each in value.items():
            below = shape.at(key)
            if below.is_nothing and key not in shape.keys:
                yield f"{place} has no key {key!r}: it is {shape.describe()}"
            else:
                yield from misfits(each, below, key if place == "the document" else f"{place}.{key}")
    elif isinstance(value, list):
        at = "" if place == "the document" else place
        for index, each in enumerate(value):
            yield from misfits(each, shape.item, f"{at}[{index}]")


def _read(shape: Any) -> Shape:
    if shape is Any or shape is JsonValue:
        return ANY
    if isinstance(shape, dict):
        if not all(isinstance(key, str) for key in shape):
            raise ProbeContractError("the keys of a document's shape are texts")
        return Shape(frozenset({"object"}), keys={key: _read(each) for key, each in shape.items()})
    if isinstance(shape, list):
        if len(shape) != 1:
            raise ProbeContractError("a list in a document's shape names what each item is: [X]")
        return Shape(frozenset({"array"}), items=_read(shape[0]))
    if isinstance(shape, str | tuple):
        raise ProbeContractError(f"{shape!r} is no part of a document's shape; write a type, {{'key': X}} or [X]")
    return Shape(frozenset({_SCALARS[shape]})) if shape in _SCALARS else _read_type(shape)


def _read_type(shape: Any) -> Shape:
    origin, arms = get_origin(shape), get_args(shape)
    if origin in (typing.Union, types.UnionType):
        return union(_read(each) for each in arms)
    if origin is Literal:
        return union(Shape(frozenset({kind_of(each)})) for each in arms)
    if origin is dict and arms and arms[0] is str:
        return Shape(frozenset({"object"}), others=_read(arms[1]))
    if origin is list:
        return Shape(frozenset({"array"}), items=_read(arms[0]))
    raise ProbeContractError(f"{shape!r} is no part of a document's shape; write a type of JSON, {{'key': X}} or [X]")


def union(shapes: typing.Iterable[Shape], depth: int = 0) -> Shape:
    """What may be any of these. Of what lies deep, or is wide, anything: a path from anywhere must not make it grow."""
    found = list({id(each): each for each in shapes}.values())
    if len(found) == 1:
        return found[0]
    if any(each.is_anything for each in found) or depth > _MOST_MERGED or sum(map(_width, found)) > _MOST_WIDE:
        return ANY
    objects = [each for each in found if "object" in each.kinds]
    lists = [each for each in found if "array" in each.kinds]
    names = dict.fromkeys(key for each in objects for key in each.keys)
    keys = {key: union((each.at(key) for each in objects), depth + 1) for key in names}
    others = [each.others for each in objects if each.others is not None]
    return Shape(
        frozenset().union(*(each.kinds for each in found)),
        keys,
        union(others, depth + 1) if others else None,
        union((each.item for each in lists), depth + 1) if lists else None,
    )


def _width(shape: Shape) -> int:
    return len(shape.keys)
