"""postgres.ping and postgres.activity against a real server."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.probe import Secret, metric_types
from runbook_probes.postgres import activity, ping

pytestmark = pytest.mark.anyio

HIDDEN = (
    "active", "idle", "idle_in_transaction", "waiting", "longest_query_age", "longest_transaction_age",
    "longest_active_transaction_age", "longest_active_statement",
)  # fmt: skip


def state_of(admin: Any, session: Any) -> Any:
    query = "SELECT state, wait_event_type FROM pg_stat_activity WHERE pid = %s"
    return admin.execute(query, (session.info.backend_pid,)).fetchone()


@contextmanager
def running(admin: Any, until: Any, session: Any, statement: str, *, waits: str = "Timeout") -> Iterator[None]:
    """While the session executes the statement, until it waits as said."""
    session.pgconn.send_query(statement.encode())
    until(lambda: state_of(admin, session) == ("active", waits))
    yield


async def test_a_ping_tells_latency_and_version(postgres: Any, measure: Any) -> None:
    reading = await measure(ping, dsn=postgres.dsn())
    assert reading.latency > 0
    assert reading.connect > 0
    assert reading.server_version.split(".")[0].isdecimal()
    assert reading.standby is False
    assert reading.missing == {}


async def test_a_server_without_other_clients_is_idle(postgres: Any, admin: Any, measure: Any) -> None:
    reading = await measure(activity, dsn=postgres.dsn())
    assert (reading.total, reading.used, reading.idle, reading.active) == (1, 1, 1, 0)
    assert (reading.waiting, reading.idle_in_transaction) == (0, 0)
    assert reading.longest_query_age == 0
    assert reading.longest_transaction_age == 0
    assert reading.missing == {}


async def test_sessions_are_counted_by_what_they_do(
    postgres: Any, admin: Any, connect: Any, measure: Any, until: Any
) -> None:
    busy, transaction, failed = connect(), connect(autocommit=False), connect(autocommit=False)
    connect("monitor")
    transaction.execute("SELECT 1")
    with pytest.raises(psycopg.Error):
        failed.execute("SELECT 1 / 0")
    with running(admin, until, busy, "SELECT pg_sleep(60)"):
        reading = await measure(activity, dsn=postgres.dsn())
    assert reading.total == 5
    assert reading.active == 1
    assert reading.idle == 2, "the admin's and the monitor's"
    assert reading.idle_in_transaction == 2
    assert reading.waiting == 0
    sessions = {(each["role"], each["state"]): each["sessions"] for each in reading.evidence["sessions"]}
    assert sessions["app", "active"] == 1
    assert sessions["app", "idle in transaction"] == 1
    assert sessions["app", "idle in transaction (aborted)"] == 1


async def test_ages_are_those_of_the_oldest(postgres: Any, admin: Any, connect: Any, measure: Any, until: Any) -> None:
    old, busy = connect(autocommit=False), connect()
    old.execute("SELECT 1")
    with running(admin, until, busy, "SELECT pg_sleep(60), 'Mrs Jones', 4711"):
        until(lambda: admin.execute(OLDER_THAN_300_MS, (busy.info.backend_pid,)).fetchone() == (True,))
        reading = await measure(activity, dsn=postgres.dsn())
    assert 0.3 < reading.longest_query_age < reading.longest_transaction_age < 10
    oldest, running_statement = reading.evidence["oldest_transactions"]
    assert oldest["pid"] == old.info.backend_pid
    assert running_statement["statement"] == "SELECT pg_sleep(?), ?, ?", "values may be anybody's"


OLDER_THAN_300_MS = "SELECT now() - query_start > interval '300 ms' FROM pg_stat_activity WHERE pid = %s"


async def test_lock_waits_say_who_blocks_whom(
    postgres: Any, admin: Any, connect: Any, measure: Any, until: Any
) -> None:
    admin.execute("CREATE TABLE IF NOT EXISTS locked AS SELECT 1 AS id")
    admin.execute("GRANT ALL ON locked TO app")
    holder, waiter, second = connect(autocommit=False), connect(), connect()
    holder.execute("UPDATE locked SET id = 2")
    with (
        running(admin, until, waiter, "UPDATE locked SET id = 3", waits="Lock"),
        running(admin, until, second, "UPDATE locked SET id = 4", waits="Lock"),
    ):
        reading = await measure(activity, dsn=postgres.dsn("monitor", "pl4nted-hunter2"))
        assert reading.waiting == 2
        assert reading.active == 2
        waiting = {each["pid"]: each for each in reading.evidence["waiting"]}
        assert waiting[waiter.info.backend_pid]["blocked_by"] == [holder.info.backend_pid]
        assert list(reading.evidence["waiting"][0])[:3] == ["pid", "blocked_by", "waits_for"], (
            "the last ones may be cut"
        )
        assert waiting[waiter.info.backend_pid]["statement"] == "UPDATE locked SET id = ?"
        blocking = {each["pid"]: each for each in reading.evidence["blocking"]}
        assert blocking[holder.info.backend_pid]["state"] == "idle in transaction"
        assert blocking[holder.info.backend_pid]["role"] == "app"


@pytest.mark.parametrize("role", ["monitor", "stats"])
async def test_a_role_that_may_read_all_statistics_sees_all(
    postgres: Any, password: str, admin: Any, connect: Any, measure: Any, until: Any, role: str
) -> None:
    busy = connect()
    with running(admin, until, busy, "SELECT pg_sleep(60)"):
        reading = await measure(activity, dsn=postgres.dsn(role, password))
    assert (reading.total, reading.active, reading.idle) == (2, 1, 1)
    assert reading.missing == {}


async def test_without_pg_monitor_what_others_do_is_missing_and_not_zero(
    postgres: Any, password: str, admin: Any, connect: Any, measure: Any, until: Any
) -> None:
    busy = connect("monitor")
    with running(admin, until, busy, "SELECT pg_sleep(60)"):
        reading = await measure(activity, dsn=postgres.dsn("app", password))
    assert [getattr(reading, name) for name in HIDDEN] == [None] * len(HIDDEN)
    assert set(reading.missing) == set(HIDDEN)
    for reason in reading.missing.values():
        assert reason == "what 2 of 2 sessions do is hidden from app; GRANT pg_monitor TO app;"
    assert reading.total == 2
    assert reading.used == 2
    assert reading.utilization == pytest.approx(100 * 2 / 97)


async def test_a_role_that_sees_all_there_is_needs_no_pg_monitor(tmp_path: Any, password: str, measure: Any) -> None:
    with PostgresServer(tmp_path) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as made:
            made.execute(f"CREATE ROLE app LOGIN PASSWORD '{password}'".encode())
            pid = made.info.backend_pid
        with psycopg.connect(server.dsn("app", password)) as own:
            assert own.info.backend_pid != pid
            reading = await measure(activity, dsn=server.dsn("app", password))
    assert reading.missing == {}
    assert (reading.total, reading.idle) == (1, 1)


async def test_the_limit_is_what_ordinary_roles_may_have_and_may_be_exceeded(
    tmp_path: Any, password: str, measure: Any
) -> None:
    settings = {"max_connections": "12", "superuser_reserved_connections": "4", "reserved_connections": "3"}
    with PostgresServer(tmp_path, settings=settings) as server, ExitStack() as opened:
        with psycopg.connect(server.dsn(), autocommit=True) as made:
            made.execute(f"CREATE ROLE app LOGIN PASSWORD '{password}'".encode())
        sessions = [opened.enter_context(psycopg.connect(server.dsn())) for _ in range(4)]
        reading = await measure(activity, dsn=server.dsn())
        assert reading.limit == 5
        assert reading.used == reading.total == len(sessions)
        assert reading.utilization == 80
        for _ in range(3):
            opened.enter_context(psycopg.connect(server.dsn()))
        reading = await measure(activity, dsn=server.dsn())
        assert reading.utilization == 140


async def test_the_limit_of_a_role_counts_where_it_is_nearer(
    postgres: Any, password: str, admin: Any, connect: Any, measure: Any
) -> None:
    """Seen by another role than the one that is at its limit."""
    admin.execute("ALTER ROLE app CONNECTION LIMIT 4")
    try:
        for _ in range(3):
            connect("app")
        reading = await measure(activity, dsn=postgres.dsn("monitor", password))
    finally:
        admin.execute("ALTER ROLE app CONNECTION LIMIT -1")
    assert (reading.used, reading.limit, reading.utilization) == (3, 4, 75)
    assert reading.limited_by == "CONNECTION LIMIT of the role app"
    assert reading.total == 4
    nearest, everybody = reading.evidence["limits"]
    assert nearest["limited_by"] == "CONNECTION LIMIT of the role app"
    assert (everybody["limited_by"], everybody["used"], everybody["connection_limit"]) == ("max_connections", 4, 97)


async def test_the_limit_of_a_database_counts_where_it_is_nearer(
    postgres: Any, admin: Any, connect: Any, database: str, measure: Any
) -> None:
    admin.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 3".encode())
    connect(database=database)
    reading = await measure(activity, dsn=postgres.dsn())
    assert (reading.used, reading.limit) == (1, 3)
    assert reading.limited_by == f"CONNECTION LIMIT of the database {database}"


async def test_a_role_that_may_have_one_connection_is_not_near_its_limit(
    postgres: Any, admin: Any, connect: Any, measure: Any
) -> None:
    admin.execute("ALTER ROLE app CONNECTION LIMIT 1")
    try:
        connect("app")
        reading = await measure(activity, dsn=postgres.dsn())
    finally:
        admin.execute("ALTER ROLE app CONNECTION LIMIT -1")
    assert (reading.limited_by, reading.used) == ("max_connections", 2)


async def test_a_transaction_that_works_is_told_by_its_age_and_statement(
    postgres: Any, admin: Any, connect: Any, measure: Any, until: Any
) -> None:
    idle, busy = connect(autocommit=False), connect()
    idle.execute("SELECT 1")
    with running(admin, until, busy, "SELECT pg_sleep(60), 'Mrs Jones'"):
        until(lambda: admin.execute(OLDER_THAN_300_MS, (busy.info.backend_pid,)).fetchone() == (True,))
        reading = await measure(activity, dsn=postgres.dsn())
    assert 0.3 < reading.longest_active_transaction_age < reading.longest_transaction_age
    assert reading.longest_active_statement == "SELECT pg_sleep(?), ?"


async def test_a_vacuum_holds_back_nobody_and_is_not_told_as_a_transaction(
    postgres: Any, admin: Any, connect: Any, measure: Any, until: Any
) -> None:
    admin.execute("CREATE TABLE IF NOT EXISTS cleaned AS SELECT 1 AS id")
    holder = connect("postgres", autocommit=False)
    holder.execute("LOCK TABLE cleaned")
    with running(admin, until, connect("postgres"), "VACUUM cleaned", waits="Lock"):
        reading = await measure(activity, dsn=postgres.dsn())
        holder.rollback()
    assert reading.longest_active_transaction_age == 0
    assert reading.longest_active_statement == ""


async def test_a_prepared_transaction_counts_though_it_has_no_session(
    tmp_path: Any, measure: Any, password: str, until: Any
) -> None:
    with PostgresServer(tmp_path, settings={"max_prepared_transactions": "4"}) as server, ExitStack() as opened:
        admin = opened.enter_context(psycopg.connect(server.dsn(), autocommit=True))
        admin.execute(f"CREATE ROLE app LOGIN PASSWORD '{password}'".encode())
        admin.execute("CREATE TABLE orders AS SELECT 1 AS id; CREATE TABLE other AS SELECT 1 AS id")
        for table, gid in (("other", "harmless"), ("orders", "order-4711")):
            for statement in ("BEGIN", f"UPDATE {table} SET id = 2", f"PREPARE TRANSACTION '{gid}'"):
                admin.execute(statement.encode())
        waiter = psycopg.connect(server.dsn(), autocommit=True)
        opened.callback(waiter.close)
        with running(admin, until, waiter, "UPDATE orders SET id = 3", waits="Lock"):
            old = "SELECT now() - max(prepared) > interval '300 ms' FROM pg_prepared_xacts"
            until(lambda: admin.execute(old).fetchone() == (True,))
            reading = await measure(activity, dsn=server.dsn())
            hidden = await measure(activity, dsn=server.dsn("app", password))
            admin.execute("ROLLBACK PREPARED 'order-4711'")
            admin.execute("ROLLBACK PREPARED 'harmless'")
    assert reading.prepared == 2
    assert 0.3 < reading.longest_prepared_age <= reading.longest_transaction_age
    shown = {each["gid"]: each for each in reading.evidence["prepared_transactions"]}
    assert {gid: each["blocks_others"] for gid, each in shown.items()} == {"harmless": False, "order-4711": True}
    assert shown["order-4711"]["role"] == "postgres"
    assert reading.evidence["waiting"][0]["blocked_by"] == [0], "PostgreSQL's number for one without a session"
    # They are no secret, whatever else is hidden.
    assert hidden.prepared == 2
    assert hidden.longest_transaction_age is None


def test_utilization_is_declared_without_an_upper_bound() -> None:
    assert metric_types(activity.reading)["utilization"].upper is None
    assert metric_types(activity.reading)["utilization"].lower == 0


def test_the_command_can_be_pasted_and_shows_the_same_numbers(postgres: Any, admin: Any, connect: Any) -> None:
    connect("app")
    shown = activity.command(activity.params(dsn=Secret(postgres.dsn(), "$DATABASE_URL")))
    words = shlex.split(shown)
    assert words[:2] == ["psql", "$DATABASE_URL"]
    counts, *others = [admin.execute(each.encode()).fetchall() for each in words[3::2]]
    assert counts == [(1, 0, 1, 0, 0, None, 97)]
    assert others == [[], []]


def test_commands_show_the_variable_and_the_statement(postgres: Any) -> None:
    dsn = Secret(postgres.dsn(), "$DATABASE_URL")
    assert ping.command(ping.params(dsn=dsn)) == """psql "$DATABASE_URL" -c 'SELECT 1'"""
    shown = activity.command(activity.params(dsn=dsn))
    assert shown.startswith('psql "$DATABASE_URL" -c "SELECT ')
    assert "FROM pg_stat_activity" in shown
    assert "\n" not in shown
