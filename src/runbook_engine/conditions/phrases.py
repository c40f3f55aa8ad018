"""Words for types, and examples of how a value of a type is written."""

from collections.abc import Mapping

from runbook_engine.conditions.tree import Constant, Expression, Name, quoted, unparse
from runbook_engine.quantity import Dimension, MetricType, parse

KIND: Mapping[Dimension, str] = {
    Dimension.NUMBER: "a number",
    Dimension.DURATION: "a duration",
    Dimension.PERCENT: "a percentage",
    Dimension.BYTES: "a size in bytes",
    Dimension.RATE: "a rate",
    Dimension.TEXT: "a text",
    Dimension.BOOL: "a boolean",
}
_UNITS: Mapping[Dimension, tuple[str, ...]] = {
    Dimension.DURATION: ("ms", "s"),
    Dimension.PERCENT: ("%",),
    Dimension.BYTES: ("MiB", "B"),
    Dimension.RATE: ("/s",),
}
_EXAMPLES: Mapping[Dimension, str] = {
    Dimension.NUMBER: "12",
    Dimension.DURATION: "500ms",
    Dimension.PERCENT: "80%",
    Dimension.BYTES: "512MiB",
    Dimension.RATE: "12/s",
    Dimension.TEXT: '"a text"',
    Dimension.BOOL: "true",
}


def called(node: Expression) -> str:
    """What a message calls a node."""
    return unparse(node) if isinstance(node, Name | Constant) else f"({unparse(node)})"


def comparable(name: str, known: MetricType) -> str:
    """A comparison with this name, as an example."""
    if known.dimension is Dimension.TEXT:
        return f"{name} == {quoted(known.members[0]) if known.members else _EXAMPLES[known.dimension]}"
    return f"{name} > {_EXAMPLES[known.dimension]}"


def spelled(constant: Constant, dimension: Dimension) -> str:
    """How a literal without a unit, or with a wrong one, is written in this dimension: ``1000ms or 1000s``."""
    digits = constant.text.rstrip("%")
    value = constant.value
    if isinstance(value, str):
        return value
    if dimension is Dimension.NUMBER and constant.dimension is Dimension.PERCENT:
        return _plain(value / 100)
    if dimension is Dimension.PERCENT and 0 < abs(value) < 1:
        return f"{_plain(value * 100)}%, or {digits}% if less than one percent is meant"
    return " or ".join(f"{digits}{unit}" for unit in _UNITS.get(dimension, ("",)))


def only_unit(constant: Constant, known: MetricType) -> str | None:
    """The literal with its unit, where it has none and there is one way to write it: ``80%``, not ``1000ms or 1000s``."""
    if constant.dimension is not Dimension.NUMBER or known.dimension is not Dimension.PERCENT:
        return None
    written = spelled(constant, known.dimension)
    return written if " " not in written else None


def other_unit(subject: str, known: MetricType, constant: Constant, *, ratio: bool) -> tuple[str, str]:
    """The message and the hint for a literal that is of another kind than ``subject``. ``ratio`` says that the subject
    is calculated.
    """
    wanted, given = known.dimension, constant.dimension
    match wanted, given:
        case _, Dimension.NUMBER if wanted.is_numeric:
            return f"{subject} is {KIND[wanted]}, and {constant.text} has no unit", f"write {spelled(constant, wanted)}"
        case Dimension.NUMBER, Dimension.PERCENT:
            hint = spelled(constant, wanted) if ratio else constant.text.rstrip("%")
            return f"{subject} is a number, and {constant.text} a percentage", f"write {hint}"
        case Dimension.NUMBER, _ if given.is_numeric:
            return f"{subject} is a number without a unit, and {constant.text} {KIND[given]}", "leave the unit out"
        case Dimension.TEXT, _:
            return f"{subject} is a text, and {constant.text} {KIND[given]}", f"write {quoted(constant.text)}"
        case Dimension.BOOL, _:
            return f"{subject} is a boolean, and {constant.text} {KIND[given]}", f"write {subject} or not {subject}"
    message = f"{subject} is {KIND[wanted]}, and {constant.text} {KIND[given]}"
    if given is Dimension.TEXT and _reads_as(str(constant.value), wanted):
        return message, f"write {constant.value} without quotes"
    return message, f"write for example {_EXAMPLES[wanted]}"


def _reads_as(text: str, wanted: Dimension) -> bool:
    try:
        return parse(text)[1] is wanted
    except ValueError:
        return False


def _plain(value: float) -> str:
    """A number without an exponent and without the last bits of a division."""
    return f"{value:.12f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else str(value)
