"""Quantities: a number with a dimension, as conditions, inputs and readings use them.

A value is held as a plain number in its dimension's base unit: seconds for durations, percentage points for percent
(80 % is ``80.0``), bytes, and events per second for rates.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct

Value = bool | int | float | str
"""What a metric, an answer or an input holds once read. ``None`` beside it means missing."""


class Dimension(StrEnum):
    NUMBER = "number"
    DURATION = "duration"
    PERCENT = "percent"
    BYTES = "bytes"
    RATE = "rate"
    TEXT = "text"
    BOOL = "bool"

    @property
    def is_numeric(self) -> bool:
        return self not in (Dimension.TEXT, Dimension.BOOL)


BASE_UNIT: Mapping[Dimension, str] = MappingProxyType(
    {
        Dimension.NUMBER: "",
        Dimension.DURATION: "s",
        Dimension.PERCENT: "%",
        Dimension.BYTES: "B",
        Dimension.RATE: "/s",
        Dimension.TEXT: "",
        Dimension.BOOL: "",
    }
)

UNITS: Mapping[str, tuple[Dimension, Decimal]] = MappingProxyType(
    {
        "ns": (Dimension.DURATION, Decimal("1e-9")),
        "us": (Dimension.DURATION, Decimal("1e-6")),
        "ms": (Dimension.DURATION, Decimal("1e-3")),
        "s": (Dimension.DURATION, Decimal(1)),
        "min": (Dimension.DURATION, Decimal(60)),
        "h": (Dimension.DURATION, Decimal(3600)),
        "d": (Dimension.DURATION, Decimal(86400)),
        "%": (Dimension.PERCENT, Decimal(1)),
        "B": (Dimension.BYTES, Decimal(1)),
        "kB": (Dimension.BYTES, Decimal(10) ** 3),
        "MB": (Dimension.BYTES, Decimal(10) ** 6),
        "GB": (Dimension.BYTES, Decimal(10) ** 9),
        "TB": (Dimension.BYTES, Decimal(10) ** 12),
        "KiB": (Dimension.BYTES, Decimal(2) ** 10),
        "MiB": (Dimension.BYTES, Decimal(2) ** 20),
        "GiB": (Dimension.BYTES, Decimal(2) ** 30),
        "TiB": (Dimension.BYTES, Decimal(2) ** 40),
        "/s": (Dimension.RATE, Decimal(1)),
        "/min": (Dimension.RATE, Decimal(1) / Decimal(60)),
        "/h": (Dimension.RATE, Decimal(1) / Decimal(3600)),
    }
)
"""Every unit that a literal may carry, with its dimension and its factor to the base unit."""

_LITERAL = re.compile(
    r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>/?[A-Za-z]+|%)?\Z", re.ASCII
)


class MetricType(Struct, frozen=True):
    """What is known of a value before it is measured; the checker reasons with it and the engine holds readings to it.

    ``lower`` and ``upper`` are inclusive, in the base unit; ``None`` is unbounded. ``members`` lists the allowed texts.
    ``optional`` says that a reading may lack the value.
    """

    dimension: Dimension
    lower: float | None = None
    upper: float | None = None
    integer: bool = False
    members: tuple[str, ...] = ()
    optional: bool = False
    doc: str = ""
    sampled: bool = False
    """A reading may give it with the bounds of what was sampled."""

    @property
    def unit(self) -> str:
        return BASE_UNIT[self.dimension]

    def describe(self) -> str:
        """``duration, at least 0 s`` — the type in a reader's words."""
        return f"{self._range()}, sampled" if self.sampled else self._range()

    def _range(self) -> str:
        name = "whole number" if self.integer else str(self.dimension)
        if self.members:
            return f"one of {', '.join(self.members)}"
        if self.lower is not None and self.upper is not None:
            return f"{name}, {show(self.lower, self.dimension)} to {show(self.upper, self.dimension)}"
        if self.lower is not None:
            return f"{name}, at least {show(self.lower, self.dimension)}"
        if self.upper is not None:
            return f"{name}, at most {show(self.upper, self.dimension)}"
        return name


