"""Where each input of a run would get its value, and what else would have given it one. Nothing is run for it."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.document.models import CallStep, Input
from runbook_engine.engine.border import Border
from runbook_engine.engine.inputs import NOT_GIVEN, Around, Giver, givers, ways_to_set
from runbook_engine.graph.plan import Plan

MISSING = "missing"
UNREADABLE = "unreadable"
BY_THE_CALL = "set by the call"


class Explained(Struct, frozen=True):
    """One input. ``value`` is for people, secrets masked; ``otherwise`` are those which would give it after the source that
    counts, each with its value, in order. ``runbook`` is the called one that has it and its caller has not.
    """

    name: str
    value: str
    source: str
    otherwise: tuple[tuple[str, str], ...] = ()
    runbook: str = ""


def explain(plan: Plan, around: Around) -> tuple[Explained, ...]:
    """The inputs of a plan, then those which only the runbooks that it calls have. Raises nothing: what is missing or cannot
    be read says so.
    """
    border = Border()
    border.learn_environment(around.environ)
    found = [_one(name, spec, around, border) for name, spec in plan.runbook.inputs.items()]
    below = Around({}, around.environ, {}, "", around.environment)
    for called, child in plan.plans.items():
        given = _given_by_calls(plan.plans.values(), called)
        for name, spec in child.runbook.inputs.items():
            if name in plan.runbook.inputs:
                continue
            row = _one(name, spec, below, border)
            if name in given:
                own = () if row.source in (MISSING, NOT_GIVEN) else ((row.source, row.value),)
                otherwise = (*own, *row.otherwise)
                row = Explained(name, BY_THE_CALL, f"step {given[name]}", otherwise)
            found.append(replace(row, runbook=called))
    return tuple(found)


def _one(name: str, spec: Input, around: Around, border: Border) -> Explained:
    sources = [(each.source, _shown(each, name, spec, border)) for each in givers(name, spec, around)]
    unset = around.unset(name)
    (source, value), *rest = sources or [(MISSING, ways_to_set(name, spec, unset))]
    if around.environment is not None and unset:
        rest.append((around.environment.source, f"${unset}, which is not set"))
        if spec.env and around.environ.get(spec.env):
            rest.append((f"variable {spec.env}", "does not count, because the environment names another"))
    return Explained(name, value, source, tuple(each for each in rest if each[0] != NOT_GIVEN))


def _shown(giver: Giver, name: str, spec: Input, border: Border) -> str:
    try:
        resolved = giver.resolved(name, spec)
    except ValueError as error:
        return border.text(f"{UNREADABLE}: {error}")
    border.learn(*resolved.secrets)
    return border.text(resolved.shown().shown)


def _given_by_calls(plans: Iterable[Plan], called: str) -> Mapping[str, str]:
    """The inputs of a called runbook which steps give it, and the first step that does."""
    found: dict[str, str] = {}
    for plan in plans:
        for step in plan.steps.values():
            if isinstance(step.model, CallStep) and step.model.call == called:
                for name in step.model.params:
                    found.setdefault(name, step.id)
    return found
