"""What an error of PostgreSQL or of its client means."""

import re
from typing import TYPE_CHECKING

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.postgres_target import Target

if TYPE_CHECKING:
    import psycopg

_FREE_CONNECTIONS = "close idle sessions, put a pooler in between, or raise max_connections"
_SEE_SSLMODE = "https://www.postgresql.org/docs/current/libpq-ssl.html says what each sslmode demands"

# The client does not pass on the SQLSTATE with which a server turns a connection away, only its text.
_CONNECTING: tuple[tuple[str, ErrorKind, str, str], ...] = (
    (
        r"too many clients|remaining connection slots|too many connections|no more connections allowed",
        ErrorKind.THROTTLED,
        "too many connections: {where} has none left for {user} ({told})",
        _FREE_CONNECTIONS,
    ),
    (
        r"password authentication failed|authentication failed for user|no password supplied|empty password",
        ErrorKind.AUTH,
        "{where} does not accept the password of {user} ({told})",
        "check user and password of the connection string",
    ),
    (
        r'role ".*" does not exist|is not permitted to log in|no pg_hba\.conf entry|pg_hba\.conf rejects|authentication',
        ErrorKind.AUTH,
        "{where} does not let {user} in ({told})",
        "check the role, and the lines of pg_hba.conf for it and for this host",
    ),
    (
        r'database ".*" does not exist',
        ErrorKind.MISSING,
        "the database {database} does not exist on {where}",
        "check the database of the connection string",
    ),
    (
        r"permission denied for database",
        ErrorKind.FORBIDDEN,
        "{user} may not connect to the database {database} on {where}",
        "GRANT CONNECT ON DATABASE {database} TO {user};",
    ),
    (
        r"the database system is|not (currently |yet )?accepting connections",
        ErrorKind.REFUSED,
        "{where} does not accept connections now ({told})",
        "",
    ),
    (
        r"invalid (port|integer|connection option|URI)|invalid \w+ value|bad value",
        ErrorKind.MALFORMED,
        "the connection string has a setting that PostgreSQL does not know ({told})",
        "",
    ),
    (
        r"does not support SSL|SSL error|SSL SYSCALL|certificate|sslmode|SSL connection|host name verification",
        ErrorKind.TLS,
        "no secure connection with {where} ({told})",
        _SEE_SSLMODE,
    ),
    (
        r"received invalid response|expected authentication request|invalid (message|response)|unsupported frontend",
        ErrorKind.MALFORMED,
        "what answers on {where} is not PostgreSQL ({told})",
        "check host and port of the connection string",
    ),
    (r"Connection refused", ErrorKind.REFUSED, "{where} refuses connections: nothing listens there", ""),
    (r"No such file or directory", ErrorKind.REFUSED, "nothing listens on {where}", ""),
    (
        r"closed the connection unexpectedly|Connection reset|Broken pipe|socket closed",
        ErrorKind.REFUSED,
        "{where} closed the connection without an answer",
        "",
    ),
    (r"timeout expired|timed out", ErrorKind.TIMEOUT, "{where} did not answer the attempt to connect", ""),
    (
        r"No route to host|unreachable|Cannot assign",
        ErrorKind.OTHER,
        "{where} cannot be reached from here ({told})",
        "check the network, VPN and firewall between this machine and the database",
    ),
)

# By SQLSTATE, or by its first letters: https://www.postgresql.org/docs/current/errcodes-appendix.html
_RUNNING: tuple[tuple[str, ErrorKind, str, str], ...] = (
    ("57014", ErrorKind.TIMEOUT, "{where} did not finish the query in time", ""),
    ("55P03", ErrorKind.TIMEOUT, "the query on {where} waited too long for a lock", ""),
    ("57P", ErrorKind.REFUSED, "{where} ended the session ({told})", ""),
    ("08", ErrorKind.REFUSED, "the connection with {where} broke ({told})", ""),
    (
        "53300",
        ErrorKind.THROTTLED,
        "too many connections: {where} has none left for {user} ({told})",
        _FREE_CONNECTIONS,
    ),
    ("53", ErrorKind.OTHER, "{where} lacks what it needs to answer ({told})", "check its disk and memory"),
    ("28", ErrorKind.AUTH, "{where} does not let {user} in ({told})", "check user and password"),
    (
        "42501",
        ErrorKind.FORBIDDEN,
        "{user} may not do this on {where} ({told})",
        "GRANT what the message names to {user}",
    ),
    ("25006", ErrorKind.FORBIDDEN, "probes only read, and this statement changes something ({told})", ""),
    ("3D000", ErrorKind.MISSING, "the database {database} does not exist on {where}", ""),
    ("3F000", ErrorKind.MISSING, "not on {where}: {told}", ""),
    ("42P01", ErrorKind.MISSING, "not in the database {database} on {where}: {told}", ""),
    ("42703", ErrorKind.MISSING, "not in the database {database} on {where}: {told}", ""),
    ("42883", ErrorKind.MISSING, "not in the database {database} on {where}: {told}", ""),
    ("42", ErrorKind.MALFORMED, "{where} does not understand the statement ({told})", ""),
    ("22", ErrorKind.MALFORMED, "{where} cannot compute the answer ({told})", ""),
)


def connection_failure(error: "psycopg.Error", target: Target) -> ProbeError:
    """Why there is no session. The cause is a copy of the error: the client's own holds the password."""
    told = _told(error, target)
    for pattern, kind, message, remedy in _CONNECTING:
        if re.search(pattern, told):
            return _failure(error, target, kind, message, remedy)
    pgconn = error.pgconn
    if pgconn is not None and (pgconn.needs_password or pgconn.used_password):
        # Servers speak many languages; that a password was asked for is said in none.
        message = "{where} does not let {user} in ({told})"
        return _failure(error, target, ErrorKind.AUTH, message, "check user and password of the connection string")
    return _failure(error, target, ErrorKind.OTHER, "no session with {where} ({told})", "")


def query_failure(error: "psycopg.Error", target: Target) -> ProbeError:
    """Why a statement gave no rows."""
    state = error.sqlstate or ("08" if _is_broken(error) else "")
    for prefix, kind, message, remedy in _RUNNING:
        if state.startswith(prefix):
            return _failure(error, target, kind, message, remedy)
    return _failure(error, target, ErrorKind.OTHER, "{where} cannot answer ({told})", "")


def _is_broken(error: "psycopg.Error") -> bool:
    import psycopg

    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def _failure(error: "psycopg.Error", target: Target, kind: ErrorKind, message: str, remedy: str) -> ProbeError:
    words = {
        "where": target.where,
        "user": target.user,
        "database": target.database,
        "told": _told(error, target),
    }
    failure = ProbeError(kind, message.format(**words), remedy=remedy.format(**words))
    keep = error.pgconn is None and target.masked(str(error)) == str(error)
    failure.__cause__ = error if keep else type(error)(target.masked(str(error)))
    return failure


def _told(error: "psycopg.Error", target: Target) -> str:
    """The server's sentence alone, without what the client says around it."""
    text = error.diag.message_primary or str(error)
    first = text.strip().partition("\nMultiple connection attempts failed")[0]
    sentence = re.sub(
        r"\A(connection (failed|is bad): )?(connection to server .*? failed: )?(\w+: +)?", "", first, flags=re.DOTALL
    )
    return target.masked(" ".join((sentence or first).split()))
