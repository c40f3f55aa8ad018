"""Which alerts were taken, in the file of the journal: what is sent again is recognised, also by several processes at once.

An alert is ``taken`` while its runs go on and ``finished`` when they have ended. A process that lives keeps what it has
taken, whatever any clock says; where it was killed, the next one to which the alert is sent takes it over. Of processes of
other machines nobody here knows whether they live: they hold what they have taken by a lease, which they renew, by the clock
of the disc on which the journal lies. What could not be run, or what nobody had a runbook for, is run when the alert is sent
again and can be run then.
"""

import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Self

from msgspec import Struct

from runbook_engine.alerting.alerts import Alert
from runbook_engine.engine.state import open_state
from runbook_engine.errors import JournalError
from runbook_engine.living import Process, this_process

KEPT_S = 30 * 86400.0
"""An alert that was not sent for so long is forgotten."""
LEASE_S = 60.0
"""How long an alert is held without a sign of life, where nobody knows whether its process lives."""
LONGEST_WAIT_S = 30.0
_NONE: Mapping[str, Collection[str]] = MappingProxyType({})
_TABLES = frozenset({"alerts", "alert_runs"})
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
  incident integer,
  boot text not null default '',
  started text not null default ''
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

    ``reading`` looks at what there is, and needs no lock.

    Raises JournalError with the file's name wherever SQLite or the file system refuses.
    """

    def __init__(
        self,
        file: Path | None,
        owner: str | None = None,
        clock: Callable[[], float] | None = None,
        *,
        reading: bool = False,
    ) -> None:
        self._file = file
        self._clock = clock or (time.monotonic if file is None else DiscClock(file.parent))
        self.owner = owner or os.urandom(8).hex()
        with self._explained("opened"):
            self._connection = open_state(file, _SCHEMA, tables=_TABLES, wait_s=LONGEST_WAIT_S, reading=reading)
            self._process = self._widened(reading=reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def take(
        self, alerts: Iterable[Alert], at: float, jobs: Mapping[str, Collection[str]] = _NONE
    ) -> Mapping[str, Entry]:
        """Take all that nobody else has; each by its key with what it is. Nobody comes between.

        ``jobs`` are the ids of what is to be run for each alert, by its key: an alert is finished when all of it has run.
        """
        found: dict[str, Entry] = {}
        holding = self._holding()
        with self._writing() as connection:
            self._forget(at)
            for alert in alerts:
                if alert.key in found:
                    continue
                before = self._entry(alert.key, jobs.get(alert.key, ()))
                if before is None:
                    found[alert.key] = Entry(alert.key, alert.name, alert.status, at, at, 1, Standing.NEW)
                    about = (alert.key, alert.source, alert.name, alert.status, alert.starts_at, at, at)
                    connection.execute(
                        "insert into alerts (key, source, name, status, starts_at, first_at, last_at, sent, state, owner,"
                        " pid, host, boot, started, until) values (?, ?, ?, ?, ?, ?, ?, 1, 'taken', ?, ?, ?, ?, ?, ?)",
                        (*about, *holding),
                    )
                    continue
                found[alert.key] = before
                connection.execute("update alerts set last_at = ?, sent = sent + 1 where key = ?", (at, alert.key))
                if before.is_open:
                    connection.execute(
                        "update alerts set state = 'taken', owner = ?, pid = ?, host = ?, boot = ?, started = ?, until = ?"
                        " where key = ?",
                        (*holding, alert.key),
                    )
        return found

    def known(self, alerts: Iterable[Alert], jobs: Mapping[str, Collection[str]] = _NONE) -> Mapping[str, Entry]:
        """What is known of them; nothing is taken. ``jobs`` as for ``take``."""
        with self._explained("read"):
            entries = {alert.key: self._entry(alert.key, jobs.get(alert.key, ())) for alert in alerts}
        return {key: entry for key, entry in entries.items() if entry is not None}

    def entries(self, most: int = 50) -> Sequence[Entry]:
        """Those that were sent last, newest first."""
        with self._explained("read"):
            keys = self._connection.execute(
                "select key from alerts order by last_at desc, key limit ?", (most,)
            ).fetchall()
            found = [self._entry(key) for (key,) in keys]
        return [each for each in found if each is not None]

    def ran(self, keys: Iterable[str], job: str, run_id: str) -> None:
        """A run for these alerts has ended; it is not run again for them."""
        with self._writing() as connection:
            connection.executemany(
                "insert or replace into alert_runs values (?, ?, ?)", [(key, job, run_id) for key in keys]
            )

    def finish(self, keys: Iterable[str], incident: int | None = None) -> None:
        """Nothing more is to be done for these alerts, which ``incident`` has, where one is given."""
        done = tuple(keys)
        self._settle("finished", done)
        if incident is not None:
            self.file(dict.fromkeys(done, incident))

    def release(self, keys: Iterable[str]) -> None:
        """Something is left to be done for them, when they are sent again."""
        self._settle("released", keys)

    def file(self, filed: Mapping[str, int]) -> None:
        """Remember which incident has each alert, by its key; whoever took the alert."""
        with self._writing() as connection:
            connection.executemany(
                "update alerts set incident = ? where key = ?", [(incident, key) for key, incident in filed.items()]
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Renew the lease on what was taken for as long as this lasts."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(LEASE_S / 4):
                with suppress(JournalError), AlertLog(self._file, self.owner, self._clock) as log:
                    until = log._clock() + LEASE_S
                    with log._writing() as connection:
                        connection.execute(
                            "update alerts set until = ? where owner = ? and state = 'taken'", (until, self.owner)
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

    def _settle(self, state: str, keys: Iterable[str]) -> None:
        with self._writing() as connection:
            connection.executemany(
                "update alerts set state = ? where key = ? and owner = ?", [(state, key, self.owner) for key in keys]
            )

    def _entry(self, key: str, jobs: Collection[str] = ()) -> Entry | None:
        row = self._connection.execute(
            f"select name, status, first_at, last_at, sent, state, incident, until, {self._process} from alerts"  # noqa: S608
            " where key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        name, status, first_at, last_at, sent, state, incident, until, *process = row
        runs = dict(self._connection.execute("select job, run_id from alert_runs where key = ?", (key,)).fetchall())
        standing = Standing.AGAIN if state == "finished" and runs.keys() >= set(jobs) else Standing.UNFINISHED
        if state == "taken" and self._holds(Process(*process), until):
            standing = Standing.RUNNING
        return Entry(key, name, status, first_at, last_at, sent, standing, incident, runs)

    def _holds(self, process: Process, until: float) -> bool:
        """Whether who took an alert still has it: while it lives, or, where nobody knows that, while its lease lasts."""
        return not process.is_gone and (process.is_known or self._clock() < until)

    def _holding(self) -> tuple[str, int, str, str, str, float]:
        mine = this_process()
        return self.owner, mine.pid, mine.host, mine.boot, mine.started, self._clock() + LEASE_S

    def _widened(self, *, reading: bool) -> str:
        """The columns of a process. Those that journals of earlier versions do not have are added, or read as empty."""
        have = {row[1] for row in self._connection.execute("pragma table_info(alerts)")}
        if "started" in have:
            return "host, boot, pid, started"
        if reading:
            return "host, '', pid, ''"
        with suppress(sqlite3.OperationalError):  # somebody else has done it meanwhile
            self._connection.execute("alter table alerts add column boot text not null default ''")
        with suppress(sqlite3.OperationalError):
            self._connection.execute("alter table alerts add column started text not null default ''")
        return "host, boot, pid, started"

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
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise JournalError(f"the folder of {file} cannot be made: {error.strerror}") from error
    try:
        lock = sqlite3.connect(file.with_name("alerts.lock"), isolation_level=None, timeout=LONGEST_WAIT_S)
        try:
            lock.execute("begin exclusive")
            yield
        finally:
            lock.close()
    except sqlite3.Error as error:
        raise JournalError(f"another process files alerts in {file}, and does not come to an end: {error}") from error


class DiscClock:
    """The time of whoever keeps a folder: for one that several machines share, the file server's, the same for all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self) -> float:
        """Seconds since 1970. Where nothing can be written there, this machine's."""
        try:
            with tempfile.TemporaryFile(dir=self._folder, prefix="clock-") as file:
                file.write(b".")
                file.flush()
                os.fsync(file.fileno())
                return os.fstat(file.fileno()).st_mtime
        except OSError:
            return time.time()
