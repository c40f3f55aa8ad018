"""Tests written as text: from cases to a file that reads as if a person had written it."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType

from runbook_engine.document.cases import Case, Cases, Expect
from runbook_engine.document.models import Scalar
from runbook_engine.document.nodes import Raw
from runbook_engine.document.scalars import resolve
from runbook_engine.quantity import BASE_UNIT, UNITS, Dimension, Value, parse

_PLAIN = re.compile(r"(?:[A-Za-z0-9_]|\./)(?:[A-Za-z0-9_ ./%-]*[A-Za-z0-9_./%-])?\Z", re.ASCII)
"""Texts that mean themselves without quotes, wherever they stand."""
_MOST_NUMBER = 10**12
_ESCAPES = MappingProxyType({'"': r"\"", "\\": r"\\", "\n": r"\n", "\t": r"\t"})


def write_cases(cases: Cases, *, comment: str = "") -> str:
    """The text of a file that is read back as ``cases``. ``comment`` stands above it; each of its lines is one there."""
    return "".join(f"{line}\n" for line in _lines(cases, comment))


def literal(value: Value, dimension: Dimension) -> Scalar:
    """A value in base units as it is written in a test: ``500ms``, ``80%``, ``512MiB``. It is read back as the same value."""
    if isinstance(value, bool | str) or dimension is Dimension.NUMBER or not dimension.is_numeric:
        return value
    exact = f"{value!r}{BASE_UNIT[dimension]}" if value else f"0{BASE_UNIT[dimension]}"
    units = [(unit, factor) for unit, (known, factor) in UNITS.items() if known is dimension]
    for unit, factor in sorted(units, key=lambda each: -each[1]):
        number = Decimal(repr(value)) / factor
        if number == number.to_integral_value() and 0 < abs(number) < _MOST_NUMBER:
            text = f"{int(number)}{unit}"
            return text if parse(text)[0] == value else exact
    return exact


def _lines(cases: Cases, comment: str) -> Iterator[str]:
    yield from (f"# {line}".rstrip() for line in comment.splitlines())
    yield f"tests: {_shown(cases.tests)}"
    yield from _texts(cases, "")
    yield from _section("inputs", cases.inputs, "")
    yield from _section("steps", cases.steps, "")
    yield ""
    yield "cases:"
    for index, (name, case) in enumerate(cases.cases.items()):
        if index:
            yield ""
        yield f"  {_shown(name)}:"
        yield from _case(case)


def _case(case: Case) -> Iterator[str]:
    yield from _texts(case, "    ")
    if case.inputs:
        yield f"    inputs: {_shown(case.inputs)}"
    if case.recording is not None:
        yield f"    recording: {_shown(case.recording)}"
    yield from _section("steps", case.steps, "    ")
    yield "    expect:"
    yield from (f"      {line}" for line in _expect(case.expect))


def _expect(expect: Expect) -> Iterator[str]:
    yield f"outcome: {expect.outcome}"
    if expect.findings:
        yield f"findings: {_shown(expect.findings)}"
    if expect.blind_spots:
        yield f"blind_spots: {_shown(expect.blind_spots)}"
    if expect.path is not None:
        yield f"path: {_shown(expect.path)}"


def _texts(holder: Cases | Case, indent: str) -> Iterator[str]:
    if holder.title:
        yield f"{indent}title: {_shown(holder.title)}"
    if holder.description:
        yield f"{indent}description: {_shown(holder.description)}"


def _section(key: str, entries: Mapping[str, Raw], indent: str) -> Iterator[str]:
    if entries:
        yield f"{indent}{key}:"
        yield from (f"{indent}  {_shown(name)}: {_shown(value)}" for name, value in entries.items())


def _shown(value: Raw) -> str:
    """A value in one line."""
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
            return "{" + ", ".join(f"{_shown(key)}: {_shown(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_shown, value)) + "]"
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
