"""A condition as a typed tree.

Every node knows the ``start`` and ``end`` of its text, which count in no comparison: two trees are equal when they say
the same.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.quantity import Dimension, Value

if TYPE_CHECKING:
    from runbook_engine.conditions.patterns import Pattern

INPUTS = "inputs"


class Operator(StrEnum):
    """How two values are compared."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="

    @property
    def flipped(self) -> "Operator":
        """The operator that says the same with the sides exchanged: ``1s < p95`` is ``p95 > 1s``."""
        return _FLIPPED[self]

    @property
    def negated(self) -> "Operator":
        """The operator that says the opposite."""
        return _NEGATED[self]


_FLIPPED = {
    Operator.EQUAL: Operator.EQUAL,
    Operator.UNEQUAL: Operator.UNEQUAL,
    Operator.LESS: Operator.MORE,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.MORE: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
}
_NEGATED = {
    Operator.EQUAL: Operator.UNEQUAL,
    Operator.UNEQUAL: Operator.EQUAL,
    Operator.LESS: Operator.AT_LEAST,
    Operator.AT_MOST: Operator.MORE,
    Operator.MORE: Operator.AT_MOST,
    Operator.AT_LEAST: Operator.LESS,
}


class _Node(Struct, frozen=True, eq=False):
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in _said(self.__struct_fields__)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other  # Struct has one of its own, which counts the place

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in _said(self.__struct_fields__))))


def _said(fields: tuple[str, ...]) -> tuple[str, ...]:
    """All but the place."""
    return fields[:-2]


class Name(_Node, frozen=True, eq=False):
    """``p95`` (scope None: a metric of this step), ``database.used`` (of an earlier step) or ``inputs.slow``."""

    scope: str | None
    name: str
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        return self.name if self.scope is None else f"{self.scope}.{self.name}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and self.name == other.name and self.scope == other.scope

    def __hash__(self) -> int:  # asked for more often than of all other nodes
        return hash((self.scope, self.name))

    @property
    def is_input(self) -> bool:
        return self.scope == INPUTS


class Constant(_Node, frozen=True):
    """A literal: ``value`` in its dimension's base unit, ``text`` as it is written."""

    value: Value
    dimension: Dimension
    text: str
    start: int = 0
    end: int = 0


class Minus(_Node, frozen=True):
    """``-x``. The minus of a literal belongs to the literal."""

    operand: "Expression"
    start: int = 0
    end: int = 0


class Arithmetic(_Node, frozen=True):
    """``operator`` is one of ``+ - * /``."""

    operator: str
    left: "Expression"
    right: "Expression"
    start: int = 0
    end: int = 0


class Comparison(_Node, frozen=True):
    operator: Operator
    left: "Expression"
    right: "Expression"
    start: int = 0
    end: int = 0


class Membership(_Node, frozen=True):
    """``state in ["idle", "active"]``, or ``not in``."""

    subject: "Expression"
    items: tuple["Expression", ...]
    negated: bool
    start: int = 0
    end: int = 0


class Matches(_Node, frozen=True):
    """``path matches "^/api"``: the pattern is found somewhere in the text."""

    subject: "Expression"
    pattern: "Pattern"
    start: int = 0
    end: int = 0


class Contains(_Node, frozen=True):
    """``message contains "timeout"``."""

    subject: "Expression"
    part: "Expression"
    start: int = 0
    end: int = 0


class IsMissing(_Node, frozen=True):
    """``hit_rate is missing``, or ``is not missing``."""

    name: Name
    negated: bool
    start: int = 0
    end: int = 0


class Not(_Node, frozen=True):
    operand: "Expression"
    start: int = 0
    end: int = 0


class And(_Node, frozen=True):
    """Two parts or more, none of them an And."""

    parts: tuple["Expression", ...]
    start: int = 0
    end: int = 0


class Or(_Node, frozen=True):
    """Two parts or more, none of them an Or."""

    parts: tuple["Expression", ...]
    start: int = 0
    end: int = 0


Expression = (
    Name | Constant | Minus | Arithmetic | Comparison | Membership | Matches | Contains | IsMissing | Not | And | Or
)


class Threshold(NamedTuple):
    """``p95 > 1s`` as ``(p95, ">", 1.0)``: the value is in the base unit, and always on the right."""

    name: Name
    operator: Operator
    value: Value


def children(node: Expression) -> tuple[Expression, ...]:
    """The nodes right below, in the order of the text."""
    return _CHILDREN[type(node)](node)


_CHILDREN: Mapping[type[Expression], Callable[[Any], tuple[Expression, ...]]] = {
    Name: lambda _: (),
    Constant: lambda _: (),
    Minus: lambda node: (node.operand,),
    Arithmetic: lambda node: (node.left, node.right),
    Comparison: lambda node: (node.left, node.right),
    Membership: lambda node: (node.subject, *node.items),
    Matches: lambda node: (node.subject,),
    Contains: lambda node: (node.subject, node.part),
    IsMissing: lambda node: (node.name,),
    Not: lambda node: (node.operand,),
    And: lambda node: node.parts,
    Or: lambda node: node.parts,
}


def walk(node: Expression) -> list[Expression]:
    """The node and all below it, in the order of the text."""
    found: list[Expression] = []
    rest = [node]
    while rest:
        node = rest.pop()
        found.append(node)
        below = _CHILDREN[type(node)](node)
        if below:
            rest.extend(below[::-1])
    return found


