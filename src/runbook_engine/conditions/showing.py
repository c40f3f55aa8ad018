"""Values in explanations: short, never raising, and with as many digits as it takes to see that two differ."""

import math
import re
from decimal import Decimal
from typing import TypeGuard

from runbook_engine.conditions.tree import quoted
from runbook_engine.quantity import UNITS, Dimension, Value, show
from runbook_engine.sampled import Sample, Sampled

_MOST_TEXT = 80
_MOST_DECIMALS = 15
_CLEARLY_APART = 0.02
_NUMBERS = (float, int)
_HUGE = 1e300
"""Close to where whole numbers become too large for floats."""
_SHOWN = re.compile(r"(-?[\d.]+(?:e[+-]?\d+)?)(.*)", re.ASCII)


def shown(value: Value | None, dimension: Dimension) -> str:
    """As ``quantity.show``; texts in quotes and shortened, any number whatever its size, and bounds behind what was
    sampled.
    """
    if isinstance(value, Sampled):
        return f"{shown(float(value), dimension)} ({shown_bounds(value.sample, dimension)})"
    if isinstance(value, str):
        return quoted(shown_text(value))
    if value is None or isinstance(value, bool) or -_HUGE < value < _HUGE:
        return show(value, dimension)
    if isinstance(value, float) and math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    return f"{Decimal(value):.3g}{_base(dimension)}"


def shown_bounds(sample: Sample, dimension: Dimension) -> str:
    """``2.4 % to 6.4 %, n = 300``, ``at least 2.4 %, n = 30``."""
    lower = show(sample.lower, dimension)
    if sample.upper is None:
        return f"at least {lower}, n = {sample.n}"
    upper = show(sample.upper, dimension)
    return f"{f'up to {upper}' if sample.lower <= 0 else f'{lower} to {upper}'}, n = {sample.n}"


def shown_text(text: str) -> str:
    """On one line, without control characters, and not too long."""
    line = text[: 10 * _MOST_TEXT]
    if not line.isprintable():
        line = "".join(filter(str.isprintable, " ".join(line.split())))
    return line if len(line) <= _MOST_TEXT else f"{line[: _MOST_TEXT - 1]}…"


def shown_apart(one: Value | None, other: Value | None, dimension: Dimension) -> tuple[str, str]:
    """Both values, with more digits where the usual ones would hide which is larger."""
    if not (_is_usual(one) and _is_usual(other)):
        return shown(one, dimension), shown(other, dimension)
    first, second = show(one, dimension), show(other, dimension)
    if one == other or abs(one - other) > _CLEARLY_APART * max(abs(one), abs(other)):
        return first, second
    scale_one, scale_other = _scale(first), _scale(second)
    if scale_one is None or scale_other is None:
        return first, second
    (text_one, factor_one, unit_one), (text_other, factor_other, unit_other) = scale_one, scale_other
    decimals = 0
    while not _in_order(Decimal(text_one) * factor_one, Decimal(text_other) * factor_other, ascending=one < other):
        decimals += 1
        if decimals > _MOST_DECIMALS:
            return _exactly(one, dimension), _exactly(other, dimension)
        text_one, text_other = _rounded(one, factor_one, decimals), _rounded(other, factor_other, decimals)
    return f"{text_one}{unit_one}", f"{text_other}{unit_other}"


def _is_usual(value: Value | None) -> TypeGuard[float]:
    """Whether it is a number whose digits people read."""
    return type(value) in _NUMBERS and -_HUGE < value < _HUGE  # type: ignore[operator]  # a number by its type


def _scale(text: str) -> tuple[str, Decimal, str] | None:
    """A shown quantity as digits, the factor of its unit, and the unit with its blank."""
    found = _SHOWN.fullmatch(text)
    if found is None:
        return None
    digits, unit = found.groups()
    known = UNITS.get(unit.strip().replace("µ", "u"))
    return digits, known[1] if known else Decimal(1), unit


def _in_order(one: Decimal, other: Decimal, *, ascending: bool) -> bool:
    return one < other if ascending else one > other


def _rounded(value: float, factor: Decimal, decimals: int) -> str:
    text = f"{Decimal(value) / factor:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exactly(value: float, dimension: Dimension) -> str:
    return f"{repr(value).removesuffix('.0')}{_base(dimension)}"


def _base(dimension: Dimension) -> str:
    """The base unit as it follows a number."""
    return show(1, dimension).removeprefix("1")
