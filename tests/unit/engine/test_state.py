"""The file of state: what is written stays, whoever looks into it changes nothing, and nothing is made twice."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.engine.state import VERSION, open_state
from runbook_engine.errors import JournalError

SCHEMA = "create table notes (note text not null);"  # fails where it is run twice
TABLES = frozenset({"notes"})


def opened(file: Path | None, *, reading: bool = False, wait_s: float = 0.25) -> "closing[sqlite3.Connection]":
    return closing(open_state(file, SCHEMA, tables=TABLES, wait_s=wait_s, reading=reading))


def notes(connection: sqlite3.Connection) -> list[str]:
    return [note for (note,) in connection.execute("select note from notes")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def written(file: Path) -> Path:
    with opened(file) as connection:
        connection.execute("insert into notes values ('kept')")
    return file


def setting(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"pragma {name}").fetchone()[0]


def test_what_is_written_is_on_the_disk_before_the_write_ends_and_outlives_the_loss_of_power(file: Path) -> None:
    full = 2  # https://www.sqlite.org/pragma.html#pragma_synchronous
    for _ in ("a new file", "one that is there"):
        with opened(file) as connection:
            assert setting(connection, "synchronous") == full
            assert setting(connection, "journal_mode") == "wal"


def test_each_statement_counts_at_once(file: Path) -> None:
    for connection in (
        open_state(None, SCHEMA, tables=TABLES, wait_s=1),
        open_state(file, SCHEMA, tables=TABLES, wait_s=1),
    ):
        with closing(connection):
            connection.execute("insert into notes values ('kept')")
            assert not connection.in_transaction
    with opened(file, reading=True) as reader:
        assert reader.isolation_level is None
        assert notes(reader) == ["kept"]


def test_the_folder_and_the_file_are_for_their_owner_alone(written: Path) -> None:
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_folders_above_are_made_too_and_those_that_are_there_serve(tmp_path: Path) -> None:
    for _ in ("new", "there"):
        with opened(tmp_path / "one" / "two" / "journal.sqlite3") as connection:
            assert notes(connection) == []


def test_a_file_that_is_there_is_opened_and_not_made_anew(written: Path) -> None:
    written.chmod(0o640)
    with opened(written) as connection:
        assert notes(connection) == ["kept"]
    assert stat.S_IMODE(written.stat().st_mode) == 0o640, "what its owner has allowed stays allowed"


def test_a_file_without_these_tables_gets_them_beside_what_it_has(written: Path) -> None:
    more = "create table if not exists notes (note text); create table others (other text);"
    with closing(open_state(written, more, tables=TABLES | {"others"}, wait_s=1)) as connection:
        assert notes(connection) == ["kept"]
        assert connection.execute("select count(*) from others").fetchone() == (0,)


def test_a_file_says_which_version_has_written_it(written: Path) -> None:
    with opened(written) as connection:
        assert setting(connection, "user_version") == VERSION == 1
    with opened(None) as connection:
        assert setting(connection, "user_version") == VERSION


@pytest.mark.parametrize("reading", [False, True])
def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(written: Path, *, reading: bool) -> None:
    with closing(sqlite3.connect(written)) as newer:
        newer.execute(f"pragma user_version = {VERSION + 1}")
    with pytest.raises(
        JournalError, match=r"journal\.sqlite3 was written by a newer version of runbook-engine; upgrade"
    ):
        opened(written, reading=reading)
    with closing(sqlite3.connect(written)) as newer:
        assert setting(newer, "user_version") == VERSION + 1


@pytest.mark.parametrize("wait_s", [0.0, 10.0])
def test_a_connection_waits_for_others_as_long_as_it_is_told(written: Path, wait_s: float) -> None:
    for reading in (False, True):
        with opened(written, reading=reading, wait_s=wait_s) as connection:
            assert setting(connection, "busy_timeout") == wait_s * 1000


@pytest.mark.parametrize("kept", [False, True], ids=["memory", "file"])
def test_any_thread_may_write(file: Path, *, kept: bool) -> None:
    with opened(file if kept else None) as connection:
        thread = threading.Thread(target=connection.execute, args=("insert into notes values ('theirs')",))
        thread.start()
        thread.join()
        assert notes(connection) == ["theirs"]


def test_what_no_file_keeps_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(None) as connection:
        connection.execute("insert into notes values ('gone')")
    with opened(None) as connection:
        assert notes(connection) == []
    assert list(tmp_path.iterdir()) == []


def test_looking_where_there_is_no_file_makes_none(file: Path) -> None:
    with opened(file, reading=True) as connection:
        assert notes(connection) == []
    assert not file.parent.exists()


def test_looking_into_a_file_changes_nothing(written: Path) -> None:
    with opened(written, reading=True) as connection:
        assert notes(connection) == ["kept"]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("insert into notes values ('more')")


def test_looking_sees_what_was_written_last_while_somebody_writes(written: Path) -> None:
    with opened(written) as writer, opened(written, reading=True, wait_s=0) as reader:
        writer.execute("begin immediate")
        writer.execute("insert into notes values ('not yet')")
        assert notes(reader) == ["kept"]
        writer.execute("commit")
        assert notes(reader) == ["kept", "not yet"]


def test_looking_into_a_file_of_others_sees_nothing_of_these_tables_and_makes_none(written: Path) -> None:
    with closing(open_state(written, "create table x (x);", tables=frozenset({"x"}), wait_s=1, reading=True)) as reader:
        assert reader.execute("select count(*) from x").fetchone() == (0,)
    with closing(sqlite3.connect(written)) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("notes",)]


def test_a_schema_that_fails_leaves_no_lock_behind(file: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        open_state(file, "create table notes (note text); nonsense;", tables=TABLES, wait_s=1)
    with closing(sqlite3.connect(file, timeout=0)) as connection:
        assert connection.execute("select count(*) from sqlite_master").fetchone() == (0,)
        connection.execute("create table free (x)")


def test_a_file_that_is_no_database_is_refused_both_ways(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("this is not a database, it is a text of some length" * 10)
    for reading in (False, True):
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            opened(file, reading=reading)


def test_whoever_opens_a_file_need_not_wait_for_somebody_who_writes(written: Path) -> None:
    with opened(written) as writer:
        writer.execute("begin immediate")
        with opened(written, wait_s=0) as connection:
            assert notes(connection) == ["kept"]


@pytest.mark.parametrize("reading", [False, True])
@pytest.mark.parametrize("spoilt", ["newer", "no database", "of others"])
def test_a_file_that_does_not_serve_is_closed_again(
    written: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str, *, reading: bool
) -> None:
    if spoilt == "newer":
        with closing(sqlite3.connect(written)) as newer:
            newer.execute(f"pragma user_version = {VERSION + 1}")
    elif spoilt == "no database":
        written.write_text("this is not a database, it is a text of some length" * 10)
    else:
        with closing(sqlite3.connect(written)) as others:
            others.execute("drop table notes")
    made, closed, connect = _tracked()
    monkeypatch.setattr(sqlite3, "connect", connect)
    with suppress(JournalError, sqlite3.DatabaseError), opened(written, reading=reading):
        pass
    assert made
    assert closed == made


def _tracked() -> tuple[list[sqlite3.Connection], list[sqlite3.Connection], Callable[..., sqlite3.Connection]]:
    """Which connections were made and which were closed, in the same order."""
    original: Any = sqlite3.connect
    made: list[sqlite3.Connection] = []
    closed: list[sqlite3.Connection] = []

    class Tracked(sqlite3.Connection):
        def close(self) -> None:
            closed.append(self)
            super().close()

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        made.append(original(*arguments, **options, factory=Tracked))
        return made[-1]

    return made, closed, connect


# Where a folder may not be written to, SQLite cannot make the file that readers share; whoever runs the tests as root may write
# everywhere, so that it is SQLite's answer that is simulated: https://www.sqlite.org/wal.html#read_only_databases


@pytest.fixture
def no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], list[str]]:
    """SQLite as it is where the folder may not be written to; says which files were opened."""
    connect: Any = sqlite3.connect
    names: list[str] = []

    class Refusing(sqlite3.Connection):
        def execute(self, *_arguments: Any) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("unable to open database file")

        def close(self) -> None:
            names.append("closed")
            super().close()

    def opening(name: object, **options: Any) -> object:
        names.append(str(name))
        return connect(name, **options, **({"factory": Refusing} if "mode=ro" in str(name) else {}))

    def begin(writable: bool) -> list[str]:
        monkeypatch.setattr(sqlite3, "connect", opening)
        monkeypatch.setattr(os, "access", lambda _path, _mode: writable)
        return names

    return begin


def test_where_nobody_can_write_the_file_is_read_as_it_is(
    written: Path, no_shared_memory: Callable[[bool], list[str]]
) -> None:
    names = no_shared_memory(False)
    with opened(written, reading=True, wait_s=3) as connection:
        assert notes(connection) == ["kept"]
        assert connection.isolation_level is None
        assert setting(connection, "busy_timeout") == 3000
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("insert into notes values ('more')")
    assert names == [f"{written.as_uri()}?mode=ro", "closed", f"{written.as_uri()}?immutable=1"]


def test_a_file_is_not_read_past_what_somebody_has_written_beside_it(
    written: Path, no_shared_memory: Callable[[bool], list[str]]
) -> None:
    log = written.with_name(f"{written.name}-wal")
    log.write_bytes(b"not in the file yet")
    no_shared_memory(False)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        opened(written, reading=True)
    log.write_bytes(b"")
    with opened(written, reading=True) as connection:
        assert notes(connection) == ["kept"]


def test_where_others_may_write_the_file_is_not_read_without_the_lock(
    written: Path, no_shared_memory: Callable[[bool], list[str]]
) -> None:
    no_shared_memory(True)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        opened(written, reading=True)
