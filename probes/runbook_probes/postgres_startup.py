"""The first words between a client and a PostgreSQL server, and no more.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream

from runbook_engine.hostile import one_line
from runbook_engine.probe import ErrorKind, ProbeError, in_thread
from runbook_probes.network import connect, not_connected, where
from runbook_probes.postgres_target import DEFAULT_PORT
from runbook_probes.postgres_url import EXAMPLE

APPLICATION = "runbook"
MOST_ANSWER = 30_000
"""Bytes of a message of a server that did not let us in yet; libpq takes no more either."""
SOCKET_FOLDERS = ("/var/run/postgresql", "/tmp")  # noqa: S108 - where servers put their sockets
"""Of Debian and Red Hat, and of PostgreSQL's own builds."""

_PROTOCOL_3_0 = 196608
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_GREETING = struct.Struct("!ci")


@dataclass(frozen=True, slots=True)
class Place:
    """One server: a socket file, or a host with its address and port."""

    where: str
    host: str
    address: str
    port: int
    socket: str = ""


@dataclass(frozen=True, slots=True)
class Security:
    """``direct`` begins with TLS, without asking first whether the server speaks it (PostgreSQL 17)."""

    context: ssl.SSLContext
    direct: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """``state`` is the SQLSTATE of a server that refuses, and empty where it goes on to log the client in."""

    state: str = ""
    message: str = ""


def places(settings: Mapping[str, str]) -> tuple[Place, ...]:
    """The servers of a connection string whose names are looked up. Raises ProbeError of kind malformed."""
    addresses = settings["hostaddr"].split(",") if settings.get("hostaddr") else []
    hosts = settings["host"].split(",") if settings.get("host") else addresses or [""]
    ports = [port or DEFAULT_PORT for port in settings.get("port", "").split(",")]
    ports = ports * len(hosts) if len(ports) == 1 else ports
    addresses = addresses or [""] * len(hosts)
    if not len(hosts) == len(addresses) == len(ports) or not all(_is_port(port) for port in ports):
        raise ProbeError(ErrorKind.MALFORMED, "the connection string's hosts and ports cannot be read", remedy=EXAMPLE)
    return tuple(
        place
        for host, address, port in zip(hosts, addresses, ports, strict=True)
        for place in _places(host, address, int(port))
    )


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 65536


def _places(host: str, address: str, port: int) -> tuple[Place, ...]:
    if address or (host and not host.startswith(("/", "@"))):
        return (Place(where(host or address, port), host or address, address or host, port),)
    folders = (host,) if host else tuple(each for each in SOCKET_FOLDERS if Path(each, _file(port)).exists())
    sockets = [f"{folder}/{_file(port)}" for folder in folders or SOCKET_FOLDERS[:1]]
    return tuple(Place(f"the socket {each}", "", "", port, each) for each in sockets)


def _file(port: int) -> str:
    return f".s.PGSQL.{port}"


async def security(settings: Mapping[str, str], environ: Mapping[str, str]) -> Security | None:
    """What the ``sslmode`` demands; None where it can do without TLS: nothing secret is said before the log-in.

    Raises ProbeError where the authorities that it names cannot be read.
    """
    mode = settings.get("sslmode") or environ.get("PGSSLMODE") or "prefer"
    direct = (settings.get("sslnegotiation") or environ.get("PGSSLNEGOTIATION")) == "direct"
    if mode in ("disable", "allow", "prefer") and not direct:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    context.set_alpn_protocols(["postgresql"])
    if mode not in ("verify-ca", "verify-full"):
        context.verify_mode = ssl.CERT_NONE
        return Security(context, direct)
    roots = settings.get("sslrootcert") or environ.get("PGSSLROOTCERT") or "~/.postgresql/root.crt"
    try:
        if roots == "system":
            await in_thread(context.load_default_certs)
        else:
            await in_thread(lambda: context.load_verify_locations(Path(roots).expanduser()))
    except OSError as error:  # ssl.SSLError too
        raise ProbeError(
            ErrorKind.TLS,
            f"sslmode={mode} needs the certificates of authorities, and {roots} cannot be used",
            remedy="give the path of a PEM file as sslrootcert, or sslrootcert=system",
        ) from error
    return Security(context, direct)


