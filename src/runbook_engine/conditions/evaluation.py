"""What a condition comes to, given the values of its names: true, false, or undecided because something is missing or was
sampled too little.

Logic is Kleene's: ``false and unknown`` is false, ``true or unknown`` is true. ``None``, NaN, a division by zero and a
calculation without a number for its result are missing; ``is missing`` is never undecided.
"""

import operator
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from msgspec import Struct

from runbook_engine.conditions.certainty import COMPARE, calculate, compare, is_sampled
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
)
from runbook_engine.quantity import Value
from runbook_engine.sampled import Sampled

Lookup = Callable[[Name], Value | None]
"""Gives the value of a name in its base unit; None where it is missing."""

Evaluator = Callable[[Lookup], Value | None]


class Truth(Struct, frozen=True):
    """``value`` is None where the condition is undecided. ``missing`` has the names without a value that made it so;
    ``uncertain``, the comparisons that bounds of what was sampled leave open.
    """

    value: bool | None
    missing: tuple[Name, ...] = ()
    uncertain: tuple[Expression, ...] = ()


_TRUE = Truth(True)
_FALSE = Truth(False)


class Compiled(Struct, frozen=True):
    """A condition ready to be evaluated often. It has been checked, or its evaluation may raise TypeError."""

    expression: Expression
    run: Evaluator

    def evaluate(self, lookup: Lookup) -> Truth:
        value = self.run(lookup)
        if value is None:
            found = tuple(lacks(self.expression, lookup))
            missing = dict.fromkeys(name for lack in found if not lack.uncertain for name in lack.names)
            return Truth(None, tuple(missing), tuple(lack.node for lack in found if lack.uncertain))
        return _TRUE if value else _FALSE


def compile(expression: Expression) -> Compiled:  # noqa: A001 - the word for it, as in re.compile
    return Compiled(expression, evaluator(expression))


def evaluator(node: Expression) -> Evaluator:  # noqa: C901, PLR0912 - a table of the kinds of node
    """The value of any node as a function of a look-up; None is unknown."""
    match node:
        case Constant(value=value):
            return lambda _lookup: value
        case Name():
            return _named(node)
        case Comparison(operator=sign, left=Name() as name, right=Constant(value=value)):
            return _compared_with(name, sign, value)
        case Comparison(operator=sign, left=left, right=right):
            return _both(partial(compare, sign), evaluator(left), evaluator(right))
        case And(parts=parts):
            return _joined([evaluator(part) for part in parts], decisive=False)
        case Or(parts=parts):
            return _joined([evaluator(part) for part in parts], decisive=True)
        case Not(operand=operand):
            return _opposite(evaluator(operand))
        case IsMissing(name=name, negated=negated):
            return _presence(evaluator(name), when_missing=not negated)
        case Membership():
            return _membership(evaluator(node.subject), [evaluator(item) for item in node.items], negated=node.negated)
        case Matches(subject=subject, pattern=pattern):
            return _found(evaluator(subject), pattern.found_in)
        case Contains(subject=subject, part=part):
            return _both(operator.contains, evaluator(subject), evaluator(part))
        case Minus(operand=operand):
            return _calculated("*", evaluator(operand), lambda _lookup: -1)
        case Arithmetic(operator=sign, left=left, right=right):
            return _calculated(sign, evaluator(left), evaluator(right))


def _named(name: Name) -> Evaluator:
    def run(lookup: Lookup) -> Value | None:
        value = lookup(name)
        return value if value == value else None  # noqa: PLR0124 - false for NaN only, at the least cost

    return run


def _compared_with(name: Name, sign: Operator, bound: Value) -> Evaluator:
    plain = COMPARE[sign]

    def run(lookup: Lookup) -> bool | None:
        value = lookup(name)
        if value is None or value != value:  # noqa: PLR0124 - NaN
            return None
        return compare(sign, value, bound) if type(value) is Sampled else plain(value, bound)

    return run


def _both(combine: Callable[..., bool | None], left: Evaluator, right: Evaluator) -> Evaluator:
    def run(lookup: Lookup) -> bool | None:
        one = left(lookup)
        if one is None:
            return None
        other = right(lookup)
        return None if other is None else combine(one, other)

    return run


def _calculated(sign: str, left: Evaluator, right: Evaluator) -> Evaluator:
    def run(lookup: Lookup) -> Value | None:
        one, other = left(lookup), right(lookup)
        if one is None or other is None:
            return None
        if isinstance(one, str) or isinstance(other, str):
            raise TypeError("texts cannot be calculated with")
        return calculate(sign, one, other)

    return run


def _joined(parts: list[Evaluator], *, decisive: bool) -> Evaluator:
    """One part that comes out as ``decisive`` decides the whole, whatever is unknown beside it."""

    def run(lookup: Lookup) -> bool | None:
        result: bool | None = not decisive
        for part in parts:
            value = part(lookup)
            if value is None:
                result = None
            elif value == decisive:
                return decisive
        return result

    return run


def _opposite(operand: Evaluator) -> Evaluator:
    def run(lookup: Lookup) -> bool | None:
        value = operand(lookup)
        return None if value is None else not value

    return run


def _presence(name: Evaluator, *, when_missing: bool) -> Evaluator:
    return lambda lookup: (name(lookup) is None) == when_missing


def _membership(subject: Evaluator, items: list[Evaluator], *, negated: bool) -> Evaluator:
    def run(lookup: Lookup) -> bool | None:
        value = subject(lookup)
        if value is None:
            return None
        unknown = False
        for item in items:
            other = item(lookup)
            same = None if other is None else compare(Operator.EQUAL, value, other)
            if same is None:
                unknown = True
            elif same:
                return not negated
        return None if unknown else negated

    return run


def _found(subject: Evaluator, find: Callable[[str], bool | None]) -> Evaluator:
    def run(lookup: Lookup) -> bool | None:
        value = subject(lookup)
        if value is None:
            return None
        if not isinstance(value, str):
            raise TypeError("only texts match patterns")
        return find(value)

    return run


class Lack(NamedTuple):
    """Why a value is unknown: ``node`` is a name that is missing, a divisor that is zero, or a calculation or a match
    that has no result; ``names`` are those to blame. ``uncertain``: all values are known, and it is a comparison, or a
    divisor, of which the bounds of what was sampled leave open how it comes out.
    """

    node: Expression
    names: tuple[Name, ...]
    uncertain: bool = False


def lacks(node: Expression, lookup: Lookup) -> Iterator[Lack]:
    """What makes a node undecided, in the order of the text; nothing where it is decided."""
    if evaluator(node)(lookup) is not None:
        return
    if isinstance(node, Name):
        yield Lack(node, (node,))
        return
    below = [lack for child in children(node) for lack in lacks(child, lookup)]
    if below:
        yield from below
        return
    match node:
        case Comparison() | Membership() if any(is_sampled(evaluator(each)(lookup)) for each in children(node)):
            yield Lack(node, names(node), uncertain=True)
        case Arithmetic(operator="/", right=right):
            divisor = evaluator(right)(lookup)
            if is_sampled(divisor):
                yield Lack(right, names(right), uncertain=True)
            elif divisor == 0:
                yield Lack(right, names(right) or names(node))
            else:
                yield Lack(node, names(node))
        case _:
            yield Lack(node, names(node))
