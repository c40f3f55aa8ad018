"""What the clients of PostgreSQL write into its URLs, and what libpq makes of it.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote, unquote

from runbook_engine.probe import ProbeError, Secret
from runbook_probes.connection_string import Dialect, Url, as_typed, is_url, read_url, unwrapped

EXAMPLE = "write for example postgresql://user:password@db.example.com:5432/app"

# Of Prisma, SQLAlchemy and asyncpg, node-postgres, pgx, JDBC, Rails and Django.
_IDLE = (
    "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "statement_cache_size", "sslaccept",
    "pool", "pool_size", "max_overflow", "pool_recycle", "pool_pre_ping", "timeout", "command_timeout",
    "prepared_statement_cache_size", "prepared_statement_name_func", "prepared_statements", "statement_limit",
    "pool_max_conns", "pool_min_conns", "pool_max_conn_lifetime", "pool_max_conn_idle_time", "pool_health_check_period",
    "default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity", "uselibpqcompat", "max",
    "prepareThreshold", "preparedStatementCacheQueries", "socketTimeout", "loginTimeout", "connectTimeout",
    "tcpKeepAlive", "ApplicationName", "reWriteBatchedInserts", "stringtype", "reconnect", "encoding", "charset",
    "conn_max_age", "checkout_timeout", "reaping_frequency", "variables",
)  # fmt: skip

_SCHEMA = ("schema", "currentSchema", "search_path")
"""Of Prisma, of JDBC, and of pgx."""
_TRANSLATED: Mapping[str, str] = MappingProxyType({"ssl": "sslmode", "targetServerType": "target_session_attrs"})
_MODES: Mapping[str, str] = MappingProxyType(
    {"true": "require", "1": "require", "no-verify": "require", "false": "disable", "0": "disable"}
)
"""How asyncpg and node-postgres say what ``sslmode`` says."""
_SERVERS: Mapping[str, str] = MappingProxyType(
    {"master": "primary", "secondary": "standby", "slave": "standby", "preferSecondary": "prefer-standby"}
)


_KEYWORDS = (
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "fallback_application_name",
    "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
    "keepalives_interval", "krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version",
    "oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile", "password", "port",
    "replication", "require_auth", "requirepeer", "scram_client_key", "scram_server_key", "service",
    "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl",
    "sslcrldir", "sslkey", "sslkeylogfile", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni",
    "target_session_attrs", "tcp_user_timeout", "user",
)  # fmt: skip
DIALECT = Dialect(
    name="connection string",
    server="PostgreSQL",
    schemes=MappingProxyType(dict.fromkeys(("postgresql", "postgres", "postgis"), "postgresql")),
    reads=(*_KEYWORDS, *_TRANSLATED, *_SCHEMA),
    idle=_IDLE,
    example=EXAMPLE,
)


def translated(text: str) -> tuple[str, str]:
    """The URL as libpq reads it, and the schemas of its search path (empty where it names none).

    Raises ProbeError of kind malformed.
    """
    url = read_url(text, DIALECT)
    schemas = [unquote(value) for name, value in url.parameters if name in _SCHEMA]
    parameters = [_parameter(name, value) for name, value in url.parameters if name not in _SCHEMA]
    return _joined(url, parameters), schemas[-1] if schemas else ""


def _parameter(name: str, value: str) -> tuple[str, str]:
    name = _TRANSLATED.get(name, name)
    words = _MODES if name == "sslmode" else _SERVERS if name == "target_session_attrs" else {}
    plain = unquote(value)
    return (name, quote(words[plain])) if plain in words else (name, value)


def _joined(url: Url, parameters: list[tuple[str, str]]) -> str:
    query = "&".join(f"{name}={value}" for name, value in parameters)
    return f"{url.scheme}://{url.authority}{url.path}" + (f"?{query}" if query else "")


def typed(dsn: Secret) -> Secret:
    """The connection string for a command of libpq, such as ``psql``."""
    text = unwrapped(dsn)
    if not is_url(text):
        return dsn  # blanks around host=... are nothing to libpq, and what cannot be read stays hidden
    try:
        readable, _ = translated(text)
    except ProbeError:
        return dsn
    return as_typed(dsn, readable)
