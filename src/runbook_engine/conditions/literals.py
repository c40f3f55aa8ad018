"""Literals of conditions: numbers, quantities, texts, true and false."""

import re
import string
import sys
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from runbook_engine.conditions.problems import ConditionSyntaxError
from runbook_engine.conditions.tokens import Token
from runbook_engine.conditions.tree import Constant, quoted
from runbook_engine.quantity import UNITS, Dimension

_BARE = (Dimension.NUMBER, Decimal(1))
_EXACT = (Dimension.NUMBER, Dimension.BYTES)
_LARGEST = sys.float_info.max
_UNIT_CHARACTERS = f"{string.ascii_letters}_/%µμ"
_PARTS = re.compile(r"([\d.]+(?:[eE][+-]?\d+)?)(.*)", re.ASCII | re.DOTALL)

_OTHER_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "us": ("µs", "μs", "usec", "usecs", "micros", "microsecond", "microseconds"),
        "ms": ("msec", "msecs", "milli", "millis", "millisecond", "milliseconds"),
        "s": ("sec", "secs", "second", "seconds"),
        "min": ("m", "mins", "minute", "minutes"),
        "h": ("hr", "hrs", "hour", "hours"),
        "d": ("day", "days"),
        "%": ("percent", "pct", "per_cent"),
        "B": ("byte", "bytes"),
        "kB": ("k", "kilobyte", "kilobytes"),
        "KiB": ("ki", "kibibyte", "kibibytes"),
        "MB": ("megabyte", "megabytes"),
        "MiB": ("mi", "mebibyte", "mebibytes"),
        "GB": ("g", "gigabyte", "gigabytes"),
        "GiB": ("gi", "gibibyte", "gibibytes"),
        "TB": ("t", "terabyte", "terabytes"),
        "TiB": ("ti", "tebibyte", "tebibytes"),
        "/s": ("/sec", "/second", "rps", "qps", "hz"),
        "/min": ("/minute",),
        "/h": ("/hour",),
    }
)
_MEANT: Mapping[str, str] = MappingProxyType(
    {word: unit for unit, words in _OTHER_WORDS.items() for word in words}
    | {unit.lower(): unit for unit in UNITS if not unit.startswith("/")}
)


def unit_meant(word: str) -> str | None:
    """The unit that was meant by a word such as ``sec``, ``KB`` or ``ms``."""
    return word if word in UNITS else _MEANT.get(word.lower())


def number(token: Token) -> Constant:
    """A number or a quantity. Whole numbers and whole numbers of bytes stay exact, whatever their size."""
    written = token.text
    digits = written.rstrip(_UNIT_CHARACTERS)
    unit = written[len(digits) :]
    dimension, factor = UNITS.get(unit, _BARE)
    if (dimension is Dimension.NUMBER and unit) or "_" in digits:
        raise _not_a_unit(token)
    try:
        exact = dimension in _EXACT and digits.isdigit()
        value = int(digits) * int(factor) if exact else float(Decimal(digits) * factor)
    except ArithmeticError:
        raise _not_a_unit(token) from None
    if not -_LARGEST <= value <= _LARGEST:
        raise ConditionSyntaxError("this number is too large", token.start, token.end)
    return Constant(value, dimension, written, token.start, token.end)


def negative(constant: Constant, value: int | float, start: int) -> Constant:
    """The literal, whose value is given again, with a minus before it."""
    text = constant.text[1:] if constant.text.startswith("-") else f"-{constant.text}"
    return Constant(-value, constant.dimension, text, start, constant.end)


def text(token: Token) -> Constant:
    """What stands between the quotes is the text; there are no escapes."""
    value = token.text[1:-1]
    return Constant(value, Dimension.TEXT, quoted(value), token.start, token.end)


def truth(token: Token) -> Constant:
    return Constant(token.text == "true", Dimension.BOOL, token.text, token.start, token.end)


def _not_a_unit(token: Token) -> ConditionSyntaxError:
    found = _PARTS.match(token.text)
    digits, unit = found.groups() if found else ("", token.text)
    meant = unit_meant(unit)
    if unit.startswith("_") and unit.strip("_").replace("_", "").isdigit():
        message, hint = "numbers have no underscores", f"write {digits}{unit.replace('_', '')}"
    elif meant is not None:
        message, hint = f'"{unit}" is not a unit', f"write {digits}{meant}"
    elif any(character.isdigit() for character in unit):
        message, hint = f'"{token.text}" has more than one unit', "write one, for example 90min for 1h30m"
    else:
        message, hint = f'"{unit}" is not a unit', f"units are {', '.join(UNITS)}"
    return ConditionSyntaxError(message, token.start, token.end, hint)
