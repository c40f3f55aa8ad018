"""redis.ping and redis.info against a real server, and every way in which it is not measured."""

import asyncio
import itertools
import os
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
import redis
import trustme
from pydantic import ValidationError

from runbook_engine.lab.redis import RedisServer
from runbook_engine.probe import ErrorKind, Secret, metric_types
from runbook_probes.redis import info, ping

pytestmark = pytest.mark.anyio


@pytest.fixture
def client_of() -> Iterator[Callable[[RedisServer], Any]]:
    with ExitStack() as opened:
        yield lambda server: opened.enter_context(redis.Redis.from_url(server.url))


@pytest.fixture
def fresh(redis_server: RedisServer, client_of: Any) -> Any:
    """A client of a server without keys and with counters at zero."""
    client = client_of(redis_server)
    client.flushall()
    client.config_resetstat()
    return client


def commands(asked: bytes) -> int:
    """How many there are in what a client sends at once."""
    return len(re.findall(rb"\*\d+\r\n", asked))


async def test_a_ping_tells_the_latency_without_the_connections_time(redis_server: Any, measure: Any) -> None:
    reading = await measure(ping, url=redis_server.url)
    assert 0 < reading.latency < reading.connect < 1


async def test_look_ups_make_the_hit_rate(redis_server: Any, fresh: Any, measure: Any) -> None:
    fresh.set("a", 1)
    for key in ("a", "a", "a", "b"):
        fresh.get(key)
    reading = await measure(info, url=redis_server.url)
    assert (reading.hits, reading.misses) == (3, 1)
    assert reading.hit_rate == 75
    assert "hit_rate" not in reading.missing


async def test_without_look_ups_the_hit_rate_is_missing_and_not_zero(
    redis_server: Any, fresh: Any, measure: Any
) -> None:
    reading = await measure(info, url=redis_server.url)
    assert (reading.hits, reading.misses) == (0, 0)
    assert reading.hit_rate is None
    assert reading.missing["hit_rate"] == "nobody looked for a key"


async def somebody_asks_for_info(client: Any) -> None:
    """Returns when a client other than this one has asked for INFO, as a probe does at the beginning of its sample."""

    def counted() -> int:
        return int(client.info("commandstats").get("cmdstat_info", {"calls": 0})["calls"])

    begun = counted()
    for asked in itertools.count(1):
        if counted() > begun + asked:
            return
        await anyio.sleep(0.005)


async def test_over_a_sample_only_what_happens_now_counts(redis_server: Any, fresh: Any, measure: Any) -> None:
    fresh.set("a", 1)
    for _ in range(50):
        fresh.get("b")

    async def look_up() -> None:
        await somebody_asks_for_info(fresh)
        for _ in range(9):
            fresh.get("a")
        fresh.get("b")

    async with anyio.create_task_group() as group:
        group.start_soon(look_up)
        reading = await measure(info, url=redis_server.url, sample="1s")
    assert (reading.hits, reading.misses) == (9, 1)
    assert reading.hit_rate == 90
    assert 10 / 5 <= reading.ops_per_second < 1_000
    whole = await measure(info, url=redis_server.url)
    assert (whole.hits, whole.misses) == (9, 51)


async def test_a_sample_longer_than_the_time_left_is_malformed(redis_server: Any, fails: Any) -> None:
    error = await fails(info, url=redis_server.url, sample="5s", deadline=2.0)
    assert error.kind is ErrorKind.MALFORMED
    assert error.message == "a sample of 5 s does not fit into the time that is left"


async def test_counters_that_go_backwards_are_an_error_and_not_a_rate(
    redis_server: Any, fresh: Any, fails: Any
) -> None:
    for _ in range(5):
        fresh.get("b")

    async def reset() -> None:
        await somebody_asks_for_info(fresh)
        fresh.config_resetstat()

    async with anyio.create_task_group() as group:
        group.start_soon(reset)
        error = await fails(info, url=redis_server.url, sample=1.0)
    assert error.kind is ErrorKind.OTHER
    assert "statistics reset" in error.message


@pytest.mark.parametrize("sample", ["5%", "5 MiB", "soon", "-1s", "2h", -1])
def test_a_sample_that_is_no_duration_is_refused(sample: object) -> None:
    with pytest.raises(ValidationError):
        info.params(url=Secret("redis://h"), sample=sample)


