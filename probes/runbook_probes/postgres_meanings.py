"""What errors of PostgreSQL, of its client and of poolers mean: by SQLSTATE, and where that says nothing, by text.

SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html. A pooler says ``08P01`` (protocol violation) or
``XX000`` (internal error) whatever the matter is, so that its sentence has to be read.
"""

import re
from dataclasses import dataclass

from runbook_engine.probe import ErrorKind

FREE_CONNECTIONS = "close idle sessions, put a pooler in between, or raise max_connections"
_CHECK_ACCOUNT = "check user and password of the connection string"
_SEE_SSLMODE = "https://www.postgresql.org/docs/current/libpq-ssl.html says what each sslmode demands"
_SEE_LOG = "check its disk, its memory and its log"
_SEE_POOLS = "SHOW POOLS and SHOW SERVERS in the pooler's console say what it has and waits for"
_NONE_LEFT = "too many connections: {where} has none left for {user} ({told})"


@dataclass(frozen=True, slots=True)
class Meaning:
    """``message`` and ``remedy`` are templates: {where}, {user}, {database}, and {told}, what the server or client said."""

    kind: ErrorKind
    message: str
    remedy: str = ""


# A limit of connections is told by its sentence; where that is in another language, by its SQLSTATE alone.
_LIMITS: tuple[tuple[str, Meaning], ...] = (
    (
        r"too many connections for role",
        Meaning(
            ErrorKind.THROTTLED,
            "the role {user} has reached its CONNECTION LIMIT on {where} ({told})",
            "close idle sessions of {user}, or raise the limit: ALTER ROLE {user} CONNECTION LIMIT ...;"
            " max_connections is not what is reached",
        ),
    ),
    (
        r"too many connections for database",
        Meaning(
            ErrorKind.THROTTLED,
            "the database {database} has reached its CONNECTION LIMIT on {where} ({told})",
            "close idle sessions in {database}, or raise the limit: ALTER DATABASE {database} CONNECTION LIMIT ...;"
            " max_connections is not what is reached",
        ),
    ),
)
_NO_SLOTS = Meaning(ErrorKind.THROTTLED, _NONE_LEFT, FREE_CONNECTIONS)

# By the first letters of the SQLSTATE; the longest stand first.
_CONNECTING: tuple[tuple[str, Meaning], ...] = (
    ("28P01", Meaning(ErrorKind.AUTH, "{where} does not accept the password of {user} ({told})", _CHECK_ACCOUNT)),
    (
        "28",
        Meaning(
            ErrorKind.AUTH,
            "{where} does not let {user} in ({told})",
            "check the role, and the lines of pg_hba.conf for it and for this host",
        ),
    ),
    (
        "3D000",
        Meaning(
            ErrorKind.MISSING,
            "the database {database} does not exist on {where}",
            "check the database of the connection string",
        ),
    ),
    (
        "42501",
        Meaning(
            ErrorKind.FORBIDDEN,
            "{user} may not connect to the database {database} on {where} ({told})",
            "GRANT CONNECT ON DATABASE {database} TO {user};",
        ),
    ),
    ("57P", Meaning(ErrorKind.REFUSED, "{where} does not accept connections now ({told})")),
    ("55000", Meaning(ErrorKind.REFUSED, "{where} does not accept connections now ({told})")),
    ("53", Meaning(ErrorKind.OTHER, "{where} lacks what it needs to open a session ({told})", _SEE_LOG)),
    ("58", Meaning(ErrorKind.OTHER, "{where} cannot open a session ({told})", _SEE_LOG)),
    ("0A", Meaning(ErrorKind.MALFORMED, "what answers on {where} does not know what a client asks for ({told})")),
    ("22", Meaning(ErrorKind.MALFORMED, "{where} does not take a setting of the connection string ({told})")),
    ("42", Meaning(ErrorKind.MALFORMED, "{where} does not take a setting of the connection string ({told})")),
)
_RUNNING: tuple[tuple[str, Meaning], ...] = (
    ("57014", Meaning(ErrorKind.TIMEOUT, "{where} did not finish the query in time")),
    ("55P03", Meaning(ErrorKind.TIMEOUT, "the query on {where} waited too long for a lock")),
    ("57P", Meaning(ErrorKind.REFUSED, "{where} ended the session ({told})")),
    ("53", Meaning(ErrorKind.OTHER, "{where} lacks what it needs to answer ({told})", _SEE_LOG)),
    ("58", Meaning(ErrorKind.OTHER, "{where} cannot read or write what it needs to answer ({told})", _SEE_LOG)),
    ("28", Meaning(ErrorKind.AUTH, "{where} does not let {user} in ({told})", "check user and password")),
    (
        "42501",
        Meaning(
            ErrorKind.FORBIDDEN, "{user} may not do this on {where} ({told})", "GRANT what the message names to {user}"
        ),
    ),
    ("25006", Meaning(ErrorKind.FORBIDDEN, "probes only read, and this statement changes something ({told})")),
    ("3D000", Meaning(ErrorKind.MISSING, "the database {database} does not exist on {where}")),
    ("3F000", Meaning(ErrorKind.MISSING, "not on {where}: {told}")),
    ("42P01", Meaning(ErrorKind.MISSING, "not in the database {database} on {where}: {told}")),
    ("42703", Meaning(ErrorKind.MISSING, "not in the database {database} on {where}: {told}")),
    ("42883", Meaning(ErrorKind.MISSING, "not in the database {database} on {where}: {told}")),
    ("42", Meaning(ErrorKind.MALFORMED, "{where} does not understand the statement ({told})")),
    ("22", Meaning(ErrorKind.MALFORMED, "{where} cannot compute the answer ({told})")),
)

