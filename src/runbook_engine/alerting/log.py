"""Which alerts were taken, in the file of the journal: what is sent again is recognised, also by several processes at once.

An alert is ``taken`` while its runs go on and ``finished`` when they have ended. Whoever takes one holds it by a lease that a
living process renews; where the process was killed, the next one to which the alert is sent takes it over.
"""

import os
import platform
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Self

from msgspec import Struct

from runbook_engine.alerting.alerts import Alert
from runbook_engine.errors import JournalError

KEPT_S = 30 * 86400.0
"""An alert that was not sent for so long is forgotten."""
LEASE_S = 60.0
"""How long an alert is held without a sign of life."""
LONGEST_WAIT_S = 30.0

_SCHEMA = """
create table if not exists alerts (
  key text primary key,
  source text not null,
  name text not null,
  status text not null,
  starts_at real not null,
  first_at real not null,
  last_at real not null,
  sent integer not null,
  state text not null,
  owner text not null,
  pid integer not null,
  host text not null,
  until real not null,
  incident integer
) without rowid;
create index if not exists alerts_by_last on alerts (last_at);
create table if not exists alert_runs (
  key text not null,
  job text not null,
  run_id text not null,
  primary key (key, job)
) without rowid;
"""


class Standing(StrEnum):
    """What an alert is to whoever takes it. Only the first two are to be worked on."""

    NEW = "new"
    UNFINISHED = "unfinished"
    RUNNING = "running"
    AGAIN = "again"


class Entry(Struct, frozen=True):
    """What is known of an alert. ``sent`` counts how often it came; ``runs`` are the ids of its runs, by job."""

    key: str
    name: str
    status: str
    first_at: float
    last_at: float
    sent: int
    standing: Standing
    incident: int | None = None
    runs: Mapping[str, str] = {}

    @property
    def is_open(self) -> bool:
        """Whether it is to be worked on now, by whoever took it."""
        return self.standing in (Standing.NEW, Standing.UNFINISHED)


