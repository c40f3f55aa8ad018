"""Deadlines hold, and nothing of a probe is left behind them: no connection, no query on the server, no thread."""

import asyncio
import re
import subprocess
import sys
import time
from typing import Any

import anyio
import pytest

from runbook_engine.probe import ErrorKind
from runbook_probes import postgres, redis

pytestmark = pytest.mark.anyio

SLEEPS = frozenset({"sql-functions"})

SOON = 5.0
"""Seconds in which a probe with a deadline of half a second has ended."""

# A server that needs no TLS and no password, and then begins an error of 20 000 bytes that never ends.
POSTGRES_DRIP = b"E\x00\x00\x4e\x20SFATAL\x00"
REDIS_DRIP = b"+PO"

LOCAL = "app:pl4nted-hunter2@127.0.0.1"


def dsn(port: int) -> dict[str, str]:
    return {"dsn": f"postgresql://{LOCAL}:{port}/x?sslmode=disable"}


def url(port: int) -> dict[str, str]:
    return {"url": f"redis://{LOCAL}:{port}/0"}


ALL = [
    pytest.param(postgres.ping, dsn, POSTGRES_DRIP, id="postgres.ping"),
    pytest.param(postgres.activity, dsn, POSTGRES_DRIP, id="postgres.activity"),
    pytest.param(redis.ping, url, REDIS_DRIP, id="redis.ping"),
    pytest.param(redis.info, url, REDIS_DRIP, id="redis.info"),
]


@pytest.mark.parametrize(("probe", "params", "_drip"), ALL)
async def test_a_black_hole_is_a_timeout(
    listen: Any, black_hole: Any, fails: Any, probe: Any, params: Any, _drip: bytes
) -> None:
    server = await listen(black_hole)
    begun = time.monotonic()
    error = await fails(probe, deadline=0.5, **params(server.port))
    assert time.monotonic() - begun < SOON
    assert error.kind is ErrorKind.TIMEOUT
    assert error.message.startswith(f"127.0.0.1:{server.port} ")
    assert re.search(r" within \d+ ms\Z", error.message)
    assert server.connections == 1, "nobody tries again but the engine"
    await server.everybody_left()


@pytest.mark.parametrize(("probe", "params", "beginning"), ALL)
async def test_a_server_that_drips_is_a_timeout(
    listen: Any, drip: Any, fails: Any, probe: Any, params: Any, beginning: bytes
) -> None:
    server = await listen(drip(beginning, b"x"))
    begun = time.monotonic()
    error = await fails(probe, deadline=0.5, **params(server.port))
    assert time.monotonic() - begun < SOON
    assert error.kind is ErrorKind.TIMEOUT
    assert server.connections == 1
    await server.everybody_left()


@pytest.mark.parametrize("scheme", ["postgresql", "rediss"])
async def test_a_tls_handshake_with_a_black_hole_is_a_timeout(listen: Any, fails: Any, scheme: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8 if scheme == "postgresql" else 1)
        if scheme == "postgresql":
            writer.write(b"S")
        while await reader.read(4096):
            pass

    server = await listen(handler)
    begun = time.monotonic()
    if scheme == "rediss":
        error = await fails(redis.ping, deadline=0.5, url=f"rediss://{LOCAL}:{server.port}/0")
    else:
        error = await fails(postgres.ping, deadline=0.5, dsn=f"postgresql://{LOCAL}:{server.port}/x?sslmode=require")
    assert time.monotonic() - begun < SOON
    assert error.kind is ErrorKind.TIMEOUT
    await server.everybody_left()


def backends(admin: Any) -> Any:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runbook'"
    return admin.execute(query).fetchone()[0]


