"""What a picture of a runbook shows of a run."""

from runbook_engine.engine.trace import Trace
from runbook_engine.graph.drawing import Overlay
from runbook_engine.quantity import Dimension, show


def overlay_of(trace: Trace, scope: str = "") -> Overlay:
    """The run of the runbook in ``scope``: empty for the one that was asked for, else its calling steps joined by ``/``."""
    steps = [step for step in trace.steps.values() if step.scope == scope]
    status = trace.statuses()
    return Overlay(
        status={
            step.id: found.value.replace("_", " ") for step in steps if (found := status[scope, step.id]) is not None
        },
        taken={step.id: step.branch for step in steps if step.branch is not None},
        why={step.id: step.why for step in steps if step.why},
        note={step.id: show(step.duration, Dimension.DURATION) for step in steps if step.duration is not None},
    )
