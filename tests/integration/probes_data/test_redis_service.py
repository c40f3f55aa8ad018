"""Redis servers that answer and cannot serve, that turn a client away, and that do not tell all that one asks for."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from runbook_engine.lab.redis import RedisServer
from runbook_engine.probe import ErrorKind
from runbook_probes.redis import info, ping

pytestmark = pytest.mark.anyio

DENIED = (
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default "
    "user. In this mode connections are only accepted from the loopback interface. If you want to connect from external "
    "computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode …\r\n"
)
"""https://github.com/redis/redis/blob/7.0/src/networking.c, clientAcceptHandler()."""


@pytest.fixture
def client_of() -> Iterator[Callable[[RedisServer], Any]]:
    with ExitStack() as opened:
        yield lambda server: opened.enter_context(redis.Redis.from_url(server.url))


@pytest.fixture
def replica_of(start_redis: Any, password: str) -> Callable[..., RedisServer]:
    def start(master: RedisServer, **settings: str) -> RedisServer:
        return start_redis(  # type: ignore[no-any-return] # a fixture
            replicaof=f"127.0.0.1 {master.port}", masterauth=password, **settings
        )

    return start


def link(client: Any) -> str:
    return str(client.info("replication")["master_link_status"])


@pytest.mark.parametrize("probe", [ping, info])
@pytest.mark.parametrize("account", ["", ":some-password@"])
@pytest.mark.parametrize("database", [0, 3])
async def test_a_server_without_a_password_and_without_a_connection_left_throttles(
    tmp_path: Path, client_of: Any, fails: Any, probe: Any, account: str, database: int
) -> None:
    """It says so as soon as a client is connected, and hangs up."""
    with RedisServer(tmp_path, settings={"maxclients": "1"}) as server:
        client_of(server).ping()
        error = await fails(probe, url=f"redis://{account}127.0.0.1:{server.port}/{database}")
    assert error.kind is ErrorKind.THROTTLED
    assert error.message == f"too many connections: 127.0.0.1:{server.port} has none left"


