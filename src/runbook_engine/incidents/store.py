"""Incidents on disk, in the file of the journal. Whoever acts on one decides from what it is now; nobody comes between."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from runbook_engine.engine.state import open_state
from runbook_engine.errors import IncidentError, JournalError
from runbook_engine.incidents.events import IncidentEvent
from runbook_engine.incidents.incident import Incident, fold

LONGEST_WAIT_S = 30.0
"""How long one process waits for others that write."""
_TABLES = frozenset({"incidents", "incident_events", "incident_summaries"})
_SCHEMA = """
create table if not exists incidents (
  incident integer primary key,
  title text not null,
  priority text not null,
  state text not null,
  opened_at real not null
);
create table if not exists incident_events (
  incident integer not null,
  seq integer not null,
  event text not null,
  primary key (incident, seq)
) without rowid;
create table if not exists incident_summaries (
  key text primary key,
  begun_at real not null,
  sent_at real
) without rowid;
"""

Decision = Callable[[Incident], Sequence[IncidentEvent]]


class Claim(msgspec.Struct, frozen=True):
    """A summary that somebody began to send. Where ``sent_at`` is None, nobody knows whether it was sent."""

    begun_at: float
    sent_at: float | None


class IncidentStore:
    """Commits every event before it returns. Close it when done, or use it in a ``with`` block.

    Without a file it remembers nothing after that. ``reading`` looks at what there is, and needs no lock.

    Raises JournalError with the file's name wherever SQLite or the file system refuses.
    """

    def __init__(self, file: Path | None, *, reading: bool = False) -> None:
        self._file = file
        with self._explained("opened"):
            self._connection = open_state(file, _SCHEMA, tables=_TABLES, wait_s=LONGEST_WAIT_S, reading=reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def open(self, events: Sequence[IncidentEvent]) -> Incident:
        """Keep a new incident; it gets the next number."""
        with self._writing() as connection:
            number = connection.execute("select coalesce(max(incident), 0) + 1 from incidents").fetchone()[0]
            incident = fold(number, events)
            connection.execute(
                "insert into incidents values (?, ?, ?, ?, ?)",
                (number, incident.title, str(incident.priority), str(incident.state), incident.opened_at),
            )
            self._append(number, 0, events)
        return incident

    def act(self, number: int, decide: Decision) -> Incident:
        """Append what ``decide`` makes of the incident as it is; the incident after that.

        ``decide`` may raise: then nothing is written. No other process writes between what it sees and what is kept.
        """
        with self._writing() as connection:
            events = self._events(number)
            new = tuple(decide(fold(number, events)))
            incident = fold(number, (*events, *new))
            if new:
                self._append(number, len(events), new)
                connection.execute(
                    "update incidents set priority = ?, state = ? where incident = ?",
                    (str(incident.priority), str(incident.state), number),
                )
        return incident

    def load(self, number: int) -> Incident:
        """One incident. Raises IncidentError where there is none of that number."""
        with self._explained("read"):
            return fold(number, self._events(number))

    def numbers(self, *, still_open: bool = False) -> Sequence[int]:
        """The numbers of all, newest first; of those only that are not closed, where that is asked for."""
        with self._explained("read"):
            rows = self._connection.execute(
                "select incident from incidents where :all or state != 'closed' order by incident desc",
                {"all": not still_open},
            ).fetchall()
        return [row[0] for row in rows]

    def claim_summary(self, key: str, at: float, *, again: bool = False) -> Claim | None:
        """Say that a summary is being sent; None where it may be. Else when somebody began to send it, and has."""
        with self._writing() as connection:
            row = connection.execute(
                "select begun_at, sent_at from incident_summaries where key = ?", (key,)
            ).fetchone()
            if row is not None and not again:
                return Claim(float(row[0]), None if row[1] is None else float(row[1]))
            connection.execute("insert or replace into incident_summaries values (?, ?, null)", (key, at))
        return None

    def keep_summary(self, key: str, sent_at: float | None) -> None:
        """What came of a summary: sent, or surely not, and then it may be sent again."""
        with self._writing() as connection:
            if sent_at is None:
                connection.execute("delete from incident_summaries where key = ?", (key,))
            else:
                connection.execute("update incident_summaries set sent_at = ? where key = ?", (sent_at, key))

    def close(self) -> None:
        self._connection.close()

    def _events(self, number: int) -> tuple[IncidentEvent, ...]:
        rows = self._connection.execute(
            "select event from incident_events where incident = ? order by seq", (number,)
        ).fetchall()
        if not rows:
            raise IncidentError(f"there is no incident {number}; `runbook incident list` shows those that there are")
        try:
            return tuple(_decoder.decode(row[0]) for row in rows)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise JournalError(f"incident {number} in {self._file} cannot be read: {error}") from error

    def _append(self, number: int, first: int, events: Sequence[IncidentEvent]) -> None:
        rows = [(number, first + index, _encoder.encode(each).decode()) for index, each in enumerate(events)]
        self._connection.executemany("insert into incident_events values (?, ?, ?)", rows)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._explained("written"):
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                self._connection.execute("commit")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"the journal {self._file} cannot be {verb}: {error}") from error


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[IncidentEvent] = msgspec.json.Decoder(IncidentEvent)
