"""A trace -> the table of a triage."""

from runbook_engine.conditions import Constant
from runbook_engine.document.models import Level
from runbook_engine.engine.events import Ending, StepStatus
from runbook_engine.engine.trace import StepTrace, Trace
from runbook_engine.graph.judged import JudgedMetric, Limit, judged_metrics
from runbook_engine.hostile import cut, one_line
from runbook_engine.quantity import BASE_UNIT, Dimension, show
from runbook_engine.report.model import JudgedPart

_MOST_TEXT = 4_200
_NOT_REACHED = {
    Ending.DEADLINE: "not measured: the run's own deadline passed first",
    Ending.INTERRUPTED: "not measured: the run was interrupted",
}


def judged(trace: Trace) -> tuple[JudgedPart, ...]:
    """A row for each metric; nothing for a run that is no triage."""
    return tuple(_row(each, trace) for each in judged_metrics(trace.document))


def _row(metric: JudgedMetric, trace: Trace) -> JudgedPart:
    step = trace.step(metric.step)
    passed = _passed(metric, step, trace)
    level = passed.level.value if passed else "ok" if step.status is StepStatus.PASSED else "unknown"
    value = step.metrics.get(metric.metric)
    known = step.dimensions.get(metric.metric)
    dimension = next((each for each in Dimension if each == known), Dimension.NUMBER)
    why, remedy = step.why, ""
    if level == "unknown":
        why, remedy = _unseen(metric, trace)
    return JudgedPart(
        metric=metric.metric,
        title=_line(metric.title),
        value=value,
        unit=BASE_UNIT[dimension] if value is not None else "",
        shown=_line(show(value, dimension)) if value is not None else "",
        level=level,  # type: ignore[arg-type]  # Level's values are among the four
        threshold=_threshold(passed or metric.limits[0], trace),
        action=_line(passed.action) if passed else "",
        runbook=metric.runbook,
        step=metric.step,
        why=_line(why),
        remedy=_line(remedy),
    )


def _passed(metric: JudgedMetric, step: StepTrace, trace: Trace) -> Limit | None:
    raised = next((each.level for each in trace.findings if (each.scope, each.step) == ("", step.id)), None)
    return next((each for each in metric.limits if raised is not None and each.level is Level(raised)), None)


def _unseen(metric: JudgedMetric, trace: Trace) -> tuple[str, str]:
    for each in trace.blind_spots:
        if (each.scope, each.step) == ("", metric.step):
            return f"{each.kind}: {each.message}", each.remedy
    return _NOT_REACHED.get(trace.ending, "not measured"), ""


def _threshold(limit: Limit, trace: Trace) -> str:
    """``> 500 ms``."""
    bound = limit.bound
    if isinstance(bound, Constant):
        shown = show(bound.value, bound.dimension)
    else:
        known = trace.inputs.get(bound.name)
        shown = known.shown if known else str(bound)
    return _line(f"{limit.operator} {shown}")


def _line(text: str) -> str:
    return cut(one_line(text), _MOST_TEXT)
