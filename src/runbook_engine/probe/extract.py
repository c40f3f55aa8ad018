"""Metrics taken out of a probe's document by JMESPath."""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from runbook_engine import quantity
from runbook_engine.quantity import UNITS, Dimension, Value

if TYPE_CHECKING:
    from jmespath.parser import ParsedResult

MOST_PATH = 1_000


class ExtractError(ValueError):
    """The document has something else at that path than the declared type."""


def check_extract(path: str, type_: str, unit: str | None) -> tuple[str, str] | None:
    """``(key, message)`` for what is wrong with an ``extract`` entry, or None."""
    try:
        _compiled(path)
    except ExtractError as error:
        return "path", str(error)
    if unit is None:
        return None
    if unit not in UNITS:
        return "unit", f"{unit!r} is not a unit; units are {', '.join(UNITS)}"
    if UNITS[unit][0] != type_:
        return "unit", f"{unit!r} is a unit of {UNITS[unit][0]}, and the type is {type_}"
    return None


def extract(document: JsonValue, path: str, type_: str, unit: str | None) -> Value | None:
    """The value at ``path`` as a metric in its base unit; None where there is nothing.

    Raises ExtractError where there is something of another type.
    """
    import jmespath.exceptions

    try:
        found: Any = _compiled(path).search(document)
    except (jmespath.exceptions.JMESPathError, TypeError, RecursionError, ValueError) as error:
        raise ExtractError(f"{path!r} cannot be applied to this document: {type(error).__name__}") from error
    if found is None:
        return None
    return _typed(found, type_, unit, path)


def _typed(found: Any, type_: str, unit: str | None, path: str) -> Value | None:
    match type_, found:
        case "string", str():
            return found
        case "string", bool() | int() | float():
            return str(found).lower() if isinstance(found, bool) else str(found)
        case "bool", bool():
            return found
        case "bool" | "string", _:
            raise ExtractError(f"{path!r} gives {_kind(found)}, not a {type_}")
        case _, bool():
            raise ExtractError(f"{path!r} gives a bool, not a {type_}")
        case _, int() | float():
            factor = float(UNITS[unit][1]) if unit else 1.0
            number = found if unit is None else found * factor
            return _whole(number, path) if type_ in ("count", "bytes") else number
        case _, str():
            return _read(found, type_, path)
    raise ExtractError(f"{path!r} gives {_kind(found)}, not a {type_}")


def _read(text: str, type_: str, path: str) -> Value | None:
    try:
        number, dimension = quantity.parse(text)
    except ValueError:
        raise ExtractError(f"{path!r} gives the text {text[:40]!r}, which is not a {type_}") from None
    expected = Dimension.NUMBER if type_ == "count" else Dimension(type_)
    if dimension not in (expected, Dimension.NUMBER):
        raise ExtractError(f"{path!r} gives {text[:40]!r}, a {dimension}, not a {type_}")
    return _whole(number, path) if type_ in ("count", "bytes") else number


def _whole(number: float, path: str) -> Value | None:
    if isinstance(number, int):
        return number
    if not math.isfinite(number):
        return None
    if not number.is_integer():
        raise ExtractError(f"{path!r} gives {number}, not a whole number")
    return int(number)


def _kind(found: object) -> str:
    names: dict[type[object], str] = {dict: "an object", list: "a list", str: "a text"}
    return names.get(type(found), f"a {type(found).__name__}")


@lru_cache(maxsize=1024)
def _compiled(path: str) -> "ParsedResult":
    import jmespath
    import jmespath.exceptions

    if len(path) > MOST_PATH:
        raise ExtractError(f"a path may have {MOST_PATH} characters; this has {len(path)}")
    try:
        return jmespath.compile(path)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise ExtractError(f"{path[:60]!r} is not a JMESPath: {str(error).splitlines()[0]}") from error
