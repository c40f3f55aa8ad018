"""What the sessions of a PostgreSQL server are doing."""

from typing import Annotated

from pydantic import Field, JsonValue

from runbook_engine.probe import Count, Dimension, Duration, Params, ProbeContext, Reading, Secret, bounded, probe
from runbook_probes.postgres_command import on_one_line, psql
from runbook_probes.postgres_rows import without_literals
from runbook_probes.postgres_session import Session, session

HIDDEN = "<insufficient privilege>"
"""What stands instead of a statement for who may not see it."""

_MOST_SESSIONS = 20
_MOST_STATEMENT = 300

# Of a session that is hidden from us we see neither state nor kind, but who has it and in which database: system processes
# have no user. https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
_CLIENTS = f"""
    pid <> pg_backend_pid() AND (backend_type = 'client backend'
      OR query = '{HIDDEN}' AND usesysid IS NOT NULL AND datid IS NOT NULL)
"""
_SUMMARY = on_one_line(f"""
    SELECT *, total AS used, 100.0 * total / connection_limit AS utilization FROM (SELECT
      count(*) AS total,
      count(*) FILTER (WHERE state = 'active') AS active,
      count(*) FILTER (WHERE state = 'idle') AS idle,
      count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
      count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
      coalesce(extract(epoch FROM max(clock_timestamp() - query_start) FILTER (WHERE state = 'active')), 0)
        AS longest_query_age,
      coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0) AS longest_transaction_age,
      count(*) FILTER (WHERE query = '{HIDDEN}') AS hidden,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0) AS connection_limit
      FROM pg_stat_activity WHERE {_CLIENTS}) AS counted
""")
_HOLDERS = f"""
    SELECT usename AS role, datname AS database, application_name AS application, state, count(*) AS sessions
    FROM pg_stat_activity WHERE {_CLIENTS} GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT {_MOST_SESSIONS}
"""
_SESSION = """
    pid, usename AS role, application_name AS application, state, query AS statement,
    round(extract(epoch FROM clock_timestamp() - query_start)::numeric, 3) AS statement_age_s,
    round(extract(epoch FROM clock_timestamp() - xact_start)::numeric, 3) AS transaction_age_s
"""
_OLDEST = f"""
    SELECT {_SESSION} FROM pg_stat_activity WHERE {_CLIENTS} AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 5
"""
_WAITING = f"""
    SELECT {_SESSION}, wait_event AS waits_for, pg_blocking_pids(pid) AS blocked_by
    FROM pg_stat_activity WHERE {_CLIENTS} AND wait_event_type = 'Lock' ORDER BY query_start LIMIT {_MOST_SESSIONS}
"""
_BLOCKING = f"""
    SELECT {_SESSION} FROM pg_stat_activity WHERE pid IN (
      SELECT unnest(pg_blocking_pids(pid)) FROM (
        SELECT pid FROM pg_stat_activity WHERE {_CLIENTS} AND wait_event_type = 'Lock'
        ORDER BY query_start LIMIT {_MOST_SESSIONS}) AS waiting)
    ORDER BY xact_start LIMIT {_MOST_SESSIONS}
"""

_NEEDS_MONITOR = ("active", "idle", "idle_in_transaction", "waiting", "longest_query_age", "longest_transaction_age")


class ActivityParams(Params):
    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")


class ActivityReading(Reading):
    """Counts of clients' sessions on the whole server, in all databases, without the probe's own."""

    total: Count = Field(description="Sessions of clients")
    active: Count | None = Field(None, description="Sessions that execute a statement")
    idle: Count | None = Field(None, description="Sessions that wait for their client, outside of a transaction")
    idle_in_transaction: Count | None = Field(None, description="Sessions that wait for their client in a transaction")
    waiting: Count | None = Field(None, description="Sessions that wait for another's lock")
    limit: Count = Field(
        description="Connections that ordinary roles may have: max_connections, less superuser_reserved_connections and"
        " reserved_connections"
    )
    used: Count = Field(description="Connections in use, of the limit; more than it where privileged roles use theirs")
    utilization: Annotated[float, bounded(Dimension.PERCENT, lower=0)] = Field(description="used of limit")
    longest_query_age: Duration | None = Field(None, description="Age of the oldest running statement; 0 s without one")
    longest_transaction_age: Duration | None = Field(
        None, description="Age of the oldest open transaction; 0 s without one"
    )


def _command(params: ActivityParams) -> str:
    return psql(params.dsn, _SUMMARY)


@probe("postgres.activity", command=_command, reads_only=True)
async def activity(params: ActivityParams, ctx: ProbeContext) -> ActivityReading:
    """Counts sessions by what they do, and finds out who blocks whom.

    Without pg_monitor PostgreSQL hides what the sessions of other roles do: then those metrics are missing.
    """
    async with session(params.dsn, ctx) as opened:
        summary = await opened.row(_SUMMARY)
        summary["limit"] = summary.pop("connection_limit")
        hidden = summary.pop("hidden")
        evidence: dict[str, JsonValue] = {"sessions": [*(await opened.rows(_HOLDERS)).rows]}
        missing: dict[str, str] = {}
        if hidden:
            role = opened.target.user
            reason = (
                f"what {hidden} of {summary['total']} sessions do is hidden from {role}; GRANT pg_monitor TO {role};"
            )
            missing = dict.fromkeys(_NEEDS_MONITOR, reason)
            summary |= dict.fromkeys(_NEEDS_MONITOR)
        else:
            evidence |= await _details(opened, waiting=summary["waiting"] != 0)
    return ActivityReading.model_validate({**summary, "evidence": evidence, "missing": missing})


async def _details(opened: Session, *, waiting: bool) -> dict[str, JsonValue]:
    """The oldest transactions, and who blocks whom."""
    details: dict[str, JsonValue] = {"oldest_transactions": await _sessions(opened, _OLDEST)}
    if waiting:
        details |= {"waiting": await _sessions(opened, _WAITING), "blocking": await _sessions(opened, _BLOCKING)}
    return details


async def _sessions(opened: Session, statement: str) -> JsonValue:
    found = (await opened.rows(statement)).rows
    return [{**row, "statement": without_literals(str(row["statement"] or ""))[:_MOST_STATEMENT]} for row in found]
