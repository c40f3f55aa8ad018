"""Does a Redis server answer, and how well does it serve as a cache?"""

from collections.abc import Mapping
from typing import Annotated

import anyio
from pydantic import BeforeValidator, Field, JsonValue

from runbook_engine.probe import (
    Bytes,
    Count,
    Dimension,
    Duration,
    ErrorKind,
    Number,
    Percent,
    ProbeContext,
    ProbeError,
    Rate,
    Reading,
    bounded,
    probe,
)
from runbook_engine.quantity import parse, show
from runbook_probes.network import allowance
from runbook_probes.redis_client import ClientParams, connected, redis_cli

MEANINGFUL_MEMORY = 16 * 2**20
"""Below this, fragmentation says nothing: a server that is nearly empty holds several times what its data need."""

_EVIDENCE = (
    "redis_version", "valkey_version", "role", "maxmemory_policy", "used_memory_rss", "used_memory_peak",
    "mem_fragmentation_ratio", "total_system_memory", "maxclients", "rdb_last_bgsave_status", "aof_last_write_status",
    "master_link_status",
)  # fmt: skip
_COUNTERS = ("keyspace_hits", "keyspace_misses", "evicted_keys", "expired_keys", "rejected_connections")

Info = Mapping[str, object]


def _seconds(value: object) -> object:
    """A duration as text, such as ``2s``, or as seconds."""
    if not isinstance(value, str):
        return value
    number, dimension = parse(value)
    if dimension is not Dimension.DURATION and number != 0:
        raise ValueError(f"{value!r} is not a duration; write for example 2s")
    return number


class PingParams(ClientParams):
    pass


class PingReading(Reading):
    latency: Duration = Field(description="Time of one PING")
    connect: Duration = Field(description="Time to be let in and have a first PING answered: TCP, TLS, password")


def _ping_command(params: PingParams) -> str:
    return redis_cli(params, "PING")


@probe("redis.ping", command=_ping_command, reads_only=True)
async def ping(params: PingParams, ctx: ProbeContext) -> PingReading:
    """Connects and sends PING twice: the first answer takes the connection's time as well."""
    async with connected(params, ctx) as client:
        times = [anyio.current_time()]
        for _ in range(2):
            await client.ping()
            times.append(anyio.current_time())
    return PingReading(connect=times[1] - times[0], latency=times[2] - times[1])


class InfoParams(ClientParams):
    sample: Annotated[float, BeforeValidator(_seconds)] = Field(
        0.0,
        ge=0,
        le=3600,
        description="Count look-ups, evictions and commands over this time from now, such as 2s; 0s counts since the start"
        " of the server",
    )


class InfoReading(Reading):
    """Counters are since the start of the server, or over ``sample`` where that is given."""

    used_memory: Bytes
    maxmemory: Bytes | None = Field(None, description="The limit of memory; missing where there is none")
    memory_utilization: Annotated[float, bounded(Dimension.PERCENT, lower=0)] | None = Field(
        None, description="used_memory of maxmemory"
    )
    hit_rate: Percent | None = Field(None, description="Share of look-ups that found a key; missing without look-ups")
    hits: Count = Field(description="Look-ups that found a key")
    misses: Count = Field(description="Look-ups that found none")
    evicted_keys: Count = Field(description="Keys thrown out for want of memory")
    expired_keys: Count = Field(description="Keys whose time had come")
    blocked_clients: Count = Field(description="Clients that wait in a blocking command")
    connected_clients: Count = Field(description="Clients, without the probe's own connection")
    fragmentation: Number | None = Field(
        None, description="Memory from the system over memory in use; missing while little memory is in use"
    )
    ops_per_second: Rate = Field(description="Commands a second, now or over sample")
    uptime: Duration
    rejected_connections: Count = Field(description="Connections refused because of maxclients")


def _info_command(params: InfoParams) -> str:
    return redis_cli(params, "INFO")


@probe("redis.info", command=_info_command, reads_only=True)
async def info(params: InfoParams, ctx: ProbeContext) -> InfoReading:
    """Reads INFO: memory, look-ups, evictions, clients."""
    if params.sample >= allowance(ctx):
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"a sample of {show(params.sample, Dimension.DURATION)} does not fit into the time that is left",
            remedy="give the step a longer timeout, or take a shorter sample",
        )
    async with connected(params, ctx) as client:
        last: Info = await client.info()
        rate = _number(last, "instantaneous_ops_per_sec")
        counted = {name: int(_number(last, name)) for name in _COUNTERS}
        if params.sample:
            first, begun = last, anyio.current_time()
            await anyio.sleep(params.sample)
            last = await client.info()
            counted = {name: _difference(first, last, name) for name in _COUNTERS}
            rate = _difference(first, last, "total_commands_processed") / (anyio.current_time() - begun)
    return _reading(last, counted, rate)


def _reading(last: Info, counted: Mapping[str, int], rate: float) -> InfoReading:
    used, limit = int(_number(last, "used_memory")), int(_number(last, "maxmemory"))
    hits, misses = counted["keyspace_hits"], counted["keyspace_misses"]
    missing: dict[str, str] = {}
    if not limit:
        missing["maxmemory"] = missing["memory_utilization"] = "no limit is set (maxmemory is 0)"
    if not hits + misses:
        missing["hit_rate"] = "nobody looked for a key"
    if used < MEANINGFUL_MEMORY:
        small, enough = show(used, Dimension.BYTES), show(MEANINGFUL_MEMORY, Dimension.BYTES)
        missing["fragmentation"] = f"only {small} are in use; the ratio means something from {enough}"
    return InfoReading(
        used_memory=used,
        maxmemory=limit or None,
        memory_utilization=100 * used / limit if limit else None,
        hit_rate=100 * hits / (hits + misses) if hits + misses else None,
        hits=hits,
        misses=misses,
        evicted_keys=counted["evicted_keys"],
        expired_keys=counted["expired_keys"],
        blocked_clients=int(_number(last, "blocked_clients")),
        connected_clients=max(0, int(_number(last, "connected_clients")) - 1),
        fragmentation=None if used < MEANINGFUL_MEMORY else _number(last, "mem_fragmentation_ratio"),
        ops_per_second=rate,
        uptime=_number(last, "uptime_in_seconds"),
        rejected_connections=counted["rejected_connections"],
        missing=missing,
        evidence=_evidence(last),
    )


def _evidence(last: Info) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for name in _EVIDENCE:
        value = last.get(name)
        if isinstance(value, str | int | float):
            found[name] = value
    return found


def _number(found: Info, name: str) -> float:
    value = found.get(name)
    if isinstance(value, int | float):
        return value
    raise ProbeError(ErrorKind.MALFORMED, f"the server's INFO does not say {name}")


def _difference(first: Info, last: Info, name: str) -> int:
    difference = int(_number(last, name)) - int(_number(first, name))
    if difference < 0 or first.get("run_id") != last.get("run_id"):
        raise ProbeError(ErrorKind.OTHER, "the server was restarted, or its statistics reset, during the sample")
    return difference
