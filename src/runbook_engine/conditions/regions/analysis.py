"""A step's ordered branches, walked over all combinations at once."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import islice
from typing import TypeVar

from runbook_engine.conditions.checking import Resolve
from runbook_engine.conditions.evaluation import Compiled, compile  # noqa: A004 - as in re.compile
from runbook_engine.conditions.explaining import Types
from runbook_engine.conditions.regions.answers import Answer, answer
from runbook_engine.conditions.regions.atoms import questions
from runbook_engine.conditions.regions.constraints import possible
from runbook_engine.conditions.regions.diagram import NOTHING, TooManyCellsError
from runbook_engine.conditions.regions.facts import Analysis, BranchFacts, Overlap
from runbook_engine.conditions.regions.reasons import too_many, untyped, why_open
from runbook_engine.conditions.regions.search import essential, find
from runbook_engine.conditions.regions.space import Space
from runbook_engine.conditions.regions.survey import Survey
from runbook_engine.conditions.regions.witness import Witness
from runbook_engine.conditions.tree import Expression, Name, names
from runbook_engine.quantity import MetricType

MOST_WORK = 400_000
MOST_WORK_EACH = 60
"""Steps of the algebra, each of a few microseconds, in all and more for each branch: then the conditions are too many."""
MOST_LATER_WORK = 50_000
MOST_OVERLAPS = 8
_MOST_COVERS = 16

T = TypeVar("T")


def analyse(branches: Sequence[Expression], types: Resolve | Types) -> Analysis:
    """What the conditions of a step's branches cover, in their order and without ``else``.

    The conditions have been checked. Names of an unknown type make their questions open.
    """

    def known(name: Name) -> MetricType | None:
        found = types(name)
        return found if isinstance(found, MetricType) else None

    asked = [questions(branch, known) for branch in branches]
    survey = Survey(known)
    survey.read(asked)
    try:
        space = Space(survey, MOST_WORK + MOST_WORK_EACH * len(branches))
        walk = _Walk(space, branches, possible(space), [answer(each, space) for each in asked])
        return walk.analysis(known)
    except TooManyCellsError:
        return _given_up(branches, too_many(branches))


def _given_up(branches: Sequence[Expression], why: str) -> Analysis:
    nothing = BranchFacts(False, False, (), (), tuple, lambda: None)
    return Analysis(False, tuple(nothing for _ in branches), lambda: (None, why), _no_names, tuple, lambda: None)


def _no_names(_gap: Witness) -> tuple[Name, ...]:
    return ()


class _Walk:
    """``remaining`` has, by branch, what reaches it, and last what reaches an ``else``. What a branch leaves undecided
    reaches none of the later ones.
    """

    def __init__(self, space: Space, branches: Sequence[Expression], start: int, answers: Sequence[Answer]) -> None:
        self.space = space
        self.branches = branches
        self.answers = answers
        self.start = start
        self.remaining = [start]
        for each in answers:
            self.remaining.append(space.diagrams.both(self.remaining[-1], each.fails))

    @cached_property
    def compiled(self) -> list[Compiled]:
        return [compile(branch) for branch in self.branches]

    def analysis(self, types: Types) -> Analysis:
        return Analysis(
            self.remaining[-1] == NOTHING,
            tuple(self._facts(index) for index in range(len(self.branches))),
            self._bounded(partial(self._gap, types), (None, too_many(self.branches))),
            self._gap_names,
            self._bounded(self._missing, ()),
            self._bounded(self._undecided, None),
        )

    def _gap(self, types: Types) -> tuple[Witness | None, str]:
        region = self.remaining[-1]
        if region == NOTHING:
            return None, ""
        unknown = next((name for branch in self.branches for name in names(branch) if types(name) is None), None)
        if unknown is not None:
            return None, untyped(unknown)
        found = self._find(region, lambda values: self._outcome(values) is None)
        return found, "" if found is not None else why_open(self.space, region)

    def _gap_names(self, gap: Witness) -> tuple[Name, ...]:
        look = partial(essential, self.space, self.remaining[-1], gap, self.start)
        return self._bounded(look, tuple(gap))()

    def _facts(self, index: int) -> BranchFacts:
        diagrams, (holds, fails) = self.space.diagrams, self.answers[index]
        own = diagrams.both(self.start, holds)
        never = own == NOTHING
        always = not never and diagrams.both(self.start, fails) == NOTHING
        shadows: tuple[int, ...] = ()
        if not never and diagrams.both(self.remaining[index], holds) == NOTHING:
            shadows = self._covers(own, index)
        undecided = tuple(each for each in shadows if self._stopping(own, each) == NOTHING)
        return BranchFacts(
            always,
            never,
            shadows,
            undecided,
            self._bounded(partial(self._overlaps, index), ()),
            self._bounded(partial(self._reached, index), None),
        )

    def _stopping(self, region: int, index: int) -> int:
        """What of the region a branch wins."""
        both = self.space.diagrams.both
        return both(both(region, self.remaining[index]), self.answers[index].holds)

    def _covers(self, region: int, index: int) -> tuple[int, ...]:
        """Branches before ``index`` that together let nothing of the region pass; one, if one does it alone."""
        both = self.space.diagrams.both
        found = list(islice(self._owners(region, index, few=True), _MOST_COVERS))
        for each in found:
            if both(region, self.answers[each].fails) == NOTHING:
                return (each,)
        for each in tuple(found) if len(found) < _MOST_COVERS else ():
            rest = region
            for other in found:
                rest = both(rest, self.answers[other].fails) if other != each else rest
            if rest == NOTHING:
                found.remove(each)
        return tuple(sorted(found))

    def _owners(self, region: int, index: int, *, few: bool = False) -> Iterator[int]:
        """The branches before ``index`` at which combinations of the region stop, each once; with ``few`` as few as it
        takes to stop all of them, earlier or later.
        """
        diagrams = self.space.diagrams
        while (box := next(diagrams.boxes(region), None)) is not None:
            cells = [mask & -mask for mask in box]
            owner = bisect_left(
                range(index), True, key=lambda each: not diagrams.holds(self.remaining[each + 1], cells)
            )
            if owner == index:
                return
            yield owner
            fails = self.answers[owner].fails
            rest = fails if few else diagrams.opposite(diagrams.without(self.remaining[owner], fails))
            region = diagrams.both(region, rest)

    def _overlaps(self, index: int) -> tuple[Overlap, ...]:
        diagrams = self.space.diagrams
        own = diagrams.both(self.start, self.answers[index].holds)
        found: list[Overlap] = []
        for owner in islice(self._owners(diagrams.without(own, self.remaining[index]), index), _MOST_COVERS):
            region = self._stopping(own, owner)
            witness = self._find(region, partial(self._both_hold, owner, index)) if region != NOTHING else None
            if witness is not None:
                found.append(Overlap(owner, witness))
        return tuple(sorted(found[:MOST_OVERLAPS], key=lambda each: each.earlier))

    def _reached(self, index: int) -> Witness | None:
        return self._find(self._stopping(self.start, index), lambda values: self._outcome(values) == (index, True))

    def _missing(self) -> tuple[Name, ...]:
        unknowns = self.space.survey.unknowns
        optional = [node for node, unknown in unknowns.items() if isinstance(node, Name) and unknown.known.optional]
        found: set[Name] = set()
        for index, region in self._stopped():
            for name in names(self.branches[index]):
                if name in optional and name not in found:
                    without = self.space.diagrams.both(region, self.space.absent(name))
                    if self._find(without, partial(self._is_missed, name), absent=name) is not None:
                        found.add(name)
        return tuple(name for name in optional if name in found)

    def _undecided(self) -> Witness | None:
        def has_no_result(values: Witness) -> bool:
            outcome = self._outcome(values)
            return outcome is not None and outcome[1] is None and None not in values.values()

        found = (self._find(region, has_no_result) for _, region in self._stopped())
        return next((each for each in found if each is not None), None)

    def _stopped(self) -> Iterator[tuple[int, int]]:
        """By branch, where it is undecided before one holds."""
        without = self.space.diagrams.without
        for index, (holds, fails) in enumerate(self.answers):
            region = without(without(self.remaining[index], holds), fails)
            if region != NOTHING:
                yield index, region

    def _find(self, region: int, confirm: Callable[[Witness], bool], absent: Name | None = None) -> Witness | None:
        """Rather with nothing else than ``absent`` missing, and rather not at a bound."""
        kept = frozenset({absent})
        present = region
        for node, unknown in self.space.survey.unknowns.items():
            if unknown.may_be_absent and isinstance(node, Name) and node not in kept:
                present = self.space.diagrams.without(present, self.space.absent(node))
        plain = present
        for node, mask in self.space.plain.items():
            if node not in kept:
                plain = self.space.diagrams.both(plain, self.space.diagrams.where(self.space.level[node], mask))
        return find(self.space, dict.fromkeys((plain, present, region)), confirm)

    def _outcome(self, values: Witness) -> tuple[int, bool | None] | None:
        """The branch at which the walk stops, and whether it holds; None where an ``else`` is reached."""
        for index, each in enumerate(self.compiled):
            value = each.run(values.look_up)
            if value is None or value:
                return index, None if value is None else True
        return None

    def _both_hold(self, one: int, other: int, values: Witness) -> bool:
        return all(self.compiled[each].evaluate(values.look_up).value for each in (one, other))

    def _is_missed(self, name: Name, values: Witness) -> bool:
        outcome = self._outcome(values)
        return (
            outcome is not None
            and outcome[1] is None
            and name in self.compiled[outcome[0]].evaluate(values.look_up).missing
        )

    def _bounded(self, look: Callable[[], T], otherwise: T) -> Callable[[], T]:
        """A question asked later has work of its own to spend, and no answer when that is not enough."""

        def bounded() -> T:
            self.space.diagrams.allow(MOST_LATER_WORK)
            try:
                return look()
            except TooManyCellsError:
                return otherwise

        return bounded
