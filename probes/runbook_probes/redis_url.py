"""Whom a Redis URL means.

https://redis.io/docs/latest/develop/clients/redis-py/connect/, https://valkey.io/topics/cli/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote

from runbook_engine.probe import ErrorKind, ProbeError, Secret
from runbook_probes.connection_string import ESCAPES, Dialect, as_typed, read_url, unwrapped
from runbook_probes.network import where

EXAMPLE = "write for example rediss://user:password@cache.example.com:6379/0"
DEFAULT_PORT = 6379

_TLS = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")

# Of redis-py and Celery, go-redis, node-redis, Rails and Spring.
_IDLE = (
    "timeout", "socket_timeout", "socket_connect_timeout", "connect_timeout", "connection_timeout", "read_timeout",
    "write_timeout", "dial_timeout", "pool_timeout", "idle_timeout", "conn_max_idle_time", "conn_max_lifetime",
    "max_connections", "pool_size", "min_idle_conns", "max_idle_conns", "max_retries", "min_retry_backoff",
    "max_retry_backoff", "retry_on_timeout", "retry_on_error", "reconnect_attempts", "health_check_interval",
    "socket_keepalive", "socket_read_size", "decode_responses", "encoding", "encoding_errors", "protocol", "client_name",
    "clientName", "lib_name", "lib_version", "prefix", "key_prefix", "namespace", "family", "ttl", "expires_in",
    "visibility_timeout", "single_connection_client", "maxclients",
)  # fmt: skip

DIALECT = Dialect(
    name="Redis URL",
    server="Redis",
    schemes=MappingProxyType(
        {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss", "unix": "unix"}
    ),
    reads=("db", "username", "password", *_TLS),
    idle=_IDLE,
    example=f"{EXAMPLE}; {ESCAPES}",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: a host with its port, or the path of a ``socket``. What holds the password is not shown.

    ``tls`` are the settings of TLS that the URL gives, by the names that redis-py has for them.
    """

    host: str
    port: int
    user: str
    secure: bool
    password: str = field(repr=False)
    socket: str = ""
    database: int = 0
    tls: Mapping[str, str | bool] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"the socket {self.socket}" if self.socket else where(self.host, self.port)

    def masked(self, text: str) -> str:
        """The text without the password. One or two letters are no secret, and hiding them would hide the message."""
        return text.replace(self.password, "***") if len(self.password) > 2 else text


def read_target(secret: Secret) -> Target:
    """Raises ProbeError of kind malformed, whose message does not repeat the URL."""
    text = unwrapped(secret)
    if not text:
        raise ProbeError(ErrorKind.MALFORMED, "the Redis URL is empty", remedy=EXAMPLE)
    url = read_url(text, DIALECT)
    given = dict(parse_qsl("&".join(f"{name}={value}" for name, value in url.parameters)))
    account, _, place = url.authority.rpartition("@")
    user, _, password = account.partition(":")
    socket = unquote(url.path) if url.scheme == "unix" else ""
    found = re.fullmatch(r"\[?(?P<host>[^\[\],]*?)\]?(:(?P<port>\d{0,5}))?", place)
    if found is None or int(found["port"] or 0) > 65535 or not (socket or found["host"]):
        what = "no path of a socket" if url.scheme == "unix" else "no host, or a port that is none"
        raise DIALECT.unreadable(f"cannot be read: it has {what}")
    # As redis-py has it: what is no number leaves the first database.
    database = given.get("db") or ("" if socket else unquote(url.path).strip("/"))
    return Target(
        host=unquote(found["host"]),
        port=int(found["port"] or DEFAULT_PORT),
        user=unquote(user) or given.get("username") or "default",
        secure=url.scheme == "rediss",
        password=unquote(password) or given.get("password", ""),
        socket=socket,
        database=int(database) if re.fullmatch(r"[0-9]{1,9}", database) else 0,
        tls=MappingProxyType(_tls(given)),
    )


def _tls(given: Mapping[str, str]) -> dict[str, str | bool]:
    """As Celery writes it too: ``ssl_cert_reqs=CERT_NONE``."""
    settings: dict[str, str | bool] = {name: given[name] for name in _TLS if name in given}
    if "ssl_cert_reqs" in settings:
        demanded = given["ssl_cert_reqs"].lower().removeprefix("cert_")
        if demanded not in ("none", "optional", "required"):
            raise DIALECT.unreadable("cannot be read: its ssl_cert_reqs is neither none, optional nor required")
        settings["ssl_cert_reqs"] = demanded
    if "ssl_check_hostname" in settings:
        settings["ssl_check_hostname"] = given["ssl_check_hostname"].lower() in ("true", "1", "yes")
    if settings.get("ssl_cert_reqs") == "none":
        settings["ssl_check_hostname"] = False
    return settings


def typed(secret: Secret) -> Secret:
    """The URL for ``redis-cli -u``, which knows two schemes and no parameters."""
    try:
        url = read_url(unwrapped(secret), DIALECT)
    except ProbeError:
        return secret
    return as_typed(secret, f"{url.scheme}://{url.authority}{url.path}")
