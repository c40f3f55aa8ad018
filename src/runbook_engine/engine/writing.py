"""A run's way to its journal: a disk that is slow, or that another process has locked, holds up no measurement."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import anyio

from runbook_engine.engine.events import Event
from runbook_engine.engine.journal import Journal, MemoryJournal
from runbook_engine.ids import RunId

MOST_BEHIND = 16
"""A journal that is further behind than this many writes takes all that waits at once."""


class Writer:
    """Hands events to the journal in their order, from a thread of its own, and then tells them in the event loop.

    The walk goes on meanwhile: what is not kept yet is not told yet, and a killed process has lost nothing that was told.
    """

    def __init__(self, journal: Journal, run_id: RunId, tell: Callable[[Sequence[Event]], None]) -> None:
        self._journal = journal
        self._run_id = run_id
        self._tell = tell
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Sequence[Event]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self.stop: Callable[[], None] = _nothing
        """Called where the journal, or who is told, fails: the run cannot go on."""

    def put(self, events: Sequence[Event]) -> None:
        """To be written next. What is kept in memory is so at once."""
        if isinstance(self._journal, MemoryJournal):
            self._journal.append(self._run_id, events)
            self._tell(events)
        elif self._failure is None:
            self._waiting.append(events)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._write())

    async def finish(self) -> None:
        """Wait until everything is kept and told, also where the run is cancelled. Raises what went wrong with that."""
        if self._task is not None:
            with anyio.CancelScope(shield=True):
                await self._task
        if self._thread is not None:
            self._thread.shutdown(wait=False)
        if self._failure is not None:
            raise self._failure

    async def _write(self) -> None:
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="journal")
        try:
            while self._waiting:
                several = len(self._waiting) if len(self._waiting) > MOST_BEHIND else 1
                events = [event for _ in range(several) for event in self._waiting.popleft()]
                await asyncio.wrap_future(self._thread.submit(self._journal.append, self._run_id, events))
                self._tell(events)
        except Exception as error:  # noqa: BLE001 - raised again by finish()
            self._failure = error
            self.stop()


def _nothing() -> None:
    pass
