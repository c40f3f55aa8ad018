"""A session with PostgreSQL that only reads, under a deadline that holds."""

import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

import anyio
from pydantic import JsonValue

from runbook_engine.probe import ErrorKind, ProbeContext, ProbeError, Secret, in_thread
from runbook_engine.quantity import Dimension, show
from runbook_probes.network import allowance, within
from runbook_probes.postgres_connect import log_in
from runbook_probes.postgres_failure import query_failure
from runbook_probes.postgres_rows import json_value, keep_dates_as_text
from runbook_probes.postgres_target import Target, looked_up, read_dsn

if TYPE_CHECKING:
    from psycopg import AsyncConnection

T = TypeVar("T")
MOST_ROWS = 100_000

OWN = "/* runbook-engine */"
"""Stands at the end of every statement, so that statistics of statements can leave them out.

At its beginning PostgreSQL 18 does not record it.
"""

_CANCEL_S = 0.3
"""How long a server may take, at most, to give up a query."""

_POOL_EMPTY = "a pooler does so while no connection to the database is free: SHOW POOLS in its console tells"

Row = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Rows:
    """``complete`` is false where there were more."""

    rows: list[Row]
    complete: bool


class Session:
    """One read-only transaction. ``connect_time`` (seconds) is how long it took to be let in."""

    def __init__(
        self,
        connection: "AsyncConnection[tuple[object, ...]]",
        target: Target,
        *,
        connect_time: float,
        patience: float,
    ) -> None:
        self._connection = connection
        self._patience = patience
        self.target = target
        self.connect_time = connect_time

    def setting(self, name: str) -> str | None:
        """What the server said of itself when it let us in, such as ``server_version``."""
        return self._connection.info.parameter_status(name)

    async def first_rows(self, statement: str, parameters: Sequence[JsonValue] | None = None, *, most: int) -> Rows:
        """The first ``most`` rows of a single statement. Raises ProbeError, of kind malformed for several statements."""
        return await self.guarded(lambda: self._rows(statement, parameters, most))

    async def rows(
        self, statement: str, parameters: Sequence[JsonValue] | None = None, *, most: int = MOST_ROWS
    ) -> list[Row]:
        """All rows of a single statement. Raises ProbeError where they are more than ``most``: a part would pass for all."""
        found = await self.first_rows(statement, parameters, most=most)
        if not found.complete:
            raise ProbeError(ErrorKind.MALFORMED, f"{self.target.where} gives more than the {most} rows that are read")
        return found.rows

    async def row(self, statement: str, parameters: Sequence[JsonValue] | None = None) -> Row:
        """The only row of a statement that always has one."""
        return (await self.rows(statement, parameters))[0]

    async def _rows(self, statement: str, parameters: Sequence[JsonValue] | None, most: int) -> Rows:
        found: list[Row] = []
        async with self._connection.cursor() as cursor:
            # Streaming takes one statement only, and no more rows than are asked for.
            marked = f"{statement.rstrip().rstrip(';')}\n{OWN}".encode()
            rows = cast(AsyncGenerator[tuple[object, ...]], cursor.stream(marked, parameters or None))
            async with aclosing(rows):
                async for row in rows:
                    if len(found) == most:
                        return Rows(found, complete=False)
                    names = [column.name for column in cursor.description or ()]
                    if len(set(names)) < len(names):
                        raise ProbeError(
                            ErrorKind.MALFORMED,
                            f"two columns of the result have one name: {', '.join(names)}",
                            remedy="name each column with AS",
                        )
                    found.append({name: json_value(value) for name, value in zip(names, row, strict=True)})
        return Rows(found, complete=True)

    async def guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Let the client work; when cancelled, end the server's query as well.

        The client would cancel it by itself, were it not cut short: anyio cancels again at every await.
        """
        import psycopg

        done = anyio.Event()
        results: list[T] = []
        failures: list[ProbeError] = []

        async def shielded() -> None:
            with anyio.CancelScope(shield=True):
                try:
                    results.append(await work())
                except ProbeError as error:
                    failures.append(error)
                except psycopg.Error as error:
                    failures.append(query_failure(error, self.target))
                except UnicodeError as error:
                    failures.append(self._undecodable(error))
                finally:
                    done.set()

        async with anyio.create_task_group() as group:
            group.start_soon(shielded)
            try:
                await done.wait()
            except anyio.get_cancelled_exc_class():
                with anyio.move_on_after(self._patience, shield=True):
                    await self._cancel()
                    await done.wait()
                if not done.is_set():
                    self._hang_up()
                raise
        if failures:
            raise failures[0]
        return results[0]

    def _undecodable(self, error: UnicodeError) -> ProbeError:
        failure = ProbeError(ErrorKind.MALFORMED, f"{self.target.where} answers with text that is not UTF-8")
        failure.__cause__ = error
        return failure

    async def _cancel(self) -> None:
        import psycopg

        with suppress(psycopg.Error, OSError):
            if psycopg.capabilities.has_cancel_safe():
                await self._connection.cancel_safe(timeout=self._patience)
            else:
                await in_thread(self._connection.cancel)

    def _hang_up(self) -> None:
        """Ends the connection below the client, which then finds it broken and stops waiting.

        Closing it here would free the descriptor for somebody else while the event loop still watches it.
        """
        with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as connected:
            connected.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def session(dsn: Secret, ctx: ProbeContext) -> AsyncIterator[Session]:
    """A read-only transaction with whom the connection string means.

    Raises ProbeError: whatever goes wrong inside is told in its kinds, and a moment before the deadline it ends with kind
    timeout, after the query on the server was cancelled and the connection closed.
    """
    target = read_dsn(dsn, ctx.environ)
    patience = min(_CANCEL_S, 0.2 * ctx.remaining())
    ctx = ctx.until(ctx.deadline - patience)
    doing, remedy = "gave no session", ""

    def gave_up(seconds: float) -> ProbeError:
        message = f"{target.where} {doing} within {show(seconds, Dimension.DURATION)}"
        return ProbeError(ErrorKind.TIMEOUT, message, remedy=remedy)

    with within(ctx, gave_up):
        settings = await looked_up(target)
        started = anyio.current_time()
        connection, where = await log_in(target, settings, ctx)
        connect_time = anyio.current_time() - started
        keep_dates_as_text(connection)
        target = replace(target, where=where)
        doing, remedy = "let us in and did not begin a transaction", _POOL_EMPTY
        opened = Session(connection, target, connect_time=connect_time, patience=patience)
        try:
            await opened.guarded(lambda: _begin(connection, target, ctx))
            doing, remedy = "did not answer the query", ""
            yield opened
            # A pooler throws away the server's connection of a client that leaves in the middle of a transaction.
            await opened.guarded(connection.rollback)
        finally:
            await connection.close()


async def _begin(connection: "AsyncConnection[tuple[object, ...]]", target: Target, ctx: ProbeContext) -> None:
    """Settings of the transaction alone: those of a session would stay behind in a pooler's connection."""
    from psycopg import sql

    milliseconds = max(1, int(allowance(ctx) * 1000))
    settings = [
        f"BEGIN READ ONLY; SET LOCAL statement_timeout = {milliseconds}",
        "SET LOCAL datestyle = 'ISO'",
        "SET LOCAL intervalstyle = 'postgres'",
    ]
    if target.schema:
        schemas = sql.SQL(", ").join(sql.Identifier(each.strip()) for each in target.schema.split(","))
        settings.append("SET LOCAL search_path = " + schemas.as_string(connection))
    await connection.execute("; ".join(settings).encode())
