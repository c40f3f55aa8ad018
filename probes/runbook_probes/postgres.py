"""Does a PostgreSQL database answer, what are its sessions doing, which statements are slow, and what does a query say?"""

from typing import Annotated, Any, ClassVar

import anyio
from pydantic import AfterValidator, Field

from runbook_engine.probe import (
    Count,
    Document,
    DocumentReading,
    Duration,
    ProbeContext,
    Reading,
    Secret,
    cut_at,
    probe,
)
from runbook_probes.postgres_activity import activity
from runbook_probes.postgres_command import literal_parameters, only_reads, psql
from runbook_probes.postgres_effects import GRANT, refuse_effects
from runbook_probes.postgres_session import session
from runbook_probes.postgres_statements import slow_queries
from runbook_probes.postgres_target import PostgresParams
from runbook_probes.postgres_tokens import first_word

__all__ = ["activity", "ping", "query", "slow_queries"]


MOST_ROWS = 1000


class PingParams(PostgresParams):
    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")


class PingReading(Reading):
    latency: Duration = Field(description="Time of one SELECT 1")
    connect: Duration = Field(description="Time to be let in: TCP, TLS and password, without the look-up of the name")
    server_version: str = Field(description="Such as 16.4")
    standby: bool | None = Field(None, description="Whether this is a replica that follows another server")


def _ping_command(params: PingParams) -> str:
    return psql(params.dsn, "SELECT 1")


@probe("postgres.ping", command=_ping_command, reads_only=True)
async def ping(params: PingParams, ctx: ProbeContext) -> PingReading:
    """Connects and asks SELECT 1."""
    async with session(params.dsn, ctx) as opened:
        started = anyio.current_time()
        await opened.rows("SELECT 1")
        latency = anyio.current_time() - started
        standby = opened.setting("in_hot_standby")
        return PingReading(
            latency=latency,
            connect=opened.connect_time,
            server_version=opened.setting("server_version") or "unknown",
            standby=None if standby is None else standby == "on",
            missing={} if standby else {"standby": "servers say so since PostgreSQL 14"},
        )


class QueryParams(PostgresParams):
    CODE = ("sql",)

    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")
    sql: Annotated[str, AfterValidator(only_reads)] = Field(
        description="One statement that reads: SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN; %s stands for a parameter"
    )
    params: list[str | int | float | bool | None] = Field(default=[], description="What the %s stand for, in order")
    max_rows: int = Field(100, ge=1, le=MOST_ROWS, description="Rows to read; the rest is left on the server")


class QueryReading(DocumentReading):
    DOCUMENT = Document(
        "The rows, each an object by column name",
        shape=[dict[str, Any]],
        example=[{"state": "active", "sessions": 12}, {"state": "idle", "sessions": 40}],
    )

    PARTIAL: ClassVar = {"rows": "max_rows", "time": ""}

    rows: Count | None = Field(description="Rows that the statement gives; missing where they are more than max_rows")
    time: Duration | None = Field(description="Time from sending the statement to its last row")


def _query_command(params: QueryParams) -> str:
    return psql(params.dsn, literal_parameters(params.sql, params.params))


@probe("postgres.query", command=_query_command)
async def query(params: QueryParams, ctx: ProbeContext) -> QueryReading:
    """Runs one statement in a read-only transaction.

    A statement that calls a function which may change something is refused, also where a view or another function calls it,
    unless the run allows it: `--allow sql-functions`. Give probes a role that may only read all the same.
    """
    async with session(params.dsn, ctx) as opened:
        if GRANT not in ctx.grants and first_word(params.sql) != "SHOW":
            await refuse_effects(opened, params.sql)
        started = anyio.current_time()
        found = await opened.first_rows(params.sql, params.params, most=params.max_rows)
        time = anyio.current_time() - started
    return QueryReading(
        rows=len(found.rows),
        time=time,
        document=[*found.rows],
        cut="" if found.complete else _more(params),
        evidence={"rows": [*found.rows], **({} if found.complete else {"truncated": True})},
    )


def _more(params: QueryParams) -> str:
    """Why the rows are not all, and how to get them."""
    why = f"the statement gives more than the {params.max_rows} rows that were read"
    return cut_at(params, "max_rows", why, instead="count in the statement")
