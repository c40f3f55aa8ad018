"""Thresholds beyond what a step reads: what is cut there is missing, so that it is never known to be more."""

from collections.abc import Iterator
from typing import Annotated, Any, cast

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from runbook_engine.conditions import Comparison, Constant, Expression, Name, Operator
from runbook_engine.conditions.tree import Membership, children
from runbook_engine.document.models import Input, ProbeStep
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan, PlannedStep, Way
from runbook_engine.graph.scope import INPUTS
from runbook_engine.ids import StepId
from runbook_engine.probe.cutting import greatest
from runbook_engine.quantity import MetricType, parse, show

_AT_THE_LIMIT = frozenset({Operator.MORE, Operator.AT_MOST})
"""Comparisons with the limit itself whose answer lies beyond it."""


class _Limit(Struct, frozen=True):
    """``metric`` of a step is known up to ``most``, the value of ``parameter``, which may be ``greatest``."""

    step: StepId
    metric: str
    parameter: str
    most: float
    greatest: float | None
    known: MetricType


def check_limits(plan: Plan, mistakes: Mistakes) -> None:
    """Refuse thresholds that a metric is not known beyond. Inputs are compared by their defaults."""
    limits = {(each.step, each.metric): each for step in plan.steps.values() for each in _limits(step)}
    if not limits:
        return
    for step in plan.steps.values():
        for way in step.ways:
            if way.expression is not None:
                _check(step, way, way.expression, limits, plan, mistakes)


def _check(
    step: PlannedStep,
    way: Way,
    expression: Expression,
    limits: dict[tuple[StepId, str], _Limit],
    plan: Plan,
    mistakes: Mistakes,
) -> None:
    for name, operator, bound in _compared(expression):
        limit = limits.get((step.id if name.scope is None else StepId(name.scope), name.name))
        value = _value(bound, plan.runbook.inputs)
        if limit is None or value is None:
            continue
        if value < limit.most or (value == limit.most and operator not in _AT_THE_LIMIT):
            continue
        most = show(limit.most, limit.known.dimension)
        mistakes.add(
            "RB311",
            f'{name} is known up to {most} ({limit.parameter} of step "{limit.step}") and missing beyond, so that it is '
            f"never known to pass {bound.text if isinstance(bound, Constant) else bound}",
            ("steps", step.id, *way.place, "when"),
            within=(bound.start, bound.end),
            help=_cure(limit, value),
        )


def _cure(limit: _Limit, value: float) -> str:
    if limit.greatest is not None and value >= limit.greatest:
        bound = show(limit.greatest, limit.known.dimension)
        return f"{limit.parameter} may be {bound} at most: let what is asked count by itself, or ask for less"
    return f'raise {limit.parameter} of step "{limit.step}" above {show(value, limit.known.dimension)}'


def _limits(step: PlannedStep) -> Iterator[_Limit]:
    if step.probe is None or not isinstance(step.model, ProbeStep):
        return
    for metric, parameter in step.probe.reading.PARTIAL.items():
        known = step.types.get(metric)
        if not parameter or known is None or not known.dimension.is_numeric or metric in step.model.extract:
            continue
        most = _given(step.model.params.get(parameter), step.probe.params.model_fields[parameter])
        if most is not None:
            yield _Limit(step.id, metric, parameter, most, greatest(step.probe.params, parameter), known)


def _given(written: object, declared: FieldInfo) -> float | None:
    """The parameter's value in the base unit; None for one that is filled in only when the runbook runs."""
    if written is None:
        value: object = declared.get_default()
    elif isinstance(written, str) and "{{" in written:
        return None
    else:
        try:
            value = TypeAdapter[object](
                cast("Any", Annotated)[declared.annotation, "", *declared.metadata]
            ).validate_python(written)
        except ValidationError:
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _compared(node: Expression) -> Iterator[tuple[Name, Operator, Constant | Name]]:
    """What is compared with a threshold, as ``metric operator threshold``."""
    match node:
        case Comparison(operator=operator, left=Name() as left, right=Constant() | Name() as right):
            yield left, operator, right
            if isinstance(right, Name):
                yield right, operator.flipped, left
        case Comparison(operator=operator, left=Constant() as left, right=Name() as right):
            yield right, operator.flipped, left
        case Membership(subject=Name() as subject, items=items):
            yield from ((subject, Operator.EQUAL, each) for each in items if isinstance(each, Constant | Name))
        case _:
            for child in children(node):
                yield from _compared(child)


def _value(bound: Constant | Name, inputs: dict[str, Input]) -> float | None:
    found: object = bound.value if isinstance(bound, Constant) else None
    if isinstance(bound, Name) and bound.scope == INPUTS and bound.name in inputs:
        found = inputs[bound.name].default
        if isinstance(found, str):
            try:
                found = parse(found)[0]
            except ValueError:
                return None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None
