"""Which steps have measured something whenever a step runs, in time that grows with the graph and not with its paths."""

from collections.abc import Iterator, Mapping, Sequence

from runbook_engine.conditions import IsMissing, Name, names
from runbook_engine.conditions.tree import told_by, walk
from runbook_engine.document import DiagnosticLevel
from runbook_engine.document.told import Told, texts
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.graph.plan import Filling, Plan, PlannedStep, Way
from runbook_engine.graph.structure import ancestors
from runbook_engine.ids import StepId
from runbook_engine.templates import Filled, Template, TemplateError, parse


def check_known(plan: Plan, mistakes: Mistakes) -> None:
    """Warn of names of steps that need not have measured anything on the way to the step that uses them."""
    bit, before = ancestors(plan.order, plan.successors)
    known = always_measured(plan, bit)
    for step_id, step in plan.steps.items():
        told: set[str] = set()
        for name, path, within in _used(step):
            owner = bit.get(StepId(name.scope or ""), 0)
            if owner & before[step_id] and not owner & known[step_id] and name.scope not in told:
                told.add(str(name.scope))
                mistakes.add(
                    "RB213",
                    f'step "{name.scope}" need not have measured anything when step "{step_id}" runs: {name} may be missing',
                    path,
                    within=within,
                    help=f'lead every way to "{step_id}" through a reading of "{name.scope}", or ask for {name} is missing',
                    level=DiagnosticLevel.WARNING,
                )


def always_measured(plan: Plan, bit: Mapping[StepId, int]) -> Mapping[StepId, int]:
    """For each step a bit set (``bit`` gives each step's) of the steps that have measured something whenever it runs.

    A step runs because one of its ways in was chosen: so it knows what all of them know. Along a way one knows what the
    chooser knows, what its condition could not hold without, the chooser itself (unless the way is that of its error), and
    all steps that the way leads to as well.
    """
    known: dict[StepId, int] = {}
    ways_in: dict[StepId, list[int]] = {step: [] for step in plan.order}
    started = [step for step in plan.runbook.start if step in bit]
    for step in started:
        ways_in[step].append(_union(bit, started))
    for step in plan.order:
        own = bit[step]
        if ways_in[step]:
            common = ways_in[step][0]
            for each in ways_in[step][1:]:
                common &= each
            own |= common
        known[step] = own
        _lead_on(plan.steps[step], own, bit, ways_in)
    return known


def _lead_on(step: PlannedStep, known: int, bit: Mapping[StepId, int], ways_in: Mapping[StepId, list[int]]) -> None:
    for way, told in _told(step.ways):
        _lead(way, known | _union(bit, [StepId(each) for each in told]), bit, ways_in)
    for way in step.routes:
        _lead(way, known & ~bit[step.id], bit, ways_in)


def _lead(way: Way, known: int, bit: Mapping[StepId, int], ways_in: Mapping[StepId, list[int]]) -> None:
    along = known | _union(bit, way.targets)
    for target in dict.fromkeys(way.targets):
        if target in ways_in:
            ways_in[target].append(along)


def _told(ways: Sequence[Way]) -> Iterator[tuple[Way, set[str]]]:
    """Each way with the steps whose readings it took to choose it."""
    failed: set[str] = set()
    for way in ways:
        if way.expression is None:
            yield way, failed
            continue
        yield way, failed | _owners(told_by(way.expression, truth=True))
        failed = failed | _owners(told_by(way.expression, truth=False))


def _owners(found: frozenset[Name]) -> set[str]:
    return {name.scope for name in found if name.scope is not None}


def _union(bit: Mapping[StepId, int], steps: Sequence[StepId]) -> int:
    found = 0
    for step in steps:
        found |= bit.get(step, 0)
    return found


def _used(step: PlannedStep) -> Iterator[tuple[Name, Path, tuple[int, int]]]:
    """Names of other steps in parameters, in conditions and in what people read before the step, such as its title and its
    question; but for those that a condition asks whether they are missing, and those that something stands in for.
    """
    yield from _filled(step.filling, getattr(step.model, "params", {}), ("steps", step.id, "with"))
    for path, text, mark in texts(step.model, ("steps", step.id)):
        if mark is Told.BEFORE and "{{" in text:
            yield from _filled(_parsed(text), text, path)
    for way in step.ways:
        if way.expression is None:
            continue
        asked = {(each.name.scope, each.name.name) for each in walk(way.expression) if isinstance(each, IsMissing)}
        for name in names(way.expression):
            if (name.scope, name.name) not in asked:
                yield name, ("steps", step.id, *way.place, "when"), (name.start, name.end)


def _parsed(text: str) -> Template:
    """A text as a template; one that is none is told of elsewhere."""
    try:
        return parse(text)
    except TemplateError:
        return Template((text,))


def _filled(
    filling: Filling | Mapping[str, Filling], written: object, path: Path
) -> Iterator[tuple[Name, Path, tuple[int, int]]]:
    match filling:
        case Template():
            for name in filling.missing(lambda _: Filled(None)):
                start = max(str(written).find(str(name)), 0)
                yield name, path, (start, start + len(str(name)))
        case Mapping() if isinstance(written, Mapping):
            for key, each in filling.items():
                yield from _filled(each, written.get(key), (*path, key))
        case list() if isinstance(written, list):
            for index, each in enumerate(filling):
                yield from _filled(each, written[index], (*path, index))
