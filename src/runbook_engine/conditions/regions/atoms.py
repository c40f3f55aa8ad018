"""Conditions taken apart into the questions that they ask, each of one kind that can be reasoned with.

What a question cannot be told about exactly stays whole, as a question whose answer is open: then more combinations are
thought possible than there are, never fewer.
"""

from msgspec import Struct

from runbook_engine.conditions.evaluation import evaluator
from runbook_engine.conditions.explaining import Types
from runbook_engine.conditions.tree import (
    And,
    Arithmetic,
    Comparison,
    Constant,
    Contains,
    Expression,
    IsMissing,
    Matches,
    Membership,
    Minus,
    Name,
    Not,
    Operator,
    Or,
    children,
    names,
    unparse,
)
from runbook_engine.quantity import Dimension, Value


class Fixed(Struct, frozen=True):
    """Known before anything is measured; None is undecided."""

    value: bool | None


class Cut(Struct, frozen=True):
    """A value against a literal: ``p95 > 1s``, ``used / limit > 0.9``, ``state == "idle"``."""

    subject: Expression
    operator: Operator
    value: Value


class Related(Struct, frozen=True):
    """Two values that are not known: ``p95 > inputs.slow``."""

    left: Expression
    operator: Operator
    right: Expression


class Absent(Struct, frozen=True):
    name: Name
    negated: bool


class Search(Struct, frozen=True):
    """A text that is searched. ``node`` has the text's name and literals, nothing else."""

    name: Name
    node: Expression


class Open(Struct, frozen=True):
    """Anything else."""

    node: Expression


class Opposite(Struct, frozen=True):
    part: "Question"


class Joined(Struct, frozen=True):
    """``and`` where ``decisive`` is false, ``or`` where it is true."""

    parts: tuple["Question", ...]
    decisive: bool


Question = Fixed | Cut | Related | Absent | Search | Open | Opposite | Joined

_EQUALITY = (Operator.EQUAL, Operator.UNEQUAL)


def questions(node: Expression, types: Types) -> Question:
    """The condition as questions."""
    match node:
        case And(parts=parts) | Or(parts=parts):
            return Joined(tuple(questions(part, types) for part in parts), isinstance(node, Or))
        case Not(operand=operand):
            return Opposite(questions(operand, types))
        case IsMissing(name=name, negated=negated):
            return Absent(name, negated)
        case Name():
            return Cut(node, Operator.EQUAL, True) if dimension_of(node, types) is Dimension.BOOL else _open(node)
        case Comparison(operator=operator, left=left, right=right):
            return _compared(node, left, operator, right, types)
        case Membership(subject=subject, items=items, negated=negated):
            each = tuple(
                _compared(Comparison(Operator.EQUAL, subject, item), subject, Operator.EQUAL, item, types)
                for item in items
            )
            if any(isinstance(part, Open) for part in each):
                return _open(node)
            return Opposite(Joined(each, True)) if negated else Joined(each, True)
        case Matches() | Contains():
            return _search(node, types)
    return _settled(node)


def dimension_of(node: Expression, types: Types) -> Dimension | None:
    """The dimension of a value; None where it is not known."""
    match node:
        case Constant(dimension=dimension):
            return dimension
        case Name():
            known = types(node)
            return known.dimension if known is not None else None
        case Arithmetic() | Minus():
            return Dimension.NUMBER if _is_calculable(node, types) else None
    return None


def _is_calculable(node: Expression, types: Types) -> bool:
    """Whether only numbers are calculated with."""
    match node:
        case Arithmetic() | Minus():
            return all(_is_calculable(child, types) for child in children(node))
    known = dimension_of(node, types)
    return known is not None and known.is_numeric


def _compared(whole: Expression, left: Expression, operator: Operator, right: Expression, types: Types) -> Question:
    one, other = dimension_of(left, types), dimension_of(right, types)
    if one is None or other is None or not _alike(one, other) or not (one.is_numeric or operator in _EQUALITY):
        return _open(whole)
    left, right = _in_order(left), _in_order(right)
    if not _is_named(left):
        if not _is_named(right):
            return _settled(whole)
        left, operator, right = right, operator.flipped, left
    if _is_named(right):
        return Related(left, operator, right)
    value = right.value if isinstance(right, Constant) else evaluator(right)(_nothing)
    return Fixed(None) if value is None else Cut(left, operator, value)


def _in_order(node: Expression) -> Expression:
    """Sums and products in one order, whichever way they are written; floats come out the same."""
    match node:
        case Arithmetic(operator=sign, left=left, right=right, start=start, end=end):
            one, other = _in_order(left), _in_order(right)
            if sign in "+*" and unparse(other) < unparse(one):
                one, other = other, one
            return Arithmetic(sign, one, other, start, end)
        case Minus(operand=operand, start=start, end=end):
            return Minus(_in_order(operand), start, end)
    return node


def _is_named(node: Expression) -> bool:
    return isinstance(node, Name) or (not isinstance(node, Constant) and bool(names(node)))


def _alike(one: Dimension, other: Dimension) -> bool:
    return one is other or (one.is_numeric and other.is_numeric)


def _search(node: Matches | Contains, types: Types) -> Question:
    parts = [node.subject, *([node.part] if isinstance(node, Contains) else [])]
    if any(dimension_of(part, types) is not Dimension.TEXT for part in parts):
        return _open(node)
    if not names(node):
        return _settled(node)
    named = dict.fromkeys(names(node))
    return Search(next(iter(named)), node) if len(named) == 1 else _open(node)


def _settled(node: Expression) -> Question:
    """A condition without a name in it."""
    if names(node):
        return _open(node)
    value = evaluator(node)(_nothing)
    return Fixed(value if value is None else bool(value))


def _open(node: Expression) -> Question:
    """Without a name in it, it is a mistake, and never decided."""
    return Open(node) if names(node) else Fixed(None)


def _nothing(_name: Name) -> None:
    return None
