"""Does a Redis server answer, and how well does it serve as a cache?"""

from typing import Annotated

import anyio
from pydantic import Field

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
from runbook_engine.quantity import show
from runbook_probes.network import allowance
from runbook_probes.quantities import Seconds
from runbook_probes.redis_client import ClientParams, connected, redis_cli
from runbook_probes.redis_fields import Fields, Numbers, answer_with_fields, number, shown
from runbook_probes.redis_service import ServiceReading, ask_service

MEANINGFUL_MEMORY = 16 * 2**20
"""Below this, fragmentation says nothing: a server that is nearly empty holds several times what its data need."""

_EVIDENCE = (
    "redis_version", "valkey_version", "role", "maxmemory_policy", "used_memory_rss", "used_memory_peak",
    "mem_fragmentation_ratio", "total_system_memory", "maxclients", "rdb_last_bgsave_status", "aof_last_write_status",
    "master_link_status", "connected_slaves", "min_slaves_good_slaves", "cluster_enabled", "mem_fragmentation_bytes",
)  # fmt: skip
_REFUSED = tuple(
    f"errorstat_{word}" for word in ("CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "OOM", "READONLY")
)
_COUNTERS = {
    "hits": "keyspace_hits",
    "misses": "keyspace_misses",
    "evicted_keys": "evicted_keys",
    "expired_keys": "expired_keys",
    "rejected_connections": "rejected_connections",
}


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
    sample: Seconds = Field(
        0.0,
        ge=0,
        le=3600,
        description="Count look-ups, evictions and commands over this time from now, such as 2s; 0s counts since the start"
        " of the server",
    )


class InfoReading(ServiceReading):
    """Counters are since the start of the server, or over ``sample`` where that is given."""

    used_memory: Bytes | None = Field(None, description="Memory that the data and the server's buffers take")
    maxmemory: Bytes | None = Field(None, description="The limit of memory; missing where there is none")
    memory_utilization: Annotated[float, bounded(Dimension.PERCENT, lower=0)] | None = Field(
        None, description="used_memory of maxmemory"
    )
    hit_rate: Percent | None = Field(None, description="Share of look-ups that found a key; missing without look-ups")
    hits: Count | None = Field(None, description="Look-ups that found a key")
    misses: Count | None = Field(None, description="Look-ups that found none")
    evicted_keys: Count | None = Field(None, description="Keys thrown out for want of memory")
    expired_keys: Count | None = Field(None, description="Keys whose time had come")
    blocked_clients: Count | None = Field(None, description="Clients that wait in a blocking command")
    connected_clients: Count | None = Field(None, description="Clients, without the probe's own connection")
    fragmentation: Number | None = Field(
        None, description="Memory from the system over memory in use; missing while little memory is in use"
    )
    fragmentation_bytes: Bytes | None = Field(
        None,
        description="Memory from the system beyond memory in use; while it is a few megabytes, fragmentation says nothing",
    )
    ops_per_second: Rate | None = Field(None, description="Commands a second, now or over sample")
    uptime: Duration | None = Field(None, description="Since when the server runs")
    rejected_connections: Count | None = Field(None, description="Connections refused because of maxclients")


def _info_command(params: InfoParams) -> str:
    return redis_cli(params, "INFO")


@probe("redis.info", command=_info_command, reads_only=True)
async def info(params: InfoParams, ctx: ProbeContext) -> InfoReading:
    """Reads INFO: memory, look-ups, evictions, clients, and whether the server can serve: replication, cluster, writes.

    A field that the server does not tell, or not as a number, makes its metric missing and no other.
    """
    if params.sample >= allowance(ctx):
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"a sample of {show(params.sample, Dimension.DURATION)} does not fit into the time that is left",
            remedy="give the step a longer timeout, or take a shorter sample",
        )
    async with connected(params, ctx) as client:
        answer_with_fields(client)
        last: Fields = await client.info()
        first, seconds = None, 0.0
        if params.sample:
            first, begun = last, anyio.current_time()
            await anyio.sleep(params.sample)
            last = await client.info()
            seconds = anyio.current_time() - begun
        service = await ask_service(client, last)
    numbers = Numbers(last)
    counted = _counted(numbers, first, last, seconds)
    memory = _memory(numbers)
    clients = numbers.whole("connected_clients", "connected_clients")
    return InfoReading(
        **service.metrics,
        **counted,
        **memory,
        blocked_clients=numbers.whole("blocked_clients", "blocked_clients"),
        connected_clients=None if clients is None else max(0, clients - 1),
        uptime=numbers.number("uptime", "uptime_in_seconds"),
        missing={**service.missing, **numbers.missing},
        evidence={name: shown(last, name) for name in last if name in _EVIDENCE or name in _REFUSED},
    )


def _memory(numbers: Numbers) -> dict[str, float | None]:
    used, limit = numbers.whole("used_memory", "used_memory"), numbers.whole("maxmemory", "maxmemory")
    utilization = None
    if limit == 0:
        limit, why = None, "no limit is set (maxmemory is 0)"
        numbers.missing["maxmemory"] = numbers.missing["memory_utilization"] = why
    elif limit is None or used is None:
        numbers.missing["memory_utilization"] = numbers.missing["maxmemory" if limit is None else "used_memory"]
    else:
        utilization = 100 * used / limit
    ratio = numbers.number("fragmentation", "mem_fragmentation_ratio")
    if used is not None and used < MEANINGFUL_MEMORY:
        small, enough = show(used, Dimension.BYTES), show(MEANINGFUL_MEMORY, Dimension.BYTES)
        ratio, numbers.missing["fragmentation"] = (
            None,
            f"only {small} are in use; the ratio means something from {enough}",
        )
    resident = numbers.whole("fragmentation_bytes", "used_memory_rss")
    if used is None:
        numbers.missing["fragmentation_bytes"] = numbers.missing["used_memory"]
    return {
        "used_memory": used,
        "maxmemory": limit,
        "memory_utilization": utilization,
        "fragmentation": ratio,
        "fragmentation_bytes": None if used is None or resident is None else max(0, resident - used),
    }


def _counted(numbers: Numbers, first: Fields | None, last: Fields, seconds: float) -> dict[str, float | None]:
    """Counters since the start of the server, or since ``first``, that was told so many seconds before."""
    counts: dict[str, float | None] = {}
    for metric, field in _COUNTERS.items():
        counts[metric] = numbers.whole(metric, field)
        if first is not None and counts[metric] is not None:
            counts[metric] = _difference(first, last, field)
    hits, misses = counts["hits"], counts["misses"]
    rate = None
    if hits is None or misses is None:
        numbers.missing["hit_rate"] = numbers.missing["hits" if hits is None else "misses"]
    elif hits + misses == 0:
        numbers.missing["hit_rate"] = "nobody looked for a key"
    else:
        rate = 100 * hits / (hits + misses)
    if first is None:
        commands = numbers.number("ops_per_second", "instantaneous_ops_per_sec")
    else:
        numbers.number("ops_per_second", "total_commands_processed")
        done = _difference(first, last, "total_commands_processed")
        commands = None if done is None else done / seconds
    return {**counts, "hit_rate": rate, "ops_per_second": commands}


def _difference(first: Fields, last: Fields, field: str) -> int | None:
    before, after = number(first, field), number(last, field)
    if before is None or after is None:
        return None
    if after < before or first.get("run_id") != last.get("run_id"):
        raise ProbeError(ErrorKind.OTHER, "the server was restarted, or its statistics reset, during the sample")
    return int(after - before)