async def ask(place: Place, settings: Mapping[str, str], secured: Security | None) -> Answer:
    """Raises ProbeError where the server gives no answer of PostgreSQL."""
    stream: ByteStream = await _connected(place)
    plain = stream
    try:
        if secured is not None and not place.socket:
            stream = await _secured(stream, place, secured)
        await stream.send(_startup(settings))
        return await _answer(stream, place)
    except anyio.EndOfStream as error:
        raise ProbeError(ErrorKind.REFUSED, f"{place.where} closed the connection without an answer") from error
    except (anyio.BrokenResourceError, OSError) as error:
        raise ProbeError(ErrorKind.REFUSED, f"{place.where} reset the connection without an answer") from error
    finally:
        await anyio.aclose_forcefully(plain)


async def _connected(place: Place) -> ByteStream:
    try:
        if place.socket:
            return await anyio.connect_unix("\0" + place.socket[1:] if place.socket[0] == "@" else place.socket)
        return await connect((place.address,), place.port)
    except OSError as error:
        if not place.socket:
            raise not_connected(error, place.host, place.port) from error
        if isinstance(error, PermissionError):
            raise ProbeError(ErrorKind.FORBIDDEN, f"this account may not use {place.where}") from error
        raise ProbeError(ErrorKind.REFUSED, f"nothing listens on {place.where}") from error


async def _secured(stream: ByteStream, place: Place, secured: Security) -> ByteStream:
    if not secured.direct:
        await stream.send(_SSL_REQUEST)
        # One byte: whatever came with it would not have come by way of TLS.
        said = await stream.receive(1)
        if said == b"N":
            raise ProbeError(
                ErrorKind.TLS,
                f"{place.where} does not speak TLS, which the connection string demands",
                remedy="turn on ssl in postgresql.conf, or give another sslmode",
            )
        if said != b"S":
            raise _foreign(place, said)
    try:
        return await TLSStream.wrap(
            stream, hostname=place.host, ssl_context=secured.context, standard_compatible=False, server_side=False
        )
    except ssl.SSLCertVerificationError as error:
        raise ProbeError(
            ErrorKind.TLS, f"the certificate of {place.where} is not accepted: {error.verify_message}"
        ) from error
    except ssl.SSLError as error:
        reason = (error.reason or "connection lost").replace("_", " ").lower()
        raise ProbeError(ErrorKind.TLS, f"the TLS connection to {place.where} failed: {reason}") from error
    except (anyio.BrokenResourceError, anyio.EndOfStream) as error:
        raise ProbeError(ErrorKind.TLS, f"{place.where} closed the connection during the TLS handshake") from error


def _startup(settings: Mapping[str, str]) -> bytes:
    user = settings.get("user") or APPLICATION
    words = ("user", user, "database", settings.get("dbname") or user, "application_name", APPLICATION)
    body = b"".join(word.encode() + b"\0" for word in words) + b"\0"
    return struct.pack("!ii", 8 + len(body), _PROTOCOL_3_0) + body


async def _answer(stream: ByteStream, place: Place) -> Answer:
    head = await _exactly(stream, _GREETING.size)
    kind, length = _GREETING.unpack(head)
    if kind in (b"R", b"v") and 8 <= length <= MOST_ANSWER:
        return Answer()
    if kind != b"E" or not 4 < length <= MOST_ANSWER:
        raise _foreign(place, head)
    body = await _exactly(stream, length - 4)
    fields = {field[:1]: field[1:].decode("utf-8", "replace") for field in body.split(b"\0") if field}
    state = fields.get(b"C", "")
    if len(state) != 5:
        raise _foreign(place, head + body)
    return Answer(state, one_line(fields.get(b"M", "")))


async def _exactly(stream: ByteStream, size: int) -> bytes:
    received = b""
    while len(received) < size:
        received += await stream.receive(size - len(received))
    return received


def _foreign(place: Place, said: bytes) -> ProbeError:
    shown = "".join(letter if letter.isprintable() else "." for letter in said[:32].decode("ascii", "replace"))
    return ProbeError(
        ErrorKind.MALFORMED,
        f"what answers on {place.where} is not PostgreSQL: its answer begins with {shown!r}",
        remedy="check host and port of the connection string",
    )