async def test_a_server_without_a_limit_has_no_utilization(redis_server: Any, fresh: Any, measure: Any) -> None:
    reading = await measure(info, url=redis_server.url)
    assert reading.used_memory > 100_000
    assert reading.maxmemory is None
    assert reading.memory_utilization is None
    assert reading.missing["memory_utilization"] == "no limit is set (maxmemory is 0)"
    assert reading.missing["maxmemory"] == "no limit is set (maxmemory is 0)"


async def test_a_full_cache_evicts_and_its_utilization_says_so(start_redis: Any, client_of: Any, measure: Any) -> None:
    server = start_redis(maxmemory="24mb", maxmemory_policy="allkeys-lru")
    client = client_of(server)
    for number in range(40):
        client.set(f"key-{number}", b"x" * 1_000_000)
    reading = await measure(info, url=server.url)
    assert reading.maxmemory == 24 * 2**20
    assert 80 < reading.memory_utilization <= 100
    assert reading.memory_utilization == pytest.approx(100 * reading.used_memory / reading.maxmemory)
    assert reading.evicted_keys > 10
    assert reading.fragmentation == pytest.approx(reading.evidence["mem_fragmentation_ratio"])
    assert reading.fragmentation > 0.5
    assert set(reading.missing) == {"hit_rate"}
    assert reading.evidence["maxmemory_policy"] == "allkeys-lru"


async def test_use_beyond_a_lowered_limit_is_more_than_all_of_it(
    start_redis: Any, client_of: Any, measure: Any
) -> None:
    server = start_redis()
    client = client_of(server)
    client.set("big", b"x" * 4_000_000)
    client.config_set("maxmemory", "2mb")
    reading = await measure(info, url=server.url)
    assert reading.memory_utilization > 100
    assert metric_types(info.reading)["memory_utilization"].upper is None


async def test_the_fragmentation_of_a_nearly_empty_server_is_missing(
    redis_server: Any, fresh: Any, measure: Any
) -> None:
    reading = await measure(info, url=redis_server.url)
    assert reading.fragmentation is None
    assert reading.missing["fragmentation"].endswith("are in use; the ratio means something from 16 MiB")


async def test_clients_keys_and_uptime_are_counted(
    start_redis: Any, client_of: Any, password: str, measure: Any, until: Any
) -> None:
    server = start_redis(hz="100")
    client = client_of(server)
    client.set("short", 1, px=1)
    until(lambda: client.info("stats")["expired_keys"] == 1)
    connect: Any = redis.Connection
    connection = connect(port=server.port, password=password)
    connection.connect()
    connection.send_command("BLPOP", "queue", 0)
    until(lambda: client.info("clients")["blocked_clients"] == 1)
    until(lambda: client.info("server")["uptime_in_seconds"] >= 1)
    reading = await measure(info, url=server.url)
    connection.disconnect()
    assert reading.connected_clients == 2, "its own connection does not count"
    assert reading.blocked_clients == 1
    assert reading.expired_keys == 1
    assert reading.evicted_keys == 0
    assert 1 <= reading.uptime < 60
    assert reading.rejected_connections == 0


async def test_a_server_whose_clients_are_too_many_throttles(
    start_redis: Any, client_of: Any, fails: Any, measure: Any
) -> None:
    server = start_redis(maxclients="3")
    clients = [client_of(server) for _ in range(3)]
    for each in clients:
        each.ping()
    for probe in (ping, info):
        error = await fails(probe, url=server.url)
        assert error.kind is ErrorKind.THROTTLED
        assert error.message == f"too many connections: 127.0.0.1:{server.port} has none left"
        assert "maxclients" in error.remedy
    clients.pop().close()
    reading = await measure(info, url=server.url)
    assert reading.rejected_connections == 2


async def test_a_closed_port_refuses(tmp_path: Path, password: str, fails: Any) -> None:
    server = RedisServer(tmp_path, password=password)
    error = await fails(ping, url=server.url)
    assert error.kind is ErrorKind.REFUSED
    assert error.message == f"127.0.0.1:{server.port} refuses connections: nothing listens there"


