"""Tests made from a runbook: cases that take every branch, error route and finding of it, and lie beside its thresholds."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.conditions import names
from runbook_engine.document.cases import Case, Cases
from runbook_engine.document.models import AskStep, CallStep, ProbeStep
from runbook_engine.document.source import Source
from runbook_engine.engine.coverage import Item, items, reached
from runbook_engine.engine.given import given_by
from runbook_engine.engine.once import sharing
from runbook_engine.engine.rehearsal import Rehearsal, rehearse
from runbook_engine.engine.trace import Trace
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan, PlannedStep, Way
from runbook_engine.ids import StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.testing.boundaries import Boundary, boundaries
from runbook_engine.testing.solving import Fact, Solver

MOST_PATHS = 24
"""Ways to a step that are tried, the shortest first."""
_MOST_PATHS_BESIDE = 8
"""The same for a value beside a threshold, which may be had at no end of one."""
_MOST_OPEN = 4_000


class Generated(Struct, frozen=True):
    """``missed`` is what no case could be found for: mostly what no reading reaches."""

    cases: Cases
    missed: tuple[Item, ...]


class Draft(Struct, frozen=True):
    """A case being made: the branch that a step shall take, the error that it shall meet, what a call shall come to."""

    ways: Mapping[StepId, Way] = {}
    errors: Mapping[StepId, ErrorKind] = {}
    calls: Mapping[StepId, Mapping[str, Any]] = {}
    missing: Mapping[StepId, str] = {}
    """A metric without which the step cannot decide."""
    also: tuple[Fact, ...] = ()
    """What else shall hold of the readings."""

    def settles(self, step: StepId) -> bool:
        return step in self.ways or step in self.errors or step in self.calls or step in self.missing


def generate(plan: Plan, name: str, *, thresholds: bool = True) -> Generated:
    """Cases for the runbook that ``name`` leads to from the file of tests. What they expect is what comes of them now.

    Without ``thresholds`` only as many as it takes to cover all of it, else those beside each threshold too.
    """
    return _Generator(plan, name).generate(thresholds=thresholds)


class _Generator:
    def __init__(self, plan: Plan, name: str) -> None:
        self._plan = plan
        self._name = name
        self._shares = sharing(plan)
        self._solver = Solver(plan, self._shares)
        self._covered: set[Item] = set()
        self._reached_by: dict[str, frozenset[Item]] = {}
        self._ways_in: dict[StepId, list[tuple[StepId, Way]]] = {}
        for step_id, step in plan.steps.items():
            for way in (*step.ways, *step.routes):
                for target in dict.fromkeys(way.targets):
                    self._ways_in.setdefault(target, []).append((step_id, way))

    def generate(self, *, thresholds: bool) -> Generated:
        wanted = items(self._plan)
        cases: dict[str, Case] = {}
        for item in wanted:
            if item.part != "finding" and item not in self._covered:
                self._add(item, cases)
        if not cases:
            self._keep("runs", "", self._finished(Draft()), cases)
        for name in reversed(list(cases)):
            others = (each for other, each in self._reached_by.items() if other != name and other in cases)
            if len(cases) > 1 and self._reached_by[name] <= frozenset().union(*others):
                del cases[name]
        for boundary in boundaries(self._plan) if thresholds else ():
            self._beside(boundary, cases)
        missed = tuple(each for each in wanted if each not in self._covered)
        return Generated(Cases(tests=self._name, inputs=self._solver.stand_ins, cases=cases), missed)

    def _add(self, item: Item, cases: dict[str, Case]) -> None:
        for draft in self._drafts(item):
            found = self._finished(draft)
            if found is not None and item in self._reached(found[1].trace):
                self._keep(_called(item, self._plan), _titled(item), found, cases)
                return

    def _beside(self, boundary: Boundary, cases: dict[str, Case]) -> None:
        """A case with the value beside a threshold, unless one has it already."""
        also = tuple((boundary.step, fact) for fact in boundary.facts)
        ways = [self._plan.steps[boundary.step].ways[index] for index in boundary.ways]
        # Where the step has no such reading, no way to it needs to be tried.
        possible = [way for way in ways if self._solver.solve({boundary.step: way}, {}, also) is not None]
        for path in islice(self._paths(boundary.step), _MOST_PATHS_BESIDE) if possible else ():
            begun: Draft | None = Draft(also=also)
            for before, way in path:
                begun = self._taking(begun, before, way) if begun is not None else None
            for way in possible:
                draft = self._taking(begun, boundary.step, way) if begun is not None else None
                found = self._finished(draft) if draft is not None else None
                if found is None or boundary.pinned in found[0].get("inputs", {}):
                    continue
                if all({"inputs": each.inputs, "steps": each.steps} != _as_given(found[0]) for each in cases.values()):
                    self._keep(boundary.name, boundary.title, found, cases)
                return

    def _keep(
        self, name: str, title: str, found: tuple[Mapping[str, Any], Rehearsal] | None, cases: dict[str, Case]
    ) -> None:
        if found is None:
            return
        given, rehearsal = found
        unique = name
        number = 2
        while unique in cases:
            unique, number = f"{name[:60]}_{number}", number + 1
        self._reached_by[unique] = self._reached(rehearsal.trace)
        self._covered |= self._reached_by[unique]
        cases[unique] = Case.model_validate({"title": title, **given, "expect": expected(rehearsal.trace)})

    def _reached(self, trace: Trace) -> frozenset[Item]:
        return reached(trace, self._plan).get(self._plan.digest, frozenset())

    def _drafts(self, item: Item) -> Iterator[Draft]:
        """Walks that lead to a step and let it do what is wanted: at most so many, the shortest first."""
        target = StepId(item.step)
        for path in islice(self._paths(target), MOST_PATHS):
            begun: Draft | None = Draft()
            for step, way in path:
                begun = self._taking(begun, step, way) if begun is not None else None
            if begun is not None:
                yield from self._wanting(begun, target, item)

    def _paths(self, target: StepId) -> Iterator[Sequence[tuple[StepId, Way]]]:
        """Ways from a start to a step, read backwards from it."""
        start = set(self._plan.runbook.start)
        open_: deque[tuple[StepId, tuple[tuple[StepId, Way], ...]]] = deque([(target, ())])
        looked = 0
        while open_ and looked < _MOST_OPEN:
            looked += 1
            here, path = open_.popleft()
            if here in start:
                yield path
            for step, way in self._ways_in.get(here, ()):
                open_.append((step, ((step, way), *path)))

    def _taking(self, draft: Draft, step: StepId, way: Way) -> Draft | None:
        """The draft with a step that takes a way; None where it cannot."""
        if way.place[0] == "on_error":
            return self._failing(draft, step, self._kind(step, way))
        if isinstance(self._plan.steps[step].model, CallStep):
            wholes = self._wholes(step)
            taken = next((each for each in wholes if self._takes(step, each) == way.place), None)
            return replace(draft, calls={**draft.calls, step: taken}) if taken is not None else None
        if self._shares.get(step, step) in draft.errors:
            return None
        return replace(draft, ways={**draft.ways, step: way})

    def _failing(self, draft: Draft, step: StepId, kind: ErrorKind) -> Draft | None:
        """A step that takes the reading of the one before it takes its error, too."""
        first = self._shares.get(step, step)
        if first in draft.ways or draft.errors.get(first, kind) is not kind:
            return None
        return replace(draft, errors={**draft.errors, first: kind})

    def _wanting(self, draft: Draft, step: StepId, item: Item) -> Iterator[Draft]:
        part, index = str(item.place[2]), int(item.place[3])
        planned = self._plan.steps[step]
        if part == "on_error":
            way = planned.routes[index]
            kind = ErrorKind(item.text) if way.kinds is not None else self._kind(step, way)
            failing = self._failing(draft, step, kind)
            if failing is not None:
                yield failing
            if way.kinds is None or ErrorKind(item.text) is ErrorKind.MISSING:
                for metric in self._optional(planned):
                    yield replace(draft, missing={**draft.missing, step: metric})
            return
        taking = self._taking(draft, step, planned.ways[index])
        if taking is not None:
            yield taking

    @staticmethod
    def _optional(step: PlannedStep) -> Sequence[str]:
        """The step's own metrics that its conditions ask for and that may be missing."""
        asked = (name for way in step.ways if way.expression is not None for name in names(way.expression))
        own = dict.fromkeys(name.name for name in asked if name.scope is None)
        return [name for name in own if name in step.types and step.types[name].optional]

    def _kind(self, step: StepId, way: Way) -> ErrorKind:
        """A kind of error that takes a route, rather one that nothing has covered yet."""
        routes = self._plan.steps[step].routes
        before = {kind for each in routes if each.place < way.place for kind in each.kinds or ()}
        kinds = [kind for kind in (way.kinds or ErrorKind) if kind not in before]
        if isinstance(self._plan.steps[step].model, AskStep):
            kinds = [kind for kind in kinds if kind is ErrorKind.MISSING] or kinds
        fresh = [kind for kind in sorted(kinds) if not self._has(step, way, kind)]
        return next(iter(fresh or sorted(kinds)), ErrorKind.OTHER)

    def _has(self, step: StepId, way: Way, kind: ErrorKind) -> bool:
        text = "else" if way.kinds is None else str(kind)
        return any(each.step == step and each.place[2:] == way.place and each.text == text for each in self._covered)

    def _finished(self, draft: Draft) -> tuple[Mapping[str, Any], Rehearsal] | None:
        """The draft with all that it takes to come to an end: for the other steps that run, what is not covered yet."""
        for _ in range(2 * len(self._plan.steps) + 2):
            given = self._given(draft)
            if given is None:
                return None
            rehearsal = self._rehearsed(given)
            if not rehearsal.lacks:
                seeing = self._seeing(draft, rehearsal)
                if seeing is None:
                    return self._pruned(given, rehearsal)
                draft = seeing
                continue
            open_ = next((each for each in rehearsal.lacks if each.step), None)
            if open_ is None or open_.scope:
                return None
            step = self._shares.get(StepId(open_.step), StepId(open_.step))
            settled = self._settled(draft, StepId(open_.step)) or self._settled(draft, step)
            if settled is None:
                return None
            draft = settled
        return None

    def _seeing(self, draft: Draft, rehearsal: Rehearsal) -> Draft | None:
        """The draft with a branch for a step that nobody wants to be blind; None where there is none."""
        for blind in rehearsal.trace.blind_spots:
            step = StepId(blind.step)
            if not blind.scope and step in self._plan.steps and self._shares.get(step, step) not in draft.errors:
                settled = self._settled(draft, step)
                if settled is not None:
                    return settled
        return None

    def _settled(self, draft: Draft, step: StepId) -> Draft | None:
        if draft.settles(step):
            return None
        for wanted in self._options(self._plan.steps[step]):
            further = (
                self._failing(draft, step, wanted)
                if isinstance(wanted, ErrorKind)
                else self._taking(draft, step, wanted)
            )
            if further is not None and self._given(further) is not None:
                return further
        return replace(draft, ways={**draft.ways, step: _NO_WAY}) if not self._plan.steps[step].ways else None

    def _options(self, step: PlannedStep) -> Iterator[Way | ErrorKind]:
        """What a step might do: what is not covered yet first, and of the rest what raises nothing."""
        left = {
            (each.place[2:], each.text)
            for each in items(self._plan)
            if each.step == step.id and each not in self._covered
        }
        places = {place for place, _ in left}
        yield from (way for way in step.ways if way.place in places)
        if step.id not in self._shares:
            for way in step.routes:
                if way.place in places:
                    yield self._kind(step.id, way)
        yield from sorted(step.ways, key=lambda way: (way.finding is not None, way.expression is not None))

    def _given(self, draft: Draft) -> Mapping[str, Any] | None:
        """The inputs and steps of the case; None where no values do all that is wanted at once."""
        solved = self._solver.solve(draft.ways, draft.missing, draft.also)
        if solved is None:
            return None
        steps: dict[str, Any] = {}
        for step_id, step in self._plan.steps.items():
            if step_id in draft.errors:
                steps[step_id] = {"error": str(draft.errors[step_id])}
            elif isinstance(step.model, CallStep):
                steps[step_id] = draft.calls.get(step_id, {"outcome": "healthy"})
            elif (step_id in draft.ways or step_id in solved.steps) and step_id not in self._shares:
                steps[step_id] = solved.steps.get(step_id) or self._solver.anything(step_id)
        return {"inputs": solved.inputs, "steps": steps} if solved.inputs else {"steps": steps}

    def _rehearsed(self, given: Mapping[str, Any]) -> Rehearsal:
        found = Mistakes(Source("", ""), [])
        case = Case.model_validate({**given, "expect": {"outcome": "healthy"}})
        cases = Cases(tests=self._name, inputs=self._solver.stand_ins, cases={"case": case})
        return rehearse(self._plan, given_by(case, "case", cases, self._plan, None, found))

    def _pruned(self, given: Mapping[str, Any], rehearsal: Rehearsal) -> tuple[Mapping[str, Any], Rehearsal]:
        """Without what steps are given that do not run."""
        steps = {step: each for step, each in given["steps"].items() if step not in rehearsal.unused}
        return {**given, "steps": steps}, rehearsal

    def _wholes(self, step: StepId) -> Sequence[Mapping[str, Any]]:
        """What a called runbook may come to, each with something that it can find."""
        child = self._plan.steps[step].child
        if child is None:
            return ({"outcome": "healthy"},)
        found = {each.level.value: name for name, each in reversed(child.runbook.findings.items())}
        blind = next((name for name, each in child.runbook.steps.items() if isinstance(each, ProbeStep)), None)
        raised = [{"outcome": level, "findings": [name]} for level, name in sorted(found.items())]
        unseen = [{"outcome": "inconclusive", "blind_spots": [blind]}] if blind is not None else []
        both = [{**each, "blind_spots": [blind]} for each in raised] if blind is not None else []
        return ({"outcome": "healthy"}, *raised, *unseen, *both)

    def _takes(self, step: StepId, whole: Mapping[str, Any]) -> tuple[str, int] | None:
        """The branch that a call takes with this result."""
        values = {
            "outcome": whole["outcome"],
            "findings": len(whole.get("findings", ())),
            "blind_spots": len(whole.get("blind_spots", ())),
        }
        for way in self._plan.steps[step].ways:
            if way.condition is None:
                return way.place
            try:
                if way.condition.evaluate(lambda name: values.get(name.name) if name.scope is None else None).value:
                    return way.place
            except TypeError:
                return None
        return None


