"""Which statements of a PostgreSQL server are slow, and which big tables are read from end to end."""

import json
from typing import NoReturn

import anyio
from pydantic import Field, JsonValue

from runbook_engine.hostile import opening
from runbook_engine.probe import (
    Count,
    Dimension,
    Duration,
    ErrorKind,
    Percent,
    ProbeContext,
    ProbeError,
    Reading,
    Secret,
    probe,
)
from runbook_engine.quantity import show
from runbook_probes.network import allowance
from runbook_probes.postgres_activity import HIDDEN
from runbook_probes.postgres_command import on_one_line, psql
from runbook_probes.postgres_rows import without_literals
from runbook_probes.postgres_session import OWN, Row, Session, session
from runbook_probes.postgres_target import PostgresParams
from runbook_probes.quantities import Percentage, Seconds

BIG_TABLE_ROWS = 10_000
ROWS_A_SCAN = 5_000
_MOST_TABLES = 20
_CREATE = "CREATE EXTENSION pg_stat_statements;"
_PRELOAD = "add pg_stat_statements to shared_preload_libraries and restart the server"

# The extension may be in any schema. Its columns follow its own version, which a server's upgrade leaves as it was:
# mean_time until version 1.7 (PostgreSQL 12), mean_exec_time since 1.8 (PostgreSQL 13).
_EXTENSION = """
    SELECT current_setting('pg_stat_statements.max', true) IS NOT NULL AS loaded,
      quote_ident(n.nspname) AS schema,
      EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = n.oid AND c.relname = 'pg_stat_statements' AND a.attname = 'mean_exec_time') AS modern
    FROM (SELECT 1) AS always LEFT JOIN pg_extension e ON e.extname = 'pg_stat_statements'
      LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
"""

# Transactions, settings of a session, definitions and maintenance. All else takes time that somebody waits for: queries and
# changes, COPY, FETCH, CALL, DO, REFRESH, CREATE TABLE AS ..., and EXECUTE, which is recorded with the text of its PREPARE.
_ASIDE = (
    r"^(\s|\(|/\*([^*]|\*[^/])*\*/|--[^\n]*\n)*(begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction"
    r"|deallocate|discard|set|reset|show|listen|unlisten|notify|declare|close|vacuum|analyze|reindex|cluster|checkpoint|alter"
    r"|drop|grant|revoke|comment|security|reassign|import|load"
    r"|create(?!\s+((global|local)\s+)?((temp|temporary|unlogged)\s+)?table\M))\M"
)
_COUNTED = """
    SELECT userid::bigint, dbid::bigint, queryid, sum(calls)::bigint AS calls, sum({total}) AS total
    FROM {schema}.pg_stat_statements WHERE queryid IS NOT NULL GROUP BY 1, 2, 3
"""
# What was counted since then. A statement that was thrown out of the statistics meanwhile, or reset, began anew.
_SLOWEST = """
    WITH earlier AS (SELECT * FROM json_to_recordset(%s::json)
      AS earlier(userid bigint, dbid bigint, queryid bigint, calls bigint, total float8)),
    latest AS (SELECT userid::bigint, dbid::bigint, queryid, min(query) AS query, sum(calls)::bigint AS calls,
        sum({total}) AS total, max({max}) AS max, sum(rows)::bigint AS rows
      FROM {schema}.pg_stat_statements GROUP BY 1, 2, 3),
    since AS (SELECT latest.*, earlier.calls IS NOT NULL AND earlier.calls <= latest.calls AS known,
        earlier.calls AS calls_then, earlier.total AS total_then
      FROM latest LEFT JOIN earlier USING (userid, dbid, queryid)),
    counted AS (SELECT userid, dbid, query, max, rows,
        CASE WHEN known THEN calls - calls_then ELSE calls END AS calls,
        CASE WHEN known THEN greatest(0, total - total_then) ELSE total END AS total
      FROM since WHERE NOT query ~* %s AND strpos(query, %s) = 0),
    weighed AS (SELECT *, total / calls AS mean, least(100, 100 * total / nullif(sum(total) OVER (), 0)) AS share,
        count(*) OVER () AS statements, least(100, 100 * max(total) OVER () / nullif(sum(total) OVER (), 0)) AS heaviest_share
      FROM counted WHERE calls >= %s)
    SELECT statements, calls, mean / 1000 AS mean_s, total / 1000 AS total_s, max / 1000 AS max_s, w.rows, share,
      heaviest_share, d.datname AS database, r.rolname AS role, query AS statement
    FROM weighed w LEFT JOIN pg_database d ON d.oid = w.dbid LEFT JOIN pg_roles r ON r.oid = w.userid
    ORDER BY coalesce(share, 0) >= least(%s, heaviest_share) DESC, mean DESC LIMIT %s
"""
_HIDDEN = "SELECT count(*) AS hidden FROM {schema}.pg_stat_statements WHERE query = %s"