def names(expression: Expression) -> tuple[Name, ...]:
    """Every name with its place, in the order of the text, as often as it is used; also those under ``is missing``."""
    return tuple(node for node in walk(expression) if isinstance(node, Name))


def renamed(expression: Expression, scope: str) -> Expression:
    """The same said from elsewhere: metrics of this step become those of the step ``scope``."""
    return _with_names(expression, lambda name: replace(name, scope=scope) if name.scope is None else name)


def rescoped(expression: Expression, scopes: Mapping[str, str]) -> Expression:
    """The same with the metrics of some steps taken from others."""
    return _with_names(expression, lambda name: replace(name, scope=scopes.get(name.scope or "", name.scope)))


def _with_names(node: Expression, change: Callable[[Name], Name]) -> Expression:  # noqa: C901 - a table of the kinds of node
    def again(below: Expression) -> Expression:
        return _with_names(below, change)

    match node:
        case Name():
            return change(node)
        case Constant():
            return node
        case Minus() | Not():
            return replace(node, operand=again(node.operand))
        case Arithmetic() | Comparison():
            return replace(node, left=again(node.left), right=again(node.right))
        case Membership():
            return replace(node, subject=again(node.subject), items=tuple(map(again, node.items)))
        case Matches():
            return replace(node, subject=again(node.subject))
        case Contains():
            return replace(node, subject=again(node.subject), part=again(node.part))
        case IsMissing():
            return replace(node, name=change(node.name))
        case And() | Or():
            return replace(node, parts=tuple(map(again, node.parts)))


def told_by(expression: Expression, truth: bool) -> frozenset[Name]:  # noqa: FBT001 - whether it holds or fails
    """The names that have values whenever the condition holds (``truth``), or whenever it fails."""
    match expression:
        case Not():
            return told_by(expression.operand, not truth)
        case And() | Or():
            each = [told_by(part, truth) for part in expression.parts]
            everything = truth is isinstance(expression, And)
            return frozenset().union(*each) if everything else each[0].intersection(*each[1:])
        case IsMissing():
            return frozenset({expression.name}) if truth is expression.negated else frozenset()
    return frozenset(names(expression))


def both(parts: Sequence[Expression]) -> Expression:
    """All of one part or more, as one condition."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def either(parts: Sequence[Expression]) -> Expression:
    """Any of one part or more, as one condition."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def needed(expression: Expression) -> tuple[Name, ...]:
    """The names without whose value the condition may stay undecided, each once: not those only asked for by
    ``is missing``.
    """
    asked = {id(node.name) for node in walk(expression) if isinstance(node, IsMissing)}
    return tuple(dict.fromkeys(name for name in names(expression) if id(name) not in asked))


def thresholds(expression: Expression) -> list[Threshold]:
    """What each name is compared with, where it is compared with a literal; in the order of the text."""
    found = []
    for node in walk(expression):
        match node:
            case Comparison(operator=operator, left=Name() as name, right=Constant(value=value)):
                found.append(Threshold(name, operator, value))
            case Comparison(operator=operator, left=Constant(value=value), right=Name() as name):
                found.append(Threshold(name, operator.flipped, value))
    return found


def is_constant(node: Expression) -> bool:
    """Whether the value is known before anything is measured."""
    return isinstance(node, Constant) or not (isinstance(node, Name) or names(node))


def unparse(expression: Expression) -> str:  # noqa: C901 - a table of the kinds of node
    """The condition as it is best written. Reading it again gives an equal tree."""
    match expression:
        case Name():
            return str(expression)
        case Constant():
            return expression.text
        case Minus(operand=operand):
            return f"-{_inside(operand, UNARY)}"
        case Arithmetic(operator=sign, left=left, right=right):
            level = PRECEDENCE[sign]
            return f"{_inside(left, level)} {sign} {_inside(right, level + 1)}"
        case Comparison(operator=operator, left=left, right=right):
            return f"{_inside(left, SUM)} {operator} {_inside(right, SUM)}"
        case Membership(subject=subject, items=items, negated=negated):
            listed = ", ".join(_inside(item, SUM) for item in items)
            return f"{_inside(subject, SUM)} {'not in' if negated else 'in'} [{listed}]"
        case Matches(subject=subject, pattern=pattern):
            return f"{_inside(subject, SUM)} matches {quoted(pattern.source)}"
        case Contains(subject=subject, part=part):
            return f"{_inside(subject, SUM)} contains {_inside(part, SUM)}"
        case IsMissing(name=name, negated=negated):
            return f"{name} is {'not ' if negated else ''}missing"
        case Not(operand=operand):
            return f"not {_inside(operand, NOT)}"
        case And(parts=parts):
            return " and ".join(_inside(part, NOT) for part in parts)
        case Or(parts=parts):
            return " or ".join(_inside(part, AND) for part in parts)


def quoted(text: str) -> str:
    """A text between the quotes that it does not hold itself. There are no escapes."""
    return f"'{text}'" if '"' in text else f'"{text}"'


OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, ATOM = range(1, 9)
"""How tightly each kind of node binds."""

PRECEDENCE = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}


def binding(node: Expression) -> int:
    """How tightly the node holds its parts together."""
    match node:
        case Or():
            return OR
        case And():
            return AND
        case Not():
            return NOT
        case Comparison() | Membership() | Matches() | Contains() | IsMissing():
            return COMPARE
        case Arithmetic(operator=sign):
            return PRECEDENCE[sign]
        case Minus():
            return UNARY
    return ATOM


def _inside(node: Expression, least: int) -> str:
    text = unparse(node)
    return f"({text})" if binding(node) < least else text
