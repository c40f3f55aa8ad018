"""Where a run's events are kept. Each is written before its effect is shown."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from runbook_engine.engine.events import Event


class Journal(Protocol):
    def append(self, run_id: str, events: Sequence[Event]) -> None:
        """Keep the events, all or none, in order. Raises JournalError.

        Called from a thread, for one run by one call after the other; runs side by side call it side by side.
        """


class MemoryJournal(Struct):
    """Keeps events for as long as the process lives."""

    runs: dict[str, list[Event]] = {}

    def append(self, run_id: str, events: Sequence[Event]) -> None:
        self.runs.setdefault(run_id, []).extend(events)
