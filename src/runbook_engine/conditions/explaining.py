"""A condition as a person reads it afterwards: with what was measured, and as it came out.

An explanation is a list of facts, each true in itself, that together decided: ``p95 1.24 s > 1 s``. Of a conjunction that
failed only the parts that failed are told, of a disjunction that held only those that held.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from runbook_engine.conditions.certainty import COMPARE, compare, exact
from runbook_engine.conditions.dimensions import calculated
from runbook_engine.conditions.evaluation import Lack, Lookup, evaluator, lacks
from runbook_engine.conditions.showing import shown, shown_apart, shown_text
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
    binding,
    is_constant,
    names,
    quoted,
    unparse,
)
from runbook_engine.quantity import Dimension, MetricType, Value

Types = Callable[[Name], MetricType | None]


class Measured(Struct, frozen=True):
    """A metric in a condition: ``unit`` is the base unit of ``value``; ``shown`` is for people."""

    name: str
    value: Value | None
    unit: str
    shown: str


def explain(expression: Expression, lookup: Lookup, types: Types) -> str:
    """Why the condition came out as it did: ``p95 220 ms ≤ 1 s``, or ``p95 is missing`` where it is undecided."""
    if isinstance(expression, Comparison):
        plain = _plain(expression, lookup, types)
        if plain is not None:
            return plain
    _, facts = _Teller(lookup, types).told(expression)
    if len(facts) > 1 and any(fact.presence for fact in facts):
        valued = {name for fact in facts if not fact.presence for name in names(fact.node)}
        facts = [fact for fact in facts if not fact.presence or not valued.issuperset(names(fact.node))]
    return " and ".join(dict.fromkeys(fact.text for fact in facts))


def evidence(expression: Expression, lookup: Lookup, types: Types) -> tuple[Measured, ...]:
    """Every metric that the condition names, each once; not its inputs. NaN is missing."""
    found = []
    for name in dict.fromkeys(names(expression)):
        if name.is_input:
            continue
        known, value = types(name), evaluator(name)(lookup)
        dimension = known.dimension if known else _natural(value)
        text = shown_text(value) if isinstance(value, str) else shown(value, dimension)
        found.append(Measured(str(name), None if value is None else exact(value), known.unit if known else "", text))
    return tuple(found)


_SIGNS: Mapping[Operator, str] = {
    Operator.EQUAL: "=",
    Operator.UNEQUAL: "≠",
    Operator.LESS: "<",
    Operator.AT_MOST: "≤",
    Operator.MORE: ">",
    Operator.AT_LEAST: "≥",
}
_TIMES = {"*": "×"}


class _Fact(NamedTuple):
    """``presence`` says that the fact is only that a value is there, which goes without saying beside the value."""

    text: str
    node: Expression
    presence: bool = False


_Told = tuple[bool | None, list[_Fact]]
"""How a node came out, and why."""


def _plain(node: Comparison, lookup: Lookup, types: Types) -> str | None:
    """What nearly every condition is, told at a fraction of the cost: a metric above or below a literal or an input."""
    left, right = node.left, node.right
    if node.operator not in _ORDERED or not isinstance(left, Name) or not isinstance(right, Name | Constant):
        return None
    one = lookup(left)
    other = right.value if isinstance(right, Constant) else lookup(right)
    known = types(left)
    if known is None or type(one) not in _NUMBERS or type(other) not in _NUMBERS or one != one or other != other:  # noqa: PLR0124 - NaN
        return None
    operator = node.operator if COMPARE[node.operator](one, other) else node.operator.negated
    first, second = shown_apart(one, other, known.dimension)
    right_side = second if isinstance(right, Constant) else f"{_label(right)} {second}"
    return f"{_label(left)} {first} {_SIGNS[operator]} {right_side}"


_ORDERED = frozenset({Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST})
_NUMBERS = (float, int)


class _Teller:
    __slots__ = ("_lookup", "_types")

    def __init__(self, lookup: Lookup, types: Types) -> None:
        self._lookup = lookup
        self._types = types

    def told(self, node: Expression) -> _Told:
        match node:
            case Comparison(left=left, right=right):
                return self._compared(node, self._value(left), self._value(right))
            case And(parts=parts):
                return _decided([self.told(part) for part in parts], decisive=False)
            case Or(parts=parts):
                return _decided([self.told(part) for part in parts], decisive=True)
            case Not(operand=operand):
                truth, facts = self.told(operand)
                return None if truth is None else not truth, facts
        value = self._value(node)
        return self._undecided(node) if value is None else (bool(value), [self._fact(node, truth=bool(value))])

    def _compared(self, node: Comparison, one: Value | None, other: Value | None) -> _Told:
        if one is None or other is None:
            return self._undecided(node)
        truth = compare(node.operator, one, other)
        if truth is None:
            return self._undecided(node)
        return truth, [_Fact(self._comparison(node, one, other, truth=truth), node)]

    def _undecided(self, node: Expression) -> _Told:
        return None, [_Fact(self._lack(lack), lack.node) for lack in lacks(node, self._lookup)]

    def _value(self, node: Expression) -> Value | None:
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Name):
            value = self._lookup(node)
            return value if value == value else None  # noqa: PLR0124 - false for NaN only
        return evaluator(node)(self._lookup)

    def _lack(self, lack: Lack) -> str:
        node = lack.node
        if lack.uncertain:
            return self._open(node)
        if self._value(node) == 0:
            return f"{_label(node)} is 0"
        if isinstance(node, Name):
            return f"{_label(node)} is missing"
        if isinstance(node, Matches):
            return f"{_label(node.subject)} is too long to be searched to its end"
        return f"{_label(node)} has no value"

    def _open(self, node: Expression) -> str:
        """What bounds leave open: ``error_rate 4 % (1.1 % to 9.9 %, n = 80) is not told apart from 5 %``."""
        match node:
            case Comparison(left=left, right=right):
                if is_constant(left):
                    left, right = right, left
                dimension = self._dimension(left, right)
                return f"{self._side(left, dimension)} is not told apart from {self._side(right, dimension)}"
            case Membership(subject=subject, items=items):
                dimension = self._dimension(subject, *items)
                listed = ", ".join(self._side(item, dimension) for item in items)
                return f"{self._side(subject, dimension)} is not told apart from [{listed}]"
        return f"{self._side(node, self._dimension(node))} is not told apart from 0"

    def _fact(self, node: Expression, *, truth: bool) -> _Fact:
        """A decided condition without ``and or not`` at its top."""
        match node:
            case IsMissing(name=name, negated=negated):
                present = truth == negated
                return _Fact(f"{_label(name)} is {'not missing' if present else 'missing'}", node, present)
            case Membership(subject=subject, items=items, negated=negated):
                dimension = self._dimension(subject, *items)
                listed = ", ".join(self._side(item, dimension) for item in items)
                found = "in" if truth != negated else "not in"
                return _Fact(f"{self._side(subject, dimension)} {found} [{listed}]", node)
            case Matches(subject=subject, pattern=pattern):
                found = "matches" if truth else "does not match"
                return _Fact(f"{self._side(subject, Dimension.TEXT)} {found} {quoted(pattern.source)}", node)
            case Contains(subject=subject, part=part):
                found = "contains" if truth else "does not contain"
                told = f"{self._side(subject, Dimension.TEXT)} {found} {self._side(part, Dimension.TEXT)}"
                return _Fact(told, node)
        return _Fact(f"{_label(node)} is {'yes' if truth else 'no'}", node)

    def _comparison(self, node: Comparison, one: Value, other: Value, *, truth: bool) -> str:
        operator = node.operator if truth else node.operator.negated
        left, right = node.left, node.right
        if is_constant(left) and not is_constant(right):
            operator, left, right, one, other = operator.flipped, right, left, other, one
        dimension = self._dimension(left, right)
        if isinstance(one, bool) and isinstance(left, Name) and isinstance(right, Constant):
            return f"{_label(left)} is {shown(one, dimension)}"
        if operator is Operator.EQUAL and isinstance(left, Name) and isinstance(right, Constant):
            return f"{_label(left)} = {shown(other, dimension)}"
        first, second = shown_apart(one, other, dimension)
        return f"{self._side(left, dimension, first)} {_SIGNS[operator]} {self._side(right, dimension, second)}"

    def _side(self, node: Expression, dimension: Dimension, text: str | None = None) -> str:
        """One side of a comparison: ``p95 1.24 s``, ``1 s``, or ``used 90 / limit 100 = 0.9``. ``text`` shows its value."""
        if text is None:
            text = shown(self._value(node), dimension)
        match node:
            case Name():
                return f"{_label(node)} {text}"
            case Arithmetic() | Minus():
                return f"{self._formula(node)} = {text}"
        return text

    def _formula(self, node: Expression) -> str:
        match node:
            case Name() | Constant():
                return self._side(node, self._dimension(node))
            case Minus(operand=operand):
                return f"-{self._nested(operand, binding(node))}"
            case Arithmetic(operator=sign, left=left, right=right):
                level = binding(node)
                return f"{self._nested(left, level)} {_TIMES.get(sign, sign)} {self._nested(right, level + 1)}"
        return unparse(node)

    def _nested(self, node: Expression, least: int) -> str:
        text = self._formula(node)
        return f"({text})" if binding(node) < least else text

    def _dimension(self, *nodes: Expression) -> Dimension:
        """The dimension of the first node for which it is known; else what its value looks like."""
        for node in nodes:
            found = self._known(node)
            if found is not None:
                return found
        return _natural(self._value(nodes[0]))

    def _known(self, node: Expression) -> Dimension | None:
        match node:
            case Constant(dimension=dimension):
                return dimension
            case Name():
                known = self._types(node)
                return known.dimension if known else None
            case Minus(operand=operand):
                return self._known(operand)
            case Arithmetic(operator=sign, left=left, right=right):
                one, other = self._known(left), self._known(right)
                return calculated(sign, one, other) if one is not None and other is not None else None
        return None


def _decided(parts: Iterable[_Told], *, decisive: bool) -> _Told:
    """The parts that made the whole what it is: those that decide alone, else the unknown ones, else all."""
    told = list(parts)
    truths = [truth for truth, _ in told]
    whole = decisive if decisive in truths else None if None in truths else not decisive
    return whole, [fact for truth, facts in told if truth is whole for fact in facts]


def _label(node: Expression) -> str:
    """What a fact calls a node; an input goes by its bare name."""
    if isinstance(node, Name):
        return node.name if node.scope is None or node.is_input else f"{node.scope}.{node.name}"
    return shown_text(unparse(node))


def _natural(value: Value | None) -> Dimension:
    if isinstance(value, bool):
        return Dimension.BOOL
    return Dimension.TEXT if isinstance(value, str) else Dimension.NUMBER
