"""Slow answers: each cause of the runbook ``high-latency``, and the system in which all is well."""

from runbook_engine.lab.disturbances import (
    filling_the_cache,
    having_reported,
    leaking_connections,
    locking_a_row,
)
from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

HASH_ROUNDS = 60_000
UPSTREAM_WAIT_S = 0.8
SLOW_MS = 500.0
LONG_WAIT_S = 0.5

LATENCY: tuple[tuple[Fault, Plan], ...] = (
    (
        Fault(
            "none",
            "Everything works",
            "Nothing is broken. The API answers within milliseconds from a database that uses its indexes and a cache "
            "that knows nearly everything it is asked. Use it to see what a healthy report looks like, and to prove "
            "that a runbook cries no wolf: the diagnosis should find nothing.",
            (),
        ),
        Plan(seen=lambda view: view.hit_rate() > 0.95),
    ),
    (
        Fault(
            "slow_queries",
            "A report query takes most of a second",
            "A new release of the stored procedure weekly_report(), which every request calls, takes 0.7 to 1.1 "
            "seconds. It is a real statement of the real database; its extra time is spent in pg_sleep, so that a "
            "small machine's CPU stays free for everything else. One sees a P95 of about a second. The diagnosis "
            "should name the statement, from pg_stat_statements, with a mean above 500 ms.",
            ("slow_queries",),
        ),
        Plan(slow_report=True, seen=lambda view: view.slowest_mean_ms() > SLOW_MS),
    ),
    (
        Fault(
            "nightly_report",
            "A report took two seconds, once",
            "A report of the night is the slowest statement in pg_stat_statements: it ran once, for two seconds, and "
            "took more time than all requests since. It is over, and the API is as fast as ever. Whoever looks at "
            "mean times alone takes it for the cause of slowness that is none. The diagnosis should find nothing.",
            (),
        ),
        Plan(disturb=having_reported, seen=lambda view: view.hit_rate() > 0.95),
    ),
    (
        Fault(
            "api_of_another_shape",
            "The API tells its health in a shape of its own",
            'Nothing is broken. The API says {"healthy": true} and has no account of its components, as most APIs of other '
            "teams. A runbook that expects the shape of one API cannot read it, and is inconclusive on a healthy day. The "
            "diagnosis should find nothing, and ask for no account that nobody configured.",
            (),
        ),
        Plan(account="none", seen=lambda view: view.hit_rate() > 0.95),
    ),
    (
        Fault(
            "missing_index",
            "The index on messages(session_id) is gone",
            "The big table messages has lost its index, so that each page of the board reads the whole table once for "
            "each session that it shows. A statement takes about 450 ms instead of less than one, and a request needs "
            "three of them. One sees a P95 above 500 ms and a busy database. The diagnosis should name the table "
            "messages: sequential scans over all of its rows, and next to no index scans, in pg_stat_user_tables.",
            ("missing_index",),
        ),
        Plan(message_index=False, seen=lambda view: view.full_scans() > 0),
    ),
    (
        Fault(
            "connections_exhausted",
            "No connection slot is left in the database",
            "A worker opens connections and never closes them, until every slot that an ordinary role may have is "
            "taken by an idle session. The API waits for a slot in vain and answers 503 after more than a second; "
            "psql with the role of database_url is refused too (SQLSTATE 53300). The diagnosis should take that "
            "refusal for what it is: connections are exhausted.",
            ("connections_exhausted",),
        ),
        Plan(max_connections=20, disturb=leaking_connections, answer=503),
    ),
    (
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
        Plan(disturb=locking_a_row, seen=lambda view: view.longest_wait_s() > LONG_WAIT_S),
    ),
    (
        Fault(
            "cache_misses",
            "Cached entries expire as soon as they are written",
            "The API gives its cache entries a life of one millisecond, as happens where milliseconds are taken for "
            "seconds. Redis is healthy, yet nearly every look-up misses, and the API has the database compute thirty "
            "summaries of 20 ms for each request. One sees a P95 above 500 ms while no single statement is slow. The "
            "diagnosis should name the hit rate of the cache.",
            ("cache_misses",),
        ),
        Plan(cache_ttl_ms=1, seen=lambda view: view.hit_rate() < 0.5),
    ),
    (
        Fault(
            "cache_memory_full",
            "Redis has reached its memory limit",
            "An export job fills Redis up to maxmemory with keys that never expire. First it pushes out every key "
            "that may be evicted; then Redis refuses writes (OOM). The API still reads its old entries, so the hit "
            "rate stays high, but each request tries to write for 0.6 seconds. One sees a P95 above 500 ms. The "
            "diagnosis should name memory use near 100 % of the limit, and evictions.",
            ("cache_memory_full",),
        ),
        Plan(disturb=filling_the_cache, seen=lambda view: view.memory_use() > 0.98),
    ),
    (
        Fault(
            "cpu_high",
            "The tasks of the ECS service have no CPU left",
            "CloudWatch reports a CPUUtilization of 93 % for the ECS service, where 35 % is usual, and the API really "
            "computes in every request (a password hash of many rounds), so that it is slower than usual, though "
            "still below 500 ms. Slowness comes and goes; this one is about to come. The diagnosis should name CPU "
            "use.",
            ("cpu_high",),
        ),
        Plan(cpu_percent=93.0, hash_rounds=HASH_ROUNDS),
    ),
    (
        Fault(
            "slow_application",
            "The API itself is slow, and neither database nor cache is",
            "Each request waits 0.8 seconds in the API's own code, outside database and cache, as a call to an "
            "unresponsive service would make it wait. Database, cache, CPU and memory look healthy. One sees a P95 "
            "above 500 ms. The diagnosis should name the application, from the latency of its components at "
            "/health/detailed.",
            ("slow_application",),
        ),
        Plan(upstream_wait_s=UPSTREAM_WAIT_S),
    ),
    (
        Fault(
            "slow_application_of_another_shape",
            "The API itself is slow, and says so in a shape of its own",
            "Each request waits 0.8 seconds in the API's own code, as with slow_application. This API is another team's: its "
            'account is at /status, and reads {"deps": {"app": {"state": "UP", "latency_s": 0.8}}}. Where that number is, '
            "and that it is in seconds, are inputs. The diagnosis should name the application.",
            ("slow_application",),
        ),
        Plan(
            account="deps",
            upstream_wait_s=UPSTREAM_WAIT_S,
            inputs={
                "detailed_health": "/status",
                "application_latency": "deps.app.latency_s",
                "application_latency_unit": "s",
            },
        ),
    ),
    (
        Fault(
            "database_down",
            "PostgreSQL is not running",
            "PostgreSQL is stopped, and nothing listens on its port. The API answers 503 at once and says why, "
            "so that its responses are fast and all of them fail. The diagnosis should say that the database "
            "refuses connections.",
            ("database_down",),
        ),
        Plan(database="stopped", answer=503),
    ),
    (
        Fault(
            "cache_down",
            "Redis is not running",
            "Redis is stopped. The API goes on without it and has the database compute thirty summaries of 20 ms for "
            "each request. One sees a P95 above 500 ms while no single statement is slow. The diagnosis should say "
            "that the cache refuses connections.",
            ("cache_down",),
        ),
        Plan(cache="stopped"),
    ),
)
"""Every fault of the family, with its plan."""
