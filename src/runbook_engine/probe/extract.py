"""Metrics taken out of a probe's document: what stands at a JMESPath, as a value of a declared type.

Where nothing is to be had, the error says what is there instead. Documents come from others and may hold secrets: ``mask``
hides those before anything is cut to be shown.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from runbook_engine import quantity
from runbook_engine.hostile import cut, lines_of, one_line, opening
from runbook_engine.jmespaths import PathError, compiled
from runbook_engine.probe.effort import Effort
from runbook_engine.probe.shape import kind_of, listed
from runbook_engine.quantity import UNITS, Dimension, Value

TEXT = "text"
"""The one key of a document that is a text: ``{"text": "…"}``."""
_MOST_SHOWN = 60
_MOST_KEYS = 8

Mask = Callable[[str], str]


class ExtractError(ValueError):
    """There is no metric of the declared type."""


class NothingThereError(ExtractError):
    """There is nothing where the path leads."""


def _shown_whole(text: str) -> str:
    return text


def find(document: JsonValue, path: str, mask: Mask = _shown_whole, effort: Effort | None = None) -> Any:
    """What stands at the path. Raises NothingThereError where there is nothing, ExtractError where it cannot be asked,
    TooMuchWorkError.
    """
    import jmespath.exceptions

    from runbook_engine.probe.searching import search

    try:
        query = compiled(path)
    except PathError as error:
        raise ExtractError(str(error)) from error
    try:
        found = search(query, document, effort or Effort())
    except (jmespath.exceptions.JMESPathError, TypeError, RecursionError, ValueError) as error:
        instead = _instead(document, path, mask)
        raise ExtractError(f"{path} cannot be asked of this document ({type(error).__name__}): {instead}") from error
    if found is None:
        raise NothingThereError(f"{path} leads nowhere: {_instead(document, path, mask)}")
    return found


def text_at(document: JsonValue, path: str, mask: Mask = _shown_whole, effort: Effort | None = None) -> str:
    """The text at a path; without one, that of a document which is a text. Raises as ``find`` does."""
    if path:
        found = find(document, path, mask, effort)
    elif isinstance(document, dict) and document.keys() == {TEXT}:
        found = document[TEXT]
    else:
        found = document
    match found:
        case str():
            return found
        case bool():
            return str(found).lower()
        case int() | float():
            _scaled(found, None, path)
            return str(found)
    where = path or "the document"
    raise ExtractError(f"{where} is {described(found, mask)}, and a match is made in a text; give the path to one")


def typed(found: Any, type_: str, unit: str | None, whose: str, mask: Mask = _shown_whole) -> Value:
    """A value in its type's base unit. ``whose`` names the place for messages; raises ExtractError where it does not fit."""
    match type_, found:
        case "string", str():
            return found
        case "string", bool() | int() | float():
            _scaled(found, None, whose)
            return str(found).lower() if isinstance(found, bool) else str(found)
        case "bool", bool():
            return found
        case "bool", str() if found.strip().lower() in ("true", "false"):
            return found.strip().lower() == "true"
        case _, bool():
            raise ExtractError(f"{whose} gives {str(found).lower()}, not a {type_}")
        case "bool" | "string", _:
            raise ExtractError(f"{whose} gives {described(found, mask)}, not a {type_}")
        case _, int() | float():
            return _whole(_scaled(found, unit, whose), type_, whose)
        case _, str():
            return _read(found, type_, unit, whose, mask)
    raise ExtractError(f"{whose} gives {described(found, mask)}, not a {type_}")


def _scaled(number: float, unit: str | None, whose: str) -> float:
    if abs(number) > sys.float_info.max:
        raise ExtractError(f"{whose} gives a number that is too large")
    size = float(number)
    return number if unit is None else size * float(UNITS[unit][1])


def _read(text: str, type_: str, unit: str | None, whose: str, mask: Mask) -> Value:
    """A number as a text; a unit of its own counts before the declared one."""
    try:
        number, dimension = quantity.parse(text)
    except ValueError:
        raise ExtractError(f"{whose} gives {described(text, mask)}, which is not a {type_}") from None
    expected = Dimension.NUMBER if type_ == "count" else Dimension(type_)
    if dimension not in (expected, Dimension.NUMBER):
        raise ExtractError(f"{whose} gives {described(text, mask)}, a {dimension}, not a {type_}")
    if dimension is Dimension.NUMBER:
        number = _scaled(number, unit, whose)
    return _whole(number, type_, whose)


def _whole(number: float, type_: str, whose: str) -> Value:
    if not math.isfinite(number):
        raise NothingThereError(f"{whose} gives {number}, which is not a number")
    if type_ not in ("count", "bytes") or isinstance(number, int):
        return number
    if not number.is_integer():
        raise ExtractError(f"{whose} gives {number}, not a whole number")
    return int(number)


def described(value: Any, mask: Mask = _shown_whole) -> str:
    """What a value is, in a few words: its first keys, or its first line."""
    match kind_of(value):
        case "object" if value.keys() == {TEXT} and isinstance(value[TEXT], str):
            return described(value[TEXT], mask)
        case "object":
            first, rest = list(value)[:_MOST_KEYS], list(value)[_MOST_KEYS:]
            keys = [*(_short(key, mask) for key in first), *rest]
            return f"an object with {listed(keys)}" if value else "an empty object"
        case "array" if value:
            many = f"a list of {len(value)}, the first of which is "
            return f"{many}{_plain(value[0], mask)}" if isinstance(value[0], list) else many + described(value[0], mask)
        case "array":
            return "an empty list"
        case "string":
            line = next((each for each in lines_of(mask(opening(value.lstrip()))) if each.strip()), "")
            return f'the text "{_shortened(line)}"' if line else "an empty text"
        case "null":
            return "nothing"
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return "a number that is too large"
    return str(value).lower() if isinstance(value, bool) else _plain(value, mask)


def _plain(value: Any, mask: Mask) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else _short(str(value), mask)


def _short(text: str, mask: Mask) -> str:
    return _shortened(mask(opening(text)))


def _shortened(masked: str) -> str:
    found = one_line(masked)
    return found if len(found) <= _MOST_SHOWN else f"{cut(found, _MOST_SHOWN).partition('… (')[0]}…"


def _instead(document: JsonValue, path: str, mask: Mask) -> str:
    """What is there where a path ends: at its last part that leads somewhere."""
    here: Any = document
    where = "the document"
    for node in _parts(compiled(path).parsed):
        following = None
        if node["type"] == "field" and isinstance(here, dict):
            following = here.get(node["value"])
        elif node["type"] == "index" and isinstance(here, list):
            following = here[node["value"]] if -len(here) <= node["value"] < len(here) else None
        if following is None:
            break
        here = following
        name = f"[{node['value']}]" if node["type"] == "index" else str(node["value"])
        where = name if where == "the document" else f"{where}{name}" if name[0] == "[" else f"{where}.{name}"
    return f"{where} is {described(here, mask)}"


def _parts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The keys and indices that a path begins with, in order."""
    rest = [node]
    while rest:
        each = rest.pop()
        match each["type"]:
            case "subexpression" | "index_expression" | "pipe":
                rest.extend(reversed(each["children"]))
            case "field" | "index":
                yield each
            case "identity" | "current":
                continue
            case _:
                return
