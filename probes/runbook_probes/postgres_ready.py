"""Does a PostgreSQL server accept connections? pg_isready's question, asked without logging in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import anyio
from pydantic import Field, JsonValue

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Duration, ErrorKind, ProbeContext, ProbeError, Reading, Secret, probe
from runbook_engine.quantity import Dimension, show
from runbook_probes.network import allowance, within
from runbook_probes.postgres_connect import ANY, attempt, wanted
from runbook_probes.postgres_failure import Refusal
from runbook_probes.postgres_startup import Answer, Place, Security, ask, places, security
from runbook_probes.postgres_target import PostgresParams, Target, looked_up, read_dsn
from runbook_probes.postgres_url import typed

CANNOT_CONNECT_NOW = "57P03"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""
State = Literal["accepting", "rejecting", "unsuitable"]


class ReadyParams(PostgresParams):
    dsn: Secret = Field(description="Connection string, postgresql://user:password@host:port/database")


class ReadyReading(Reading):
    LATENCIES = ("time",)
    FAILURES = ("state", "accepting")

    state: State = Field(
        description="rejecting: the server runs, but is starting, recovering or shutting down; unsuitable: servers accept"
        " connections, and none is of the kind that target_session_attrs asks for, such as a primary"
    )
    accepting: bool = Field(description="Whether a server that the connection string means accepts connections")
    answers: str = Field(description="What each server answered, such as 10.0.0.5:5432 is a standby")
    time: Duration = Field(description="Time from connecting to the answer, without the look-up of the name")


def _command(params: ReadyParams) -> str:
    return pasteable("pg_isready", "-d", typed(params.dsn))


@probe("postgres.ready", command=_command, reads_only=True)
async def ready(params: ReadyParams, ctx: ProbeContext) -> ReadyReading:
    """Asks to be let in and leaves at the answer, whatever it is: no password is sent, and no session opened.

    A server that turns this client away (no such role, too many connections, no entry in pg_hba.conf) is one that accepts
    connections, as for pg_isready. Of several hosts, the first that accepts counts, else the first that rejects. Where the
    connection string asks for a kind of server (target_session_attrs=read-write, say), one that accepts is logged in to:
    only then does it say of which kind it is. Where it does not let us in, its kind stays open, and it counts.
    """
    target = read_dsn(params.dsn, ctx.environ)
    places(target.settings)  # refuses what names no server, before anything is looked up
    missed = f"the name of {target.where} could not be looked up"

    def gave_up(seconds: float) -> ProbeError:
        return ProbeError(ErrorKind.TIMEOUT, f"{missed} within {show(seconds, Dimension.DURATION)}")

    with within(ctx, gave_up):
        settings = await looked_up(target)
        missed = f"{target.where} did not answer"
        return await _first_ready(target, settings, ctx)


async def _first_ready(target: Target, settings: Mapping[str, str], ctx: ProbeContext) -> ReadyReading:
    secured = await security(settings, ctx.environ)
    attributes = wanted(settings, ctx.environ)
    servers = places(settings)
    asked: list[_Asked] = []
    failed: list[tuple[str, ProbeError]] = []
    for number, place in enumerate(servers):
        # A moment less than there is, so that what another server said is not lost when the last one is silent.
        share = allowance(ctx) / (len(servers) - number) * 0.95 if len(servers) > 1 else None
        try:
            found = await _asked(place, settings, secured, share)
        except ProbeError as failure:
            failed.append((place.where, failure))
            continue
        if found.state == "accepting" and attributes not in (ANY, "prefer-standby"):
            found = await _of_its_kind(found, settings, target, attributes, allowance(ctx) * 0.8)
        asked.append(found)
        if found.state == "accepting" and not found.unknown:
            break
    if not asked:
        raise failed[0][1] if failed else ProbeError(ErrorKind.MALFORMED, "the connection string names no server")
    best = min(asked, key=lambda each: (_ORDER.index(each.state), each.unknown))
    told = dict.fromkeys([each.told for each in asked] + [failure.message for _, failure in failed])
    return ReadyReading(
        state=best.state,
        accepting=best.state == "accepting",
        answers="; ".join(told),
        time=best.time,
        evidence={**best.evidence, **({"answers": [*told]} if len(told) > 1 else {})},
    )


_ORDER: tuple[State, ...] = ("accepting", "rejecting", "unsuitable")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A server that answered. ``unknown``: it accepts connections, and did not let us in to see of which kind it is."""

    place: Place
    state: State
    told: str
    time: float
    evidence: Mapping[str, JsonValue]
    unknown: bool = False


async def _asked(place: Place, settings: Mapping[str, str], secured: Security | None, share: float | None) -> _Asked:
    started = anyio.current_time()
    try:
        with anyio.fail_after(share):
            answer = await ask(place, settings, secured)
    except TimeoutError as error:
        waited = show(share, Dimension.DURATION)
        raise ProbeError(ErrorKind.TIMEOUT, f"{place.where} did not answer within {waited}") from error
    rejects = answer.state == CANNOT_CONNECT_NOW
    told = f"{place.where} rejects connections ({answer.message})" if rejects else f"{place.where} accepts connections"
    took = anyio.current_time() - started
    return _Asked(place, "rejecting" if rejects else "accepting", told, took, _evidence(place, answer))


async def _of_its_kind(
    found: _Asked, settings: Mapping[str, str], target: Target, attributes: str, share: float
) -> _Asked:
    opened = await attempt(found.place, settings, target, attributes, share)
    if not isinstance(opened, Refusal):
        await opened.close()
        return found
    where = found.place.where
    if opened.role:
        evidence = {**found.evidence, "role": opened.role}
        return replace(found, state="unsuitable", told=f"{where} is {opened.role}", evidence=evidence)
    told = f"{where} accepts connections; of which kind it is cannot be seen ({opened.told})"
    return replace(found, told=told, unknown=True)


def _evidence(place: Place, answer: Answer) -> dict[str, JsonValue]:
    if not answer.state:
        return {"server": place.where, "answer": "goes on to log the client in"}
    return {"server": place.where, "answer": answer.message, "sqlstate": answer.state}
