"""The journal on disk: one SQLite file for all runs of a user."""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from runbook_engine.engine.codec import decode, encode
from runbook_engine.engine.events import Event, RunFinished, RunStarted
from runbook_engine.engine.state import open_state
from runbook_engine.errors import JournalError

STATE_VARIABLE = "RUNBOOK_STATE"
_TABLES = frozenset({"runs", "events"})

_SCHEMA = """
create table if not exists runs (
  run_id text primary key,
  runbook text not null,
  started_at real not null,
  finished_at real,
  outcome text,
  ending text
) without rowid;
create index if not exists runs_by_start on runs (started_at);
create table if not exists events (
  run_id text not null,
  seq integer not null,
  event text not null,
  primary key (run_id, seq)
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A line of the history. ``outcome`` is None where the run never ended: its process was killed, or it still runs."""

    run_id: str
    runbook: str
    started_at: float
    finished_at: float | None
    outcome: str | None
    ending: str | None


def default_file(environ: Mapping[str, str] = os.environ) -> Path:
    """``$RUNBOOK_STATE/journal.sqlite3``, else in the user's state directory."""
    if environ.get(STATE_VARIABLE):
        return Path(environ[STATE_VARIABLE]) / "journal.sqlite3"
    import platformdirs

    return Path(platformdirs.user_state_dir("runbook", appauthor=False)) / "journal.sqlite3"


class SqliteJournal:
    """Commits every append before it returns, so that a power failure loses nothing that was shown.

    ``reading`` looks at what there is, and needs neither a lock nor permission to write. Close it when done, or use it in a
    ``with`` block. Raises JournalError with the file's name wherever SQLite or the file
    system refuses.
    """

    def __init__(self, file: Path, *, reading: bool = False) -> None:
        self._file = file
        self._next: dict[str, int] = {}
        self._lock = Lock()
        with self._explained("opened"):
            self._connection = open_state(file, _SCHEMA, tables=_TABLES, wait_s=10.0, reading=reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def append(self, run_id: str, events: Sequence[Event]) -> None:
        with self._explained("written"):
            first = self._next.get(run_id)
            connection = self._connection
            connection.execute("begin immediate")
            try:
                if first is None:
                    found = connection.execute("select max(seq) from events where run_id = ?", (run_id,)).fetchone()[0]
                    first = 0 if found is None else found + 1
                rows = [(run_id, first + index, encode(event)) for index, event in enumerate(events)]
                connection.executemany("insert into events values (?, ?, ?)", rows)
                for event in events:
                    if isinstance(event, RunStarted | RunFinished):
                        self._note(run_id, event)
                connection.execute("commit")
            except BaseException:
                connection.execute("rollback")
                raise
            self._next[run_id] = first + len(events)

    def runs(self, most: int = 50, runbook: str | None = None) -> list[PastRun]:
        """The latest runs, newest first."""
        with self._explained("read"):
            rows = self._connection.execute(
                "select run_id, runbook, started_at, finished_at, outcome, ending from runs "
                "where :runbook is null or runbook = :runbook order by started_at desc, run_id desc limit :most",
                {"runbook": runbook, "most": most},
            ).fetchall()
        return [PastRun(*row) for row in rows]

    def events(self, run_id: str) -> tuple[Event, ...]:
        """All events of a run, by its id or the beginning of it. Raises JournalError where there is none or more than one."""
        with self._explained("read"):
            found = self._connection.execute(
                "select run_id from runs where substr(run_id, 1, length(:id)) = :id limit 2", {"id": run_id}
            ).fetchall()
            if len(found) != 1:
                what = "more than one run begins" if found else "no run begins"
                raise JournalError(f"{what} with {run_id!r}; `runbook history` lists the runs")
            rows = self._connection.execute(
                "select event from events where run_id = ? order by seq", found[0]
            ).fetchall()
        try:
            return tuple(decode(row[0]) for row in rows)
        except ValueError as error:
            raise JournalError(f"run {found[0][0]} in {self._file} cannot be read: {error}") from error

    def close(self) -> None:
        self._connection.close()

    def _note(self, run_id: str, event: RunStarted | RunFinished) -> None:
        if isinstance(event, RunStarted):
            self._connection.execute(
                "insert into runs (run_id, runbook, started_at) values (?, ?, ?)", (run_id, event.runbook, event.at)
            )
        else:
            self._connection.execute(
                "update runs set finished_at = ?, outcome = ?, ending = ? where run_id = ?",
                (event.at, event.outcome.value, event.ending.value, run_id),
            )

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"the journal {self._file} cannot be {verb}: {error}") from error
