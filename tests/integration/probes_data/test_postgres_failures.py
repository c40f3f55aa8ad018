"""Every way in which a PostgreSQL server is not measured has its kind, and shows no password."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

import anyio
import psycopg
import pytest

from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.probe import ErrorKind, ProbeContext, Secret
from runbook_probes.postgres import activity, ping, query, slow_queries

pytestmark = pytest.mark.anyio

SLEEPS = frozenset({"sql-functions"})


async def test_a_closed_port_refuses(tmp_path: Any, fails: Any, password: str) -> None:
    server = PostgresServer(tmp_path)
    error = await fails(ping, dsn=server.dsn("app", password))
    assert error.kind is ErrorKind.REFUSED
    assert error.message == f"127.0.0.1:{server.port} refuses connections: nothing listens there"


async def test_all_addresses_of_a_name_are_tried(tmp_path: Any, postgres: Any, fails: Any, measure: Any) -> None:
    closed = PostgresServer(tmp_path)
    both = f"host=localhost,127.0.0.1 port={closed.port},{postgres.port} user=postgres dbname=postgres"
    secret = postgres.dsn().split(":")[2].partition("@")[0]
    reading = await measure(ping, dsn=f"{both} password={secret}")
    assert reading.latency > 0
    error = await fails(ping, dsn=f"host=localhost,127.0.0.1 port={closed.port} user=app")
    assert error.kind is ErrorKind.REFUSED
    assert f"localhost:{closed.port}, 127.0.0.1:{closed.port}" in error.message


async def test_a_wrong_password_is_auth(postgres: Any, fails: Any, password: str) -> None:
    error = await fails(ping, dsn=postgres.dsn("app", password + "-old"))
    assert error.kind is ErrorKind.AUTH
    assert error.message == (
        f'127.0.0.1:{postgres.port} does not accept the password of app (password authentication failed for user "app")'
    )
    assert error.remedy == "check user and password of the connection string"
    assert isinstance(error.__cause__, psycopg.OperationalError)


async def test_no_password_is_auth(postgres: Any, fails: Any) -> None:
    error = await fails(ping, dsn=postgres.dsn("app"))
    assert error.kind is ErrorKind.AUTH
    assert "no password supplied" in error.message


async def test_a_role_that_may_not_log_in_is_auth(postgres: Any, admin: Any, fails: Any, password: str) -> None:
    admin.execute("ALTER ROLE stats NOLOGIN")
    try:
        error = await fails(ping, dsn=postgres.dsn("stats", password))
    finally:
        admin.execute("ALTER ROLE stats LOGIN")
    assert error.kind is ErrorKind.AUTH
    assert "not permitted to log in" in error.message


async def test_a_missing_database_is_missing(postgres: Any, fails: Any, password: str) -> None:
    error = await fails(ping, dsn=postgres.dsn("app", password, "nowhere"))
    assert error.kind is ErrorKind.MISSING
    assert error.message == f"the database nowhere does not exist on 127.0.0.1:{postgres.port}"


async def test_a_database_that_the_role_may_not_use_is_forbidden(
    postgres: Any, admin: Any, database: str, fails: Any, password: str
) -> None:
    admin.execute(f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC".encode())
    error = await fails(ping, dsn=postgres.dsn("app", password, database))
    assert error.kind is ErrorKind.FORBIDDEN
    assert error.remedy == f"GRANT CONNECT ON DATABASE {database} TO app;"


async def test_a_database_that_takes_no_connections_refuses(
    postgres: Any, admin: Any, database: str, fails: Any, password: str
) -> None:
    admin.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false".encode())
    error = await fails(ping, dsn=postgres.dsn("app", password, database))
    assert error.kind is ErrorKind.REFUSED
    assert "is not currently accepting connections" in error.message


async def test_exhausted_connections_throttle_the_application_and_not_the_superuser(
    tmp_path: Any, fails: Any, measure: Any, password: str
) -> None:
    settings = {"max_connections": "8", "superuser_reserved_connections": "3"}
    with PostgresServer(tmp_path, settings=settings) as server, ExitStack() as opened:
        with psycopg.connect(server.dsn(), autocommit=True) as session:
            session.execute(f"CREATE ROLE app LOGIN PASSWORD '{password}'".encode())
        with pytest.raises(psycopg.OperationalError):
            while True:
                opened.enter_context(psycopg.connect(server.dsn("app", password)))
        for probe in (ping, activity, slow_queries):
            error = await fails(probe, dsn=server.dsn("app", password))
            assert error.kind is ErrorKind.THROTTLED
            assert error.message.startswith(f"too many connections: 127.0.0.1:{server.port} has none left for app (")
            assert error.remedy == "close idle sessions, put a pooler in between, or raise max_connections"
        reading = await measure(activity, dsn=server.dsn())
        assert reading.limit == 5
        assert reading.utilization == 100
        assert {"role": "app", "sessions": 5}.items() <= reading.evidence["sessions"][0].items()


async def test_the_limit_of_a_role_throttles(
    postgres: Any, admin: Any, connect: Any, fails: Any, password: str
) -> None:
    admin.execute("ALTER ROLE stats CONNECTION LIMIT 1")
    try:
        connect("stats")
        error = await fails(ping, dsn=postgres.dsn("stats", password))
    finally:
        admin.execute("ALTER ROLE stats CONNECTION LIMIT -1")
    assert error.kind is ErrorKind.THROTTLED
    assert error.message == (
        f"the role stats has reached its CONNECTION LIMIT on 127.0.0.1:{postgres.port}"
        ' (too many connections for role "stats")'
    )
    assert error.remedy.startswith(
        "close idle sessions of stats, or raise the limit: ALTER ROLE stats CONNECTION LIMIT"
    )


async def test_the_limit_of_a_database_throttles(
    postgres: Any, admin: Any, connect: Any, database: str, fails: Any, password: str
) -> None:
    admin.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 1".encode())
    connect(database=database)
    error = await fails(ping, dsn=postgres.dsn("app", password, database))
    assert error.kind is ErrorKind.THROTTLED
    assert error.message.startswith(f"the database {database} has reached its CONNECTION LIMIT on ")
    assert f"ALTER DATABASE {database} CONNECTION LIMIT" in error.remedy


async def test_a_server_that_is_shutting_down_refuses(tmp_path: Any, fails: Any, until: Any) -> None:
    with PostgresServer(tmp_path) as server, psycopg.connect(server.dsn()) as session:
        # A smart shutdown waits for the sessions that are there, and lets nobody in.
        assert server.pid is not None
        os.kill(server.pid, signal.SIGTERM)

        def refused() -> bool:
            try:
                psycopg.connect(server.dsn()).close()
            except psycopg.OperationalError:
                return True
            return False

        until(refused)
        error = await fails(ping, dsn=server.dsn())
        assert session.execute("SELECT 1").fetchone() == (1,)
    assert error.kind is ErrorKind.REFUSED
    assert error.message.endswith("does not accept connections now (the database system is shutting down)")


SAID = [
    ("57P03", "the database system is starting up", ErrorKind.REFUSED),
    ("57P03", "the database system is in recovery mode", ErrorKind.REFUSED),
    ("57P03", "das Datenbanksystem startet", ErrorKind.REFUSED),
    ("53300", "sorry, too many clients already", ErrorKind.THROTTLED),
    ("53300", "remaining connection slots are reserved for roles with the SUPERUSER attribute", ErrorKind.THROTTLED),
    ("53300", "tut mir leid, schon zu viele Verbindungen", ErrorKind.THROTTLED),
    ("53100", 'could not write to file "base/pgsql_tmp": No space left on device', ErrorKind.OTHER),
    ("53200", "out of memory", ErrorKind.OTHER),
    ("58030", 'could not open file "global/pg_filenode.map": Input/output error', ErrorKind.OTHER),
    ("08P01", "no more connections allowed (max_client_conn)", ErrorKind.THROTTLED),
    ("08P01", "query_wait_timeout", ErrorKind.THROTTLED),
    ("08P01", "server login has been failing, cached error: connect failed (server_login_retry)", ErrorKind.REFUSED),
    ("08P01", "server login has been failing, cached error: too many connections for role", ErrorKind.THROTTLED),
    ("08P01", "server login has been failing, cached error: password authentication failed", ErrorKind.AUTH),
    ("08P01", "something that no pooler says", ErrorKind.OTHER),
    ("XX000", "Max client connections reached", ErrorKind.THROTTLED),
    ("28000", 'no pg_hba.conf entry for host "10.0.0.1", user "app", database "x", no encryption', ErrorKind.AUTH),
    ("28P01", "Passwort-Authentifizierung für Benutzer »app« fehlgeschlagen", ErrorKind.AUTH),
    ("3D000", "Datenbank »x« existiert nicht", ErrorKind.MISSING),
    ("42501", "keine Berechtigung für Datenbank x", ErrorKind.FORBIDDEN),
    ("42704", 'unrecognized configuration parameter "work_men"', ErrorKind.MALFORMED),
    ("XX000", "die Datenbank ist kaputt", ErrorKind.OTHER),
    ("P0001", "a trigger at log-in says no", ErrorKind.OTHER),
]


@pytest.mark.parametrize("asks_for_the_password", [False, True])
@pytest.mark.parametrize(("sqlstate", "sentence", "kind"), SAID)
async def test_what_a_server_says_instead_of_letting_in_has_its_kind(
    listen: Any,
    fails: Any,
    password: str,
    sqlstate: str,
    sentence: str,
    kind: ErrorKind,
    *,
    asks_for_the_password: bool,
) -> None:
    """A stand-in: these states of a server do not last long enough to be met.

    The sentences are PostgreSQL's (src/backend), PgBouncer's and Supavisor's. Whether it has asked for a password before says
    nothing of what is wrong.
    """

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        if asks_for_the_password:
            writer.write(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))
            await reader.read(4096)
        fields = f"SFATAL\0VFATAL\0C{sqlstate}\0M{sentence}\0\0".encode()
        writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
        await writer.drain()

    server = await listen(handler)
    error = await fails(ping, dsn=f"postgresql://app:{password}@127.0.0.1:{server.port}/x?sslmode=disable")
    assert error.kind is kind
    if kind is not ErrorKind.MISSING:
        assert sentence in error.message


async def test_without_the_sqlstate_what_is_not_known_stays_what_the_server_said(
    listen: Any, fails: Any, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where libpq's function for verbose messages is not found."""
    monkeypatch.setattr("runbook_probes.postgres_connect._set_error_verbosity", lambda: None)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))
        await reader.read(4096)
        fields = b"SFATAL\0VFATAL\0C53100\0MNo space left on device\0\0"
        writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
        await writer.drain()

    server = await listen(handler)
    error = await fails(ping, dsn=f"postgresql://app:{password}@127.0.0.1:{server.port}/x?sslmode=disable")
    assert error.kind is ErrorKind.OTHER
    assert error.message == f"no session with 127.0.0.1:{server.port} (No space left on device)"


