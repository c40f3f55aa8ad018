"""Several servers in one connection string: which of them counts, and what is said where none is what is asked for."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import psycopg
import pytest

from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.probe import ErrorKind
from runbook_probes.postgres import ping, query
from runbook_probes.postgres_ready import ready

pytestmark = pytest.mark.anyio

SLEEPS = frozenset({"sql-functions"})


class Pair(NamedTuple):
    primary: PostgresServer
    standby: PostgresServer
    stack: ExitStack

    def dsn(self, attributes: str, *, standby_first: bool = False, user: str = "postgres") -> str:
        both = [self.standby, self.primary] if standby_first else [self.primary, self.standby]
        account = self.primary.dsn(user, None if user == "postgres" else "pl4nted-hunter2").partition("@")[0]
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in both)
        return f"{account}@{hosts}/postgres?target_session_attrs={attributes}"

    def lose_the_primary(self) -> None:
        """As by a power cut."""
        assert self.primary.pid is not None
        os.kill(self.primary.pid, signal.SIGQUIT)
        self.primary.stop()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        primary = stack.enter_context(PostgresServer(tmp_path / "primary"))
        with psycopg.connect(primary.dsn(), autocommit=True) as connection:
            connection.execute("CREATE ROLE app LOGIN PASSWORD 'pl4nted-hunter2' CONNECTION LIMIT 0")
        standby = stack.enter_context(PostgresServer(tmp_path / "standby", primary=primary))
        yield Pair(primary, standby, stack)


async def test_the_server_that_is_asked_for_counts_whatever_the_order(pair: Pair, measure: Any) -> None:
    for attributes, is_standby in (
        ("read-write", False),
        ("primary", False),
        ("standby", True),
        ("read-only", True),
        ("prefer-standby", True),
    ):
        for standby_first in (False, True):
            dsn = pair.dsn(attributes, standby_first=standby_first)
            assert (await measure(ping, dsn=dsn)).standby is is_standby
            reading = await measure(ready, dsn=dsn)
            assert (reading.state, reading.accepting) == ("accepting", True)
    where = (await measure(ready, dsn=pair.dsn("read-write", standby_first=True))).evidence["server"]
    assert where == f"127.0.0.1:{pair.primary.port}"


async def test_without_a_primary_the_sentence_tells_who_answered_as_what(pair: Pair, measure: Any, fails: Any) -> None:
    pair.lose_the_primary()
    gone, left = f"127.0.0.1:{pair.primary.port}", f"127.0.0.1:{pair.standby.port}"
    error = await fails(ping, dsn=pair.dsn("read-write"))
    assert error.kind is ErrorKind.REFUSED
    assert error.message == (
        "no server is open for writing, as target_session_attrs=read-write asks for:"
        f" {gone} refuses connections: nothing listens there; {left} is a standby"
    )
    assert "promote it once the old one is surely down" in error.remedy
    reading = await measure(ready, dsn=pair.dsn("read-write"))
    assert (reading.state, reading.accepting) == ("unsuitable", False)
    assert reading.answers == f"{left} is a standby; {gone} refuses connections: nothing listens there"
    # Whoever is content with a standby is served.
    assert (await measure(ping, dsn=pair.dsn("prefer-standby"))).standby is True
    assert (await measure(ready, dsn=pair.dsn("any"))).accepting


async def test_a_primary_is_no_standby(pair: Pair, measure: Any, fails: Any) -> None:
    only = pair.primary.dsn() + "?target_session_attrs=standby"
    error = await fails(ping, dsn=only)
    assert error.kind is ErrorKind.REFUSED
    assert error.message == (
        f"no server is a standby, as target_session_attrs=standby asks for: 127.0.0.1:{pair.primary.port} is a primary"
    )
    assert (await measure(ready, dsn=only)).state == "unsuitable"


async def test_a_server_that_is_switched_to_read_only_is_said_to_be_so(pair: Pair, fails: Any) -> None:
    with psycopg.connect(pair.primary.dsn(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connection.execute("SELECT pg_reload_conf()")
    error = await fails(ping, dsn=pair.primary.dsn() + "?target_session_attrs=read-write")
    assert error.message.endswith(f"127.0.0.1:{pair.primary.port} is read-only")


async def test_of_which_kind_a_server_is_that_lets_nobody_in_stays_open(pair: Pair, measure: Any, fails: Any) -> None:
    dsn = pair.dsn("read-write", user="app")
    reading = await measure(ready, dsn=dsn)
    assert reading.accepting
    assert "of which kind it is cannot be seen (too many connections for role" in reading.answers
    assert (await fails(ping, dsn=dsn)).kind is ErrorKind.THROTTLED


async def test_a_primary_that_dies_under_a_query_breaks_a_connection_and_refuses_the_next(
    pair: Pair, fails: Any
) -> None:
    """The first is no server that refuses connections: it let us in."""
    dsn = pair.dsn("read-write")

    async def kill() -> None:
        with psycopg.connect(pair.primary.dsn(), autocommit=True) as admin:
            asleep = "SELECT pid FROM pg_stat_activity WHERE application_name = 'runbook' AND wait_event = 'PgSleep'"
            while not (found := admin.execute(asleep).fetchall()):
                await anyio.sleep(0.01)
            os.kill(found[0][0], signal.SIGKILL)

    async with anyio.create_task_group() as group:
        group.start_soon(kill)
        error = await fails(query, dsn=dsn, sql="SELECT pg_sleep(30) AS x", grants=SLEEPS)
    assert error.kind is ErrorKind.OTHER
    assert error.message.startswith(f"the connection with 127.0.0.1:{pair.primary.port} broke (")
    pair.lose_the_primary()
    error = await fails(query, dsn=pair.primary.dsn(), sql="SELECT 1 AS x")
    assert error.kind is ErrorKind.REFUSED
