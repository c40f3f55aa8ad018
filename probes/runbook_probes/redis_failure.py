"""What an error of Redis, or of the connection with it, means."""

import re
import ssl
from typing import TYPE_CHECKING

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.network import not_connected

if TYPE_CHECKING:
    from runbook_probes.redis_url import Target

PLAIN = "for a server without TLS the URL begins with redis://"
_HUNG_UP = re.compile(r"Connection closed by server|Connection lost|reset by peer|Broken pipe")

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
        r"DENIED|protected mode",
        ErrorKind.REFUSED,
        "{where} is in protected mode and serves its own machine alone ({told})",
        "set a password and bind an address, or connect from that machine",
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
    (r"LOADING|is loading", ErrorKind.REFUSED, "{where} is starting: it loads its data into memory ({told})", ""),
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
    (
        r"MASTERDOWN|Link with MASTER",
        ErrorKind.OTHER,
        "{where} is a replica that has lost its master",
        "see INFO replication on both; replica-serve-stale-data decides whether a replica without its master answers",
    ),
    (r"unknown command", ErrorKind.MISSING, "{where} does not know the command ({told})", ""),
    (
        r"[Pp]rotocol [Ee]rror|Invalid RESP|HTTP/",
        ErrorKind.MALFORMED,
        "what answers on {where} is not Redis ({told})",
        "check host and port of the URL; for a server with TLS it begins with rediss://",
    ),
)


def explain(error: Exception, target: "Target") -> ProbeError:
    """An error of redis-py, in the kinds of the probes and without the password."""
    said = " ".join(str(error).split())
    # Where redis-py knows the first word of the answer, it takes it away from the rest.
    state = getattr(error, "status_code", None)
    told = target.masked(f"{state} {said}" if state and not said.startswith(state) else said)
    words = {"where": target.where, "user": target.user, "told": told.partition(". ")[0]}
    for pattern, kind, message, remedy in _ANSWERS:
        if re.search(pattern, told):
            return ProbeError(kind, message.format(**words), remedy=remedy.format(**words))
    causes = _chain(error)
    if _HUNG_UP.search(told) or any(_ended(cause) for cause in causes):
        return _hung_up(target)
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return _not_secure(cause, target)
        if isinstance(cause, OSError) and cause.errno is not None:
            return _no_socket(cause, target) if target.socket else not_connected(cause, target.host, target.port)
    return ProbeError(ErrorKind.OTHER, f"{target.where} cannot answer ({told})")


def _ended(cause: BaseException) -> bool:
    """Whether asyncio or OpenSSL says that the other side is gone; the system gives its own reasons a number."""
    return isinstance(cause, ssl.SSLEOFError) or (isinstance(cause, ConnectionError) and cause.errno is None)


def _hung_up(target: "Target") -> ProbeError:
    """A server with TLS that has no connection left ends it before the handshake, when it cannot say why yet."""
    remedy = "for a server with TLS the URL begins with rediss://"
    if target.secure:
        remedy = f"see on the server whether maxclients is reached (INFO: rejected_connections); {PLAIN}"
    return ProbeError(ErrorKind.REFUSED, f"{target.where} closed the connection without an answer", remedy=remedy)


def _no_socket(error: OSError, target: "Target") -> ProbeError:
    if isinstance(error, PermissionError):
        return ProbeError(ErrorKind.FORBIDDEN, f"this account may not use {target.where}")
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return ProbeError(ErrorKind.REFUSED, f"nothing listens on {target.where}")
    return ProbeError(ErrorKind.OTHER, f"{target.where} cannot be used: {(error.strerror or 'unknown').lower()}")


def _not_secure(error: ssl.SSLError, target: "Target") -> ProbeError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProbeError(
            ErrorKind.TLS,
            f"the certificate of {target.where} is not to be trusted ({error.verify_message})",
            remedy="give the authority's certificate as ca_file where it is meant to be trusted",
        )
    reason = (error.reason or "it failed").replace("_", " ").lower()
    return ProbeError(ErrorKind.TLS, f"no secure connection with {target.where} ({reason})", remedy=PLAIN)


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
