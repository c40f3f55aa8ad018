"""What the sessions of a PostgreSQL server are doing."""

from typing import Annotated

from pydantic import Field, JsonValue

from runbook_engine.hostile import opening
from runbook_engine.probe import Count, Dimension, Duration, ProbeContext, Reading, Secret, bounded, probe
from runbook_probes.postgres_command import on_one_line, psql
from runbook_probes.postgres_rows import without_literals
from runbook_probes.postgres_session import Row, Session, session
from runbook_probes.postgres_target import PostgresParams

HIDDEN = "<insufficient privilege>"
"""What stands instead of a statement for who may not see it."""

_MOST_SESSIONS = 20
_MOST_LIMITS = 5

# Of a session that is hidden from us we see neither state nor kind, but who has it and in which database: system processes
# have no user. https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
_CLIENTS = f"""
    pid <> pg_backend_pid() AND (backend_type = 'client backend'
      OR query = '{HIDDEN}' AND usesysid IS NOT NULL AND datid IS NOT NULL)
"""
# A role or a database may have a limit of its own, which holds no superuser. Where it is one connection or two, to be at that
# limit is what it is there for.
_LEAST_LIMIT = 3
_LIMITS = f"""
    SELECT limited_by, used, connection_limit, 100.0 * used / connection_limit AS utilization FROM (
      SELECT 'max_connections' AS limited_by, count(*) AS used, current_setting('max_connections')::int
          - current_setting('superuser_reserved_connections')::int
          - coalesce(current_setting('reserved_connections', true)::int, 0) AS connection_limit
        FROM pg_stat_activity WHERE {_CLIENTS}
      UNION ALL SELECT 'CONNECTION LIMIT of the role ' || rolname, count(pid), rolconnlimit
        FROM pg_roles LEFT JOIN pg_stat_activity ON usesysid = pg_roles.oid AND {_CLIENTS}
        WHERE rolconnlimit >= {_LEAST_LIMIT} AND rolcanlogin AND NOT rolsuper GROUP BY rolname, rolconnlimit
      UNION ALL SELECT 'CONNECTION LIMIT of the database ' || pg_database.datname, count(pid), datconnlimit
        FROM pg_database LEFT JOIN pg_stat_activity ON datid = pg_database.oid AND {_CLIENTS}
        WHERE datconnlimit >= {_LEAST_LIMIT} AND datallowconn GROUP BY pg_database.datname, datconnlimit) AS limits
    ORDER BY utilization DESC, limited_by DESC
"""
_ACTIVE = "state = 'active' AND NOT query ~* '^[[:space:]]*(vacuum|analyze)[[:>:]]'"
_SUMMARY = on_one_line(f"""
    SELECT * FROM (SELECT
      count(*) AS total,
      count(*) FILTER (WHERE state = 'active') AS active,
      count(*) FILTER (WHERE state = 'idle') AS idle,
      count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
      count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
      coalesce(extract(epoch FROM max(clock_timestamp() - query_start) FILTER (WHERE state = 'active')), 0)
        AS longest_query_age,
      coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0) AS longest_transaction_age,
      coalesce(extract(epoch FROM max(clock_timestamp() - xact_start) FILTER (WHERE {_ACTIVE})), 0)
        AS longest_active_transaction_age,
      count(*) FILTER (WHERE query = '{HIDDEN}') AS hidden
      FROM pg_stat_activity WHERE {_CLIENTS}) AS counted,
    (SELECT count(*) AS prepared, coalesce(extract(epoch FROM max(clock_timestamp() - prepared)), 0)
      AS longest_prepared_age FROM pg_prepared_xacts) AS prepared,
    ({_LIMITS} LIMIT 1) AS nearest
""")
# The same in short, for people: what sessions do, every limit of connections, and what is prepared.
_SHOWN = (
    "SELECT count(*) AS total, count(*) FILTER (WHERE state = 'active') AS active,"
    " count(*) FILTER (WHERE state = 'idle') AS idle,"
    " count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,"
    " count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,"
    " max(clock_timestamp() - xact_start) AS longest_transaction_age,"
    " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS limit"
    " FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    "SELECT rolname, rolconnlimit FROM pg_roles WHERE rolconnlimit >= 0"
    " UNION ALL SELECT datname, datconnlimit FROM pg_database WHERE datconnlimit >= 0",
    "SELECT gid, owner, database, prepared FROM pg_prepared_xacts",
)
_HOLDERS = f"""
    SELECT usename AS role, datname AS database, application_name AS application, state, count(*) AS sessions
    FROM pg_stat_activity WHERE {_CLIENTS} GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT {_MOST_SESSIONS}
"""
_WHOSE = """
    usename AS role, application_name AS application, state,
    round(extract(epoch FROM clock_timestamp() - xact_start)::numeric, 3) AS transaction_age_s,
    round(extract(epoch FROM clock_timestamp() - query_start)::numeric, 3) AS statement_age_s,
    query AS statement
"""
_SESSION = f"pid, {_WHOSE}"
"""What matters most comes first: a narrow page leaves out the last columns."""
_OLDEST = f"""
    SELECT {_SESSION} FROM pg_stat_activity WHERE {_CLIENTS} AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 5
"""
_LONGEST_ACTIVE = f"""
    SELECT {_SESSION} FROM pg_stat_activity WHERE {_CLIENTS} AND xact_start IS NOT NULL AND {_ACTIVE}
    ORDER BY xact_start LIMIT 1
"""
# A prepared transaction has no session, and its locks no pid; one of them is that of its own number.
_SAME = ", ".join(
    f"{{0}}.{column}"
    for column in (
        "locktype", "database", "relation", "page", "tuple", "virtualxid", "transactionid::text", "classid", "objid",
        "objsubid",
    )
)  # fmt: skip
_PREPARED = f"""
    SELECT gid, owner AS role, database, round(extract(epoch FROM clock_timestamp() - prepared)::numeric, 3) AS age_s,
      EXISTS (SELECT FROM pg_locks AS own
        JOIN pg_locks AS held ON held.virtualtransaction = own.virtualtransaction AND held.pid IS NULL
        JOIN pg_locks AS wanted ON NOT wanted.granted
          AND ({_SAME.format("held")}) IS NOT DISTINCT FROM ({_SAME.format("wanted")})
        WHERE own.pid IS NULL AND own.transactionid::text = transaction::text) AS blocks_others
    FROM pg_prepared_xacts ORDER BY prepared LIMIT {_MOST_SESSIONS}
"""
_WAITING = f"""
    SELECT pid, pg_blocking_pids(pid) AS blocked_by, wait_event AS waits_for, {_WHOSE}
    FROM pg_stat_activity WHERE {_CLIENTS} AND wait_event_type = 'Lock' ORDER BY query_start LIMIT {_MOST_SESSIONS}
"""
_BLOCKING = f"""
    SELECT {_SESSION} FROM pg_stat_activity WHERE pid IN (
      SELECT unnest(pg_blocking_pids(pid)) FROM (
        SELECT pid FROM pg_stat_activity WHERE {_CLIENTS} AND wait_event_type = 'Lock'
        ORDER BY query_start LIMIT {_MOST_SESSIONS}) AS waiting)
    ORDER BY xact_start LIMIT {_MOST_SESSIONS}
"""

