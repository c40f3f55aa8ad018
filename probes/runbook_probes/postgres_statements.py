"""Which statements of a PostgreSQL server are slow, and which big tables are read from end to end."""

from typing import NoReturn

from pydantic import Field, JsonValue

from runbook_engine.probe import (
    Count,
    Duration,
    ErrorKind,
    Params,
    Percent,
    ProbeContext,
    ProbeError,
    Reading,
    Secret,
    probe,
)
from runbook_probes.postgres_activity import HIDDEN
from runbook_probes.postgres_command import on_one_line, psql
from runbook_probes.postgres_rows import without_literals
from runbook_probes.postgres_session import OWN, Row, Session, session

BIG_TABLE_ROWS = 10_000
ROWS_A_SCAN = 5_000
_MOST_TABLES = 20
_MOST_STATEMENT = 600
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

# What an application says. Other statements, from BEGIN to VACUUM, are recorded as well.
_APPLICATION = r"^(\s|\(|/\*([^*]|\*[^/])*\*/|--[^\n]*\n)*(select|insert|update|delete|merge|with|values|table|call)\M"

_SLOWEST = """
    SELECT count(*) OVER () AS statements, s.calls, s.{mean} / 1000 AS mean_s, s.{total} / 1000 AS total_s,
      s.{max} / 1000 AS max_s, s.rows, least(100, 100 * s.{total} / nullif(sum(s.{total}) OVER (), 0)) AS share,
      least(100, 100 * max(s.{total}) OVER () / nullif(sum(s.{total}) OVER (), 0)) AS heaviest_share,
      d.datname AS database, r.rolname AS role, s.query AS statement
    FROM {schema}.pg_stat_statements s LEFT JOIN pg_database d ON d.oid = s.dbid LEFT JOIN pg_roles r ON r.oid = s.userid
    WHERE s.query ~* %s AND strpos(s.query, %s) = 0 AND s.calls >= %s
    ORDER BY s.{mean} DESC LIMIT %s
"""
_HIDDEN = "SELECT count(*) AS hidden FROM {schema}.pg_stat_statements WHERE query = %s"

# Rows by the statistics, or by the planner's estimate where the statistics were reset. A scan that stops early, as for
# LIMIT, reads few rows; one that is shared by parallel workers counts once for each of them.
_SCANNED = f"""
    SELECT s.schemaname AS schema, s.relname AS table, greatest(s.n_live_tup, c.reltuples)::bigint AS rows,
      s.seq_scan AS sequential_scans, s.seq_tup_read / s.seq_scan AS rows_a_scan, coalesce(s.idx_scan, 0) AS index_scans
    FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE s.seq_scan > coalesce(s.idx_scan, 0) AND s.seq_tup_read >= s.seq_scan * {ROWS_A_SCAN}
      AND greatest(s.n_live_tup, c.reltuples) >= {BIG_TABLE_ROWS}
    ORDER BY s.seq_tup_read DESC
"""

_NEEDS_TEXT = ("queries", "slowest_mean", "slowest_calls", "slowest_share", "heaviest_share")


class SlowQueriesParams(Params):
    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")
    limit: int = Field(10, ge=1, le=100, description="Statements to show, the slowest first")
    min_calls: int = Field(1, ge=1, description="Statements that ran less often do not count")


class SlowQueriesReading(Reading):
    """Statements of applications in all databases of the server, since the statistics were last reset."""

    queries: Count | None = Field(None, description="Recorded statements")
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

    Without pg_monitor PostgreSQL hides the statements of other roles: then all that is known of statements is missing.
    """
    async with session(params.dsn, ctx) as opened:
        extension = await opened.row(_EXTENSION)
        if extension["schema"] is None:
            raise _no_extension(opened, loaded=extension["loaded"] is True)
        try:
            hidden, slowest = await _statements(opened, extension, params)
        except ProbeError as error:
            _explain(error, opened, str(extension["schema"]))
        scanned = (await opened.rows(_SCANNED)).rows
    evidence: dict[str, JsonValue] = {
        "statements": [_shown(row) for row in slowest],
        "seq_scan_tables": [*scanned[:_MOST_TABLES]],
    }
    metrics: dict[str, object] = dict.fromkeys(_NEEDS_TEXT)
    missing: dict[str, str] = {}
    if hidden:
        role = opened.target.user
        reason = f"the text of {hidden} statements is hidden from {role}; GRANT pg_monitor TO {role};"
        missing = dict.fromkeys(_NEEDS_TEXT, reason)
    elif not slowest:
        metrics["queries"] = 0
        reason = f"no statement ran {params.min_calls} times or more since the statistics were reset"
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
    statement = without_literals(str(row["statement"]))[:_MOST_STATEMENT]
    return {"statement": statement, **{key: row[key] for key in _SHOWN}}


_SHOWN = ("mean_s", "max_s", "calls", "total_s", "share", "rows", "database", "role")


async def _statements(opened: Session, extension: Row, params: SlowQueriesParams) -> tuple[JsonValue, list[Row]]:
    """How many statements are hidden, and the slowest of the others."""
    names = {"schema": extension["schema"]}
    times = ("mean_exec_time", "total_exec_time", "max_exec_time")
    if not extension["modern"]:
        times = ("mean_time", "total_time", "max_time")
    names |= dict(zip(("mean", "total", "max"), times, strict=True))
    hidden = await opened.row(_HIDDEN.format(**names), [HIDDEN])
    slowest = await opened.rows(_SLOWEST.format(**names), [_APPLICATION, OWN, params.min_calls, params.limit])
    return hidden["hidden"], slowest.rows


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
