"""How a call ended, told to the step that called."""

from collections.abc import Mapping
from types import MappingProxyType

from runbook_engine.engine.events import Outcome, StepStatus
from runbook_engine.graph.plan import PlannedStep
from runbook_engine.quantity import Value, counted

_STATUS: Mapping[Value | None, StepStatus] = MappingProxyType(
    {
        Outcome.CRITICAL: StepStatus.FLAGGED,
        Outcome.WARNING: StepStatus.FLAGGED,
        Outcome.INCONCLUSIVE: StepStatus.BLIND,
    }
)


def called_status(step: PlannedStep, metrics: Mapping[str, Value | None]) -> StepStatus:
    """Of a step that raises nothing itself: a call is as well as the runbook that it called."""
    return _STATUS.get(metrics.get("outcome"), StepStatus.PASSED) if step.child is not None else StepStatus.PASSED


def ended(runbook: str, metrics: Mapping[str, Value | None]) -> str:
    """How a called runbook ended, by what its call measured: ``redis-cache is critical: 1 finding, 2 blind spots``."""
    counts = ((metrics.get("findings"), "finding"), (metrics.get("blind_spots"), "blind spot"))
    told = ", ".join(counted(number, word) for number, word in counts if number)
    return f"{runbook} is {metrics.get('outcome')}{f': {told}' if told else ''}"
