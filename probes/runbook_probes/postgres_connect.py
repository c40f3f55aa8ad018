"""Logging in to a PostgreSQL server: each server of a connection string in turn, under a deadline that holds."""

import ctypes
import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import anyio

from runbook_engine.probe import ProbeContext
from runbook_engine.quantity import Dimension, show
from runbook_probes.network import allowance
from runbook_probes.postgres_failure import Refusal, connection_failure, refusal
from runbook_probes.postgres_startup import APPLICATION, Place, places
from runbook_probes.postgres_target import Target

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.pq.abc import PGconn

ANY = "any"
_DEFAULT, _VERBOSE = 1, 2
"""https://www.postgresql.org/docs/current/libpq-control.html#LIBPQ-PQSETERRORVERBOSITY"""


async def log_in(
    target: Target, settings: Mapping[str, str], ctx: ProbeContext
) -> tuple["AsyncConnection[tuple[object, ...]]", str]:
    """A session with the first server that gives one and is what ``target_session_attrs`` asks for, and where it is.

    ``settings`` are the target's, with every name looked up. Raises ProbeError that tells what each server answered.
    """
    attributes = wanted(settings, ctx.environ)
    rounds = ("standby", ANY) if attributes == "prefer-standby" else (attributes,)
    servers = places(settings)
    left = len(rounds) * len(servers)
    for each in rounds:
        refusals: list[Refusal] = []
        for place in servers:
            # A moment less than there is, so that what another server said is not lost when the last one is silent.
            share = allowance(ctx) / left * 0.95 if left > 1 or refusals else None
            found = await attempt(place, settings, target, each, share)
            if not isinstance(found, Refusal):
                return found, place.where
            refusals.append(found)
            left -= 1
    raise connection_failure(refusals, target, attributes)


def wanted(settings: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The ``target_session_attrs``: ``any``, ``read-write``, ``primary`` …"""
    return settings.get("target_session_attrs") or environ.get("PGTARGETSESSIONATTRS") or ANY


async def attempt(
    place: Place, settings: Mapping[str, str], target: Target, attribute: str, share: float | None
) -> "AsyncConnection[tuple[object, ...]] | Refusal":
    """One server, for at most ``share`` seconds."""
    import psycopg

    pgconn = _begun(_conninfo(place, settings, attribute))
    connection: AsyncConnection[tuple[object, ...]] | None = None
    try:
        with anyio.move_on_after(share) as scope:
            connected = await _polled(pgconn)
        if scope.cancelled_caught and share is not None:
            return Refusal(place.where, f"timeout expired after {show(share, Dimension.DURATION)}")
        if not connected:
            said = pgconn.parameter_status(b"in_hot_standby")
            text = pgconn.get_error_message("utf-8")
            return refusal(place.where, text, target, standby=None if said is None else said == b"on")
        _say(pgconn, _DEFAULT)
        pgconn.nonblocking = 1
        connection = psycopg.AsyncConnection(pgconn)
        connection.prepare_threshold = None
        await connection.set_autocommit(True)
        return connection
    finally:
        if connection is None:
            pgconn.finish()


def _conninfo(place: Place, settings: Mapping[str, str], attribute: str) -> str:
    from psycopg.conninfo import make_conninfo

    mine = {name: value for name, value in settings.items() if name not in ("host", "hostaddr", "port")}
    mine |= (
        {"host": place.socket.rpartition("/")[0]} if place.socket else {"host": place.host, "hostaddr": place.address}
    )
    mine |= {
        "port": str(place.port),
        "application_name": APPLICATION,
        "client_encoding": "utf8",
        "target_session_attrs": attribute,
    }
    return make_conninfo("", **mine)


def _begun(conninfo: str) -> "PGconn":
    from psycopg import pq

    pgconn = pq.PGconn.connect_start(conninfo.encode())
    _say(pgconn, _VERBOSE)
    return pgconn


async def _polled(pgconn: "PGconn") -> bool:
    from psycopg.pq import ConnStatus, PollingStatus

    while pgconn.status != ConnStatus.BAD:
        match pgconn.connect_poll():
            case PollingStatus.READING:
                await anyio.wait_readable(pgconn.socket)
            case PollingStatus.WRITING:
                await anyio.wait_writable(pgconn.socket)
            case PollingStatus.OK:
                return True
            case PollingStatus.FAILED:
                break
    return False


def _say(pgconn: "PGconn", verbosity: int) -> None:
    """Of an error while connecting, libpq gives the SQLSTATE in its verbose messages alone."""
    pointer = getattr(pgconn, "pgconn_ptr", None)  # of the classes, and not of their protocol
    if pointer and (change := _set_error_verbosity()) is not None:
        change(pointer, verbosity)


@cache
def _set_error_verbosity() -> Callable[[int, int], int] | None:
    """The function of libpq itself, which psycopg does not wrap; None where the library that psycopg uses cannot be found.

    Messages then have no SQLSTATE, and are told by their text. The pointer is there for this purpose:
    https://www.psycopg.org/psycopg3/docs/api/pq.html#psycopg.pq.PGconn.pgconn_ptr
    """
    from psycopg import pq
    from psycopg.pq.misc import find_libpq_full_path

    # A compiled module finds the functions of the libraries that it was linked with.
    library = find_libpq_full_path() if pq.__impl__ == "python" else sys.modules[pq.PGconn.__module__].__file__
    try:
        function = ctypes.CDLL(library or "").PQsetErrorVerbosity
    except (OSError, AttributeError):
        return None
    function.argtypes, function.restype = [ctypes.c_void_p, ctypes.c_int], ctypes.c_int
    return function
