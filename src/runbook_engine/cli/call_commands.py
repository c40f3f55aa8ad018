"""The command that runs a called runbook alone, with the values that its caller would hand down."""

from collections.abc import Iterator

from runbook_engine.cli.stand_ins import StandIns
from runbook_engine.document.models import Input
from runbook_engine.engine.measure import fill
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.graph.scope import INPUTS
from runbook_engine.pasteable import pasteable
from runbook_engine.quantity import BASE_UNIT, Dimension, Value
from runbook_engine.secret import Secret
from runbook_engine.templates import Hole, Template


def call_command(plan: Plan, step: PlannedStep, child: Plan, stand_ins: StandIns) -> str:
    """``runbook run redis-cache -s redis_url="$CACHE_URL"``. What the called runbook would take by itself is left out."""
    given = (f" -s {name}={value}" for name, value in _given(plan, step, child, stand_ins))
    return f"{pasteable('runbook', 'run', child.runbook.runbook)}{''.join(given)}"


def _given(plan: Plan, step: PlannedStep, child: Plan, stand_ins: StandIns) -> Iterator[tuple[str, str]]:
    for name, spec in child.runbook.inputs.items():
        source = _source(step, name)
        handed = plan.runbook.inputs.get(source) if source is not None else None
        if source is not None and handed is not None:
            text = _handed_down(source, handed, spec, same=source == name)
            if text is not None:
                yield name, text
        elif name in step.filling:
            value = fill({name: step.filling[name]}, stand_ins.look_up)[name]
            yield name, stand_ins.filled_in(_written(value, child.input_types[name].dimension))


def _source(step: PlannedStep, name: str) -> str | None:
    """The caller's input that gives this one its value as it is: by a bare template, or by having the same name."""
    if name not in step.filling:
        return name
    match step.filling[name]:
        case Template(parts=(Hole(name=found, filters=(), default=None),)) if found.scope == INPUTS:
            return found.name
    return None


def _handed_down(source: str, handed: Input, own: Input, *, same: bool) -> str | None:
    if handed.default is not None:
        return None if handed.default == own.default else pasteable(handed.default)
    if handed.env == own.env and (same or handed.env):
        return None
    return f'"${handed.env or source.upper()}"'


def _written(value: Value | Secret | None, dimension: Dimension) -> str:
    if isinstance(value, Secret):
        return pasteable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{repr(value).removesuffix('.0')}{BASE_UNIT[dimension]}"
    return pasteable(value or "")