def parse(text: str) -> tuple[float, Dimension]:
    """Read ``500ms``, ``2s``, ``5min``, ``30d``, ``80%``, ``512MiB``, ``12/s`` or a bare number, into the base unit.

    Raises ValueError with a sentence that names the legal units.
    """
    found = _LITERAL.match(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a number with a unit; write for example 500ms, 2s, 80%, 512MiB or 12/s")
    unit = found["unit"]
    try:
        number = Decimal(found["number"])
        if unit is None:
            return _finite(number, text), Dimension.NUMBER
        if unit not in UNITS:
            raise ValueError(f"{unit!r} in {text!r} is not a unit; units are {', '.join(UNITS)}")
        dimension, factor = UNITS[unit]
        return _finite(number * factor, text), dimension
    except (InvalidOperation, OverflowError):
        raise ValueError(f"{text!r} is too large a number") from None


def _finite(number: Decimal, text: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is too large a number")
    return value


@lru_cache(maxsize=4096, typed=True)
def show(value: Value | None, dimension: Dimension) -> str:
    """A value as people read it: ``1.24 s``, ``340 ms``, ``87.5 %``, ``1.2 GiB``, ``12/s``.

    Cached, because every run shows the same thresholds at every step.
    """
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "not a number"
    match dimension:
        case Dimension.DURATION:
            return _show_scaled(value, _DURATION_STEPS)
        case Dimension.BYTES:
            return _show_scaled(value, _BYTE_STEPS)
        case Dimension.PERCENT:
            return f"{_digits(value)} %"
        case Dimension.RATE:
            return f"{_digits(value)}/s"
        case _:
            return _digits(value)


@lru_cache(maxsize=4096, typed=True)
def prose(value: Value | None, dimension: Dimension) -> str:
    """A value as a sentence says it: ``12 days``, ``5 minutes``, ``12 per second``. Seconds and their parts, percent and
    bytes keep their signs, as in ``show``: ``1.24 s``, ``80 %``.
    """
    text = show(value, dimension)
    if dimension is Dimension.RATE and text.endswith("/s"):
        return f"{text.removesuffix('/s')} per second"
    number, _, unit = text.rpartition(" ")
    word = _SPELLED.get(unit) if dimension is Dimension.DURATION else None
    return text if word is None else counted(number, word)


def counted(number: float | str, one: str, many: str = "") -> str:
    """``1 step``, ``2 steps``, ``0 entries``. A number that is given as a text is one that has been shown."""
    return f"{number} {one if str(number) == '1' else many or f'{one}s'}"


_SPELLED: Mapping[str, str] = MappingProxyType({"d": "day", "h": "hour", "min": "minute"})
_DURATION_STEPS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_BYTE_STEPS = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
# A threshold of 90 s reads better as "90 s" than as "1.5 min", one of 36 h better than "1.5 d".
_STEP_UP_AT = {"d": 2.0, "h": 2.0, "min": 2.0}


def _show_scaled(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    if value == 0:
        return f"0 {'s' if steps is _DURATION_STEPS else 'B'}"
    size = abs(value)
    for factor, unit in steps:
        if size >= factor * _STEP_UP_AT.get(unit, 1.0) * (1 - 1e-12):
            return f"{_digits(value / factor)} {unit}"
    factor, unit = steps[-1]
    return f"{_digits(value / factor)} {unit}"


def _digits(value: float) -> str:
    """Three significant digits, but whole numbers whole: 1.24, 87.5, 1240, 0.031."""
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    size = abs(value)
    if size >= 1000:
        return f"{value:.0f}" if size < 1e15 else f"{value:.3g}"
    text = f"{value:.3g}"
    return f"{Decimal(text):f}" if "e" in text and size > 1e-6 else text
