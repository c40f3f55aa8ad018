"""Literals that a metric can never reach."""

from runbook_engine.conditions.tree import Constant, Operator
from runbook_engine.errors import did_you_mean
from runbook_engine.quantity import MetricType, show

_ABOVE = {Operator.LESS: True, Operator.AT_MOST: True, Operator.MORE: False, Operator.AT_LEAST: False}
"""What a comparison with a literal above every possible value comes to."""


def out_of_bounds(name: str, operator: Operator, constant: Constant, known: MetricType) -> tuple[str, str] | None:
    """Message and hint where ``name operator constant`` comes out the same whatever is measured; None where it does not."""
    value = constant.value
    if isinstance(value, str):
        return _not_a_member(name, value, constant, known) if known.members else None
    if isinstance(value, bool):
        return None
    equality = operator in (Operator.EQUAL, Operator.UNEQUAL)
    if known.lower is not None and value < known.lower:
        fact, outcome = f"{name} is never below {show(known.lower, known.dimension)}", _ABOVE.get(operator.flipped)
    elif known.upper is not None and value > known.upper:
        fact, outcome = f"{name} is never above {show(known.upper, known.dimension)}", _ABOVE.get(operator)
    elif known.integer and equality and not float(value).is_integer():
        fact, outcome = f"{name} is a whole number", None
    else:
        return None
    if outcome is None:
        outcome = operator is Operator.UNEQUAL
    told = "true" if outcome else "false"
    return f"{fact}, so {name} {operator} {constant.text} is always {told}", f"{name}: {known.describe()}"


def _not_a_member(name: str, value: str, constant: Constant, known: MetricType) -> tuple[str, str] | None:
    if value in known.members:
        return None
    return (
        f"{name} is never {constant.text}{did_you_mean(value, known.members)}",
        f"values of {name}: {', '.join(known.members)}",
    )