# Rows by the statistics, or by the planner's estimate where the statistics were reset. A scan that stops early, as for
# LIMIT, reads few rows; one that is shared by parallel workers counts once for each of them.
_SCANS = f"""
    SELECT s.relid::bigint AS relid, s.schemaname AS schema, s.relname AS table,
      greatest(s.n_live_tup, c.reltuples)::bigint AS rows, s.seq_scan AS sequential_scans, s.seq_tup_read AS read,
      coalesce(s.idx_scan, 0) AS index_scans
    FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE greatest(s.n_live_tup, c.reltuples) >= {BIG_TABLE_ROWS}
"""

_NEEDS_TEXT = ("queries", "slowest_mean", "slowest_calls", "slowest_share", "heaviest_share")


class SlowQueriesParams(PostgresParams):
    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")
    limit: int = Field(10, ge=1, le=100, description="Statements to show, the slowest first")
    sample: Seconds = Field(
        0.0,
        ge=0,
        le=3600,
        description="Count what happens within this time from now, such as 5s; 0s counts since the statistics were reset",
    )
    min_calls: int = Field(1, ge=1, description="Statements that ran less often do not count")
    min_share: Percentage = Field(
        0.0, ge=0, le=100, description="A statement that took less of the time than this is not the slowest"
    )


class SlowQueriesReading(Reading):
    """Statements in all databases of the server, since the statistics were last reset, or within ``sample``.

    Those that begin and end transactions, change settings of a session, or maintain tables do not count.
    """

    queries: Count | None = Field(None, description="Statements that count")
    slowest_mean: Duration | None = Field(None, description="Mean execution time of the slowest statement")
    slowest_calls: Count | None = Field(None, description="How often the slowest statement ran")
    slowest_share: Percent | None = Field(None, description="The slowest statement's share of all execution time")
    heaviest_share: Percent | None = Field(None, description="The largest share that one statement has of it")
    missing_index_suspects: Count = Field(
        description=f"Tables of this database with {BIG_TABLE_ROWS} rows or more that are scanned sequentially more often"
        f" than by an index, reading {ROWS_A_SCAN} rows or more a scan"
    )


def _command(params: SlowQueriesParams) -> str:
    return psql(
        params.dsn,
        on_one_line(f"""
            SELECT query, mean_exec_time, calls FROM pg_stat_statements
            WHERE calls >= {params.min_calls} ORDER BY mean_exec_time DESC LIMIT {params.limit}
        """),
    )


@probe("postgres.slow_queries", command=_command, reads_only=True)
async def slow_queries(params: SlowQueriesParams, ctx: ProbeContext) -> SlowQueriesReading:
    """Reads pg_stat_statements, and the scans of tables.

    What is slow now is seen within a ``sample``: since the statistics were reset, the report of every night weighs as much as
    a day's requests. Without pg_monitor PostgreSQL hides the statements of other roles: then all that is known of statements
    is missing.
    """
    if params.sample >= allowance(ctx):
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"a sample of {show(params.sample, Dimension.DURATION)} does not fit into the time that is left",
            remedy="give the step a longer timeout, or take a shorter sample",
        )
    async with session(params.dsn, ctx) as opened:
        extension = await opened.row(_EXTENSION)
        if extension["schema"] is None:
            raise _no_extension(opened, loaded=extension["loaded"] is True)
        try:
            earlier, scans = await _begin(opened, extension, params.sample)
            hidden, slowest = await _statements(opened, extension, params, earlier)
        except ProbeError as error:
            _explain(error, opened, str(extension["schema"]))
        scanned = _suspects(await opened.rows(_SCANS), scans)
    evidence: dict[str, JsonValue] = {
        "statements": [_shown(row) for row in slowest],
        "seq_scan_tables": [*scanned[:_MOST_TABLES]],
    }
    metrics: dict[str, object] = dict.fromkeys(_NEEDS_TEXT)
    missing: dict[str, str] = {}
    since = f"within {show(params.sample, Dimension.DURATION)}" if params.sample else "since the statistics were reset"
    if hidden:
        role = opened.target.user
        reason = f"the text of {hidden} statements is hidden from {role}; GRANT pg_monitor TO {role};"
        missing = dict.fromkeys(_NEEDS_TEXT, reason)
    elif not slowest:
        metrics["queries"] = 0
        reason = f"no statement ran {params.min_calls} times or more {since}"
        missing = dict.fromkeys(_NEEDS_TEXT[1:], reason)
    else:
        first = slowest[0]
        metrics = {
            "queries": first["statements"],
            "slowest_mean": first["mean_s"],
            "slowest_calls": first["calls"],
            "slowest_share": first["share"],
            "heaviest_share": first["heaviest_share"],
        }
    return SlowQueriesReading.model_validate(
        {**metrics, "missing_index_suspects": len(scanned), "evidence": evidence, "missing": missing}
    )


