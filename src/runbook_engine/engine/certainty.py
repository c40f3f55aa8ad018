"""What it would take to decide a condition that was sampled too little."""

from collections.abc import Iterable, Iterator

from runbook_engine.conditions import Comparison, Expression, Lookup, Name, children, compile  # noqa: A004 - as in re.compile
from runbook_engine.engine.events import Failure
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.ids import StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.sampled import Sampled, enough

MOST_ADVISED = 100_000
"""Nobody takes more samples than that for one decision."""


def uncertain(
    step: PlannedStep, when: str, told: str, open_: Iterable[Expression], look_up: Lookup, plan: Plan
) -> Failure:
    """The blind spot of the condition ``when``: why it is undecided, as ``told``, and how many samples would decide it."""
    cures = dict.fromkeys(cure for each in open_ for cure in _cures(step, each, look_up, plan))
    return Failure(ErrorKind.UNCERTAIN, f'"{when}" cannot be decided: {told}', "; ".join(cures))


def _cures(step: PlannedStep, node: Expression, look_up: Lookup, plan: Plan) -> Iterator[str]:
    for name in _sampled(node, look_up):
        owner = plan.steps.get(StepId(name.scope)) if name.scope is not None else step
        yield _cure(node, name, look_up, owner if owner is not None else step)


def _cure(node: Expression, name: Name, look_up: Lookup, owner: PlannedStep) -> str:
    many = _many(node, name, look_up)
    if many is None or many > MOST_ADVISED:
        return f"{name} is too near to the threshold for any number of samples: look again later, or judge by what counts all"
    parameter = owner.probe.reading.SAMPLES if owner.probe is not None else ""
    if not parameter:
        return f"about {many:,} samples would decide"
    most = _most(owner, parameter)
    if most is not None and many > most:
        return f"about {many:,} samples would decide, and {parameter} is {most:,} at most: judge by what counts all requests"
    return f"about {many:,} samples would decide (with: {{{parameter}: {many}}})"


def _most(owner: PlannedStep, parameter: str) -> int | None:
    """How many the parameter allows."""
    assert owner.probe is not None  # noqa: S101 - narrows the type
    known = owner.probe.params.model_json_schema()["properties"].get(parameter, {})
    most = known.get("maximum")
    return most if isinstance(most, int) else None


def _many(node: Expression, name: Name, look_up: Lookup) -> int | None:
    value = look_up(name)
    assert isinstance(value, Sampled)  # noqa: S101 - narrows the type
    if isinstance(node, Comparison) and name in (node.left, node.right):
        other = compile(node.right if node.left == name else node.left).run(look_up)
        if isinstance(other, int | float) and not isinstance(other, Sampled):
            return enough(value, other)
    return 4 * value.sample.n  # halves the bounds


def _sampled(node: Expression, look_up: Lookup) -> Iterator[Name]:
    if isinstance(node, Name):
        if isinstance(look_up(node), Sampled):
            yield node
        return
    for child in children(node):
        yield from _sampled(child, look_up)
