"""A Redis client under a deadline that holds, and what its errors mean."""

import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

import anyio
from pydantic import Field

from runbook_engine.probe import ErrorKind, Params, ProbeContext, ProbeError, Secret
from runbook_engine.quantity import Dimension, show
from runbook_probes.command_line import pasteable
from runbook_probes.network import lookup, not_connected, where, within

if TYPE_CHECKING:
    from redis.asyncio import Redis

EXAMPLE = "write for example rediss://user:password@cache.example.com:6379/0"
DEFAULT_PORT = 6379
_CLOSE_S = 0.2
_PLAIN = "for a server without TLS the URL begins with redis://"

# By the first word of the server's answer, or by what the client says in its place:
# https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
_ANSWERS: tuple[tuple[str, ErrorKind, str, str], ...] = (
    (
        r"max number of clients|maxclients",
        ErrorKind.THROTTLED,
        "too many connections: {where} has none left",
        "close idle clients (CLIENT LIST shows them), or raise maxclients",
    ),
    (
        r"WRONGPASS|NOAUTH|invalid username-password|invalid password|Authentication required|without any password",
        ErrorKind.AUTH,
        "{where} does not accept these credentials ({told})",
        "check user and password of the URL",
    ),
    (
        r"NOPERM|no permissions",
        ErrorKind.FORBIDDEN,
        "{user} may not do this on {where} ({told})",
        "ACL SETUSER {user} +ping +info",
    ),
    (r"LOADING|is loading", ErrorKind.REFUSED, "{where} is starting: it loads its data into memory", ""),
    (
        r"DENIED|protected mode",
        ErrorKind.REFUSED,
        "{where} is in protected mode and serves its own machine alone",
        "set a password and bind an address, or connect from that machine",
    ),
    (
        r"MISCONF",
        ErrorKind.OTHER,
        "{where} refuses writes because it cannot save to disk",
        "check the disk and the log of the server; INFO persistence says when a snapshot last succeeded",
    ),
    (
        r"OOM|used memory",
        ErrorKind.OTHER,
        "{where} is out of memory ({told})",
        "raise maxmemory, or choose a maxmemory-policy that evicts",
    ),
    (r"MASTERDOWN|Link with MASTER", ErrorKind.OTHER, "{where} is a replica that has lost its master", ""),
    (r"unknown command", ErrorKind.MISSING, "{where} does not know the command ({told})", ""),
    (
        r"[Pp]rotocol [Ee]rror|Invalid RESP|HTTP/",
        ErrorKind.MALFORMED,
        "what answers on {where} is not Redis ({told})",
        "check host and port of the URL; for a server with TLS it begins with rediss://",
    ),
    (
        r"Connection closed by server|Connection lost|reset by peer|Broken pipe",
        ErrorKind.REFUSED,
        "{where} closed the connection without an answer",
        "for a server with TLS the URL begins with rediss://",
    ),
)


