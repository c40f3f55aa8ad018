"""What a test leaves open: values that a live run would have, and that nothing in the test may depend on."""

from runbook_engine.conditions import Name
from runbook_engine.document.models import Input, InputType
from runbook_engine.engine.given_values import NOT_GIVEN
from runbook_engine.engine.inputs import Resolved
from runbook_engine.engine.judgement import Reading, ScopeRun
from runbook_engine.graph.plan import Filling, PlannedStep
from runbook_engine.graph.scope import ERROR, INPUTS, input_type
from runbook_engine.ids import StepId
from runbook_engine.secret import Secret
from runbook_engine.templates import Filled, Lookup, Template

STAND_IN = "stand-in of the test"
"""The source of an input that nothing gives a value to. It may go into parameters, and no condition may read it."""


def stand_in(name: str, spec: Input) -> Resolved:
    """An input of which nobody knows the value. It shows itself as ``<name>``."""
    if spec.type is InputType.SECRET:
        return Resolved(Filled(Secret("", f"${spec.env or name.upper()}")), STAND_IN)
    return Resolved(Filled(f"<{name}>", input_type(spec).dimension), STAND_IN)


def left_open(run: ScopeRun, step: StepId, metric: str) -> bool:
    """Whether the test does not say what can only be known: a metric that is never missing."""
    result = run.results.get(step)
    if not isinstance(result, Reading) or result.missing.get(metric) != NOT_GIVEN:
        return False
    return metric in result.types and not result.types[metric].optional


def filling(run: ScopeRun, step: PlannedStep) -> Lookup:
    """Names as the parameters of a step see them. What is left open goes in as ``<step.metric>``."""
    known = run.filled(step.id)

    def look_up(name: Name) -> Filled:
        filled = known(name)
        if filled.value is None and name.scope is not None and left_open(run, StepId(name.scope), name.name):
            return Filled(f"<{name.scope}.{name.name}>")
        return filled

    return look_up


def is_open(filling: Filling, run: ScopeRun) -> bool:
    """Whether a value of a call depends on something that the test leaves open."""
    match filling:
        case Template():
            return any(
                run.inputs[name.name].source == STAND_IN
                if name.scope == INPUTS and name.name in run.inputs
                else name.scope not in (None, ERROR) and left_open(run, StepId(name.scope), name.name)
                for name in filling.names
            )
        case dict():
            return any(is_open(each, run) for each in filling.values())
        case list():
            return any(is_open(each, run) for each in filling)
    return False
