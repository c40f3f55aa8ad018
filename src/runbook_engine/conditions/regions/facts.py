"""What is known of a step's branches, and of each of them."""

from collections.abc import Callable
from functools import cached_property

from msgspec import Struct

from runbook_engine.conditions.regions.witness import Witness
from runbook_engine.conditions.tree import Name


class Overlap(Struct, frozen=True):
    """An earlier branch, by its index, and values for which both hold: the order of the two matters."""

    earlier: int
    witness: Witness


class BranchFacts(Struct, frozen=True, dict=True):
    """``always`` and ``never`` say that the condition comes out the same whatever is measured, where it is decided.

    ``shadowed_by`` are earlier branches that leave nothing to it, which otherwise could win; of them ``undecided_by`` do so
    by being undecided, because something is missing, where it would hold. Both are empty where it may win.
    """

    always: bool
    never: bool
    shadowed_by: tuple[int, ...]
    undecided_by: tuple[int, ...]
    find_overlaps: Callable[[], tuple[Overlap, ...]]
    find_witness: Callable[[], Witness | None]

    @cached_property
    def overlaps(self) -> tuple[Overlap, ...]:
        """Earlier branches that win at values for which this one holds too; some of them, where they are many."""
        return self.find_overlaps()

    @cached_property
    def witness(self) -> Witness | None:
        """Values at which exactly this branch wins; None where there are none, or none was found."""
        return self.find_witness()


class Analysis(Struct, frozen=True, dict=True):
    """``is_covered`` says that it is proven that some branch covers every value.

    Else ``gap`` are values that none covers, or ``unprovable`` says why there may be some that were not found.

    ``missing`` are the optional metrics without which the step is undecided at some values of the others; ``undecided``
    are values at which it is undecided although nothing is missing, because a calculation has no result.
    """

    is_covered: bool
    branches: tuple[BranchFacts, ...]
    find_gap: Callable[[], tuple[Witness | None, str]]
    find_gap_names: Callable[[Witness], tuple[Name, ...]]
    find_missing: Callable[[], tuple[Name, ...]]
    find_undecided: Callable[[], Witness | None]

    @cached_property
    def _gap(self) -> tuple[Witness | None, str]:
        return self.find_gap()

    @property
    def gap(self) -> Witness | None:
        return self._gap[0]

    @property
    def unprovable(self) -> str:
        return self._gap[1]

    @property
    def else_witness(self) -> Witness | None:
        """Values at which an ``else`` would be taken."""
        return self.gap

    @cached_property
    def gap_names(self) -> tuple[Name, ...]:
        """The names by whose values alone the gap is one, whatever is measured for the others."""
        return self.find_gap_names(self.gap) if self.gap is not None else ()

    @cached_property
    def missing(self) -> tuple[Name, ...]:
        return self.find_missing()

    @cached_property
    def undecided(self) -> Witness | None:
        return self.find_undecided()