async def test_who_answered_says_more_than_who_could_not_be_reached(
    postgres: Any, tmp_path: Any, fails: Any, password: str
) -> None:
    closed = PostgresServer(tmp_path).port
    error = await fails(ping, dsn=f"postgresql://app:{password}@127.0.0.1:{closed},127.0.0.1:{postgres.port}/nowhere")
    assert error.kind is ErrorKind.MISSING
    assert error.message == (
        f"the database nowhere does not exist on 127.0.0.1:{postgres.port};"
        f" 127.0.0.1:{closed} refuses connections: nothing listens there"
    )


async def test_tls_where_the_server_has_none_is_tls(postgres: Any, fails: Any, password: str) -> None:
    error = await fails(ping, dsn=postgres.dsn("app", password) + "?sslmode=require")
    assert error.kind is ErrorKind.TLS
    assert "server does not support SSL" in error.message


async def test_another_protocol_is_malformed(listen: Any, fails: Any, password: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    server = await listen(handler)
    error = await fails(ping, dsn=f"postgresql://app:{password}@127.0.0.1:{server.port}/x")
    assert error.kind is ErrorKind.MALFORMED
    assert error.message.startswith(f"what answers on 127.0.0.1:{server.port} is not PostgreSQL")


async def test_a_server_that_hangs_up_refuses(listen: Any, fails: Any, password: str) -> None:
    async def handler(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)

    server = await listen(handler)
    error = await fails(ping, dsn=f"postgresql://app:{password}@127.0.0.1:{server.port}/x")
    assert error.kind is ErrorKind.REFUSED
    assert error.message == f"127.0.0.1:{server.port} closed the connection without an answer"


async def test_a_name_that_does_not_resolve_is_dns(fails: Any, password: str) -> None:
    error = await fails(ping, dsn=f"postgresql://app:{password}@db.invalid/x")
    assert error.kind is ErrorKind.DNS
    assert "db.invalid" in error.message


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://app:pl4nted@hunter2@127.0.0.1/x",
        "postgresql://app:pl4nted/hunter2@127.0.0.1/x",
        "postgresql://app:pl4nted#hunter2@127.0.0.1/x",
        "postgresql://app:pl4nted?hunter2@127.0.0.1/x",
        "postgresql://app:pl4nted-hunter2%zz@127.0.0.1/x",
        "host=127.0.0.1 password=pl4nted hunter2 user=app",
        "pl4nted-hunter2",
        "",
        "  ",
    ],
)
async def test_a_connection_string_that_cannot_be_read_is_malformed_and_not_repeated(fails: Any, dsn: str) -> None:
    error = await fails(ping, dsn=dsn)
    assert error.kind is ErrorKind.MALFORMED
    assert error.message.startswith("the connection string ")
    assert error.remedy
    assert "pl4nted" not in f"{error!r} {error.remedy}"


