"""Values written as YAML, so that they read as if a person had written them."""

import re
from types import MappingProxyType

from runbook_engine.document.nodes import Raw
from runbook_engine.document.scalars import resolve

_PLAIN = re.compile(
    r"(?:[A-Za-z0-9_/]|\./)(?:(?:[A-Za-z0-9_ ./%()<>=+*;@~^'-]|:(?=[A-Za-z0-9_/]))*[A-Za-z0-9_./%()>'+-])?\Z"
)
"""Texts that mean themselves without quotes, wherever they stand."""
_ESCAPES = MappingProxyType({'"': r"\"", "\\": r"\\", "\n": r"\n", "\t": r"\t"})


def flow(value: Raw) -> str:
    """A value in one line, which is read back as the same value."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case dict():
            return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(flow, value)) + "]"
    text = str(value)
    return text if _PLAIN.match(text) and resolve(text) == text else f'"{"".join(map(_escaped, text))}"'


def _number(value: float) -> str:
    special = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
    return special.get(repr(value), repr(value))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
