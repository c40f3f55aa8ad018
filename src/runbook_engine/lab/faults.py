"""The faults that the lab can inject, in words. How each is injected stands in ``plans``."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from runbook_engine.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which the lab is broken.

    ``explanation`` says what is broken, how it is injected, which symptom one sees and what the diagnosis should say.
    ``expects`` are the findings of the runbook ``high-latency`` that name the cause.
    """

    name: str
    title: str
    explanation: str
    expects: tuple[str, ...]


def fault_named(name: str) -> Fault:
    """Raises UsageError that lists all faults, with the one that was probably meant."""
    try:
        return FAULTS[name]
    except KeyError:
        raise UsageError(
            f"the lab has no fault {name!r}{did_you_mean(name, FAULTS)}\n  faults: {', '.join(FAULTS)}"
        ) from None


_ALL = (
    Fault(
        "none",
        "Everything works",
        "Nothing is broken. The API answers within milliseconds from a database that uses its indexes and a cache "
        "that knows nearly everything it is asked. Use it to see what a healthy report looks like, and to prove "
        "that a runbook cries no wolf: the diagnosis should find nothing.",
        (),
    ),
    Fault(
        "slow_queries",
        "A report query takes most of a second",
        "A new release of the stored procedure weekly_report(), which every request calls, takes 0.7 to 1.1 "
        "seconds. It is a real statement of the real database; its extra time is spent in pg_sleep, so that a "
        "small machine's CPU stays free for everything else. One sees a P95 of about a second. The diagnosis "
        "should name the statement, from pg_stat_statements, with a mean above 500 ms.",
        ("slow_queries",),
    ),
    Fault(
        "missing_index",
        "The index on messages(session_id) is gone",
        "The big table messages has lost its index, so that each page of the board reads the whole table once for "
        "each session that it shows. A statement takes about 450 ms instead of less than one, and a request needs "
        "three of them. One sees a P95 above 500 ms and a busy database. The diagnosis should name the table "
        "messages: sequential scans over all of its rows, and next to no index scans, in pg_stat_user_tables.",
        ("missing_index",),
    ),
    Fault(
        "connections_exhausted",
        "No connection slot is left in the database",
        "A worker opens connections and never closes them, until every slot that an ordinary role may have is "
        "taken by an idle session. The API waits for a slot in vain and answers 503 after more than a second; "
        "psql with the role of database_url is refused too (SQLSTATE 53300). The diagnosis should take that "
        "refusal for what it is: connections are exhausted.",
        ("connections_exhausted",),
    ),
    Fault(
        "lock_contention",
        "An open transaction holds a row that every request updates",
        "A deployment script has updated a row of the table sessions and left its transaction open. A nightly job "
        "waits for that row, and so does every request of the API, which gives up after 1.2 seconds. The database "
        "is otherwise idle and no statement shows as slow, since those that give up are not counted. One sees a "
        "P95 above a second. The diagnosis should say that sessions wait for a lock, and that another is idle in "
        "its transaction.",
        ("lock_contention",),
    ),
    Fault(
        "cache_misses",
        "Cached entries expire as soon as they are written",
        "The API gives its cache entries a life of one millisecond, as happens where milliseconds are taken for "
        "seconds. Redis is healthy, yet nearly every look-up misses, and the API has the database compute thirty "
        "summaries of 20 ms for each request. One sees a P95 above 500 ms while no single statement is slow. The "
        "diagnosis should name the hit rate of the cache.",
        ("cache_misses",),
    ),
    Fault(
        "cache_memory_full",
        "Redis has reached its memory limit",
        "An export job fills Redis up to maxmemory with keys that never expire. First it pushes out every key "
        "that may be evicted; then Redis refuses writes (OOM). The API still reads its old entries, so the hit "
        "rate stays high, but each request tries to write for 0.6 seconds. One sees a P95 above 500 ms. The "
        "diagnosis should name memory use near 100 % of the limit, and evictions.",
        ("cache_memory_full",),
    ),
    Fault(
        "cpu_high",
        "The tasks of the ECS service have no CPU left",
        "CloudWatch reports a CPUUtilization of 93 % for the ECS service, where 35 % is usual, and the API really "
        "computes in every request (a password hash of many rounds), so that it is slower than usual, though "
        "still below 500 ms. Slowness comes and goes; this one is about to come. The diagnosis should name CPU "
        "use.",
        ("cpu_high",),
    ),
    Fault(
        "slow_application",
        "The API itself is slow, and neither database nor cache is",
        "Each request waits 0.8 seconds in the API's own code, outside database and cache, as a call to an "
        "unresponsive service would make it wait. Database, cache, CPU and memory look healthy. One sees a P95 "
        "above 500 ms. The diagnosis should name the application, from the latency of its components at "
        "/health/detailed.",
        ("slow_application",),
    ),
    Fault(
        "database_down",
        "PostgreSQL is not running",
        "PostgreSQL is stopped, and nothing listens on its port. The API answers 503 at once and says why, "
        "so that its responses are fast and all of them fail. The diagnosis should say that the database "
        "refuses connections.",
        ("database_down",),
    ),
    Fault(
        "cache_down",
        "Redis is not running",
        "Redis is stopped. The API goes on without it and has the database compute thirty summaries of 20 ms for "
        "each request. One sees a P95 above 500 ms while no single statement is slow. The diagnosis should say "
        "that the cache refuses connections.",
        ("cache_down",),
    ),
    Fault(
        "two_faults",
        "A slow report query, and no CPU left",
        "The faults slow_queries and cpu_high at once, each injected as it is alone: incidents seldom have one "
        "cause. One sees a P95 of about a second. The diagnosis should name both, and not stop at the first.",
        ("slow_queries", "cpu_high"),
    ),
)

FAULTS: Mapping[str, Fault] = MappingProxyType({fault.name: fault for fault in _ALL})
"""Every fault by its name, the healthy lab (``none``) first."""
