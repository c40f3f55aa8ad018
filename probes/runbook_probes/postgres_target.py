"""Whom a connection string means."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from runbook_engine.probe import ErrorKind, Params, ProbeError, Secret
from runbook_probes.connection_string import is_url, unwrapped
from runbook_probes.network import ascii_name, is_address, lookup, not_connected, where
from runbook_probes.postgres_url import EXAMPLE, translated

DEFAULT_PORT = "5432"


class PostgresParams(Params):
    """Of every probe that connects to a PostgreSQL server."""

    CONNECTS_TO = ("dsn",)
    OWN_CREDENTIALS = "the password of PGPASSWORD or ~/.pgpass"


@dataclass(frozen=True, slots=True)
class Target:
    """A connection string taken apart. What holds the password is not shown.

    ``schema`` names the schemas in which statements look for tables, with commas in between; empty leaves it to the server.
    """

    where: str
    user: str
    database: str
    password: str = field(repr=False)
    settings: Mapping[str, str] = field(repr=False)
    schema: str = ""

    def masked(self, text: str) -> str:
        """The text without the password. One or two letters are no secret, and hiding them would hide the message."""
        return text.replace(self.password, "***") if len(self.password) > 2 else text


def read_dsn(dsn: Secret, environ: Mapping[str, str]) -> Target:
    """A URL of any client, or ``host=… user=…``; the variables PGHOST, PGPORT, PGUSER and PGDATABASE fill in as for psql.

    Raises ProbeError of kind malformed, whose message does not repeat the connection string.
    """
    text, schema = unwrapped(dsn), ""
    if not text:
        raise ProbeError(ErrorKind.MALFORMED, "the connection string is empty", remedy=EXAMPLE)
    if is_url(text):
        text, schema = translated(text)
    settings = _parsed(text)
    for name, variable in (("host", "PGHOST"), ("port", "PGPORT"), ("user", "PGUSER"), ("dbname", "PGDATABASE")):
        if not settings.get(name) and environ.get(variable):
            settings[name] = environ[variable]
    hosts = settings.get("host") or settings.get("hostaddr") or ""
    user = settings.get("user") or environ.get("USER") or "the default role"
    return Target(
        where=", ".join(_place(host, port) for host, port in _pairs(hosts, settings.get("port", ""))),
        user=user,
        database=settings.get("dbname") or user,
        password=settings.get("password") or environ.get("PGPASSWORD", ""),
        settings=settings,
        schema=schema,
    )


def _parsed(text: str) -> dict[str, str]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    with suppress(psycopg.Error, UnicodeError):
        return {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}
    # The client's error repeats what it could not read, so it is not chained to ours.
    raise ProbeError(ErrorKind.MALFORMED, "the connection string cannot be read", remedy=EXAMPLE)


async def looked_up(target: Target) -> dict[str, str]:
    """The settings with the addresses of every host, so that the client does not look them up with no deadline.

    Raises ProbeError where no host has an address.
    """
    settings = dict(target.settings)
    hosts = settings.get("host", "")
    if not hosts or settings.get("hostaddr"):
        return settings  # nothing to look up
    pairs = _pairs(hosts, settings.get("port", ""))
    found: list[tuple[str, str, str]] = []
    failed: list[ProbeError] = []
    for host, port in pairs:
        if _is_socket(host):
            found.append((host, "", port))
            continue
        try:
            found += [(ascii_name(host), address, port) for address in await lookup(host)]
        except socket.gaierror as error:
            failed.append(not_connected(error, host, int(port) if port.isdecimal() else 0))
            failed[-1].__cause__ = error
    if not found:
        raise failed[0]
    settings["host"], settings["hostaddr"], settings["port"] = (",".join(each) for each in zip(*found, strict=True))
    return settings


def _pairs(hosts: str, ports: str) -> list[tuple[str, str]]:
    """Hosts with their ports: one port is for all of them."""
    names = hosts.split(",")
    numbers = [port or DEFAULT_PORT for port in ports.split(",")]
    return list(zip(names, numbers * len(names) if len(numbers) == 1 else numbers, strict=False))


def _is_socket(host: str) -> bool:
    return not host or host.startswith(("/", "@"))


def _place(host: str, port: str) -> str:
    if _is_socket(host):
        return f"the socket in {host}" if host else "the local socket"
    number = int(port) if port.isdecimal() else 0
    return where(host, number) if number or is_address(host) else host