async def seen(admin: Any) -> None:
    """Waits until the probe's query runs on the server."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runbook' AND wait_event = 'PgSleep'"
    with anyio.fail_after(5):
        while admin.execute(query).fetchone() != (1,):
            await anyio.sleep(0.01)


async def test_the_deadline_ends_the_query_on_the_server(
    postgres: Any, admin: Any, fails: Any, until: Any, caplog: Any
) -> None:
    from runbook_probes.postgres import query

    async with anyio.create_task_group() as group:
        group.start_soon(seen, admin)
        begun = time.monotonic()
        error = await fails(query, deadline=0.5, dsn=postgres.dsn(), sql="SELECT pg_sleep(3600) AS x", grants=SLEEPS)
        assert time.monotonic() - begun < SOON
    assert error.kind is ErrorKind.TIMEOUT
    assert re.search(r" did not answer the query within \d+ ms\Z", error.message)
    until(lambda: backends(admin) == 0)
    assert caplog.records == []


async def test_an_interruption_ends_the_query_on_the_server(
    postgres: Any, admin: Any, measure: Any, until: Any, caplog: Any
) -> None:
    from runbook_probes.postgres import query

    async with anyio.create_task_group() as group:
        group.start_soon(
            lambda: measure(query, deadline=60.0, dsn=postgres.dsn(), sql="SELECT pg_sleep(3600) AS x", grants=SLEEPS)
        )
        await seen(admin)
        group.cancel_scope.cancel()
    until(lambda: backends(admin) == 0)
    assert caplog.records == []


async def test_the_server_itself_gives_up_when_the_probe_is_gone(postgres: Any, admin: Any, until: Any) -> None:
    """As when its process is killed: nobody is there to cancel."""
    code = (
        "import anyio; from runbook_engine.probe import ProbeContext; from runbook_probes.postgres import query\n"
        "async def main():\n"
        "    params = query.params(dsn=input(), sql='SELECT pg_sleep(3600) AS x')\n"
        "    await query(params, ProbeContext(deadline=anyio.current_time() + 1.5, grants=frozenset({'sql-functions'})))\n"
        "anyio.run(main)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(postgres.dsn() + "\n")
        process.stdin.flush()
        await seen(admin)
        process.kill()
    until(lambda: backends(admin) == 0)


class Relay:
    """Between client and server, until it is told to swallow everything."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.swallows = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self.pass_on, there, writer)
                await self.pass_on(reader, back)
                group.cancel_scope.cancel()
        finally:
            back.close()

    async def pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while received := await source.read(65536):
            if not self.swallows:
                target.write(received)
                await target.drain()


async def test_a_network_that_dies_in_the_middle_of_a_query_does_not_hold_the_probe(
    postgres: Any, admin: Any, listen: Any, fails: Any
) -> None:
    from runbook_probes.postgres import query

    relay = Relay(postgres.port)
    server = await listen(relay)

    async def cut() -> None:
        await seen(admin)
        relay.swallows = True

    begun = time.monotonic()
    async with anyio.create_task_group() as group:
        group.start_soon(cut)
        through = postgres.dsn().replace(f":{postgres.port}/", f":{server.port}/")
        error = await fails(query, deadline=0.7, dsn=through, sql="SELECT pg_sleep(3600) AS x", grants=SLEEPS)
    assert time.monotonic() - begun < SOON
    assert error.kind is ErrorKind.TIMEOUT
    await server.everybody_left()


async def test_giving_up_is_silent(listen: Any, black_hole: Any, fails: Any, capfd: Any, caplog: Any) -> None:
    server = await listen(black_hole)
    await fails(postgres.ping, deadline=0.2, **dsn(server.port))
    await fails(redis.ping, deadline=0.2, **url(server.port))
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("probe", "params"), [(postgres.ping, dsn), (redis.ping, url)])
async def test_a_process_ends_soon_after_its_probe_gave_up(
    listen: Any, black_hole: Any, probe: Any, params: Any
) -> None:
    server = await listen(black_hole)
    name = probe.name.partition(".")[0]
    code = (
        f"import anyio; from runbook_engine.probe import *; from runbook_probes.{name} import ping\n"
        "async def main():\n"
        f"    params = ping.params(**{params(server.port)!r})\n"
        "    try: await ping(params, ProbeContext(deadline=anyio.current_time() + 0.3))\n"
        "    except ProbeError as error: print(error.kind)\n"
        "anyio.run(main)"
    )
    begun = time.monotonic()
    ended = await anyio.run_process([sys.executable, "-W", "error", "-c", code], check=True)
    assert ended.stdout.strip() == b"timeout"
    assert ended.stderr == b""
    assert time.monotonic() - begun < 5
