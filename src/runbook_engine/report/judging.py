"""A trace -> the table of a triage."""

from runbook_engine.conditions import Constant
from runbook_engine.document.models import Level
from runbook_engine.engine.events import Ending, FindingRaised, StepStatus
from runbook_engine.engine.trace import Trace
from runbook_engine.graph.judged import JudgedFault, JudgedMetric, Limit, fault_title, judged_metrics
from runbook_engine.graph.scope import input_type
from runbook_engine.hostile import cut, one_line
from runbook_engine.quantity import BASE_UNIT, Dimension, prose
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
    raised = next((each for each in trace.findings if (each.scope, each.step) == ("", step.id)), None)
    passed = _passed(metric, raised)
    level = passed.level.value if passed else "ok" if step.status is StepStatus.PASSED else "unknown"
    value = step.metrics.get(metric.metric)
    known = step.dimensions.get(metric.metric)
    dimension = next((each for each in Dimension if each == known), Dimension.NUMBER)
    why, remedy = step.why, ""
    if step.status is StepStatus.NOT_ASKED:
        level = "not asked"
    elif level == "unknown":
        why, remedy = _unseen(metric, trace)
    return JudgedPart(
        metric=metric.metric,
        title=_line(metric.title),
        value=value,
        unit=BASE_UNIT[dimension] if value is not None else "",
        shown=_line(prose(value, dimension)) if value is not None else "",
        level=level,  # type: ignore[arg-type]  # Level's values are among the five
        threshold=_line(raised.title.removeprefix(fault_title(metric.title, "")))
        if isinstance(passed, JudgedFault) and raised is not None
        else _threshold(passed if isinstance(passed, Limit) else metric.limits[0], trace),
        sentence=_line(raised.title) if raised else "",
        action=_line(passed.action) if passed else "",
        runbook=metric.runbook,
        step=metric.step,
        why=_line(why),
        remedy=_line(remedy),
    )


def _passed(metric: JudgedMetric, raised: FindingRaised | None) -> Limit | JudgedFault | None:
    if raised is None:
        return None
    fault = next((each for each in metric.faults if each.finding == raised.finding), None)
    return fault or next((each for each in metric.limits if each.level is Level(raised.level)), None)


def _unseen(metric: JudgedMetric, trace: Trace) -> tuple[str, str]:
    for each in trace.blind_spots:
        if (each.scope, each.step) == ("", metric.step):
            return f"{each.kind}: {each.message}", each.remedy
    return _NOT_REACHED.get(trace.ending, "not measured"), ""


def _threshold(limit: Limit, trace: Trace) -> str:
    """``> 500 ms``."""
    bound = limit.bound
    if isinstance(bound, Constant):
        return _line(f"{limit.operator} {prose(bound.value, bound.dimension)}")
    given, spec = trace.inputs.get(bound.name), trace.document.inputs.get(bound.name)
    if given is None or spec is None:
        return _line(f"{limit.operator} {bound}")
    return _line(f"{limit.operator} {prose(given.value, input_type(spec).dimension)}")


def _line(text: str) -> str:
    return cut(one_line(text), _MOST_TEXT)