async def test_a_wrong_password_is_auth(redis_server: Any, password: str, fails: Any) -> None:
    error = await fails(ping, url=redis_server.dsn(password=password + "-old"))
    assert error.kind is ErrorKind.AUTH
    assert isinstance(error.__cause__, redis.AuthenticationError)


async def test_no_password_is_auth(redis_server: Any, fails: Any) -> None:
    error = await fails(info, url=redis_server.dsn(password="").replace(":@", ""))
    assert error.kind is ErrorKind.AUTH
    assert "Authentication required" in error.message


async def test_a_password_where_none_is_set_is_auth(tmp_path: Path, password: str, fails: Any) -> None:
    with RedisServer(tmp_path) as server:
        error = await fails(ping, url=server.dsn("", password))
    assert error.kind is ErrorKind.AUTH


async def test_a_user_without_the_permission_is_forbidden(
    redis_server: Any, fresh: Any, password: str, fails: Any, measure: Any
) -> None:
    fresh.execute_command("ACL", "SETUSER", "watcher", "on", f">{password}", "+ping")
    url = redis_server.dsn("watcher", password)
    assert (await measure(ping, url=url)).latency > 0
    error = await fails(info, url=url)
    assert error.kind is ErrorKind.FORBIDDEN
    assert error.remedy == "ACL SETUSER watcher +ping +info"
    fresh.execute_command("ACL", "SETUSER", "watcher", "+info")
    assert (await measure(info, url=url)).used_memory > 0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("-LOADING Redis is loading the dataset in memory", ErrorKind.REFUSED),
        ("-MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk.", ErrorKind.OTHER),
        ("-OOM command not allowed when used memory > 'maxmemory'.", ErrorKind.OTHER),
        ("-MASTERDOWN Link with MASTER is down", ErrorKind.OTHER),
        ("-DENIED Redis is running in protected mode because protected mode is enabled", ErrorKind.REFUSED),
        ("-ERR unknown command 'PING'", ErrorKind.MISSING),
        ("-ERR max number of clients reached", ErrorKind.THROTTLED),
        ("-WHATEVER else", ErrorKind.OTHER),
        ("HTTP/1.1 400 Bad Request", ErrorKind.MALFORMED),
    ],
)
async def test_what_a_server_answers_instead_has_its_kind(
    listen: Any, fails: Any, answer: str, kind: ErrorKind
) -> None:
    """A stand-in: these states of a server do not last long enough to be met."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while asked := await reader.read(4096):
            writer.write(f"{answer}\r\n".encode() * commands(asked))
            await writer.drain()

    server = await listen(handler)
    error = await fails(ping, url=f"redis://127.0.0.1:{server.port}", deadline=2.0)
    assert error.kind is kind
    assert f"127.0.0.1:{server.port}" in error.message


async def test_a_server_that_cannot_save_answers_info_all_the_same(
    start_redis: Any, client_of: Any, fails: Any, measure: Any, until: Any
) -> None:
    server = start_redis(save="3600 1", dbfilename="taken")
    client = client_of(server)
    os.mkdir(f"{client.config_get('dir')['dir']}/taken")  # noqa: PTH102 - where the snapshot would go
    client.set("a", 1)
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
    error = await fails(ping, url=server.url)
    assert error.kind is ErrorKind.OTHER
    assert error.message == f"127.0.0.1:{server.port} refuses writes because it cannot save to disk"
    assert (await measure(info, url=server.url)).evidence["rdb_last_bgsave_status"] == "err"


async def test_a_server_that_hangs_up_refuses(listen: Any, fails: Any) -> None:
    async def handler(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)

    server = await listen(handler)
    error = await fails(ping, url=f"redis://127.0.0.1:{server.port}")
    assert error.kind is ErrorKind.REFUSED
    assert server.connections == 1, "nobody tries again but the engine"


async def test_a_name_that_does_not_resolve_is_dns(fails: Any, password: str) -> None:
    error = await fails(ping, url=f"redis://:{password}@cache.invalid:6379/0")
    assert error.kind is ErrorKind.DNS
    assert "cache.invalid" in error.message


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pl4nted/hunter2@127.0.0.1:6379/0",
        "redis://:pl4nted#hunter2@127.0.0.1:6379/0",
        "redis://:pl4nted?hunter2@127.0.0.1:6379/0",
        "redis://app:6379/pl4nted-hunter2@127.0.0.1",
        "redis://:pl4nted-hunter2@127.0.0.1:port/0",
        "redis://:pl4nted-hunter2@",
        "https://:pl4nted-hunter2@127.0.0.1",
        "pl4nted-hunter2",
        "redis://:pl4nted-hunter2@[::1",
        "",
    ],
)
async def test_a_url_that_cannot_be_read_is_malformed_and_not_repeated(fails: Any, url: str) -> None:
    error = await fails(ping, url=url)
    assert error.kind is ErrorKind.MALFORMED
    assert error.message.startswith("the Redis URL ")
    assert "rediss://user:password@" in error.remedy or "%40 for @" in error.remedy
    assert "pl4nted" not in f"{error!r} {error.remedy}"


@pytest.fixture
def tls_in_front(listen: Any, redis_server: Any) -> Any:
    """Redis behind TLS: the server in the wheel is built without."""

    async def start(authority: trustme.CA) -> Any:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", redis_server.port)

            async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
                while received := await source.read(65536):
                    target.write(received)
                    await target.drain()

            try:
                async with anyio.create_task_group() as group:
                    group.start_soon(pass_on, there, writer)
                    await pass_on(reader, back)
                    group.cancel_scope.cancel()
            finally:
                back.close()

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server = await listen(handler, context)
        return redis_server.url.replace("redis:", "rediss:").replace(f":{redis_server.port}/", f":{server.port}/")

    return start


async def test_tls_is_checked_against_the_ca_file(tls_in_front: Any, tmp_path: Path, measure: Any, fails: Any) -> None:
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    url = await tls_in_front(authority)
    assert (await measure(ping, url=url, ca_file=str(tmp_path / "ca.pem"))).latency > 0
    for ca_file in ("", str(tmp_path / "other.pem")):
        error = await fails(ping, url=url, ca_file=ca_file)
        assert error.kind is ErrorKind.TLS
        assert error.message.startswith("the certificate of 127.0.0.1:")
        assert "ca_file" in error.remedy


async def test_a_ca_file_is_trusted_beside_the_authorities_of_the_system(
    tls_in_front: Any, tmp_path: Path, measure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = trustme.CA()
    public.cert_pem.write_to_path(str(tmp_path / "system.pem"))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "private.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    url = await tls_in_front(public)
    assert (await measure(ping, url=url, ca_file=str(tmp_path / "private.pem"))).latency > 0


async def test_a_ca_file_that_cannot_be_read_is_tls(
    redis_server: Any, tmp_path: Path, fails: Any, measure: Any
) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    secure = redis_server.url.replace("redis:", "rediss:")
    for name in ("nowhere.pem", "empty.pem"):
        error = await fails(ping, url=secure, ca_file=str(tmp_path / name))
        assert error.kind is ErrorKind.TLS
        assert name in error.message
    assert (await measure(ping, url=redis_server.url, ca_file=str(tmp_path / "nowhere.pem"))).latency > 0


async def test_tls_with_a_server_that_answers_in_plain_text_is_tls(listen: Any, fails: Any) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"-ERR Protocol error\r\n")
        await writer.drain()

    server = await listen(handler)
    error = await fails(ping, url=f"rediss://127.0.0.1:{server.port}")
    assert error.kind is ErrorKind.TLS
    assert error.remedy == "for a server without TLS the URL begins with redis://"


async def test_tls_with_a_redis_that_has_none_says_so(redis_server: Any, fails: Any) -> None:
    error = await fails(ping, url=redis_server.url.replace("redis:", "rediss:"), deadline=0.4)
    assert error.kind is ErrorKind.TIMEOUT
    assert error.remedy == "for a server without TLS the URL begins with redis://"


def test_commands_show_the_variable() -> None:
    url = Secret("rediss://:p@h", "$REDIS_URL")
    assert ping.command(ping.params(url=url)) == 'redis-cli -u "$REDIS_URL" PING'
    shown = info.command(info.params(url=url, ca_file="my ca.pem"))
    words = subprocess.run(
        ["sh", "-c", f"REDIS_URL=there; printf '%s|' {shown}"], capture_output=True, text=True, check=True
    ).stdout.split("|")
    assert words == ["redis-cli", "-u", "there", "--cacert", "my ca.pem", "INFO", ""]
