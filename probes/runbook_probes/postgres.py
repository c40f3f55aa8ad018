"""Does a PostgreSQL database answer, what are its sessions doing, which statements are slow, and what does a query say?"""

from typing import Annotated

import anyio
from pydantic import AfterValidator, Field

from runbook_engine.probe import (
    Count,
    DocumentReading,
    Duration,
    Params,
    ProbeContext,
    Reading,
    Secret,
    probe,
)
from runbook_probes.postgres_activity import activity
from runbook_probes.postgres_command import literal_parameters, only_reads, psql
from runbook_probes.postgres_session import session
from runbook_probes.postgres_statements import slow_queries

__all__ = ["activity", "ping", "query", "slow_queries"]


class PingParams(Params):
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


class QueryParams(Params):
    CODE = ("sql",)

    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")
    sql: Annotated[str, AfterValidator(only_reads)] = Field(
        description="One statement that reads: SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN; %s stands for a parameter"
    )
    params: list[str | int | float | bool | None] = Field(default=[], description="What the %s stand for, in order")
    max_rows: int = Field(100, ge=1, le=1000, description="Rows to read; the rest is left on the server")


class QueryReading(DocumentReading):
    """``document`` is the list of rows, each an object by column name."""

    rows: Count = Field(description="Rows that were read, at most max_rows")
    time: Duration = Field(description="Time from sending the statement to its last row")


def _query_command(params: QueryParams) -> str:
    return psql(params.dsn, literal_parameters(params.sql, params.params))


@probe("postgres.query", command=_query_command)
async def query(params: QueryParams, ctx: ProbeContext) -> QueryReading:
    """Runs one statement in a read-only transaction.

    A function that a statement calls can still do what its role may do: give probes a role that may only read.
    """
    async with session(params.dsn, ctx) as opened:
        started = anyio.current_time()
        found = await opened.rows(params.sql, params.params, most=params.max_rows)
        time = anyio.current_time() - started
    return QueryReading(
        rows=len(found.rows),
        time=time,
        document=[*found.rows],
        evidence={"rows": [*found.rows], **({} if found.complete else {"truncated": True})},
    )
