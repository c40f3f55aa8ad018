"""How finely a quantity is told: by how much a value just above a threshold differs from it."""

import math

from runbook_engine.quantity import Dimension

_MINUTE = 60.0


def resolution(dimension: Dimension, value: float, *, integer: bool = False) -> float:
    """The step from a value to the next that people would tell from it, in the base unit: a count's is one, a percentage's
    a tenth, a duration's a millisecond below a minute and a second above; a number's the third digit.
    """
    match dimension:
        case _ if integer:
            return 1.0
        case Dimension.PERCENT:
            return 0.1 if abs(value) >= 1 else 0.01
        case Dimension.DURATION:
            return 0.001 if abs(value) < _MINUTE else 1.0
        case Dimension.BYTES:
            return 1.0
    return 0.01 if value == 0 else 10.0 ** (math.floor(math.log10(abs(value))) - 2)


def shifted(value: float, dimension: Dimension, steps: int, *, integer: bool = False) -> float:
    """The value that lies so many steps away, without the dust of binary fractions: 80 % and one step are 80.1 %."""
    step = resolution(dimension, value, integer=integer)
    decimals = max(0, round(-math.log10(step)) + 1)
    return round(value + steps * step, decimals)
