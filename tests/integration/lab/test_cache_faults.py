"""Each fault of the cache is really there: seen with a plain client of Redis, or with none."""

import socket
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from runbook_engine.lab import FAULTS, Lab


class Sight(Protocol):
    lab: Lab

    def get(self, path: str) -> httpx.Response: ...
    def cache(self, section: str) -> dict[str, float]: ...


def with_fault(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sight", names, indirect=True)


def client(sight: Sight, timeout: float = 5) -> redis.Redis:
    return redis.Redis.from_url(sight.lab.inputs["redis_url"], socket_timeout=timeout, retry=Retry(NoBackoff(), 0))


def said_at_once(sight: Sight) -> bytes:
    """What a client hears that is connected and says nothing."""
    parts = urlsplit(sight.lab.inputs["redis_url"])
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=10) as connection:
        heard = b""
        while received := connection.recv(4096):
            heard += received
    return heard


def cache_of(sight: Sight) -> dict[str, str]:
    """What the API says of its cache."""
    found: dict[str, str] = sight.get("/health/detailed").json()["components"]["cache"]
    return found


@with_fault("cache_connections_exhausted")
def test_whoever_connects_is_told_that_there_is_no_connection_left_and_the_api_works_on(sight: Sight) -> None:
    assert said_at_once(sight).startswith(b"-ERR max number of clients reached")
    assert cache_of(sight)["status"] == "ok"


@with_fault("cache_protected")
def test_whoever_connects_is_told_of_protected_mode(sight: Sight) -> None:
    assert said_at_once(sight).startswith(b"-DENIED Redis is running in protected mode")
    assert cache_of(sight)["status"] == "down"


@with_fault("cache_silent")
def test_the_cache_takes_connections_and_says_nothing(sight: Sight) -> None:
    with pytest.raises(redis.TimeoutError), client(sight, timeout=0.3) as asking:
        asking.ping()


@with_fault("cache_without_slots")
def test_the_node_answers_a_ping_and_no_key(sight: Sight) -> None:
    with client(sight) as asking:
        assert asking.ping()
        with pytest.raises(redis.ResponseError, match="Hash slot not served"):
            asking.get("a")
    assert cache_of(sight)["status"] == "down"


@with_fault("cache_master_lost")
def test_the_replica_answers_with_what_it_has_and_takes_nothing(sight: Sight) -> None:
    with client(sight) as asking:
        assert asking.ping()
        assert asking.info("replication")["master_link_status"] == "down"
        assert int(asking.dbsize()) > 0
        with pytest.raises(redis.ReadOnlyError):
            asking.set("a", 1)
    assert sight.cache("stats")["keyspace_hits"] > 0
    assert cache_of(sight)["status"] == "degraded"


@with_fault("cache_replicas_missing")
def test_the_master_answers_look_ups_and_refuses_writes_for_want_of_a_replica(sight: Sight) -> None:
    with client(sight) as asking:
        assert asking.ping()
        with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
            asking.set("a", 1)
    assert sight.cache("stats")["keyspace_misses"] == 0


@with_fault("cache_cannot_save")
def test_the_cache_answers_look_ups_and_refuses_writes_because_it_cannot_save(sight: Sight) -> None:
    with client(sight) as asking:
        for refused in (asking.ping, lambda: asking.set("a", 1)):
            with pytest.raises(redis.ResponseError, match="MISCONF"):
                refused()
    assert sight.cache("stats")["keyspace_misses"] == 0


@with_fault("cache_fragmented_small")
def test_the_ratio_is_high_and_the_memory_lost_is_little(sight: Sight) -> None:
    memory = sight.cache("memory")
    assert memory["mem_fragmentation_ratio"] > 1.5
    assert 10 * 2**20 < memory["mem_fragmentation_bytes"] < 100 * 2**20
    assert memory["used_memory"] > 16 * 2**20
    assert cache_of(sight)["status"] == "ok"


def test_every_fault_of_the_cache_is_looked_at_here() -> None:
    seen = {"cache_fragmented"}  # is its healthy twin, judged by another input
    for name, function in globals().items():
        for mark in getattr(function, "pytestmark", ()) if name.startswith("test_") else ():
            seen |= set(mark.args[1])
    assert seen == {name for name, fault in FAULTS.items() if fault.family == "cache"}
