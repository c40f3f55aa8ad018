"""Values of PostgreSQL as JSON."""

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import JsonValue

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_LITERAL = re.compile(
    r"\$(?P<tag>\w*)\$.*?(\$(?P=tag)\$|\Z)|[Ee]'(?:[^'\\]|\\.|'')*('|\Z)|'(?:[^']|'')*('|\Z)|(?<![\w$.])\d[\w.]*",
    re.DOTALL,
)
_MOST_DIGITS = 307
"""Those that every number has which a float can hold, after the first."""
_AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz")


def keep_dates_as_text(connection: "AsyncConnection[tuple[object, ...]]") -> None:
    """PostgreSQL knows more dates than Python: years before Christ, ``infinity``."""
    from psycopg.types.string import TextLoader

    for name in _AS_TEXT:
        connection.adapters.register_loader(name, TextLoader)


def json_value(value: object) -> JsonValue:
    """Numbers stay numbers, an interval becomes seconds, bytes become hexadecimal digits, what JSON lacks becomes text.

    A number that is not finite is None: no condition may take it for a measurement.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            if not value.is_finite():
                return None
            if value.adjusted() > _MOST_DIGITS:
                return str(value)
            return int(value) if value == value.to_integral_value() else float(value)
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return "\\x" + bytes(value).hex()
        case Mapping():
            return {str(key): json_value(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [json_value(each) for each in value]
    return str(value)


def without_literals(statement: str) -> str:
    """The statement with ``?`` for its values, which may be anybody's name or password."""
    return _LITERAL.sub("?", " ".join(statement.split()))