class AlertLog:
    """Close it when done, or use it in a ``with`` block. Without a file it remembers nothing after that.

    Raises JournalError with the file's name wherever SQLite or the file system refuses.
    """

    def __init__(self, file: Path | None, owner: str | None = None) -> None:
        self._file = file
        self.owner = owner or os.urandom(8).hex()
        with self._explained("opened"):
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                file.touch(mode=0o600, exist_ok=True)
            self._connection = sqlite3.connect(file or ":memory:", isolation_level=None, timeout=LONGEST_WAIT_S)
            try:
                self._connection.execute("pragma journal_mode = wal")
                self._connection.execute("pragma synchronous = full")
                self._connection.executescript(f"begin immediate;{_SCHEMA}commit;")
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def take(self, alerts: Iterable[Alert], at: float) -> Mapping[str, Entry]:
        """Take all that nobody else has; each by its key with what it is. Nobody comes between."""
        found: dict[str, Entry] = {}
        with self._writing() as connection:
            self._forget(at)
            for alert in alerts:
                if alert.key in found:
                    continue
                before = self._entry(alert.key, at)
                if before is None:
                    found[alert.key] = Entry(alert.key, alert.name, alert.status, at, at, 1, Standing.NEW)
                    connection.execute(
                        "insert into alerts values (?, ?, ?, ?, ?, ?, ?, 1, 'taken', ?, ?, ?, ?, null)",
                        (
                            alert.key,
                            alert.source,
                            alert.name,
                            alert.status,
                            alert.starts_at,
                            at,
                            at,
                            *self._holding(at),
                        ),
                    )
                    continue
                found[alert.key] = before
                connection.execute("update alerts set last_at = ?, sent = sent + 1 where key = ?", (at, alert.key))
                if before.is_open:
                    connection.execute(
                        "update alerts set state = 'taken', owner = ?, pid = ?, host = ?, until = ? where key = ?",
                        (*self._holding(at), alert.key),
                    )
        return found

    def known(self, alerts: Iterable[Alert], at: float) -> Mapping[str, Entry]:
        """What is known of them; nothing is taken."""
        with self._explained("read"):
            entries = {alert.key: self._entry(alert.key, at) for alert in alerts}
        return {key: entry for key, entry in entries.items() if entry is not None}

    def entries(self, at: float, most: int = 50) -> Sequence[Entry]:
        """Those that were sent last, newest first."""
        with self._explained("read"):
            keys = self._connection.execute(
                "select key from alerts order by last_at desc, key limit ?", (most,)
            ).fetchall()
            found = [self._entry(key, at) for (key,) in keys]
        return [each for each in found if each is not None]

    def ran(self, keys: Iterable[str], job: str, run_id: str) -> None:
        """A run for these alerts has ended; it is not run again for them."""
        with self._writing() as connection:
            connection.executemany(
                "insert or replace into alert_runs values (?, ?, ?)", [(key, job, run_id) for key in keys]
            )

    def finish(self, keys: Iterable[str], incident: int | None = None) -> None:
        """Nothing more is to be done for these alerts."""
        self._settle("finished", keys, incident)

    def release(self, keys: Iterable[str]) -> None:
        """Something is left to be done for them, when they are sent again."""
        self._settle("released", keys, None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Renew the lease on what was taken for as long as this lasts."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(LEASE_S / 4):
                with suppress(JournalError), AlertLog(self._file, self.owner) as log, log._writing() as connection:
                    connection.execute(
                        "update alerts set until = ? where owner = ? and state = 'taken'",
                        (time.time() + LEASE_S, self.owner),
                    )

        thread = threading.Thread(target=renew, daemon=True)
        if self._file is not None:
            thread.start()
        try:
            yield
        finally:
            over.set()

    def close(self) -> None:
        self._connection.close()

    def _settle(self, state: str, keys: Iterable[str], incident: int | None) -> None:
        with self._writing() as connection:
            connection.executemany(
                "update alerts set state = ?, incident = coalesce(?, incident) where key = ? and owner = ?",
                [(state, incident, key, self.owner) for key in keys],
            )

    def _entry(self, key: str, at: float) -> Entry | None:
        row = self._connection.execute(
            "select name, status, first_at, last_at, sent, state, pid, host, until, incident from alerts where key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        name, status, first_at, last_at, sent, state, pid, host, until, incident = row
        standing = Standing.AGAIN if state == "finished" else Standing.UNFINISHED
        if state == "taken" and at < until and _may_live(pid, host):
            standing = Standing.RUNNING
        runs = self._connection.execute("select job, run_id from alert_runs where key = ?", (key,)).fetchall()
        return Entry(key, name, status, first_at, last_at, sent, standing, incident, dict(runs))

    def _holding(self, at: float) -> tuple[str, int, str, float]:
        return self.owner, os.getpid(), platform.node(), at + LEASE_S

    def _forget(self, at: float) -> None:
        old = "select key from alerts where last_at < :before"
        before = {"before": at - KEPT_S}
        self._connection.execute(f"delete from alert_runs where key in ({old})", before)  # noqa: S608 - a constant
        self._connection.execute("delete from alerts where last_at < :before", before)

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


@contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """Whoever opens incidents for alerts waits for others that do: two alerts of a group open one. Ends with its process.

    ``file`` is that of the journal. Raises JournalError where it takes too long.
    """
    try:
        lock = sqlite3.connect(file.with_name("alerts.lock"), isolation_level=None, timeout=LONGEST_WAIT_S)
        try:
            lock.execute("begin exclusive")
            yield
        finally:
            lock.close()
    except sqlite3.Error as error:
        raise JournalError(f"another process files alerts in {file}, and does not come to an end: {error}") from error


def _may_live(pid: int, host: str) -> bool:
    """False where it is certain that the process is gone."""
    if host != platform.node() or sys.platform == "win32":  # where signal 0 is none
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
