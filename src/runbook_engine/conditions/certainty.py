"""Comparisons and calculations with what was sampled: by its bounds, and not by its value alone.

``error_rate > 5%`` holds where the lower bound is above, does not hold where the upper bound is not, and is undecided where
the threshold lies in between.
"""

import itertools
import math
import operator
from collections.abc import Callable, Mapping

from runbook_engine.conditions.tree import Operator
from runbook_engine.quantity import Value
from runbook_engine.sampled import Sample, Sampled

COMPARE: Mapping[Operator, Callable[..., bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
}
CALCULATE: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def compare(sign: Operator, left: Value, right: Value) -> bool | None:
    """How two values compare; None where bounds leave it open."""
    if type(left) is not Sampled and type(right) is not Sampled:
        return COMPARE[sign](left, right)
    (low, high), (least, most) = _bounds(left), _bounds(right)
    match sign:
        case Operator.LESS:
            return True if high < least else False if low >= most else None
        case Operator.AT_LEAST:
            return True if low >= most else False if high < least else None
        case Operator.MORE:
            return True if low > most else False if high <= least else None
        case Operator.AT_MOST:
            return True if high <= least else False if low > most else None
    apart = high < least or low > most
    same = low == high == least == most
    return None if not (apart or same) else same if sign is Operator.EQUAL else apart


def calculate(sign: str, left: float, right: float) -> float | None:
    """The result, with bounds where one of the two has them; None where there is none."""
    try:
        result = CALCULATE[sign](left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    if result != result:  # noqa: PLR0124 - NaN, also beside whole numbers that are too large for a float
        return None
    if type(left) is not Sampled and type(right) is not Sampled:
        return result
    least, most = _bounds(right)
    if sign == "/" and least <= 0 <= most:
        return None
    ends = []
    for one, other in itertools.product(_bounds(left), (least, most)):
        end = CALCULATE[sign](one, other)
        ends.append(0.0 if math.isnan(end) else end)  # nothing times without end: the value that is 0 is 0
    samples = [each.sample for each in (left, right) if isinstance(each, Sampled)]
    highest = max(ends)
    return Sampled(
        float(result),
        Sample(
            min(each.n for each in samples),
            min(ends),
            None if math.isinf(highest) else highest,
            next((each.quantile for each in samples if each.quantile is not None), None),
        ),
    )


def is_sampled(value: Value | None) -> bool:
    return type(value) is Sampled


def exact(value: Value) -> Value:
    """The value as a plain number, without its bounds."""
    return float(value) if isinstance(value, Sampled) else value


def _bounds(value: Value) -> tuple[float, float]:
    if isinstance(value, Sampled):
        return value.sample.lower, value.sample.highest
    if isinstance(value, str):
        raise TypeError("a text cannot be compared with a number")
    return value, value
