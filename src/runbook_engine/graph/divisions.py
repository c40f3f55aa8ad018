"""Divisions by zero: values that are measured, and for which a condition has no result all the same."""

from collections.abc import Callable, Sequence

from runbook_engine.conditions import (
    And,
    Arithmetic,
    Comparison,
    Constant,
    Expression,
    Name,
    Not,
    Operator,
    Or,
    names,
)
from runbook_engine.conditions.regions import Witness, analyse
from runbook_engine.conditions.tree import both, either, walk
from runbook_engine.quantity import Dimension, MetricType

Types = Callable[[Name], MetricType | None]


def without_result(branches: Sequence[Expression], types: Types) -> tuple[int, Witness] | None:
    """The first branch that may divide by zero where no earlier one holds, and values for which it does."""
    for index, branch in enumerate(branches):
        undecided = _undecided(branch)
        if undecided is None:
            continue
        witness = analyse([*branches[:index], undecided], types).branches[index].witness
        if witness is not None:
            return index, witness
    return None


def _undecided(node: Expression) -> Expression | None:
    """When a condition is undecided because something is divided by zero; None where nothing can be."""
    match node:
        case Not(operand=operand):
            return _undecided(operand)
        case And(parts=parts) | Or(parts=parts):
            # Another part that comes out so decides the whole, whatever this one does.
            decisive = isinstance(node, Or)
            arms = [
                both([found, *(_opposite(_comes_out(other, decisive)) for other in parts if other is not part)])
                for part in parts
                if (found := _undecided(part)) is not None
            ]
            return either(arms) if arms else None
    return _divides_by_zero(node)


def _comes_out(node: Expression, truth: bool) -> Expression:  # noqa: FBT001 - whether it holds or fails
    """When a condition is decided so."""
    match node:
        case Not(operand=operand):
            return _comes_out(operand, not truth)
        case And(parts=parts) | Or(parts=parts):
            each = [_comes_out(part, truth) for part in parts]
            return both(each) if truth is isinstance(node, And) else either(each)
    zero = _divides_by_zero(node)
    decided = node if truth else _opposite(node)
    return decided if zero is None else both([Not(zero), decided])


def _opposite(node: Expression) -> Expression:
    return node.operand if isinstance(node, Not) else Not(node)


def _divides_by_zero(node: Expression) -> Expression | None:
    """When a condition without ``and``, ``or`` and ``not`` has a divisor that is zero."""
    zeros = [
        _is_zero(each.right)
        for each in walk(node)
        if isinstance(each, Arithmetic) and each.operator == "/" and names(each.right)
    ]
    return either(zeros) if zeros else None


def _is_zero(node: Expression) -> Expression:
    """When a value is zero, said of as little as says it."""
    if isinstance(node, Arithmetic) and node.operator == "-":
        return Comparison(Operator.EQUAL, node.left, node.right)
    return Comparison(Operator.EQUAL, node, Constant(0, Dimension.NUMBER, "0"))
