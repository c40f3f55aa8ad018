"""Each fault of the database is really there, as psql would see it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from tests.servers import PGBOUNCER

from runbook_engine.errors import UsageError
from runbook_engine.lab import Lab, open_lab
from runbook_engine.lab.faults import PLANS

Until = Callable[[Callable[[], bool]], bool]
Start = Callable[..., Any]


class Sight(Protocol):
    lab: Lab

    def get(self, path: str) -> httpx.Response: ...
    def rows(self, query: str) -> list[tuple[object, ...]]: ...
    def number(self, query: str) -> float: ...


class Process(Protocol):
    @property
    def pid(self) -> int: ...
    @property
    def arguments(self) -> str: ...


Processes = Callable[[], list[Process]]

USED = (
    "SELECT 100.0 * count(*) / (current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int)"
    " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
OLDEST = "SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::float FROM pg_stat_activity WHERE state = 'idle in transaction'"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def with_fault(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sight", names, indirect=True)


@pytest.mark.parametrize(
    ("fault", "same"), [("database_refused", "database_down"), ("too_many_connections", "connections_exhausted")]
)
def test_what_breaks_the_api_and_what_breaks_the_database_is_the_same(fault: str, same: str) -> None:
    """Those are looked at with the faults that make the API slow."""
    assert PLANS[fault] == PLANS[same]


@with_fault("database_starting")
def test_the_database_answers_and_lets_nobody_in(sight: Sight) -> None:
    begun = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match="the database system is not accepting connections"):
        sight.rows("SELECT 1")
    assert time.monotonic() - begun < 2
    response = sight.get("/health")
    assert response.status_code == 503
    assert "not accepting connections" in response.json()["error"]


@with_fault("database_timeouts")
def test_the_database_takes_connections_and_says_nothing(sight: Sight) -> None:
    with pytest.raises(psycopg.errors.ConnectionTimeout):
        psycopg.connect(sight.lab.inputs["database_url"], connect_timeout=2)
    assert sight.get("/health").status_code == 200


@pytest.mark.parametrize(("sight", "percent"), [("connections_81", 81.0), ("connections_79", 79.0)], indirect=["sight"])
def test_so_many_connections_are_in_use_and_the_api_is_well(sight: Sight, percent: float) -> None:
    assert sight.number(USED) == percent
    assert sight.get("/health").json() == {"status": "ok"}
    assert sight.number(USED) == percent


@with_fault("idle_in_transaction_and_disk_86")
def test_a_transaction_is_open_for_longer_than_the_lab_allows_and_nobody_waits_for_it(sight: Sight) -> None:
    assert sight.lab.inputs["transaction_old"] == "1s"
    assert sight.number(OPEN) == 1
    assert sight.number(OLDEST) > 1
    assert sight.number(WAITING) == 0
    assert sight.get("/health").json() == {"status": "ok"}


@with_fault("long_transaction")
def test_a_transaction_works_for_longer_than_the_lab_allows_and_nobody_waits_for_it(sight: Sight) -> None:
    at_work = "state = 'active' AND application_name = 'member-export'"
    assert sight.number(f"SELECT count(*) FROM pg_stat_activity WHERE {at_work}") == 1
    age = f"SELECT extract(epoch FROM clock_timestamp() - xact_start)::float FROM pg_stat_activity WHERE {at_work}"
    assert sight.number(age) > 1
    assert sight.number(WAITING) == 0
    assert sight.get("/health").json() == {"status": "ok"}


@with_fault("role_connection_limit")
def test_the_role_of_the_api_has_no_connection_left_and_the_server_has_many(sight: Sight) -> None:
    held = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pixelated_api'"
    assert sight.number(held) == sight.number("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'pixelated_api'") == 10
    assert sight.number(USED) < 50
    response = sight.get("/health")
    assert response.status_code == 503
    assert 'too many connections for role "pixelated_api"' in response.json()["error"]


@with_fault("no_primary")
def test_the_server_that_is_left_reads_and_does_not_write(sight: Sight) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"read-only|hot standby"):
        sight.rows("SELECT 1")
    as_a_reader = sight.lab.inputs["database_url"].replace("read-write", "any")
    with psycopg.connect(as_a_reader) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
    response = sight.get("/health")
    assert response.status_code == 503
    assert "cannot execute UPDATE in a read-only transaction" in response.json()["error"]


@pytest.mark.needs(PGBOUNCER)
@with_fault("pool_exhausted")
def test_the_pool_lets_its_clients_wait_and_the_database_is_nearly_idle(sight: Sight) -> None:
    with pytest.raises(psycopg.OperationalError, match="query_wait_timeout"):
        sight.rows("SELECT 1")
    response = sight.get("/health")
    assert response.status_code == 503
    assert "query_wait_timeout" in response.json()["error"]


def test_a_fault_whose_program_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook_engine.lab.opening.is_installed", lambda program: not program)
    with pytest.raises(UsageError) as caught, open_lab("pool_exhausted"):
        pass
    assert str(caught.value) == (
        "the fault pool_exhausted needs pgbouncer, which is not installed here and comes with no wheel; install it with\n"
        "  apt-get install pgbouncer"
    )


def test_a_lab_whose_database_is_silent_closes_quickly(tmp_path: Path) -> None:
    with open_lab("database_timeouts", directory=tmp_path):
        begun = time.monotonic()
    assert time.monotonic() - begun < 4
    assert list(tmp_path.iterdir()) == []


# Opens a lab, says where the database is, and stays until it is killed.
STAY = """
import sys, threading
from pathlib import Path
from runbook_engine.lab import open_lab
with open_lab("database_timeouts", directory=Path(sys.argv[1])) as lab:
    print(lab.inputs["database_url"], flush=True)
    threading.Event().wait()
"""


def test_a_silent_database_ends_when_whoever_opened_the_lab_is_killed(
    tmp_path: Path, processes: Processes, until: Until, start: Start
) -> None:
    opener = start([sys.executable, "-c", STAY, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    port = urlsplit(opener.stdout.readline().strip()).port
    mine = [each.pid for each in processes() if f"-p {port}" in each.arguments]
    assert len(mine) == 1
    opener.kill()
    opener.wait(20)
    assert until(lambda: not is_running(mine[0]))
    assert until(lambda: list(tmp_path.iterdir()) == [])


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
