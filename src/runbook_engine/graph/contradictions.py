"""Thresholds of a runbook held against the policy of metrics: one metric, one line between good and bad."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from runbook_engine.conditions import And, Comparison, Constant, Expression, Name, Operator, Or
from runbook_engine.document import DiagnosticLevel
from runbook_engine.document.models import Input, ProbeStep, Runbook
from runbook_engine.document.policy import Policy, PolicyMetric, Threshold
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan, PlannedStep, Way
from runbook_engine.graph.scope import INPUTS, input_type
from runbook_engine.ids import FindingId
from runbook_engine.quantity import parse, show

_ABOVE = (Operator.MORE, Operator.AT_LEAST)
_BELOW = (Operator.LESS, Operator.AT_MOST)


class _Limit(Struct, frozen=True):
    """What a condition compares the metric with."""

    side: str
    value: float
    place: Expression


def check_contradictions(plan: Plan, policies: Sequence[Policy], mistakes: Mistakes) -> None:
    """Warn where a finding of some level is raised at another value than the policy's threshold of that level.

    Inputs are compared by their defaults. A step measures what the policy does where the probe and the metric are the
    same, and all parameters that the policy writes out.
    """
    judged = [(policy, metric) for policy in policies for metric in policy.metrics.values()]
    for step in plan.steps.values():
        if isinstance(step.model, ProbeStep):
            for policy, metric in judged:
                if _measures(step.model, metric):
                    for way in step.ways:
                        _check(plan.runbook, step, way, (policy, metric), mistakes)


def _measures(step: ProbeStep, metric: PolicyMetric) -> bool:
    written = {key: value for key, value in metric.params.items() if not (isinstance(value, str) and "{{" in value)}
    return step.probe == metric.probe and all(step.params.get(key) == value for key, value in written.items())


def _check(runbook: Runbook, step: PlannedStep, way: Way, of: tuple[Policy, PolicyMetric], mistakes: Mistakes) -> None:
    policy, metric = of
    finding = runbook.findings.get(FindingId(way.finding)) if way.finding else None
    known = step.types.get(metric.metric)
    if way.expression is None or finding is None or known is None:
        return
    for limit in _limits(way.expression, metric.metric, runbook.inputs):
        threshold = next((each for each in metric.thresholds if each.level == finding.level), None)
        line = _line(threshold, policy.inputs) if threshold is not None else None
        if threshold is None or line is None or threshold.side != limit.side or line == limit.value:
            continue
        shown, told = show(line, known.dimension), show(limit.value, known.dimension)
        mistakes.add(
            "RB218",
            f'"{way.finding}" is a {finding.level} finding from {told} on, but the policy of metrics calls '
            f"{metric.title} {finding.level} from {shown} on",
            ("steps", step.id, *way.place, "when"),
            within=(limit.place.start, limit.place.end),
            help=f"agree on one value, here or in the policy {policy.title!r}",
            level=DiagnosticLevel.WARNING,
        )


def _limits(expression: Expression, metric: str, inputs: Mapping[str, Input]) -> Iterator[_Limit]:
    """What the metric of this step is compared with, where the comparison decides: not below a not."""
    match expression:
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _limits(part, metric, inputs)
        case Comparison(operator=operator, left=left, right=right):
            if isinstance(right, Name) and right.scope is None:
                operator, left, right = operator.flipped, right, left
            if isinstance(left, Name) and left.scope is None and left.name == metric:
                value = _value(right, inputs)
                side = "above" if operator in _ABOVE else "below" if operator in _BELOW else ""
                if value is not None and side:
                    yield _Limit(side, value, expression)


def _value(expression: Expression, inputs: Mapping[str, Input]) -> float | None:
    if isinstance(expression, Constant) and isinstance(expression.value, int | float):
        return float(expression.value)
    if isinstance(expression, Name) and expression.scope == INPUTS and expression.name in inputs:
        return _default(inputs[expression.name])
    return None


def _line(threshold: Threshold, inputs: Mapping[str, Input]) -> float | None:
    limit = threshold.limit
    if isinstance(limit, str) and limit.startswith(f"{INPUTS}."):
        name = limit.removeprefix(f"{INPUTS}.")
        return _default(inputs[name]) if name in inputs else None
    return _number(limit)


def _default(spec: Input) -> float | None:
    return _number(spec.default) if input_type(spec).dimension.is_numeric else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return parse(str(value))[0]
    except ValueError:
        return None
