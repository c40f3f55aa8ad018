"""What makes a well-written condition senseless, found before anything is measured: every mistake in one pass."""

from collections.abc import Callable, Mapping

from runbook_engine.conditions.bounds import out_of_bounds
from runbook_engine.conditions.dimensions import calculated
from runbook_engine.conditions.evaluation import evaluator
from runbook_engine.conditions.phrases import KIND, called, comparable, only_unit, other_unit, spelled
from runbook_engine.conditions.problems import Problem
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
    is_constant,
    unparse,
)
from runbook_engine.quantity import Dimension, MetricType

Resolve = Callable[[Name], MetricType | Problem | None]
"""Gives the type of a name, a Problem where there is no such name, or None where its type cannot be told: then it is
taken on trust."""


def check(expression: Expression, resolve: Resolve) -> list[Problem]:
    """All errors of type, unit and value, in the order of the text."""
    checker = _Checker(resolve)
    checker.condition(expression)
    return sorted(checker.problems, key=lambda problem: (problem.start, problem.end))


_PLAIN: Mapping[Dimension, MetricType] = {dimension: MetricType(dimension) for dimension in Dimension}
_EQUALITY = (Operator.EQUAL, Operator.UNEQUAL)


class _Checker:
    __slots__ = ("_resolve", "problems")

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self.problems: list[Problem] = []

    def _add(self, node: Expression, message: str, hint: str = "", write: str | None = None) -> None:
        self.problems.append(Problem(message, node.start, node.end, hint, write))

    def condition(self, node: Expression) -> None:  # noqa: C901 - a table of the kinds of node
        """A node that must come out true or false."""
        match node:
            case Comparison():
                self._comparison(node)
            case And(parts=parts) | Or(parts=parts):
                for part in parts:
                    self.condition(part)
            case Not(operand=operand):
                self.condition(operand)
            case IsMissing(name=name):
                self._name(name)
            case Membership():
                self._membership(node)
            case Matches() | Contains():
                self._search(node)
            case Name():
                self._bare(node)
            case Constant(dimension=Dimension.BOOL):
                self._add(node, f'"{node.text}" is always {node.text}', "write {else: …} for what happens otherwise")
            case Constant() | Minus() | Arithmetic():
                known = self._value(node)
                if known is not None:
                    self._add(node, f"{called(node)} is {KIND[known.dimension]}, not a condition", "compare it")

    def _bare(self, node: Name) -> None:
        known = self._name(node)
        if known is None or known.dimension is Dimension.BOOL:
            return
        self._add(
            node,
            f"{node} is {KIND[known.dimension]}, not a condition",
            f"compare it: {comparable(str(node), known)}",
        )

    def _name(self, node: Name) -> MetricType | None:
        found = self._resolve(node)
        if isinstance(found, Problem):
            self.problems.append(found)
            return None
        return found

    def _value(self, node: Expression) -> MetricType | None:
        """The type of a node that must have a value; None where it cannot be told, or where that was said already."""
        match node:
            case Constant():
                return _PLAIN[node.dimension]
            case Name():
                return self._name(node)
            case Arithmetic():
                return self._arithmetic(node)
            case Minus(operand=operand):
                known = self._value(operand)
                if known is None:
                    return None
                if not known.dimension.is_numeric:
                    self._add(node, f"{called(operand)} is {KIND[known.dimension]}, which has no negative")
                    return None
                return _PLAIN[known.dimension]
        self.condition(node)
        self._add(node, f"({unparse(node)}) is a condition, not a value", "join conditions with and, or, not")
        return None

    def _arithmetic(self, node: Arithmetic) -> MetricType | None:
        left, right = self._value(node.left), self._value(node.right)
        if node.operator == "/" and is_constant(node.right) and right is not None and right.dimension.is_numeric:
            value = evaluator(node.right)(_nothing)
            if value == 0:
                self._add(node.right, f"{called(node)} divides by zero")
                return None
        if left is None or right is None:
            return None
        dimension = calculated(node.operator, left.dimension, right.dimension)
        if dimension is None:
            self._meaningless(node, left.dimension, right.dimension)
            return None
        return _PLAIN[dimension]

    def _meaningless(self, node: Arithmetic, left: Dimension, right: Dimension) -> None:
        kinds = f"{called(node.left)} is {KIND[left]} and {called(node.right)} {KIND[right]}"
        hint = ""
        match node.operator:
            case "+" | "-":
                doing = "added to" if node.operator == "+" else "subtracted from"
                message = f"{kinds}: only like can be {doing} like"
                if left is Dimension.NUMBER or right is Dimension.NUMBER:
                    hint = _unit_hint(node.left, node.right, left, right)
            case "*":
                message = f"{kinds}: one of two factors must be a number"
                share = next(
                    (
                        each
                        for each in (node.left, node.right)
                        if isinstance(each, Constant) and each.text.endswith("%")
                    ),
                    None,
                )
                if share is not None:
                    hint = f"write {spelled(share, Dimension.NUMBER)} for {share.text}"
            case _:
                message = f"{kinds}: a divisor must be a number, or of the same kind"
        if not (left.is_numeric and right.is_numeric):
            message = f"{kinds}: only numbers and quantities can be calculated with"
        self._add(node, message, hint)

    def _comparison(self, node: Comparison) -> None:
        left = self._value(node.left)
        right = self._unquoted(node.right, left) or self._value(node.right)
        if left is None or right is None:
            return
        if left.dimension is not right.dimension:
            self._unlike(node, left, right)
            return
        if not left.dimension.is_numeric and node.operator not in _EQUALITY:
            self._no_order(node, left.dimension)
        elif is_constant(node.left) and is_constant(node.right):
            self._settled(node)
        elif node.left == node.right:
            self._add(node, f"{called(node.left)} is compared with itself", "compare it with a threshold")
        elif isinstance(node.right, Constant):
            self._against(node.left, node.operator, node.right, left)
        elif isinstance(node.left, Constant):
            self._against(node.right, node.operator.flipped, node.left, right)

    def _unquoted(self, node: Expression, known: MetricType | None) -> MetricType | None:
        """``state == idle``: a member of an enum that lacks its quotes, taken for what it was meant to be."""
        if known is None or not isinstance(node, Name) or node.scope is not None or node.name not in known.members:
            return None
        if not isinstance(self._resolve(node), Problem):
            return None
        message = f"{node} is no metric of this step, and a text stands in quotes"
        self._add(node, message, f'write "{node}"', f'"{node}"')
        return known

    def _unlike(self, node: Comparison, left: MetricType, right: MetricType) -> None:
        for one, other, known, kind in (
            (node.left, node.right, left, right.dimension),
            (node.right, node.left, right, left.dimension),
        ):
            if isinstance(other, Constant) and not isinstance(one, Constant):
                message, hint = other_unit(called(one), known, other, ratio=isinstance(one, Arithmetic))
                self._add(other, message, hint, only_unit(other, known))
                return
            if isinstance(other, Name) and other.is_input and not is_constant(one):
                hint = f"give the input {other.name} the type {known.dimension}"
                self._add(node, f"{called(one)} is {KIND[known.dimension]} and {other} {KIND[kind]}", hint)
                return
        kinds = f"{called(node.left)} is {KIND[left.dimension]} and {called(node.right)} {KIND[right.dimension]}"
        self._add(node, f"{kinds}: only like can be compared with like")

    def _no_order(self, node: Comparison, dimension: Dimension) -> None:
        what = "texts have" if dimension is Dimension.TEXT else "true and false have"
        left, right = unparse(node.left), unparse(node.right)
        hint = f"write {left} == {right}" + (f", or {left} in [{right}, …]" if dimension is Dimension.TEXT else "")
        self._add(node, f"{what} no order", hint)

    def _settled(self, node: Expression) -> None:
        """Nothing in it is measured."""
        value = evaluator(node)(_nothing)
        if value is not None:
            outcome = "true" if value else "false"
            self._add(node, f"{unparse(node)} is always {outcome}: nothing in it is measured", "compare a metric")

    def _against(self, subject: Expression, operator: Operator, constant: Constant, known: MetricType) -> None:
        """A name against a literal: can the name ever be that?"""
        if isinstance(subject, Name):
            complaint = out_of_bounds(str(subject), operator, constant, known)
            if complaint is not None:
                self._add(constant, *complaint)

    def _membership(self, node: Membership) -> None:
        known = self._value(node.subject)
        if is_constant(node):
            self._settled(node)
            return
        for item in node.items:
            found = self._unquoted(item, known) or self._value(item)
            if known is None or found is None:
                continue
            if found.dimension is known.dimension:
                if isinstance(item, Constant):
                    self._against(node.subject, Operator.EQUAL, item, known)
            elif isinstance(item, Constant):
                self._add(item, *other_unit(called(node.subject), known, item, ratio=False), only_unit(item, known))
            else:
                kinds = f"{called(node.subject)} is {KIND[known.dimension]} and {called(item)} {KIND[found.dimension]}"
                self._add(item, f"{kinds}: only like can be compared with like")

    def _search(self, node: Matches | Contains) -> None:
        operands = [node.subject] if isinstance(node, Matches) else [node.subject, node.part]
        word = "matches" if isinstance(node, Matches) else "contains"
        texts = True
        for operand in operands:
            known = self._value(operand)
            if known is None:
                texts = False
            elif known.dimension is not Dimension.TEXT:
                texts = False
                self._add(operand, f'"{word}" is for texts, and {called(operand)} is {KIND[known.dimension]}')
        if texts and is_constant(node):
            self._settled(node)
        elif isinstance(node, Contains) and isinstance(node.part, Constant) and node.part.value == "":
            self._add(node.part, "every text contains the empty text", "write is not missing")


def _unit_hint(left: Expression, right: Expression, one: Dimension, other: Dimension) -> str:
    """The literal of the two that lacks a unit, with one."""
    if isinstance(left, Constant) and one is Dimension.NUMBER:
        return f"write {spelled(left, other)}"
    if isinstance(right, Constant) and other is Dimension.NUMBER:
        return f"write {spelled(right, one)}"
    return ""


def _nothing(_name: Name) -> None:
    return None
