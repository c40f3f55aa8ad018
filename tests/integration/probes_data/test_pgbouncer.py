"""PostgreSQL behind PgBouncer: what the pooler says is told as what it is, and never as a database that is down."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.servers import PGBOUNCER

from runbook_engine.lab.pgbouncer import PgBouncer
from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.probe import ErrorKind
from runbook_probes.postgres import activity, ping, query
from runbook_probes.postgres_ready import ready

PASSWORD = "pl4nted-hunter2"
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.needs(PGBOUNCER),
]
Pool = Callable[..., PgBouncer]


@pytest.fixture
def pool(postgres: PostgresServer, tmp_path: Path) -> Iterator[Pool]:
    with ExitStack() as opened:

        def start(**settings: str) -> PgBouncer:
            passwords = {"app": PASSWORD, "monitor": PASSWORD, "ghost": PASSWORD}
            server = PgBouncer(tmp_path, server_port=postgres.port, passwords=passwords, settings=settings)
            return opened.enter_context(server)

        yield start


async def test_a_pool_by_transaction_is_read_as_the_database_is(pool: Pool, measure: Any) -> None:
    pooled = pool()
    assert (await measure(ready, dsn=pooled.dsn("app", "postgres"))).accepting
    assert (await measure(ping, dsn=pooled.dsn("app", "postgres"))).latency > 0
    assert (await measure(activity, dsn=pooled.dsn("monitor", "postgres"))).active is not None


async def test_a_pool_without_a_free_connection_throttles(pool: Pool, fails: Any, measure: Any) -> None:
    dsn = pool(default_pool_size="1", query_wait_timeout="1").dsn("app", "postgres")
    with psycopg.connect(dsn) as holder:
        holder.execute("SELECT 1")
        assert (await measure(ready, dsn=dsn)).accepting
        error = await fails(ping, dsn=dsn)
    assert error.kind is ErrorKind.THROTTLED
    assert error.message.startswith("no connection of the pool on 127.0.0.1:")
    assert error.message.endswith("became free in time (query_wait_timeout)")
    assert "SHOW POOLS" in error.remedy


async def test_a_pool_that_makes_us_wait_for_longer_than_we_can_is_a_timeout_that_names_it(
    pool: Pool, fails: Any
) -> None:
    """By default a pool lets its clients wait for two minutes."""
    pooled = pool(default_pool_size="1")
    dsn = pooled.dsn("app", "postgres")
    with psycopg.connect(dsn) as holder:
        holder.execute("SELECT 1")
        error = await fails(ping, dsn=dsn, deadline=1.5)
    assert error.kind is ErrorKind.TIMEOUT
    assert error.message.startswith(f"127.0.0.1:{pooled.port} let us in and did not begin a transaction within ")
    assert error.remedy.startswith("a pooler does so while no connection to the database is free")


async def test_a_pooler_with_too_many_clients_throttles(pool: Pool, fails: Any) -> None:
    dsn = pool(max_client_conn="1").dsn("app", "postgres")
    with psycopg.connect(dsn):
        error = await fails(ping, dsn=dsn)
    assert error.kind is ErrorKind.THROTTLED
    assert "takes no more clients (no more connections allowed (max_client_conn))" in error.message
    assert "max_client_conn" in error.remedy


async def test_pooling_by_statement_is_told_with_the_remedy(pool: Pool, fails: Any) -> None:
    error = await fails(query, dsn=pool(pool_mode="statement").dsn("app", "postgres"), sql="SELECT 1 AS x")
    assert error.kind is ErrorKind.FORBIDDEN
    assert "pools by statement and allows no transaction" in error.message
    assert error.remedy == "give the probe a connection string past the pooler, or a pool with pool_mode = transaction"


async def test_a_pooler_whose_database_died_refuses(tmp_path: Path, fails: Any) -> None:
    with PostgresServer(tmp_path / "database") as server, ExitStack() as opened:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'".encode())
        settings = {"query_wait_timeout": "1", "server_login_retry": "60"}
        pooled = PgBouncer(tmp_path, server_port=server.port, passwords={"app": PASSWORD}, settings=settings)
        opened.enter_context(pooled)
        dsn = pooled.dsn("app", "postgres")
        psycopg.connect(dsn).close()
        server.stop()
        # The first client waits for the connection that the pooler tries to make; then the pooler knows.
        assert (await fails(ping, dsn=dsn)).kind in (ErrorKind.THROTTLED, ErrorKind.REFUSED)
        error = await fails(ping, dsn=dsn)
        assert error.kind is ErrorKind.REFUSED
        assert error.message.startswith(
            f"the pooler on 127.0.0.1:{pooled.port} gets no connection to the database (server login"
        )


async def test_a_pooler_whose_database_never_came_up_is_no_wrong_password(tmp_path: Path, fails: Any) -> None:
    """It has asked for the password, and found it right."""
    server = PostgresServer(tmp_path / "database")
    settings = {"query_wait_timeout": "1"}
    with PgBouncer(tmp_path, server_port=server.port, passwords={"app": PASSWORD}, settings=settings) as pooled:
        error = await fails(ping, dsn=pooled.dsn("app", "postgres"))
    assert error.kind is ErrorKind.THROTTLED
    assert "query_wait_timeout" in error.message


async def test_a_wrong_password_is_auth_behind_a_pooler_too(pool: Pool, fails: Any) -> None:
    dsn = pool().dsn("app", "postgres").replace(PASSWORD, f"{PASSWORD}-old")
    error = await fails(ping, dsn=dsn)
    assert error.kind is ErrorKind.AUTH
    assert "does not accept the password of app" in error.message


async def test_a_role_that_the_database_does_not_know_is_auth(pool: Pool, fails: Any) -> None:
    assert (await fails(ping, dsn=pool().dsn("ghost", "postgres"))).kind is ErrorKind.AUTH


async def test_a_database_that_does_not_exist_is_missing_behind_a_pooler_too(pool: Pool, fails: Any) -> None:
    assert (await fails(ping, dsn=pool().dsn("app", "nowhere"))).kind is ErrorKind.MISSING


async def test_a_setting_that_the_pooler_does_not_take_is_named(pool: Pool, fails: Any) -> None:
    dsn = pool().dsn("app", "postgres") + "?options=-c%20work_mem%3D1MB"
    error = await fails(ping, dsn=dsn)
    assert error.kind is ErrorKind.MALFORMED
    assert "unsupported startup parameter: options" in error.message
    assert "ignore_startup_parameters" in error.remedy
