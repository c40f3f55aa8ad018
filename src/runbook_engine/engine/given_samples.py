"""Values that a test gives with their sample: ``error_rate: {value: 3%, n: 100}``."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.source import Path
from runbook_engine.document.wording import shown
from runbook_engine.errors import closest
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.quantity import Dimension, MetricType, Value
from runbook_engine.sampled import Sample, Sampled, share

KEYS = ("value", "n", "lower", "upper")
_HELP = {
    Dimension.PERCENT: "write {value: 3%, n: 100}",
    Dimension.DURATION: "write {value: 900ms, n: 100, lower: 700ms, upper: 1.2s}; without upper there is no upper bound",
}

_ROUNDED = 0.05
"""Percentage points by which a share may be rounded: 33.3 % is 1 of 3."""

ReadValue = Callable[[str, object, MetricType, Path], Value | None]
"""Reads one literal of the metric's type; None where it does not fit, which is told."""


class SampleReader(Struct):
    """Reads the sample of one metric. ``read`` reads a literal of its type."""

    name: str
    step: str
    type: MetricType
    at: Path
    read: ReadValue
    found: Mistakes

    def sampled(self, given: Mapping[str, object]) -> Sampled | None:
        """The value with its bounds; None where something does not fit, which is told. Those of a share follow from n."""
        n = given.get("n")
        numbers = self._numbers(given)
        if not self._keys(given) or numbers is None:
            return None
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            self._wrong(f"is of {shown(n)} samples, and can only be of a whole number of them, 1 or more", "n")
            return None
        value, lower, upper = numbers["value"], numbers.get("lower"), numbers.get("upper")
        if lower is not None:
            if lower <= value and (upper is None or value <= upper):
                return Sampled(value, Sample(n, lower, upper))
            self._wrong("lies outside of its bounds", "value")
            return None
        if self.type.dimension is not Dimension.PERCENT or upper is not None:
            self._wrong("is given no lower bound")
            return None
        part = round(value * n / 100)
        if abs(100 * part / n - value) > _ROUNDED:
            self._wrong(f"of {n} samples cannot be {shown(given['value'])}", "value")
            return None
        return share(part, n)

    def _keys(self, given: Mapping[str, object]) -> bool:
        for key in given:
            if key not in KEYS:
                guess = closest(key, KEYS)
                self._wrong(
                    f"has no {quoted(key)}{f', did you mean {quoted(guess)}?' if guess else ''}", key, is_key=True
                )
                return False
        for key in ("value", "n"):
            if key not in given:
                self._wrong(f"is given no {quoted(key)}")
                return False
        return True

    def _numbers(self, given: Mapping[str, object]) -> dict[str, float] | None:
        read = {
            key: self.read(self.name, given[key], self.type, (*self.at, key))
            for key in KEYS
            if key != "n" and key in given
        }
        numbers = {key: float(each) for key, each in read.items() if isinstance(each, int | float)}
        return numbers if len(numbers) == len(read) else None

    def _wrong(self, message: str, *key: str, is_key: bool = False) -> None:
        hint = _HELP.get(self.type.dimension, "")
        self.found.add(
            "RB804", f"{self.name} of step {quoted(self.step)} {message}", (*self.at, *key), help=hint, key=is_key
        )
