"""The history of runs, as far as it can be kept: the diagnosis matters more."""

from collections.abc import Sequence

from runbook_engine.cli.streams import note
from runbook_engine.engine.events import Event
from runbook_engine.engine.sqlite import SqliteJournal, default_file
from runbook_engine.errors import JournalError


class History:
    """The journal on disk. Where it cannot be opened or breaks, it says so once, and the run goes on in memory."""

    def __init__(self) -> None:
        self._journal: SqliteJournal | None = None
        try:
            self._journal = SqliteJournal(default_file())
        except JournalError as error:
            note(f"warning: {error}; this run will not be in the history")

    def append(self, run_id: str, events: Sequence[Event]) -> None:
        if self._journal is None:
            return
        try:
            self._journal.append(run_id, events)
        except JournalError as error:
            self._journal = None
            note(f"warning: {error}; this run will not be whole in the history")