_NO_WAY = Way(("branches", -1), "", None, None, None, ())


def _as_given(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"inputs": given.get("inputs", {}), "steps": given["steps"]}


def expected(trace: Trace) -> dict[str, Any]:
    """What a case expects whose walk this is."""
    findings = [f"{each.scope}/{each.finding}" if each.scope else each.finding for each in trace.findings]
    blind = [f"{each.scope}/{each.step}" if each.scope else each.step for each in trace.blind_spots]
    path = [f"{scope}/{step}" if scope else step for scope, step in trace.path]
    return {
        "outcome": str(trace.outcome),
        "findings": list(dict.fromkeys(findings)),
        "blind_spots": list(dict.fromkeys(blind)),
        "path": path,
    }


def _called(item: Item, plan: Plan) -> str:
    """A name for the case that was made for this."""
    step = plan.steps[StepId(item.step)]
    ways = step.ways if item.place[2] == "branches" else step.routes
    way = ways[int(item.place[3])]
    if item.part == "error route":
        return f"{item.step}_{'any_error' if item.text == 'else' else item.text}"
    return str(way.finding) if way.finding else f"{item.step}_{'otherwise' if way.expression is None else 'goes_on'}"


def _titled(item: Item) -> str:
    if item.part == "branch":
        return f"{item.step}: {item.text}"
    return f"{item.step}: {'any other error' if item.text == 'else' else item.text}"