_NEEDS_MONITOR = (
    "active", "idle", "idle_in_transaction", "waiting", "longest_query_age", "longest_transaction_age",
    "longest_active_transaction_age", "longest_active_statement",
)  # fmt: skip


class ActivityParams(PostgresParams):
    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")


class ActivityReading(Reading):
    """Counts of clients' sessions on the whole server, in all databases, without the probe's own."""

    total: Count = Field(description="Sessions of clients")
    active: Count | None = Field(None, description="Sessions that execute a statement")
    idle: Count | None = Field(None, description="Sessions that wait for their client, outside of a transaction")
    idle_in_transaction: Count | None = Field(None, description="Sessions that wait for their client in a transaction")
    waiting: Count | None = Field(None, description="Sessions that wait for another's lock")
    limit: Count = Field(
        description="The nearest limit of connections: those that ordinary roles may have (max_connections, less"
        " superuser_reserved_connections and reserved_connections), or the CONNECTION LIMIT of a role or a database, of which"
        " more is in use"
    )
    limited_by: str = Field(
        description="Which limit that is, such as max_connections or CONNECTION LIMIT of the role app"
    )
    used: Count = Field(description="Connections in use, of the limit; more than it where privileged roles use theirs")
    utilization: Annotated[float, bounded(Dimension.PERCENT, lower=0)] = Field(description="used of limit")
    longest_query_age: Duration | None = Field(None, description="Age of the oldest running statement; 0 s without one")
    longest_transaction_age: Duration | None = Field(
        None, description="Age of the oldest open transaction, prepared ones included; 0 s without one"
    )
    longest_active_transaction_age: Duration | None = Field(
        None,
        description="Age of the oldest transaction that executes a statement, VACUUM and ANALYZE aside; 0 s without one",
    )
    longest_active_statement: str | None = Field(
        None, description="What that transaction executes, with ? for its values; empty without one"
    )
    prepared: Count = Field(
        description="Transactions prepared for a two-phase commit that are not ended; they have no session"
    )
    longest_prepared_age: Duration = Field(description="Time since the oldest of them was prepared; 0 s without one")


