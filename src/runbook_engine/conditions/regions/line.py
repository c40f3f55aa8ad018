"""The numbers that a metric may be, in their order: whole numbers, or the floats of IEEE 754.

Each has a *rank*, a whole number that counts them in order, so that "the next float" is the next rank, an open end is a
closed one a rank further in, and what holds between two values can be found by halving.
"""

import math
import struct
from collections.abc import Callable, Iterator

from msgspec import Struct

from runbook_engine.quantity import MetricType

Number = int | float
Span = tuple[int, int]
"""Ranks from the first to the last, both included; empty where the first is behind the last."""

_LARGEST_INT = 10**308
"""Beyond it whole numbers no longer become floats, and what is calculated with them is missing."""


_SIZES = (10, 100, 10_000, 0.1, 0.01)


class Line(Struct, frozen=True):
    """All values between two ranks."""

    integer: bool
    first: int
    last: int

    @property
    def span(self) -> Span:
        return self.first, self.last

    def value(self, rank: int) -> Number:
        return rank if self.integer else _float(rank)

    def at_least(self, value: Number) -> int:
        """The lowest rank of a value that is not below ``value``."""
        if self.integer:
            return math.ceil(_ended(value))
        nearest = _nearest(value)
        return _rank(nearest) + (nearest < value)

    def at_most(self, value: Number) -> int:
        """The highest rank of a value that is not above ``value``."""
        if self.integer:
            return math.floor(_ended(value))
        nearest = _nearest(value)
        return _rank(nearest) - (nearest > value)

    def clipped(self, span: Span) -> Span:
        return max(span[0], self.first), min(span[1], self.last)

    def first_where(self, span: Span, holds: Callable[[Number], bool]) -> int:
        """The lowest rank of the span from which on a monotone question is answered yes; one behind it where it never is."""
        low, high = span
        if low > high or not holds(self.value(high)):
            return high + 1
        if holds(self.value(low)):
            return low
        while low < high:
            middle = _middle(low, high) if self.integer else (low + high) // 2
            if holds(self.value(middle)):
                high = middle
            else:
                low = middle + 1
        return low

    def pleasant(self, span: Span) -> Number:
        """A value of a span that is not empty, as round as the span allows and away from its ends."""
        low, high = self.value(span[0]), self.value(span[1])
        if low == high:
            return low
        aim = _aim(low, high)
        if self.integer:
            return _round_int(int(aim), int(low), int(high))
        for digits in range(1, 18):
            near = float(f"{aim:.{digits}g}")
            if low < near < high:
                return near
        return high

    def spread(self, span: Span) -> Iterator[Number]:
        """Values of other sizes than the pleasant one."""
        middle = self.pleasant(span)
        for factor in _SIZES:
            value = middle * factor
            if self.value(span[0]) <= value <= self.value(span[1]):
                yield int(value) if self.integer else value


def line_of(known: MetricType) -> Line:
    """The values that the declared bounds leave."""
    whole = Line(True, -_LARGEST_INT, _LARGEST_INT) if known.integer else Line(False, _rank(-math.inf), _rank(math.inf))
    first = whole.first if known.lower is None else whole.at_least(known.lower)
    last = whole.last if known.upper is None else whole.at_most(known.upper)
    return Line(known.integer, *whole.clipped((first, last)))


def _middle(low: int, high: int) -> int:
    """Between two whole numbers, so that those of a hundred digits are left behind in few steps."""
    if low < 0 < high:
        return 0
    if high <= 0:
        return -_middle(-high, -low) - 1
    small, large = low.bit_length(), high.bit_length()
    return 1 << (small + large) // 2 if large - small > 2 else (low + high) // 2


def _rank(value: float) -> int:
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def _float(rank: int) -> float:
    found: float = struct.unpack("<d", struct.pack("<q", abs(rank)))[0]
    return found if rank >= 0 else -found


def _ended(value: Number) -> Number:
    """Beyond all whole numbers instead of infinite."""
    return min(max(value, -_LARGEST_INT - 1), _LARGEST_INT + 1)


def _nearest(value: Number) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _aim(low: Number, high: Number) -> float:
    """Where to look for a round number: in the middle, or not far from the end that is near zero."""
    if low < 0 < high:
        return min(1.0, high / 2) if high >= -low else max(-1.0, low / 2)
    if high <= 0:
        return -_aim(-high, -low)
    if high > 1e6 * max(low, 1):
        return 1.0 if low < 1 else 2.0 * low if low < 1e300 else float(low)
    return low + (high - low) / 2


def _round_int(aim: int, low: int, high: int) -> int:
    """``low`` and ``high`` count as the last resort only where nothing lies between them."""
    size: int = 10 ** max(0, len(str(abs(aim))) - 1)
    while size:
        near = (aim + size // 2) // size * size
        if low < near < high:
            return near
        size //= 10
    return low if high - low < 2 else low + (high - low) // 2