# What a pooler says, to whoever logs in and in place of any answer. What it was told by the database itself ("cached error",
# "server login failed") means the same as if the database had said it.
_POOLERS: tuple[tuple[str, Meaning], ...] = (
    (
        r"(server login|cached error).*(too many (clients|connections)|remaining connection slots)",
        Meaning(
            ErrorKind.THROTTLED,
            "too many connections: the database behind {where} has none left for its pooler ({told})",
            FREE_CONNECTIONS,
        ),
    ),
    (
        r"(server login|cached error).*(authentication|password|role .* does not exist|pg_hba)",
        Meaning(
            ErrorKind.AUTH,
            "the database behind {where} does not let its pooler in ({told})",
            "check users and passwords in the pooler's configuration",
        ),
    ),
    (
        r"server login (has been failing|failed)|cannot connect to server|server (conn crashed|down)|AllServersDown",
        Meaning(ErrorKind.REFUSED, "the pooler on {where} gets no connection to the database ({told})", _SEE_POOLS),
    ),
    (
        r"query_wait_timeout",
        Meaning(
            ErrorKind.THROTTLED,
            "no connection of the pool on {where} became free in time ({told})",
            f"end what holds the pool's connections, or raise its size; {_SEE_POOLS}",
        ),
    ),
    (
        r"no more connections allowed|[Mm]ax client(s|s? connections) reached|too many active clients",
        Meaning(
            ErrorKind.THROTTLED,
            "too many connections: the pooler on {where} takes no more clients ({told})",
            "close idle clients, or raise its limit of them (max_client_conn, max_db_client_connections)",
        ),
    ),
    (
        r"transaction blocks not allowed in statement pooling",
        Meaning(
            ErrorKind.FORBIDDEN,
            "the pooler on {where} pools by statement and allows no transaction, in which alone probes read ({told})",
            "give the probe a connection string past the pooler, or a pool with pool_mode = transaction",
        ),
    ),
    (
        r"unsupported startup parameter",
        Meaning(
            ErrorKind.MALFORMED,
            "the pooler on {where} does not take a setting of the connection string ({told})",
            "leave it out, or add it to the pooler's ignore_startup_parameters",
        ),
    ),
    (
        r"SSL required|TLS required",
        Meaning(ErrorKind.TLS, "{where} takes encrypted connections only ({told})", _SEE_SSLMODE),
    ),
)

