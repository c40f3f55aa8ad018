"""Tests written as text: from cases to a file that reads as if a person had written it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from runbook_engine.document.cases import Case, Cases, Expect
from runbook_engine.document.models import Scalar
from runbook_engine.document.nodes import Raw
from runbook_engine.document.yaml_writing import flow
from runbook_engine.quantity import BASE_UNIT, UNITS, Dimension, Value, parse

_MOST_NUMBER = 10**12


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
    yield f"tests: {flow(cases.tests)}"
    yield from _texts(cases, "")
    yield from _section("inputs", cases.inputs, "")
    yield from _section("steps", cases.steps, "")
    yield ""
    yield "cases:"
    for index, (name, case) in enumerate(cases.cases.items()):
        if index:
            yield ""
        yield f"  {flow(name)}:"
        yield from _case(case)


def _case(case: Case) -> Iterator[str]:
    yield from _texts(case, "    ")
    if case.inputs:
        yield f"    inputs: {flow(case.inputs)}"
    if case.recording is not None:
        yield f"    recording: {flow(case.recording)}"
    yield from _section("steps", case.steps, "    ")
    yield "    expect:"
    yield from (f"      {line}" for line in _expect(case.expect))


def _expect(expect: Expect) -> Iterator[str]:
    yield f"outcome: {expect.outcome}"
    if expect.findings:
        yield f"findings: {flow(expect.findings)}"
    if expect.blind_spots:
        yield f"blind_spots: {flow(expect.blind_spots)}"
    if expect.not_asked is not None:
        yield f"not_asked: {flow(expect.not_asked)}"
    if expect.path is not None:
        yield f"path: {flow(expect.path)}"


def _texts(holder: Cases | Case, indent: str) -> Iterator[str]:
    if holder.title:
        yield f"{indent}title: {flow(holder.title)}"
    if holder.description:
        yield f"{indent}description: {flow(holder.description)}"


def _section(key: str, entries: Mapping[str, Raw], indent: str) -> Iterator[str]:
    if entries:
        yield f"{indent}{key}:"
        yield from (f"{indent}  {flow(name)}: {flow(value)}" for name, value in entries.items())