class ClientParams(Params):
    url: Secret = Field(description="redis:// or rediss:// (TLS), user, password, host, port and database")
    ca_file: str = Field("", description="PEM file of the authorities to trust beside the system's, for rediss://")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. What holds the password is not shown."""

    host: str
    port: int
    user: str
    secure: bool
    password: str = field(repr=False)

    @property
    def where(self) -> str:
        return where(self.host, self.port)

    def masked(self, text: str) -> str:
        """The text without the password. One or two letters are no secret, and hiding them would hide the message."""
        return text.replace(self.password, "***") if len(self.password) > 2 else text


def redis_cli(params: ClientParams, *words: str) -> str:
    """``redis-cli -u "$REDIS_URL" PING``."""
    trust = ["--cacert", params.ca_file] if params.ca_file and params.url.reveal().startswith("rediss:") else []
    return pasteable("redis-cli", "-u", params.url, *trust, *words)


@asynccontextmanager
async def connected(params: ClientParams, ctx: ProbeContext) -> AsyncIterator["Redis"]:
    """A client for one connection, which is made by the first command.

    Raises ProbeError: whatever goes wrong inside is told in its kinds, and a moment before the deadline it ends with kind
    timeout and the connection closed.
    """
    from redis.exceptions import RedisError

    target = read_url(params.url)
    if target.secure and params.ca_file:
        _check_ca_file(params.ca_file)

    def gave_up(seconds: float) -> ProbeError:
        message = f"{target.where} did not answer within {show(seconds, Dimension.DURATION)}"
        # A server without TLS waits for the end of a line, which the greeting of TLS does not have.
        return ProbeError(ErrorKind.TIMEOUT, message, remedy=_PLAIN if target.secure else "")

    with within(ctx, gave_up):
        try:
            await lookup(target.host)
        except socket.gaierror as error:
            raise not_connected(error, target.host, target.port) from error
        client = _client(params, target)
        try:
            yield client
        except (RedisError, OSError, UnicodeError) as error:
            raise _failure(error, target) from error
        finally:
            with anyio.move_on_after(_CLOSE_S, shield=True):
                await client.aclose()


def read_url(url: Secret) -> Target:
    """Raises ProbeError of kind malformed, whose message does not repeat the URL."""
    text = url.reveal().strip()
    parts = _parsed(text)
    # Else the end of a password would be taken for the port or the database, or be cut off.
    if parts is None or not parts.hostname or not re.fullmatch(r"rediss?://[^/?#]*[^@#]*", text):
        raise ProbeError(
            ErrorKind.MALFORMED,
            "the Redis URL cannot be read",
            remedy=f"{EXAMPLE}; in user names and passwords write %40 for @, %2F for /, %3F for ? and %23 for #",
        )
    return Target(
        host=parts.hostname,
        port=parts.port or DEFAULT_PORT,
        user=unquote(parts.username or "") or "default",
        secure=parts.scheme == "rediss",
        password=unquote(parts.password or ""),
    )


def _parsed(text: str) -> SplitResult | None:
    with suppress(ValueError):
        parts = urlsplit(text)
        _ = parts.port  # which is read, and found not to be a number, only here
        return parts
    return None


def _check_ca_file(ca_file: str) -> None:
    try:
        ssl.create_default_context(cafile=str(Path(ca_file).expanduser()))
    except (OSError, ssl.SSLError) as error:
        raise ProbeError(
            ErrorKind.TLS,
            f"the ca_file {ca_file} cannot be used: {getattr(error, 'strerror', None) or 'it holds no certificate'}",
            remedy="give a PEM file with the authority's certificate",
        ) from error


def _client(params: ClientParams, target: Target) -> "Redis":
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    trust: dict[str, Any] = {}
    if target.secure and params.ca_file:
        trust["ssl_ca_certs"] = str(Path(params.ca_file).expanduser())
    return Redis.from_url(
        params.url.reveal().strip(),
        # The engine retries, and the deadline is kept outside.
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=None,
        # The first protocol needs no greeting, which a role may be forbidden to say.
        protocol=2,
        encoding_errors="replace",
        decode_responses=True,
        **trust,
    )


def _failure(error: Exception, target: Target) -> ProbeError:
    told = target.masked(" ".join(str(error).split()))
    words = {"where": target.where, "user": target.user, "told": told}
    state = getattr(error, "status_code", None) or ""
    for pattern, kind, message, remedy in _ANSWERS:
        if re.search(pattern, f"{state} {told}"):
            return ProbeError(kind, message.format(**words), remedy=remedy.format(**words))
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLError):
            return _not_secure(cause, target)
        if isinstance(cause, OSError) and cause.errno is not None:
            return not_connected(cause, target.host, target.port)
    return ProbeError(ErrorKind.OTHER, f"{target.where} cannot answer ({told})")


def _not_secure(error: ssl.SSLError, target: Target) -> ProbeError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProbeError(
            ErrorKind.TLS,
            f"the certificate of {target.where} is not to be trusted ({error.verify_message})",
            remedy="give the authority's certificate as ca_file where it is meant to be trusted",
        )
    reason = (error.reason or "it failed").replace("_", " ").lower()
    return ProbeError(
        ErrorKind.TLS,
        f"no secure connection with {target.where} ({reason})",
        remedy=_PLAIN,
    )


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
