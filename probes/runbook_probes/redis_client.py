"""A Redis client under a deadline that holds, and what its errors mean."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from pydantic import Field

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import ErrorKind, Params, ProbeContext, ProbeError, Secret
from runbook_engine.quantity import Dimension, show
from runbook_probes.network import ascii_name, lookup, not_connected, within
from runbook_probes.redis_failure import PLAIN, explain
from runbook_probes.redis_url import Target, read_target, typed

if TYPE_CHECKING:
    from redis.asyncio import Redis

_CLOSE_S = 0.2


class ClientParams(Params):
    CONNECTS_TO = ("url",)

    url: Secret = Field(
        description="redis:// or rediss:// (TLS), user, password, host, port, database; or unix:// and a path"
    )
    ca_file: str = Field("", description="PEM file of the authorities to trust beside the system's, for rediss://")


def redis_cli(params: ClientParams, *words: str) -> str:
    """``redis-cli -u "$REDIS_URL" PING``."""
    with suppress(ProbeError):
        target = read_target(params.url)
        if target.socket:
            return pasteable("redis-cli", "-s", target.socket, *words)
        trust = ["--cacert", params.ca_file] if params.ca_file and target.secure else []
        return pasteable("redis-cli", "-u", typed(params.url), *trust, *words)
    return pasteable("redis-cli", "-u", params.url, *words)


@asynccontextmanager
async def connected(params: ClientParams, ctx: ProbeContext) -> AsyncIterator["Redis"]:
    """A client for one connection, which is made by the first command.

    Raises ProbeError: whatever goes wrong inside is told in its kinds, and a moment before the deadline it ends with kind
    timeout and the connection closed.
    """
    from redis.exceptions import RedisError

    target = read_target(params.url)
    if target.secure and params.ca_file:
        _check_ca_file(params.ca_file)

    def gave_up(seconds: float) -> ProbeError:
        message = f"{target.where} did not answer within {show(seconds, Dimension.DURATION)}"
        # A server without TLS waits for the end of a line, which the greeting of TLS does not have.
        return ProbeError(ErrorKind.TIMEOUT, message, remedy=PLAIN if target.secure else "")

    with within(ctx, gave_up):
        try:
            if not target.socket:
                await lookup(target.host)
        except socket.gaierror as error:
            raise not_connected(error, target.host, target.port) from error
        client = _client(params, target)
        try:
            yield client
        except (RedisError, OSError, UnicodeError) as error:
            raise explain(error, target) from error
        finally:
            with anyio.move_on_after(_CLOSE_S, shield=True):
                await client.aclose()


def _check_ca_file(ca_file: str) -> None:
    try:
        ssl.create_default_context(cafile=str(Path(ca_file).expanduser()))
    except (OSError, ssl.SSLError) as error:
        raise ProbeError(
            ErrorKind.TLS,
            f"the ca_file {ca_file} cannot be used: {getattr(error, 'strerror', None) or 'it holds no certificate'}",
            remedy="give a PEM file with the authority's certificate",
        ) from error


def _unnamed() -> dict[str, Any]:
    """No CLIENT SETINFO when connected: redis-py ignores an error in its place, and would miss why it is turned away."""
    if find_spec("redis.driver_info"):
        return {"driver_info": None}
    return {"lib_name": None, "lib_version": None}


def _client(params: ClientParams, target: Target) -> "Redis":
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    from runbook_probes.redis_bounds import bounded

    place: dict[str, Any] = {"host": ascii_name(target.host), "port": target.port}
    if target.socket:
        place = {"unix_socket_path": target.socket}
    elif target.secure:
        place |= {"ssl": True, **target.tls}
        if params.ca_file:
            place["ssl_ca_certs"] = str(Path(params.ca_file).expanduser())
    client = Redis(
        **place,
        db=target.database,
        username=None if target.user == "default" else target.user,
        password=target.password or None,
        # The engine retries, and the deadline is kept outside.
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=None,
        # The first protocol needs no greeting, which a role may be forbidden to say.
        protocol=2,
        encoding_errors="replace",
        decode_responses=True,
        **_unnamed(),
    )
    pool = client.connection_pool
    pool.connection_class = bounded(pool.connection_class)
    return client
