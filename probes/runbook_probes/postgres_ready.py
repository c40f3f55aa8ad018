"""Does a PostgreSQL server accept connections? pg_isready's question, asked without logging in."""

from collections.abc import Mapping
from typing import Literal

import anyio
from pydantic import Field, JsonValue

from runbook_engine.probe import Duration, ErrorKind, Params, ProbeContext, ProbeError, Reading, Secret, probe
from runbook_engine.quantity import Dimension, show
from runbook_probes.command_line import pasteable
from runbook_probes.network import allowance, within
from runbook_probes.postgres_startup import Answer, Place, Security, ask, places, security
from runbook_probes.postgres_target import looked_up, read_dsn

CANNOT_CONNECT_NOW = "57P03"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""


class ReadyParams(Params):
    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")


class ReadyReading(Reading):
    state: Literal["accepting", "rejecting"] = Field(
        description="rejecting: the server runs, but is starting, recovering or shutting down"
    )
    accepting: bool
    time: Duration = Field(description="Time from connecting to the answer, without the look-up of the name")


def _command(params: ReadyParams) -> str:
    return pasteable("pg_isready", "-d", params.dsn)


@probe("postgres.ready", command=_command, reads_only=True)
async def ready(params: ReadyParams, ctx: ProbeContext) -> ReadyReading:
    """Asks to be let in and leaves at the answer, whatever it is: no password is sent, and no session opened.

    A server that turns this client away (no such role, too many connections, no entry in pg_hba.conf) is one that accepts
    connections, as for pg_isready. Of several hosts, the first that accepts counts, else the first that rejects.
    """
    target = read_dsn(params.dsn, ctx.environ)
    places(target.settings)  # refuses what names no server, before anything is looked up
    missed = f"the name of {target.where} could not be looked up"

    def gave_up(seconds: float) -> ProbeError:
        return ProbeError(ErrorKind.TIMEOUT, f"{missed} within {show(seconds, Dimension.DURATION)}")

    with within(ctx, gave_up):
        settings = await looked_up(target)
        missed = f"{target.where} did not answer"
        secured = await security(settings, ctx.environ)
        found = places(settings)
        rejected: ReadyReading | None = None
        failed: ProbeError | None = None
        for number, place in enumerate(found):
            # A moment less than there is, so that what another server said is not lost when the last one is silent.
            share = allowance(ctx) / (len(found) - number) * 0.95 if len(found) > 1 else None
            try:
                reading = await _asked(place, settings, secured, share)
            except ProbeError as failure:
                failed = failed or failure
                continue
            if reading.accepting:
                return reading
            rejected = rejected or reading
        if rejected is None:
            raise failed or ProbeError(ErrorKind.MALFORMED, "the connection string names no server")
        return rejected


async def _asked(
    place: Place, settings: Mapping[str, str], secured: Security | None, share: float | None
) -> ReadyReading:
    started = anyio.current_time()
    try:
        with anyio.fail_after(share):
            answer = await ask(place, settings, secured)
    except TimeoutError as error:
        waited = show(share, Dimension.DURATION)
        raise ProbeError(ErrorKind.TIMEOUT, f"{place.where} did not answer within {waited}") from error
    rejects = answer.state == CANNOT_CONNECT_NOW
    return ReadyReading(
        state="rejecting" if rejects else "accepting",
        accepting=not rejects,
        time=anyio.current_time() - started,
        evidence=_evidence(place, answer),
    )


def _evidence(place: Place, answer: Answer) -> dict[str, JsonValue]:
    if not answer.state:
        return {"server": place.where, "answer": "goes on to log the client in"}
    return {"server": place.where, "answer": answer.message, "sqlstate": answer.state}
