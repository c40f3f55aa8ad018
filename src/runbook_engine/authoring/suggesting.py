"""The lines of a runbook that would use a measurement: a step with its parameters, extracts and branches."""

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, Decimal
from itertools import islice

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine.authoring.writing import write
from runbook_engine.document.checks import CONDITION_WORDS
from runbook_engine.document.nodes import Raw
from runbook_engine.engine.judgement import Reading
from runbook_engine.engine.measuring import Given, MeasuredByHand, Variable
from runbook_engine.probe.extract import TEXT
from runbook_engine.quantity import Dimension, MetricType, Value

MOST_EXTRACTS = 5
MOST_BRANCHES = 3
MOST_ITEMS = 1
_MOST_TEXT = 40
_MOST_DEPTH = 6
_MOST_READ = 20_000
_NUMBER = re.compile(r"([A-Za-z][\w /.-]{0,38}?)(\s*[:=]\s*)(-?\d+(?:\.\d+)?)(?![\w.])", re.ASCII)


class Taken(Struct, frozen=True):
    """A metric that a step may take out of the document, and what it is now."""

    name: str
    spec: dict[str, Raw]
    value: Value


def step_for(measured: MeasuredByHand, given: Given) -> str:
    """YAML of a step that measures the same, and of the inputs that it needs. Its branches hold beyond what was measured."""
    inputs: dict[str, Raw] = {}
    params = {key: _written(value, key, inputs) for key, value in given.written.items()}
    step: dict[str, Raw] = {"probe": measured.probe.name}
    if params:
        step["with"] = params
    taken = tuple(_taken(measured))
    if taken:
        step["extract"] = {each.name: each.spec for each in taken}
    step["branches"] = [*_branches(measured, taken), {"else": "end"}]
    name = measured.probe.name.rpartition(".")[2]
    whole: dict[str, Raw] = {"inputs": inputs} if inputs else {}
    return write({**whole, "steps": {name: step}}, {}).lstrip("\n")


def _written(value: object, key: str, inputs: dict[str, Raw]) -> Raw:
    match value:
        case Variable():
            name = _snake(value.name or key)
            kind = {"type": "secret"} if value.secret else {}
            inputs[name] = {**kind, "env": value.name or key.upper()}
            return f"{{{{ inputs.{name} }}}}"
        case dict():
            return {each: _written(inner, f"{key}_{each}", inputs) for each, inner in value.items()}
        case list():
            return [_written(each, key, inputs) for each in value]
        case bool() | int() | float() | None:
            return value
    return str(value)


def number_in(example: JsonValue) -> Taken | None:
    """A number that can be taken out of such a document; None where it has none."""
    found = (each for each in _all(example, frozenset()) if isinstance(each.value, int | float))
    return next((each for each in found if not isinstance(each.value, bool)), None)


def _taken(measured: MeasuredByHand) -> Iterator[Taken]:
    if not measured.incomplete:
        yield from islice(_all(measured.document, frozenset(measured.probe.metrics)), MOST_EXTRACTS)


def _all(document: JsonValue, others: frozenset[str]) -> Iterator[Taken]:
    """Out of the document, or out of its text. ``others`` are names of metrics that there are already."""
    text = document.get(TEXT) if isinstance(document, dict) and document.keys() == {TEXT} else document
    found = _matches(text) if isinstance(text, str) else _leaves(document, "", "")
    used = {*others, *CONDITION_WORDS}
    for name, spec, value in found:
        unique = next(each for each in _names(name) if each not in used)
        used.add(unique)
        yield Taken(unique, spec, value)


