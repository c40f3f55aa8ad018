"""Values that were sampled: what a few requests say of all requests, and within which bounds that holds.

The bounds are exact and one-sided: the true share, or quantile, lies below ``lower`` with a chance of at most 5 %, and above
``upper`` with a chance of at most 5 %. Those of shares are by Clopper and Pearson (https://doi.org/10.2307/2331986), those of
quantiles by the ranks of the ordered samples (https://doi.org/10.1002/0471722162.ch7), whatever the distribution. Both hold
where each sample was taken without regard to the others.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from msgspec import Struct

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

RISK = 0.05
"""The chance at most of each bound to be wrong."""
MOST_TRIED = 1_000_000
_TINY = 1e-300
_EXACT_ENOUGH = 1e-14


class Sample(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``n`` samples, and the bounds of what they say, in the metric's base unit. ``upper`` is None where ``n`` are too few
    for one. ``quantile`` says of which it is; None is a share. ``parameter`` of the step sets ``n``, to ``most`` at most.
    """

    n: int
    lower: float
    upper: float | None
    quantile: float | None = None
    parameter: str = ""
    most: int | None = None

    @property
    def highest(self) -> float:
        return math.inf if self.upper is None else self.upper

    def holds(self, value: float) -> bool:
        """Whether the true value may be this one."""
        return self.lower <= value <= self.highest


class Sampled(float):
    """A number with the sample that it stands for: a float everywhere else. Compared with ``>`` it is the number alone."""

    __slots__ = ("sample",)

    sample: Sample

    def __new__(cls, value: float, sample: Sample) -> Self:
        self = super().__new__(cls, value)
        self.sample = sample
        return self

    def __reduce__(self) -> tuple[type["Sampled"], tuple[float, Sample]]:
        return Sampled, (float(self), self.sample)

    def __repr__(self) -> str:
        return f"Sampled({float(self)!r}, {self.sample!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: "GetCoreSchemaHandler") -> "CoreSchema":
        """A field of this type takes a plain number, too, which is then exact."""
        from pydantic_core import core_schema

        return core_schema.union_schema([core_schema.is_instance_schema(cls), core_schema.float_schema()])


def share(part: int, n: int) -> Sampled:
    """``part`` of ``n`` samples, in percent: ``share(1, 20)`` is 5.0, between 0.26 and 21.6."""
    if not 0 <= part <= n or n == 0:
        raise ValueError(f"{part} of {n} is no share")
    return Sampled(100.0 * part / n, Sample(n, 100.0 * share_above(part, n), 100.0 * (1.0 - share_above(n - part, n))))


def share_above(part: int, n: int) -> float:
    """The share, of 1, that the true one exceeds all but surely when ``part`` of ``n`` were counted."""
    if part == 0:
        return 0.0
    low, high = 0.0, part / n
    while high - low > _EXACT_ENOUGH * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if at_least(part, n, middle) < RISK:
            low = middle
        else:
            high = middle
    return low


def quantile(ordered: Sequence[float], of: float) -> Sampled:
    """The quantile of ``ordered``, samples in ascending order, by nearest rank: ``of`` 0.95 is the P95."""
    n = len(ordered)
    if n == 0 or not 0.0 < of < 1.0:
        raise ValueError(f"there is no quantile {of} of {n} samples")
    value = ordered[max(0, math.ceil(n * of - 1e-9) - 1)]
    below, above = ranks(n, of)
    lower = ordered[below - 1] if below else 0.0
    return Sampled(value, Sample(n, min(lower, value), ordered[above - 1] if above else None, of))


def ranks(n: int, of: float) -> tuple[int, int]:
    """The ranks, from 1, of the samples that bound a quantile; 0 where none does.

    The k-th sample is above the quantile where fewer than k samples are not; so the first rank is the highest k for which
    that has a chance of at most 5 %.
    """
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        if 1.0 - at_least(middle, n, of) <= RISK:
            low = middle
        else:
            high = middle
    below = low
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        if at_least(middle, n, of) > RISK:
            low = middle
        else:
            high = middle
    return below, 0 if high > n else high


def at_least(part: int, n: int, chance: float) -> float:
    """The chance that ``part`` of ``n`` independent things or more happen, each of which happens with ``chance``."""
    if part <= 0:
        return 1.0
    if part > n or chance <= 0.0:
        return 0.0
    return 1.0 if chance >= 1.0 else _incomplete_beta(float(part), float(n - part + 1), chance)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularized; by its continued fraction (https://dlmf.nist.gov/8.17#v)."""
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    fraction, c, d = 1.0, 1.0, 0.0
    for step in range(1, 100_000):
        half, odd = divmod(step, 2)
        if odd:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d = 1.0 / _not_zero(1.0 + term * d)
        c = _not_zero(1.0 + term / c)
        fraction *= c * d
        if abs(c * d - 1.0) < _EXACT_ENOUGH:
            break
    return min(1.0, front / fraction) if fraction else 0.0


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def enough(value: Sampled, bound: float) -> int | None:
    """About how many samples would tell the value apart from ``bound``, if they said the same; None where none would.

    Of a share that is exact, of a quantile an estimate: the bounds come nearer with the root of the number.
    """
    sample, number = value.sample, float(value)
    if number == bound:
        return None
    if sample.quantile is None:
        return _enough_of_share(number / 100.0, bound / 100.0)
    least = math.ceil(math.log(RISK) / math.log(sample.quantile))
    if number > bound:
        distance, width = number - bound, number - sample.lower
    elif sample.upper is None:
        return max(least, 2 * sample.n)
    else:
        distance, width = bound - number, sample.upper - number
    many = sample.n * (width / distance) ** 2
    return max(least, math.ceil(many)) if many <= MOST_TRIED else None


def _enough_of_share(share_: float, bound: float) -> int | None:
    """By bisection over the number of samples, of which the same share counts."""

    def decides(n: int) -> bool:
        part = math.floor(share_ * n) if share_ > bound else math.ceil(share_ * n)
        return at_least(part, n, bound) <= RISK if share_ > bound else 1.0 - at_least(part + 1, n, bound) <= RISK

    low, high = 0, 16
    while not decides(high):
        low, high = high, 2 * high
        if high > MOST_TRIED:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if decides(middle):
            high = middle
        else:
            low = middle
    return high