@pytest.mark.parametrize("probe", [ping, info])
async def test_protected_mode_is_named(listen: Any, fails: Any, probe: Any) -> None:
    """A stand-in that speaks and hangs up as Redis does: it serves clients of the loopback interface in this mode."""

    async def handler(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(DENIED.encode())
        await writer.drain()

    server = await listen(handler)
    error = await fails(probe, url=f"redis://127.0.0.1:{server.port}")
    assert error.kind is ErrorKind.REFUSED
    assert error.message == (
        f"127.0.0.1:{server.port} is in protected mode and serves its own machine alone (DENIED Redis is running in "
        "protected mode because protected mode is enabled and no password is set for the default user)"
    )
    assert server.connections == 1


async def test_a_server_that_hangs_up_on_tls_may_have_no_connection_left(fails: Any) -> None:
    """A stand-in: at maxclients, Redis with TLS ends the connection before the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def turn_away() -> None:
            taken, _ = listener.accept()
            taken.close()

        away = asyncio.get_running_loop().run_in_executor(None, turn_away)
        error = await fails(ping, url=f"rediss://127.0.0.1:{listener.getsockname()[1]}")
        await away
    assert error.kind is ErrorKind.REFUSED
    assert "closed the connection without an answer" in error.message
    assert "maxclients" in error.remedy
    assert error.remedy.endswith("for a server without TLS the URL begins with redis://")


async def test_a_server_on_its_own_accepts_writes_and_is_asked_for_info_alone(
    start_redis: Any, client_of: Any, measure: Any
) -> None:
    server = start_redis()
    reading = await measure(info, url=server.url)
    assert (reading.role, reading.master_link_status, reading.master_syncing) == ("master", "none", False)
    assert (reading.cluster_state, reading.writes_refused, reading.write_error) == ("off", False, "none")
    asked = {name for name in client_of(server).info("commandstats") if "ping" in name or "config" in name}
    assert asked == {"cmdstat_ping"}, "of the server's start, by the lab"
    assert int(client_of(server).info("commandstats")["cmdstat_ping"]["calls"]) == 1


async def test_a_cluster_without_slots_has_failed_and_refuses_writes(
    start_redis: Any, client_of: Any, measure: Any, until: Any
) -> None:
    server = start_redis(cluster_enabled="yes")
    assert (await measure(ping, url=server.url)).latency > 0
    reading = await measure(info, url=server.url)
    assert (reading.cluster_state, reading.writes_refused, reading.write_error) == ("fail", True, "CLUSTERDOWN")
    client = client_of(server)
    with pytest.raises(redis.ResponseError, match="Hash slot not served"):
        client.set("a", 1)
    client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    until(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
    reading = await measure(info, url=server.url)
    assert (reading.cluster_state, reading.writes_refused, reading.write_error) == ("ok", False, "none")


async def test_the_state_of_a_cluster_that_may_not_be_asked_for_is_missing_and_nothing_else(
    start_redis: Any, client_of: Any, password: str, measure: Any
) -> None:
    server = start_redis(cluster_enabled="yes")
    client_of(server).execute_command("ACL", "SETUSER", "watcher", "on", f">{password}", "+ping", "+info")
    reading = await measure(info, url=server.dsn("watcher", password))
    unlimited, unused = {"maxmemory", "memory_utilization"}, {"hit_rate", "fragmentation"}
    assert set(reading.missing) - unlimited - unused == {"cluster_state", "writes_refused", "write_error"}
    assert reading.missing["cluster_state"].startswith("CLUSTER INFO cannot be asked (")
    assert "cluster|info" in reading.missing["cluster_state"]


@pytest.mark.parametrize("stale", ["yes", "no"])
async def test_a_replica_whose_master_is_gone_has_lost_its_link(
    start_redis: Any, replica_of: Any, client_of: Any, measure: Any, fails: Any, until: Any, stale: str
) -> None:
    master = start_redis()
    replica = replica_of(master, replica_serve_stale_data=stale)
    client = client_of(replica)
    until(lambda: link(client) == "up")
    reading = await measure(info, url=replica.url)
    assert (reading.role, reading.master_link_status, reading.master_link_down_for) == ("replica", "up", 0)
    assert (reading.writes_refused, reading.write_error) == (True, "READONLY")

    master.stop()
    until(lambda: link(client) == "down")
    reading = await measure(info, url=replica.url)
    assert (reading.role, reading.master_link_status, reading.master_syncing) == ("replica", "down", False)
    assert 0 <= reading.master_link_down_for < 60
    if stale == "yes":
        assert (await measure(ping, url=replica.url)).latency > 0
    else:
        error = await fails(ping, url=replica.url)
        assert error.kind is ErrorKind.OTHER
        assert error.message == f"127.0.0.1:{replica.port} is a replica that has lost its master"


async def test_a_replica_that_never_had_its_master_does_not_know_since_when(
    start_redis: Any, replica_of: Any, measure: Any
) -> None:
    master = start_redis()
    master.stop()
    reading = await measure(info, url=replica_of(master).url)
    assert reading.master_link_status == "down"
    assert reading.master_link_down_for is None
    assert "master_link_down_since_seconds:-1" in reading.missing["master_link_down_for"]


async def test_a_master_with_fewer_replicas_than_a_write_needs_refuses_writes(
    start_redis: Any, replica_of: Any, client_of: Any, password: str, measure: Any, until: Any
) -> None:
    server = start_redis(min_replicas_to_write="1")
    client = client_of(server)
    with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
        client.set("a", 1)
    reading = await measure(info, url=server.url)
    assert (reading.writes_refused, reading.write_error) == (True, "NOREPLICAS")
    assert reading.evidence["errorstat_NOREPLICAS"] == "count=1"
    client.execute_command("ACL", "SETUSER", "watcher", "on", f">{password}", "+ping", "+info")
    reading = await measure(info, url=server.dsn("watcher", password))
    assert (reading.writes_refused, reading.write_error) == (True, "NOREPLICAS"), "none is too few for any minimum"

    replica_of(server)
    until(lambda: client.info("replication")["min_slaves_good_slaves"] == 1)
    reading = await measure(info, url=server.url)
    assert (reading.writes_refused, reading.write_error) == (False, "none")

    client.config_set("min-replicas-to-write", 2)
    reading = await measure(info, url=server.url)
    assert (reading.writes_refused, reading.write_error) == (True, "NOREPLICAS")

    reading = await measure(info, url=server.dsn("watcher", password))
    assert reading.writes_refused is None
    assert "CONFIG GET min-replicas-to-write" in reading.missing["writes_refused"]
    assert "no permissions" in reading.missing["writes_refused"]


async def test_a_server_that_cannot_save_refuses_writes_where_it_is_told_to(
    start_redis: Any, client_of: Any, measure: Any, until: Any
) -> None:
    server = start_redis(save="3600 1", dbfilename="taken")
    client = client_of(server)
    os.mkdir(f"{client.config_get('dir')['dir']}/taken")  # noqa: PTH102 - where the snapshot would go
    client.set("a", 1)
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
    reading = await measure(info, url=server.url)
    assert (reading.writes_refused, reading.write_error) == (True, "MISCONF")
    client.config_set("stop-writes-on-bgsave-error", "no")
    reading = await measure(info, url=server.url)
    assert (reading.writes_refused, reading.write_error) == (False, "none")


class Retold:
    """Answers INFO with a text, and every other command with OK."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while asked := await reader.read(4096):
            told = self.text.encode()
            writer.write(b"$%d\r\n%s\r\n" % (len(told), told) if b"INFO" in asked else b"+OK\r\n")
            await writer.drain()


@pytest.fixture(scope="module")
def told(redis_server: RedisServer) -> str:
    """What a real server answers to INFO, as if it held much and was looked up."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.set_response_callback("INFO", lambda response, **_: response.decode())
        lines = client.info().split("\r\n")
    usual = {
        "used_memory": "50000000", "used_memory_rss": "80000000", "mem_fragmentation_ratio": "1.60",
        "maxmemory": "100000000", "keyspace_hits": "30", "keyspace_misses": "10",
    }  # fmt: skip
    return "\r\n".join(f"{name}:{usual[name]}" if (name := line.partition(":")[0]) in usual else line for line in lines)


MEASURED_BY = {
    "used_memory": {"used_memory", "memory_utilization", "fragmentation_bytes"},
    "used_memory_rss": {"fragmentation_bytes"},
    "mem_fragmentation_ratio": {"fragmentation"},
    "maxmemory": {"maxmemory", "memory_utilization"},
    "keyspace_hits": {"hits", "hit_rate"},
    "keyspace_misses": {"misses", "hit_rate"},
    "evicted_keys": {"evicted_keys"},
    "expired_keys": {"expired_keys"},
    "rejected_connections": {"rejected_connections"},
    "blocked_clients": {"blocked_clients"},
    "connected_clients": {"connected_clients"},
    "instantaneous_ops_per_sec": {"ops_per_second"},
    "uptime_in_seconds": {"uptime"},
    "role": {"role", "master_link_status", "master_link_down_for", "master_syncing", "writes_refused", "write_error"},
    "cluster_enabled": {"cluster_state"},
    "rdb_last_bgsave_status": set(),
    "aof_last_write_status": set(),
}


@pytest.mark.parametrize("instead", [None, "-1", "-nan", "n/a", ""])
@pytest.mark.parametrize("field", MEASURED_BY)
async def test_a_field_that_lacks_or_is_odd_takes_its_own_metrics_away_and_no_other(
    told: str, listen: Any, measure: Any, field: str, instead: str | None
) -> None:
    """As with Dragonfly, Valkey and proxies, which do not know all that Redis does. A stand-in repeats a real INFO."""
    lines = told.split("\r\n")
    replaced = [] if instead is None else [f"{field}:{instead}"]
    odd = [each for line in lines for each in (replaced if line.startswith(f"{field}:") else [line])]
    assert odd != lines
    whole = await measure(info, url=f"redis://127.0.0.1:{(await listen(Retold(told))).port}")
    reading = await measure(info, url=f"redis://127.0.0.1:{(await listen(Retold(chr(10).join(odd)))).port}")
    assert whole.missing == {}
    assert set(reading.missing) == MEASURED_BY[field]
    assert all(field in why for why in reading.missing.values())
    apart = MEASURED_BY[field] | {"missing", "evidence"}
    assert reading.model_dump(exclude=apart) == whole.model_dump(exclude=apart)
    assert {getattr(reading, metric) for metric in MEASURED_BY[field]} <= {None}


async def test_a_counter_that_lacks_is_missing_over_a_sample_too(told: str, listen: Any, measure: Any) -> None:
    lines = [
        line for line in told.split("\r\n") if not line.startswith(("keyspace_hits:", "total_commands_processed:"))
    ]
    server = await listen(Retold("\r\n".join(lines)))
    reading = await measure(info, url=f"redis://127.0.0.1:{server.port}", sample="10ms")
    assert set(reading.missing) == {"hits", "hit_rate", "ops_per_second"}
    assert (reading.misses, reading.evicted_keys) == (0, 0)


async def test_a_line_that_redis_py_would_not_read_does_no_harm(told: str, listen: Any, measure: Any) -> None:
    odd = f"{told}\r\nexecutable:/opt/a,b=c,d\r\n=,=\r\nhalf a line\r\n:\r\nname with \u2028 in it:1\r\n"
    server = await listen(Retold(odd))
    assert (await measure(info, url=f"redis://127.0.0.1:{server.port}")).missing == {}


@pytest.mark.parametrize("text", ["", "nothing of the kind", "# Server\r\n"])
async def test_an_info_without_a_field_is_malformed(listen: Any, fails: Any, text: str) -> None:
    server = await listen(Retold(text))
    error = await fails(info, url=f"redis://127.0.0.1:{server.port}")
    assert error.kind is ErrorKind.MALFORMED
    assert error.message == "the server's INFO says nothing that can be read"