def _leaves(value: JsonValue, path: str, name: str, depth: int = 0) -> Iterator[tuple[str, dict[str, Raw], Value]]:
    """The scalars of a document, those of the first item of each list."""
    if depth > _MOST_DEPTH:
        return
    match value:
        case dict():
            for key, each in value.items():
                part = key if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else _quoted(key)
                yield from _leaves(each, f"{path}.{part}" if path else part, key, depth + 1)
        case list():
            for index, each in enumerate(value[:MOST_ITEMS]):
                yield from _leaves(each, f"{path}[{index}]", name, depth + 1)
        case bool():
            yield name, {"path": path or "@", "type": "bool"}, value
        case int() | float():
            whole = isinstance(value, int) and value >= 0
            yield name, {"path": path or "@", **({"type": "count"} if whole else {})}, value
        case str() if len(value) <= _MOST_TEXT and path:
            yield name, {"path": path, "type": "string"}, value


def _quoted(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _matches(text: str) -> Iterator[tuple[str, dict[str, Raw], Value]]:
    """Numbers that stand behind their name: ``lag: 17``."""
    for found in _NUMBER.finditer(text[:_MOST_READ]):
        label, sign, number = found[1].strip(), found[2].strip(), found[3]
        digits = r"(-?\d+\.\d+)" if "." in number else r"(-?\d+)" if number.startswith("-") else r"(\d+)"
        kind = {} if "." in number or number.startswith("-") else {"type": "count"}
        value = float(number) if "." in number else int(number)
        yield label, {"match": rf"{re.escape(label).replace(chr(92) + ' ', ' ')}\s*{sign}\s*{digits}", **kind}, value


def _snake(text: str) -> str:
    found = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    found = re.sub(r"[^a-z0-9]+", "_", found.lower()).strip("_")[:40]
    return found if found[:1].isalpha() else f"value_{found}".rstrip("_")


def _names(label: str) -> Iterator[str]:
    first = _snake(label)
    yield first
    yield from (f"{first}_{number}" for number in range(2, 1000))


def _branches(measured: MeasuredByHand, taken: tuple[Taken, ...]) -> Iterator[Raw]:
    result = measured.result
    if not isinstance(result, Reading):
        return
    known: dict[str, tuple[Value, MetricType]] = {}
    for each in taken:
        known[each.name] = each.value, _type_of(each.value)
    for name, value in result.metrics.items():
        if value is not None:
            known[name] = value, result.types[name]
    conditions = (_condition(name, value, type_) for name, (value, type_) in known.items())
    for condition in islice((each for each in conditions if each), MOST_BRANCHES):
        yield {"when": condition, "finding": "something"}


def _type_of(value: Value) -> MetricType:
    match value:
        case bool():
            return MetricType(Dimension.BOOL)
        case str():
            return MetricType(Dimension.TEXT)
    return MetricType(Dimension.NUMBER)


def _condition(name: str, value: Value, type_: MetricType) -> str:
    """What does not hold of what was measured, and would where it were more, or another; empty where nothing can be more."""
    match value:
        case bool():
            return f"not {name}" if value else name
        case str():
            text = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'{name} != "{text}"' if len(value) <= _MOST_TEXT and value.isprintable() else ""
    if type_.upper is not None and value >= type_.upper:
        return f"{name} < {_literal(value, type_.dimension)}"
    return f"{name} > {_literal(value, type_.dimension)}"


_UNITS: Mapping[Dimension, tuple[tuple[float, str], ...]] = {
    Dimension.DURATION: ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")),
    Dimension.PERCENT: ((1.0, "%"),),
    Dimension.BYTES: ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")),
    Dimension.RATE: ((1.0, "/s"),),
}
_SIGNIFICANT = 3
"""Digits of a threshold that people read: 2.66ms, 300d."""


def _literal(value: float, dimension: Dimension) -> str:
    """In the largest unit of which there is one at least, rounded up, so that what was measured is not more. A whole number
    in its smallest unit stays as it is.
    """
    units = _UNITS.get(dimension, ((1.0, ""),))
    factor, unit = next((each for each in units if abs(value) >= each[0]), units[-1])
    if not unit and value == int(value):
        return str(int(value))
    size = Decimal(value / factor)
    if size:
        step = Decimal(1).scaleb(size.adjusted() - _SIGNIFICANT + 1)
        size = (size / step).to_integral_value(ROUND_CEILING) * step
    return f"{size.normalize():f}{unit}"
