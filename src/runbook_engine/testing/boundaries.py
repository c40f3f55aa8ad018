"""The values beside each threshold of a runbook: just below it, at it, just above it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

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
    unparse,
)
from runbook_engine.conditions.tree import walk
from runbook_engine.engine.inputs import read_value
from runbook_engine.errors import InputsError
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.graph.scope import INPUTS
from runbook_engine.ids import StepId
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.testing.mutating import constant_of, type_of
from runbook_engine.testing.resolution import resolution, shifted

Where = Literal["below", "at", "above"]
_WHERE: Mapping[Where, int] = {"below": -1, "at": 0, "above": 1}


class Boundary(Struct, frozen=True):
    """A value beside a threshold, as facts about the readings of a step. ``ways`` are the branches that may win there.

    ``pinned`` is the input whose default the threshold is: another value of it would be another threshold.
    """

    step: StepId
    name: str
    title: str
    facts: tuple[Expression, ...]
    ways: tuple[int, ...]
    pinned: str = ""


def boundaries(plan: Plan) -> Iterator[Boundary]:
    """Three for each threshold, in the order of the document; fewer where a metric cannot have such a value."""
    for step in plan.steps.values():
        before: list[Expression] = []
        for index, way in enumerate(step.ways):
            if way.expression is None:
                break
            for node in walk(way.expression):
                if isinstance(node, Comparison):
                    rest = _rest(way.expression, node)
                    if rest is not None:
                        ways = tuple(range(index, len(step.ways)))
                        yield from _beside(plan, step, node, (*before, *rest), ways)
            before.append(Not(way.expression))


def _rest(expression: Expression, node: Expression) -> tuple[Expression, ...] | None:
    """What the rest of a condition has to say so that all depends on this node; None where the node is not in it."""
    if expression is node:
        return ()
    match expression:
        case And() | Or():
            for part in expression.parts:
                inner = _rest(part, node)
                if inner is not None:
                    others = [each for each in expression.parts if each is not part]
                    return (*inner, *(others if isinstance(expression, And) else map(Not, others)))
        case Not():
            return _rest(expression.operand, node)
    return None


def _beside(
    plan: Plan, step: PlannedStep, node: Comparison, facts: Sequence[Expression], ways: tuple[int, ...]
) -> Iterator[Boundary]:
    measured, threshold = node.left, node.right
    if not _measures(measured):
        measured, threshold = threshold, measured
    known = [each for name in names(measured) if (each := type_of(name, plan, step.id)) is not None]
    if not _measures(measured) or not known or not known[0].dimension.is_numeric:
        return
    integer = all(each.integer for each in known)
    value, pinned = _value(threshold, plan)
    for where, steps in _WHERE.items():
        if value is not None and isinstance(measured, Name):
            integer = known[0].integer
            beside = shifted(value, known[0].dimension, steps, integer=integer)
            if not _may_be(beside, known[0]):
                continue
            other: Expression = constant_of(beside, known[0].dimension, integer=integer)
        else:
            other = _away(threshold, known[0].dimension, steps, integer=integer)
        fact = Comparison(Operator.EQUAL, measured, other)
        whole = (
            Comparison(Operator.EQUAL, each, Constant(1000.0, Dimension.NUMBER, "1000")) for each in _divisors(measured)
        )
        told = unparse(threshold)
        slug = re.sub(r"\W+", "_", f"{step.id}_{unparse(measured)}_{where}_{told.removeprefix('inputs.')}".lower())
        just = "at" if where == "at" else f"just {where}"
        title = f"{step.id}: {unparse(measured)} {just} {told}"
        yield Boundary(step.id, slug[:60].strip("_"), title, (*facts, *whole, fact), ways, pinned)


def _divisors(node: Expression) -> Iterator[Expression]:
    """What is divided by, which is a round number in an example: 51 of 1,000 are 5.1 %."""
    for each in walk(node):
        if isinstance(each, Arithmetic) and each.operator == "/" and names(each.right):
            yield each.right


def _measures(node: Expression) -> bool:
    return any(name.scope != INPUTS for name in names(node))


def _value(threshold: Expression, plan: Plan) -> tuple[float | None, str]:
    """The value of a literal, or of an input's default with its name."""
    match threshold:
        case Constant(value=bool()) | Constant(value=str()):
            return None, ""
        case Constant():
            return float(threshold.value), ""
        case Name(scope="inputs", name=name):
            spec = plan.runbook.inputs[name]
            try:
                value = read_value(spec, spec.default, name=name).value if spec.default is not None else None
            except InputsError:
                value = None
            return (float(value), name) if isinstance(value, int | float) else (None, "")
    return None, ""


def _away(threshold: Expression, dimension: Dimension, steps: int, *, integer: bool) -> Expression:
    """What lies one step from a value that is measured, too."""
    if steps == 0:
        return threshold
    step = constant_of(resolution(dimension, 1.0, integer=integer), dimension, integer=integer)
    return Arithmetic("+" if steps > 0 else "-", threshold, step)


def _may_be(value: float, known: MetricType) -> bool:
    return (known.lower is None or value >= known.lower) and (known.upper is None or value <= known.upper)
