"""How much of a runbook its tests have walked: branches with ``else``, error routes by kind of error, findings."""

from collections.abc import Iterable, Iterator, Mapping
from math import floor
from typing import Literal

from msgspec import Struct

from runbook_engine.document.source import Path
from runbook_engine.engine.events import FindingRaised, StepDecided, StepFailed, StepStarted, StepStatus
from runbook_engine.engine.trace import Trace
from runbook_engine.graph.plan import Plan, Way
from runbook_engine.ids import StepId
from runbook_engine.kinds import ErrorKind

Part = Literal["branch", "error route", "finding"]


class Item(Struct, frozen=True, order=True):
    """What can be covered: a branch, a kind of error on a route, a finding. ``place`` is the way to it in the document."""

    part: Part
    step: str
    place: Path
    text: str

    def __str__(self) -> str:
        if self.part == "finding":
            return f"finding {self.text}"
        return f"step {self.step}: {self.part} {int(self.place[3]) + 1} ({self.text})"


class Covered(Struct, frozen=True):
    """One runbook: all that there is in it, and what was reached. ``tested`` is False for one that was only called."""

    plan: Plan
    items: tuple[Item, ...]
    reached: frozenset[Item]
    tested: bool

    @property
    def missed(self) -> tuple[Item, ...]:
        return tuple(each for each in self.items if each not in self.reached)

    @property
    def percent(self) -> float:
        """100.0 also where there is nothing to be covered. Never rounded up to it."""
        return 100.0 if not self.items else 100.0 * (len(self.items) - len(self.missed)) / len(self.items)

    @property
    def shown(self) -> str:
        """``99.5 %``; 100 % only where nothing was missed."""
        return f"{floor(self.percent * 10) / 10:g} %"


def items(plan: Plan) -> tuple[Item, ...]:
    """All that there is to be covered in one runbook, without those that it calls, in the order of the document."""
    return (*_ways(plan), *_findings(plan))


def reached(trace: Trace, plan: Plan) -> Mapping[str, frozenset[Item]]:
    """What a walk has covered, in the runbook and in those that it called, by the digest of each."""
    plans = _walked(trace, plan)
    kinds = {(each.scope, each.step): each.error.kind for each in trace.events if isinstance(each, StepFailed)}
    found: dict[str, set[Item]] = {each.digest: set() for each in plans.values()}
    for event in trace.events:
        if isinstance(event, StepDecided) and event.branch is not None and event.status is not StepStatus.NOT_ASKED:
            here = plans[event.scope]
            step = here.steps[StepId(event.step)]
            part, index = event.branch
            way = (step.ways if part == "branches" else step.routes)[index]
            # What was measured and lacks a value that a condition needs takes the route of missing.
            kind = kinds.get((event.scope, event.step), ErrorKind.MISSING)
            taken = (each for each in _of_way(event.step, way) if way.kinds is None or each.text == kind)
            found[here.digest].update(taken)
        elif isinstance(event, FindingRaised) and event.scope in plans:
            here = plans[event.scope]
            found[here.digest].update(each for each in _findings(here) if each.text == event.finding)
    return {digest: frozenset(each) for digest, each in found.items()}


def covered(walks: Iterable[tuple[Trace, Plan]], tested: Iterable[Plan] = ()) -> tuple[Covered, ...]:
    """The coverage of every runbook that was walked; those of ``tested`` first, walked or not."""
    own = {each.digest: each for each in tested}
    plans = dict(own)
    sums: dict[str, frozenset[Item]] = {}
    for trace, plan in walks:
        own.setdefault(plan.digest, plan)
        called = {each.digest: each for each in _walked(trace, plan).values()}
        plans = {**called, plan.digest: plan, **plans}
        for digest, each in reached(trace, plan).items():
            sums[digest] = sums.get(digest, frozenset()) | each
    ordered = sorted(plans.values(), key=lambda each: (each.digest not in own, each.runbook.runbook))
    return tuple(Covered(each, items(each), sums.get(each.digest, frozenset()), each.digest in own) for each in ordered)


def _ways(plan: Plan) -> Iterator[Item]:
    for step_id, step in plan.steps.items():
        for way in (*step.ways, *step.routes):
            yield from _of_way(step_id, way)


def _of_way(step: str, way: Way) -> Iterator[Item]:
    """A branch is one item; an error route is one for each kind that takes it, so that no kind is taken on trust."""
    part, index = way.place
    place: Path = ("steps", step, part, index)
    if part == "branches":
        yield Item("branch", step, place, way.text)
    elif way.kinds is None:
        yield Item("error route", step, place, "else")
    else:
        yield from (Item("error route", step, place, str(kind)) for kind in sorted(way.kinds))


def _findings(plan: Plan) -> Iterator[Item]:
    for finding in plan.runbook.findings:
        yield Item("finding", "", ("findings", finding), finding)


def _walked(trace: Trace, plan: Plan) -> Mapping[str, Plan]:
    """The plan of each runbook that was walked, by scope. What a test says of a call as a whole covers nothing in it."""
    named = plan.plans
    begun = {each.scope for each in trace.events if isinstance(each, StepStarted)}
    return {scope: named[each.runbook] for scope, each in trace.runbooks.items() if scope in begun or not scope}