def _shown(row: Row) -> JsonValue:
    statement = opening(without_literals(str(row["statement"])))
    return {"statement": statement, **{key: row[key] for key in _SHOWN}}


_SHOWN = ("mean_s", "max_s", "calls", "total_s", "share", "rows", "database", "role")


async def _begin(opened: Session, extension: Row, sample: float) -> tuple[list[Row], dict[JsonValue, Row]]:
    """What was counted before the sample, of statements and of tables; nothing where there is no sample."""
    if not sample:
        return [], {}
    counted = await opened.rows(_COUNTED.format(**_names(extension)))
    scans = {row["relid"]: row for row in await opened.rows(_SCANS)}
    await anyio.sleep(sample)
    await opened.rows("SELECT pg_stat_clear_snapshot()::text AS cleared")  # else those of tables stay as they were read
    return counted, scans


async def _statements(
    opened: Session, extension: Row, params: SlowQueriesParams, earlier: list[Row]
) -> tuple[JsonValue, list[Row]]:
    """How many statements are hidden, and the slowest of the others."""
    names = _names(extension)
    hidden = await opened.row(_HIDDEN.format(**names), [HIDDEN])
    values: list[JsonValue] = [json.dumps(earlier), _ASIDE, OWN, params.min_calls, params.min_share, params.limit]
    slowest = await opened.rows(_SLOWEST.format(**names), values)
    return hidden["hidden"], slowest


def _names(extension: Row) -> dict[str, str]:
    total, longest = ("total_exec_time", "max_exec_time") if extension["modern"] else ("total_time", "max_time")
    return {"schema": str(extension["schema"]), "total": total, "max": longest}


def _suspects(latest: list[Row], earlier: dict[JsonValue, Row]) -> list[Row]:
    """Big tables that were read from end to end, again and again, those that cost most first."""
    found: list[tuple[int, Row]] = []
    for row in latest:
        before = earlier.get(row["relid"], {})
        scans, read, by_index = (
            int(str(row[name])) - int(str(before.get(name, 0))) for name in ("sequential_scans", "read", "index_scans")
        )
        if scans > by_index and read >= scans * ROWS_A_SCAN:
            shown = {name: row[name] for name in ("schema", "table", "rows")}
            counts: Row = {"sequential_scans": scans, "rows_a_scan": read // scans, "index_scans": by_index}
            found.append((read, {**shown, **counts}))
    return [row for _, row in sorted(found, key=lambda each: -each[0])]


def _no_extension(opened: Session, *, loaded: bool) -> ProbeError:
    where = f"the database {opened.target.database} on {opened.target.where}"
    return ProbeError(
        ErrorKind.MISSING,
        f"{where} does not have the extension pg_stat_statements",
        remedy=_CREATE if loaded else f"{_PRELOAD}, then {_CREATE}",
    )


def _explain(error: ProbeError, opened: Session, schema: str) -> NoReturn:
    """What this error means for pg_stat_statements in particular."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state == "55000":
        raise ProbeError(
            ErrorKind.UNAVAILABLE,
            f"{opened.target.where} has the extension pg_stat_statements, but has not loaded its library",
            remedy=_PRELOAD,
        ) from error.__cause__
    if state == "42501":
        role = opened.target.user
        raise ProbeError(
            ErrorKind.FORBIDDEN,
            f"{role} may not read pg_stat_statements in the schema {schema} on {opened.target.where}",
            remedy=f"GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {schema}.pg_stat_statements TO {role};",
        ) from error.__cause__
    raise error
