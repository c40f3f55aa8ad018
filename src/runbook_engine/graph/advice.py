"""What is legal and yet rarely meant, and what can be proven of a whole runbook: for ``runbook check``, not for a run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from runbook_engine.conditions import names
from runbook_engine.document import DiagnosticLevel
from runbook_engine.document.models import AnyStep, CallStep, Else, ProbeStep, Runbook
from runbook_engine.graph.duration import longest
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.graph.plan import Plan, PlannedStep, Way
from runbook_engine.ids import StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import Dimension, show

_RARE = frozenset({ErrorKind.OTHER, ErrorKind.MALFORMED})
"""Kinds that a runbook can hardly do anything about: a blind spot says it best."""


def check_findings(runbook: Runbook, mistakes: Mistakes) -> None:
    """A cause that nobody is told what to do about."""
    for finding_id, finding in runbook.findings.items():
        if finding.resolution is None and finding.kind == "cause":
            mistakes.warn(
                "RB209",
                f'finding "{finding_id}" has no resolution: whoever reads it is not told what to do',
                ("findings", finding_id),
                key=True,
                help="give it one with resolution:, or make it a symptom, whose causes other steps look for",
            )


def check_ways(steps: Mapping[StepId, PlannedStep], mistakes: Mistakes) -> None:
    """Branches that might be one, and errors that lead nowhere. Both are notes: they may well be meant."""
    for step_id, step in steps.items():
        for place, other in _twins(step.ways):
            path: Path = ("steps", step_id, *place)
            mistakes.add(
                "RB207",
                f'branches {other + 1} and {place[1] + 1} of step "{step_id}" raise and lead to the same',
                path,
                help="join their conditions with or, unless they are apart for the reader",
                level=DiagnosticLevel.NOTE,
            )
        if isinstance(step.model, ProbeStep):
            _check_routes(step_id, step, mistakes)


def _twins(ways: Sequence[Way]) -> Iterator[tuple[tuple[str, int], int]]:
    """The place of each branch that does what an earlier one next to it does."""
    for before, way in pairwise(ways):
        if way.expression is not None and before.expression is not None:
            same = (before.finding, before.targets) == (way.finding, way.targets)
            if same and (way.finding is not None or way.targets):
                yield way.place, before.place[1]


def _check_routes(step_id: StepId, step: PlannedStep, mistakes: Mistakes) -> None:
    routes = step.model.on_error
    if any(isinstance(each, Else) for each in routes):
        return
    routed = {kind for each in step.routes for kind in each.kinds or ()}
    left = [kind for kind in ErrorKind if kind not in routed and kind not in _RARE]
    lead_on = any(way.targets for way in step.ways)
    if not left or not lead_on:
        return
    told = "no error" if not routes else f"the errors {', '.join(left)}"
    mistakes.add(
        "RB214",
        f'{told} of step "{step_id}" {"has" if not routes else "have"} a route: the walk ends there with a blind spot',
        ("steps", step_id, "on_error") if routes else ("steps", step_id, "probe"),
        key=True,
        help="end on_error with {else: the_next_step} to go on without this reading",
        level=DiagnosticLevel.NOTE,
    )


def check_duration(plan: Plan, mistakes: Mistakes) -> None:
    """The worst case against the declared time box."""
    box = plan.runbook.time_box
    if box is None:
        return
    found = longest(plan)
    at: Path = ("time_box",)
    path = " -> ".join(found.path)
    if found.seconds is None:
        message = f'nothing bounds how long step "{found.path[-1]}" waits for a person, so that no time box holds'
        mistakes.warn("RB215", message, at, help="give that step a timeout, and a default for when nobody answers")
    elif found.seconds > box:
        worst, given = show(found.seconds, Dimension.DURATION), show(box, Dimension.DURATION)
        message = f"a run may take {worst}, which is more than its time box of {given}: {path}"
        mistakes.warn("RB215", message, at, help="shorten timeouts on that path, or let steps run side by side")


def check_latencies(plan: Plan, mistakes: Mistakes) -> None:
    """Warn where a runbook judges how fast the answers came and nowhere whether they were good.

    Steps that measure the same are one: what the second of them judges is judged.
    """
    judged = _judged(plan)
    probing = [(step_id, step) for step_id, step in plan.steps.items() if isinstance(step.model, ProbeStep)]
    known_well = {
        _measurement(step.model)
        for step_id, step in probing
        if step.probe is not None and any((step_id, name) in judged for name in step.probe.reading.FAILURES)
    }
    for step_id, step in probing:
        if step.probe is None:
            continue
        failures = step.probe.reading.FAILURES
        fast = [name for name in step.probe.reading.LATENCIES if (step_id, name) in judged]
        if not failures or not fast or _measurement(step.model) in known_well:
            continue
        path, within = judged[step_id, fast[0]]
        told = " and ".join(failures[:2])
        mistakes.add(
            "RB312",
            f'{fast[0]} of step "{step_id}" is judged, and its failures are not: errors are often quick',
            path,
            within=within,
            help=f"judge {failures[0]} as well, in a branch before this one; {told} tell what went wrong",
            level=DiagnosticLevel.WARNING,
        )


def _measurement(model: AnyStep) -> str:
    """What a step measures: the same text for the same probe with the same parameters, in whatever order."""
    assert isinstance(model, ProbeStep)  # noqa: S101 - nothing else measures
    return json.dumps([model.probe, model.params], sort_keys=True, default=repr)


def _judged(plan: Plan) -> Mapping[tuple[StepId, str], tuple[Path, tuple[int, int]]]:
    """The metrics that conditions name, each with the first place that does."""
    found: dict[tuple[StepId, str], tuple[Path, tuple[int, int]]] = {}
    for step_id, step in plan.steps.items():
        for way in step.ways:
            for name in names(way.expression) if way.expression is not None else ():
                owner = step_id if name.scope is None else StepId(name.scope)
                found.setdefault((owner, name.name), (("steps", step_id, *way.place, "when"), (name.start, name.end)))
    return found


def check_reading_only(plan: Plan, mistakes: Mistakes) -> None:
    """Name every step, of called runbooks too, of which it cannot be proven that it changes nothing."""
    for step_id, step in plan.steps.items():
        for path, each in _unproven(step, str(step_id)):
            assert each.probe is not None  # noqa: S101 - it is unproven because of its probe
            key = "call" if isinstance(step.model, CallStep) else "probe"
            mistakes.add(
                "RB216",
                f'it cannot be proven that step "{path}" only reads: {each.probe.name} may do more',
                ("steps", step_id, key),
                help="use a probe that declares reads_only, or look at what this one is given",
                level=DiagnosticLevel.NOTE,
            )


def unproven(plan: Plan) -> Sequence[str]:
    """The paths of steps of which it cannot be proven that they only read; empty: the runbook changes nothing."""
    return [path for step_id, step in plan.steps.items() for path, _ in _unproven(step, str(step_id))]


def _unproven(step: PlannedStep, path: str) -> Iterator[tuple[str, PlannedStep]]:
    if step.child is not None:
        for step_id, each in step.child.steps.items():
            yield from _unproven(each, f"{path}/{step_id}")
    elif step.probe is not None and not step.probe.reads_only:
        yield path, step
