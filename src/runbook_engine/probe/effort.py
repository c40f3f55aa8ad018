"""Work that a document from outside causes: counted, given up where it is too much, and done where it holds up nobody.

Whatever else a run does shares one event loop: while the loop works on a large answer of one server, it reads no answer of
another, and takes no time. So what may be much work is done in a thread. A thread of Python holds up the loop too, by 5 ms
each time that the loop wants to go on (``sys.getswitchinterval``); one that pauses now and then does not.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from runbook_engine.probe.threads import in_thread

T = TypeVar("T")

MOST_STEPS = 3_000_000
"""Steps that one path, pattern or document may cost: a few seconds."""
FEW_STEPS = 5_000
"""Steps that hold up the event loop for some milliseconds."""
TEXT_SHIFT = 5
_AT_A_TIME = 250
"""Steps between two looks at the clock."""
_WITHOUT_PAUSE_S = 0.001
_PAUSE_S = 0.000_05


class TooMuchWorkError(Exception):
    """A document causes more work than it may, or nobody waits for the result any more."""


class Effort:
    """Steps that may be taken. A step is a node of a document or of a path, or 32 characters of a text: about a microsecond.

    ``brief`` is for work in the event loop: where it runs out, the work is done again in a thread, with more.
    """

    __slots__ = ("_look", "_paused", "_pauses", "_steps", "brief", "left", "stopped")

    def __init__(self, steps: int = MOST_STEPS, *, brief: bool = False, pauses: bool = False) -> None:
        self._steps = self.left = steps
        self._look = steps - _AT_A_TIME
        self._pauses = pauses
        self._paused = time.perf_counter()
        self.brief = brief
        self.stopped = False
        """Set by whoever does not wait any more: the work ends at its next step."""

    def spend(self, steps: int = 1) -> None:
        """Raises TooMuchWorkError."""
        self.left -= steps
        if self.left <= self._look:
            self._look_up()

    def renew(self) -> None:
        """All steps again, for the next path, pattern or document. What is ``brief`` stays so for all of them together."""
        if not self.brief:
            self.left = self._steps
            self._look = self.left - _AT_A_TIME

    def _look_up(self) -> None:
        self._look = max(self.left, 0) - _AT_A_TIME
        if self.stopped:
            raise TooMuchWorkError("nobody waits for it any more")
        if self.left < 0:
            raise TooMuchWorkError(f"takes more than {self._steps:,} steps")
        if self._pauses and time.perf_counter() - self._paused > _WITHOUT_PAUSE_S:
            time.sleep(_PAUSE_S)
            self._paused = time.perf_counter()


async def aside(work: Callable[[Effort], T]) -> T:
    """Do the work in a thread, with all the steps that it may take. It is told to stop where nobody waits for it any more."""
    effort = Effort(pauses=True)
    try:
        return await in_thread(lambda: work(effort))
    finally:
        effort.stopped = True


async def here_or_aside(work: Callable[[Effort], T]) -> T:
    """Do the work in the event loop where it is little, else all of it in a thread. It may thus be begun twice."""
    try:
        return work(Effort(FEW_STEPS, brief=True))
    except TooMuchWorkError:
        return await aside(work)


def weigh(document: object, effort: Effort) -> None:
    """Spend what a document weighs: a step for each value and for 32 characters of text.

    Raises TypeError where there is something in it that JSON has not, and TooMuchWorkError.
    """
    rest: list[Any] = [document]
    while rest:
        node = rest.pop()
        if isinstance(node, str):
            effort.spend(1 + (len(node) >> TEXT_SHIFT))
        elif isinstance(node, dict):
            effort.spend(1 + len(node))
            if not all(isinstance(key, str) for key in node):
                raise TypeError("a key is not a text")
            rest.extend(node.values())
        elif isinstance(node, list):
            effort.spend(1 + len(node))
            rest.extend(node)
        elif node is not None and not isinstance(node, bool | int | float):
            raise TypeError(f"a value is of the type {type(node).__name__}")