def _command(params: ActivityParams) -> str:
    return psql(params.dsn, *_SHOWN)


@probe("postgres.activity", command=_command, reads_only=True)
async def activity(params: ActivityParams, ctx: ProbeContext) -> ActivityReading:
    """Counts sessions by what they do, compares them with every limit of connections, and finds out who blocks whom.

    Without pg_monitor PostgreSQL hides what the sessions of other roles do: then those metrics are missing.
    """
    async with session(params.dsn, ctx) as opened:
        summary = await opened.row(_SUMMARY)
        summary["limit"] = summary.pop("connection_limit")
        hidden = summary.pop("hidden")
        evidence: dict[str, JsonValue] = {
            "sessions": [*await opened.rows(_HOLDERS)],
            "limits": [*await opened.rows(f"{_LIMITS} LIMIT {_MOST_LIMITS}")],
        }
        if summary["prepared"]:
            evidence["prepared_transactions"] = [*await opened.rows(_PREPARED)]
        missing: dict[str, str] = {}
        if hidden:
            role = opened.target.user
            reason = (
                f"what {hidden} of {summary['total']} sessions do is hidden from {role}; GRANT pg_monitor TO {role};"
            )
            missing = dict.fromkeys(_NEEDS_MONITOR, reason)
            summary |= dict.fromkeys(_NEEDS_MONITOR)
        else:
            summary["longest_transaction_age"] = max(
                _seconds(summary["longest_transaction_age"]), _seconds(summary["longest_prepared_age"])
            )
            longest = await _sessions(opened, _LONGEST_ACTIVE)
            summary["longest_active_statement"] = str(longest[0]["statement"]) if longest else ""
            evidence |= await _details(opened, waiting=summary["waiting"] != 0)
    return ActivityReading.model_validate({**summary, "evidence": evidence, "missing": missing})


async def _details(opened: Session, *, waiting: bool) -> dict[str, JsonValue]:
    """The oldest transactions, and who blocks whom."""
    details: dict[str, JsonValue] = {"oldest_transactions": [*await _sessions(opened, _OLDEST)]}
    if waiting:
        details |= {"waiting": [*await _sessions(opened, _WAITING)], "blocking": [*await _sessions(opened, _BLOCKING)]}
    return details


def _seconds(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


async def _sessions(opened: Session, statement: str) -> list[Row]:
    found = await opened.rows(statement)
    return [{**row, "statement": opening(without_literals(str(row["statement"] or "")))} for row in found]