# What a server says where no SQLSTATE comes with it, and what the client says of itself.
_TEXTS: tuple[tuple[str, Meaning], ...] = (
    *_POOLERS,
    *_LIMITS,
    (r"too many clients|remaining connection slots|too many connections", _NO_SLOTS),
    # Before what a server says of itself: whatever answers, its words may be in the client's sentence.
    (
        r"received invalid response|expected authentication request|invalid (message|response)|unsupported frontend",
        Meaning(
            ErrorKind.MALFORMED,
            "what answers on {where} is not PostgreSQL ({told})",
            "check host and port of the connection string",
        ),
    ),
    (
        r"password authentication failed|authentication failed|no password supplied|empty password",
        Meaning(ErrorKind.AUTH, "{where} does not accept the password of {user} ({told})", _CHECK_ACCOUNT),
    ),
    (
        r'role ".*" does not exist|no such user|is not permitted to log in|no pg_hba\.conf entry|pg_hba\.conf rejects'
        r"|authentication",
        dict(_CONNECTING)["28"],
    ),
    (r'database ".*" does not exist|no such database', dict(_CONNECTING)["3D000"]),
    (r"permission denied for database", dict(_CONNECTING)["42501"]),
    (
        r"the database system is|not (currently |yet )?accepting connections|database .* is disabled",
        dict(_CONNECTING)["57P"],
    ),
    (
        r"invalid (port|integer|connection option|URI)|invalid \w+ value|bad value",
        Meaning(ErrorKind.MALFORMED, "the connection string has a setting that PostgreSQL does not know ({told})"),
    ),
    (
        r"does not support SSL|SSL error|SSL SYSCALL|certificate|sslmode|SSL connection|host name verification",
        Meaning(ErrorKind.TLS, "no secure connection with {where} ({told})", _SEE_SSLMODE),
    ),
    (r"Connection refused", Meaning(ErrorKind.REFUSED, "{where} refuses connections: nothing listens there")),
    (r"No such file or directory", Meaning(ErrorKind.REFUSED, "nothing listens on {where}")),
    (
        r"closed the connection unexpectedly|Connection reset|Broken pipe|socket closed",
        Meaning(ErrorKind.REFUSED, "{where} closed the connection without an answer"),
    ),
    (r"timeout expired|timed out", Meaning(ErrorKind.TIMEOUT, "{where} did not answer the attempt to connect")),
    (
        r"No route to host|unreachable|Cannot assign",
        Meaning(
            ErrorKind.OTHER,
            "{where} cannot be reached from here ({told})",
            "check the network, VPN and firewall between this machine and the database",
        ),
    ),
)
_UNSPECIFIC = ("", "08", "XX")


def of_connecting(state: str, told: str) -> Meaning:
    """Why there is no session. What is not known stays what the server said: no guess is made of it."""
    unknown = Meaning(ErrorKind.OTHER, "no session with {where} ({told})")
    return _of(state, told, _CONNECTING, _TEXTS) or unknown


def of_running(state: str, told: str) -> Meaning:
    """Why a statement gave no rows. A connection that stood and broke is no server that refuses connections."""
    broken = Meaning(
        ErrorKind.OTHER, "the connection with {where} broke ({told})", "look into the server's log, and try again"
    )
    unknown = broken if state[:2] in ("", "08") else Meaning(ErrorKind.OTHER, "{where} cannot answer ({told})")
    return _of(state, told, _RUNNING, _POOLERS) or unknown


def _of(
    state: str, told: str, states: tuple[tuple[str, Meaning], ...], texts: tuple[tuple[str, Meaning], ...]
) -> Meaning | None:
    if state == "53300":
        return next((meaning for pattern, meaning in _LIMITS if re.search(pattern, told)), _NO_SLOTS)
    if state[:2] in _UNSPECIFIC:
        return next((meaning for pattern, meaning in texts if re.search(pattern, told)), None)
    return next((meaning for prefix, meaning in states if state.startswith(prefix)), None)
