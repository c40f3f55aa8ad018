"""The dimension of what is calculated: like adds to like, and only numbers stretch and shrink a quantity."""

from runbook_engine.quantity import Dimension


def calculated(operator: str, left: Dimension, right: Dimension) -> Dimension | None:
    """The dimension of ``left operator right``; None where that has no meaning here."""
    if not (left.is_numeric and right.is_numeric):
        return None
    match operator:
        case "+" | "-":
            return left if left is right else None
        case "*" if left is Dimension.NUMBER:
            return right
        case "*" | "/" if right is Dimension.NUMBER:
            return left
        case "/" if left is right:
            return Dimension.NUMBER
    return None
