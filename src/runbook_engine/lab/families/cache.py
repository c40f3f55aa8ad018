"""The cache: whether it takes connections and answers, and whether it can serve once it does."""

from functools import partial
from types import MappingProxyType

from runbook_engine.lab.disturbances import (
    failing_to_save,
    fragmenting_the_cache,
    taking_all_cache_connections,
    wanting_replicas,
)
from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

ROOMY = MappingProxyType({"maxmemory": "512mb"})
FRAGMENTED = 1.6
FEW_BYTES = "10MiB"

_fault = partial(Fault, family="cache", runbook="redis-cache")

CACHE: tuple[tuple[Fault, Plan], ...] = (
    (
        _fault(
            "cache_connections_exhausted",
            "Every connection that Redis may have is taken",
            "A worker opens connections to Redis and never closes them, until maxclients is reached. Redis works for "
            "whoever has a connection, as the API does; to anybody else it says so as soon as the connection stands, "
            "and hangs up. The diagnosis should say that the cache has no connection left, and not that nothing "
            "listens there.",
            ("cache_connections_exhausted",),
        ),
        Plan(later=taking_all_cache_connections),
    ),
    (
        _fault(
            "cache_protected",
            "Redis is in protected mode and turns away everybody else",
            "Redis has no password and listens on all addresses, so that it serves its own machine alone: to a client "
            "from elsewhere it says DENIED and hangs up. In the lab all come from the same machine, so that a small "
            "server says in its place what Redis says then. The API goes on without its cache. The diagnosis should "
            "say that the cache does not accept connections, and name protected mode.",
            ("cache_down",),
        ),
        Plan(cache="protected"),
    ),
    (
        _fault(
            "cache_silent",
            "Redis accepts connections and never answers",
            "The process of Redis is stopped by a signal, as one that waits for its disk would be: the system accepts "
            "connections for it, and nobody ever says a word. The diagnosis should end in time, and say that the "
            "cache does not answer, as it does of a database.",
            ("cache_timeouts",),
        ),
        Plan(cache="silent"),
    ),
    (
        _fault(
            "cache_without_slots",
            "Redis runs in cluster mode, and no slots were given to it",
            "In the place of the cache is a node of a cluster to which no hash slot was assigned. It answers PING with "
            "PONG, and every key with CLUSTERDOWN, so that the API goes on without its cache. The diagnosis should "
            "say that the cluster is down, although PING is answered.",
            ("cache_cluster_down",),
        ),
        Plan(cache="slotless"),
    ),
    (
        _fault(
            "cache_master_lost",
            "Redis is a replica, and its master is gone",
            "The API uses a replica whose master was stopped. It answers PING with PONG and look-ups with what it had "
            "last received, and refuses every write (READONLY). The diagnosis should say that the replica has lost "
            "its master, although PING is answered.",
            ("cache_master_lost",),
        ),
        Plan(cache="orphaned"),
    ),
    (
        _fault(
            "cache_replicas_missing",
            "Redis may only write with a replica, and has none",
            "min-replicas-to-write is 1, and no replica is connected. Redis answers PING with PONG and look-ups as "
            "usual, and every write with NOREPLICAS. The diagnosis should say that the cache refuses writes for want "
            "of replicas.",
            ("cache_replicas_missing",),
        ),
        Plan(disturb=wanting_replicas),
    ),
    (
        _fault(
            "cache_cannot_save",
            "Redis could not save its last snapshot, and refuses writes",
            "A folder is where the snapshot of Redis should go, so that saving failed. With snapshots configured, Redis "
            "then refuses writes, and answers PING with MISCONF, while look-ups and INFO work as usual. The diagnosis "
            "should say that the cache cannot save to disk.",
            ("cache_cannot_save",),
        ),
        Plan(cache_settings=MappingProxyType({"save": "3600 1"}), disturb=failing_to_save),
    ),
    (
        _fault(
            "cache_fragmented",
            "Most of the memory of Redis lies between its keys",
            "An import wrote 60,000 keys, and two of three were deleted: nearly every page of memory still holds one, so "
            "that the system gets nothing back. So that nobody needs gigabytes to see it, the lab looks at fragmentation "
            "from 10 MiB lost on (fragmentation_size). The diagnosis should say that the cache is fragmented.",
            ("cache_fragmented",),
            neighbour="cache_fragmented_small",
        ),
        Plan(
            cache_settings=ROOMY,
            disturb=fragmenting_the_cache,
            inputs=MappingProxyType({"fragmentation_size": FEW_BYTES}),
            seen=lambda view: view.fragmentation() > FRAGMENTED,
        ),
    ),
    (
        _fault(
            "cache_fragmented_small",
            "The memory of a small Redis is fragmented",
            "The same two of three keys were deleted, and the ratio of fragmentation is as high. Yet all of Redis fits "
            "into less than 100 MiB, and what it loses is less than what Redis itself would clean up. The diagnosis "
            "should find nothing: at this size, the ratio says nothing.",
            neighbour="cache_fragmented",
        ),
        Plan(cache_settings=ROOMY, disturb=fragmenting_the_cache, seen=lambda view: view.fragmentation() > FRAGMENTED),
    ),
)
"""Every fault of the family, with its plan."""
