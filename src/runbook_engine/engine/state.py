"""The one file of state, and the one way to open it: for writing, or for looking into it where nothing can be written."""

import os
import sqlite3
from pathlib import Path

from runbook_engine.errors import JournalError

VERSION = 1
"""What this version of the package writes; a file says it as ``user_version``, and 0 where no run was kept in it yet."""


def open_state(
    file: Path | None, schema: str, *, tables: frozenset[str], wait_s: float, reading: bool = False
) -> sqlite3.Connection:
    """A connection in autocommit mode, in which the tables are there; without a file, one that remembers nothing.

    ``wait_s`` is how long it waits for others that write. ``reading`` needs no lock and no permission to write: it sees what
    there is, which is nothing where there is no file. Raises JournalError for a file of a newer version, sqlite3.Error and
    OSError where the file cannot be opened.
    """
    if file is None:
        return _prepared(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False), schema, None)
    if reading:
        found = _looked_into(file, tables, wait_s) if file.exists() else None
        return open_state(None, schema, tables=tables, wait_s=wait_s) if found is None else found
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        file.touch(mode=0o600)
    connection = sqlite3.connect(file, isolation_level=None, timeout=wait_s, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        missing = not tables <= _tables(connection, file)
    except BaseException:
        connection.close()
        raise
    return _prepared(connection, schema if missing else "", file)


def _prepared(connection: sqlite3.Connection, schema: str, file: Path | None) -> sqlite3.Connection:
    try:
        if file is None or schema:
            connection.executescript(f"begin immediate;{schema}pragma user_version = {VERSION};commit;")
    except BaseException:
        connection.close()
        raise
    return connection


def _looked_into(file: Path, tables: frozenset[str], wait_s: float) -> sqlite3.Connection | None:
    """For reading alone; None where the tables are not there."""
    connection = _readable(file, wait_s)
    try:
        if tables <= _tables(connection, file):
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _readable(file: Path, wait_s: float) -> sqlite3.Connection:
    """A reader of a log in memory makes a file beside it; where it may not, nobody else writes either."""
    where = file.resolve().as_uri()
    connection = sqlite3.connect(f"{where}?mode=ro", uri=True, isolation_level=None, timeout=wait_s)
    try:
        connection.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        log = file.with_name(f"{file.name}-wal")
        if os.access(file.parent, os.W_OK) or (log.exists() and log.stat().st_size):
            raise
        return sqlite3.connect(f"{where}?immutable=1", uri=True, isolation_level=None, timeout=wait_s)
    except BaseException:
        connection.close()
        raise
    return connection


def _tables(connection: sqlite3.Connection, file: Path) -> frozenset[str]:
    """The tables that there are. Raises JournalError for a file of a newer version."""
    if connection.execute("pragma user_version").fetchone()[0] > VERSION:
        raise JournalError(f"the journal {file} was written by a newer version of runbook-engine; upgrade it")
    return frozenset(name for (name,) in connection.execute("select name from sqlite_master where type = 'table'"))
