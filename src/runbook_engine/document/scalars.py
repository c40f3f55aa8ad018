"""Scalars: what a plain text means in YAML 1.2, and where each character of a value stands in the text."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import yaml

from runbook_engine.document.nodes import begin
from runbook_engine.document.nodes import end as stop

_CONSTANTS: Mapping[str, bool | float | None] = MappingProxyType(
    {
        word: value
        for name, value in (("true", True), ("false", False), ("null", None))
        for word in (name, name.title(), name.upper())
    }
    | {"": None, "~": None}
    | {sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
    | {word: float("nan") for word in (".nan", ".NaN", ".NAN")}
)
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.ASCII)
_NUMERIC_START = frozenset("0123456789+-.")
_LONGEST_NUMBER = 64


def resolve(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means by YAML 1.2's core schema.

    https://yaml.org/spec/1.2.2/#103-core-schema, with one exception: a number with a leading zero (``08``, ``007``) stays a
    text, because it is an identifier more often than a number, and readers differ about it.
    """
    if text[:1] in _NUMERIC_START:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if len(text) > _LONGEST_NUMBER or _leading_zero(text):
            return text
        if _INT.match(text):
            return int(text, 0)
        if _FLOAT.match(text):
            return float(text)
        return text
    return _CONSTANTS.get(text, text)


def _leading_zero(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


def offsets(event: yaml.ScalarEvent, text: str) -> list[tuple[int, int]] | None:
    """For each character of the scalar's value, where it begins and ends in ``text``; None where that cannot be told."""
    start, end = begin(event), stop(event)
    if event.anchor is not None:
        start += len(event.anchor) + 1
        while start < end and text[start].isspace():
            start += 1
    if event.style == '"':
        return _double_quoted(event.value, text, start + 1, end - 1)
    if event.style == "'":
        return _aligned(event.value, text, start + 1, end - 1, doubled="'")
    if event.style in ("|", ">"):
        found = re.compile(r"[^\r\n]*(\r\n|\n|\r)").match(text, start)
        return _aligned(event.value, text, found.end(), end) if found else None
    return _aligned(event.value, text, start, end)


def _aligned(value: str, text: str, at: int, end: int, *, doubled: str = "") -> list[tuple[int, int]] | None:
    """YAML folds and strips only white space, so that all other characters stand in the text in the same order."""
    places: list[tuple[int, int]] = []
    for character in value:
        if character.isspace():
            if at < end and text[at] == character:
                at += 1
                places.append((at - 1, at))
            else:
                places.append((at, at))
            continue
        while at < end and text[at].isspace():
            at += 1
        if at >= end or text[at] != character:
            return None
        size = 2 if character == doubled and text[at + 1 : at + 2] == doubled else 1
        places.append((at, at + size))
        at += size
    return places


_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^\r\nxuU])")
_SHORT: Mapping[str, str] = MappingProxyType(
    dict(zip("0abtnvfre N_LP", "\0\a\b\t\n\v\f\r\x1b \x85\xa0\u2028\u2029", strict=True))
    | {"\t": "\t", '"': '"', "/": "/", "\\": "\\"}
)
_CONTINUED = re.compile(r"\\(?:\r\n|\n|\r)[ \t]*")


def _double_quoted(value: str, text: str, at: int, end: int) -> list[tuple[int, int]] | None:
    places: list[tuple[int, int]] = []
    for character in value:
        while continued := _CONTINUED.match(text, at, end):
            at = continued.end()
        escape = _ESCAPE.match(text, at, end)
        if escape is not None and _unescaped(escape[0]) == character:
            places.append(escape.span())
            at = escape.end()
            continue
        found = _aligned(character, text, at, end)
        if found is None:
            # White space before a folded line break, then an escape.
            return None
        places += found
        at = found[-1][1]
    return places


def _unescaped(escape: str) -> str | None:
    if escape[1] in "xuU":
        code = int(f"0x{escape[2:]}", 0)
        return chr(code) if code < 0x110000 else None
    return _SHORT.get(escape[1])
