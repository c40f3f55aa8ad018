"""The control semantics, whole and pure: which steps run, which are skipped.

A step is decided when every step that leads to it is decided. It runs if at least one of them chose it and is skipped
otherwise; a skipped step chooses nothing. So nothing deadlocks, joins need no construct, and the result does not depend on
timing. In workflow research this is dead-path elimination.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from runbook_engine.ids import StepId


class Moved(Struct, frozen=True):
    """What one decision leads to: steps that may run now, and steps that never will."""

    ready: tuple[StepId, ...]
    skipped: tuple[StepId, ...]


@dataclass(slots=True)
class Walk:
    """One walk through one graph. ``successors`` lists each target once, whichever branches lead there."""

    successors: Mapping[StepId, Sequence[StepId]]
    _waiting: dict[StepId, int] = field(init=False)
    _chosen: set[StepId] = field(default_factory=set, init=False)
    undecided: int = field(init=False)

    def __post_init__(self) -> None:
        self._waiting = dict.fromkeys(self.successors, 0)
        for targets in self.successors.values():
            for target in targets:
                self._waiting[target] += 1
        self.undecided = len(self._waiting)

    def begin(self, start: Iterable[StepId]) -> Moved:
        """The start steps are chosen; those that nothing leads to can run."""
        self._chosen.update(start)
        return self._settle(deque(step for step, waiting in self._waiting.items() if waiting == 0))

    def decide(self, step: StepId, chosen: Iterable[StepId]) -> Moved:
        """``step`` has run and chose its targets."""
        self.undecided -= 1
        self._chosen.update(chosen)
        return self._settle(self._released(step))

    def _settle(self, decided: deque[StepId]) -> Moved:
        ready: list[StepId] = []
        skipped: list[StepId] = []
        while decided:
            step = decided.popleft()
            if step in self._chosen:
                ready.append(step)
            else:
                self.undecided -= 1
                skipped.append(step)
                decided.extend(self._released(step))
        return Moved(tuple(ready), tuple(skipped))

    def _released(self, step: StepId) -> deque[StepId]:
        released: deque[StepId] = deque()
        for target in self.successors[step]:
            self._waiting[target] -= 1
            if self._waiting[target] == 0:
                released.append(target)
        return released