@pytest.mark.parametrize("setting", ["sslmode=nonsense", "port=99999", "target_session_attrs=any,all"])
async def test_a_setting_that_the_client_does_not_know_is_malformed(fails: Any, password: str, setting: str) -> None:
    error = await fails(ping, dsn=f"host=127.0.0.1 user=app password={password} {setting}")
    assert error.kind is ErrorKind.MALFORMED


async def test_variables_fill_in_what_the_connection_string_leaves_out(postgres: Any) -> None:
    secret = postgres.dsn().split(":")[2].partition("@")[0]
    environ = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres", "PGDATABASE": "postgres"}
    with anyio.fail_after(10):
        reading = await ping(ping.params(dsn=Secret(f"password={secret}")), ProbeContext(environ=environ))
    assert reading.latency > 0


async def once_it_sleeps(admin: Any, function: str) -> None:
    """Call the function with the probe's backend."""
    statement = (
        f"SELECT {function}(pid) FROM pg_stat_activity WHERE application_name = 'runbook' AND wait_event = 'PgSleep'"
    )
    while not admin.execute(statement.encode()).fetchall():
        await anyio.sleep(0.01)


async def test_a_session_that_is_ended_from_outside_refuses(
    postgres: Any, admin: Any, fails: Any, password: str
) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(once_it_sleeps, admin, "pg_terminate_backend")
        error = await fails(query, dsn=postgres.dsn("app", password), sql="SELECT pg_sleep(30) AS x", grants=SLEEPS)
    assert error.kind is ErrorKind.REFUSED
    assert "terminating connection due to administrator command" in error.message


async def test_a_query_that_the_server_gives_up_is_a_timeout(postgres: Any, admin: Any, fails: Any) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(once_it_sleeps, admin, "pg_cancel_backend")
        error = await fails(query, dsn=postgres.dsn(), sql="SELECT pg_sleep(30) AS x", grants=SLEEPS)
    assert error.kind is ErrorKind.TIMEOUT
    assert isinstance(error.__cause__, psycopg.errors.QueryCanceled)


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_importing_a_probe_imports_no_client(name: str) -> None:
    code = (
        f"import runbook_probes.{name}, sys;"
        " print(sorted({m.partition('.')[0] for m in sys.modules} & {'psycopg', 'psycopg_binary', 'redis', 'asyncio_redis'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
