"""A TLS handshake that accepts any certificate and keeps what the server showed.

Built on pyOpenSSL, because the ssl module shows neither a chain that does not verify nor a stapled answer. Bytes go between
the socket and OpenSSL by way of memory, so that a deadline cuts every wait. Importing this module loads OpenSSL.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

import anyio
from anyio.abc import SocketAttribute, SocketStream
from cryptography import x509
from OpenSSL import SSL, crypto

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.network import connect, is_address, not_connected, where
from runbook_probes.tls_failure import RefusedHandshakeError, explained, is_unable, malformed

Protocol = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]

MOST_RECEIVED = 1 << 20
"""Bytes of a whole handshake. OpenSSL itself takes no more than 100 KiB of certificates."""
ISSUER_UNKNOWN = frozenset({2, 20, 21})
"""X509_V_ERR_* that say that no issuer was found for a certificate."""

_OPENING = 64
_ALERT_S = 1.0
"""Seconds in which a server that asked for a client's certificate objects to getting none: with TLS 1.3 it does so late."""
_ASKED = b"read server certificate request"
# Weak keys and digests are for the reading to say, not for OpenSSL to refuse. Servers without a certificate are left out.
_CIPHERS = b"DEFAULT:!aNULL:!PSK:@SECLEVEL=0"
_OLD_CIPHERS = _CIPHERS
_OP_LEGACY_SERVER_CONNECT = 0x4


@dataclass
class Progress:
    """``missed`` is what is being waited for, in words that say what did not happen."""

    missed: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One of X509_V_ERR_*, at this many certificates above the server's own."""

    code: int
    depth: int
    certificate: x509.Certificate | None


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a server showed. ``chain`` is as it was sent, the server's own certificate first.

    ``path`` is what OpenSSL made of it: from the server's own certificate to an authority that is trusted here, or as far as
    issuers were found. Certificates that were sent for nothing are not on it.
    """

    address: str
    chain: tuple[x509.Certificate, ...]
    path: tuple[x509.Certificate, ...]
    protocol: Protocol
    cipher: str
    stapled: bytes
    problems: tuple[Problem, ...]
    time: float
    asked: bool


class UnknownAnswerError(Exception):
    """Whether old protocols are accepted cannot be told; the message says why."""


async def shake_hands(
    context: SSL.Context, addresses: Sequence[str], host: str, port: int, name: str, progress: Progress
) -> Handshake:
    """Raises ProbeError where no handshake comes about."""
    target = where(host, port)
    try:
        stream = await connect(addresses, port)
    except OSError as error:
        raise not_connected(error, host, port) from error
    try:
        progress.missed = f"{target} did not answer the TLS handshake"
        shaking = _Shaking(context, name, stream, progress, target)
        try:
            time = await shaking.finish()
        except RefusedHandshakeError as refusal:
            raise explained(refusal, target, shaking.opening, asked=shaking.asked, shown=shaking.leaf()) from refusal
        return shaking.result(time)
    finally:
        await anyio.aclose_forcefully(stream)


async def accepts_old(addresses: Sequence[str], host: str, port: int, name: str) -> bool:
    """Whether a handshake with TLS 1.0 or 1.1 comes as far as the server's certificate.

    Raises UnknownAnswerError where that cannot be told.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(_OLD_CIPHERS)
    context.set_options(_OP_LEGACY_SERVER_CONNECT)
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_max_proto_version(SSL.TLS1_1_VERSION)
    try:
        stream = await connect(addresses, port)
    except OSError as error:
        raise UnknownAnswerError(
            "the server took no second connection, for a handshake with TLS 1.0 and 1.1"
        ) from error
    try:
        shaking = _Shaking(context, name, stream, Progress(""), where(host, port))
        try:
            await shaking.finish()
        except RefusedHandshakeError as refusal:
            if is_unable(refusal):
                raise UnknownAnswerError(
                    "the OpenSSL of this machine cannot speak TLS 1.0 and 1.1 itself; another one can show it"
                ) from refusal
            return shaking.leaf() is not None
        except ProbeError:
            return False  # what is no TLS is no old TLS
        return True
    finally:
        await anyio.aclose_forcefully(stream)


def prepared(context: SSL.Context) -> SSL.Context:
    """The context, set to take whatever a server offers and to note what is wrong with it."""
    context.set_cipher_list(_CIPHERS)
    context.set_options(_OP_LEGACY_SERVER_CONNECT)
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_verify(SSL.VERIFY_PEER, _note_problem)
    context.set_info_callback(_note_state)
    context.set_ocsp_client_callback(_note_stapled)
    return context


@dataclass
class _Notes:
    problems: list[Problem] = field(default_factory=list)
    stapled: bytes = b""
    asked: bool = False


def _note_problem(connection: SSL.Connection, found: crypto.X509, code: int, depth: int, good: int) -> bool:
    if not good:
        cast("_Notes", connection.get_app_data()).problems.append(Problem(code, depth, _read(found)))
    return True


def _read(found: crypto.X509) -> x509.Certificate | None:
    """None for what OpenSSL takes for a certificate and others do not: nothing may be raised inside OpenSSL."""
    try:
        return found.to_cryptography()
    except ValueError:
        return None


def _note_state(connection: SSL.Connection, _where: int, _result: int) -> None:
    if _ASKED in connection.get_state_string():
        cast("_Notes", connection.get_app_data()).asked = True


def _note_stapled(connection: SSL.Connection, answer: bytes, _data: object) -> bool:
    cast("_Notes", connection.get_app_data()).stapled = answer
    return True


class _Shaking:
    """One handshake under way."""

    def __init__(self, context: SSL.Context, name: str, stream: SocketStream, progress: Progress, target: str) -> None:
        self.opening = b""
        self._notes = _Notes()
        self._stream = stream
        self._progress = progress
        self._target = target
        self._received = 0
        self._connection = SSL.Connection(context, None)
        self._connection.set_app_data(self._notes)
        self._connection.set_connect_state()
        self._connection.request_ocsp()
        if not is_address(name):
            self._connection.set_tlsext_host_name(asked_name(name).encode("ascii"))

    @property
    def asked(self) -> bool:
        """Whether the server wants the client's certificate."""
        return self._notes.asked

    def leaf(self) -> x509.Certificate | None:
        """The server's certificate, where it came as far as that."""
        try:
            chain = self._connection.get_peer_cert_chain(as_cryptography=True)
        except ValueError:
            return None
        return chain[0] if chain else None

    async def finish(self) -> float:
        """Seconds that it took. Raises RefusedHandshakeError."""
        started = anyio.current_time()
        while True:
            try:
                self._connection.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                await self._receive()
            except SSL.Error as error:
                await self._flush()  # the alert that tells the server why
                raise RefusedHandshakeError.of(error) from error
            else:
                break
        await self._flush()
        took = anyio.current_time() - started
        if self.asked and self._connection.get_protocol_version_name() == "TLSv1.3":
            await self._objection()
        return took

    async def _objection(self) -> None:
        with anyio.move_on_after(_ALERT_S):
            await self._receive()
            try:
                self._connection.recv(1)
            except SSL.WantReadError:
                return
            except SSL.Error as error:
                raise RefusedHandshakeError.of(error) from error

    async def _flush(self) -> None:
        while True:
            try:
                outgoing = self._connection.bio_read(65536)
            except SSL.WantReadError:
                return
            try:
                await self._stream.send(outgoing)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return  # what the server said before it left is still to be read

    async def _receive(self) -> None:
        try:
            incoming = await self._stream.receive(65536)
        except anyio.EndOfStream as error:
            raise RefusedHandshakeError("closed") from error
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise RefusedHandshakeError("reset") from error
        self._progress.missed = f"{self._target} did not finish the TLS handshake"
        self.opening = (self.opening + incoming)[:_OPENING]
        self._received += len(incoming)
        if self._received > MOST_RECEIVED:
            raise ProbeError(ErrorKind.TLS, f"{self._target} sends more and more without finishing the TLS handshake")
        self._connection.bio_write(incoming)

    def result(self, time: float) -> Handshake:
        connection = self._connection
        try:
            chain = tuple(connection.get_peer_cert_chain(as_cryptography=True) or ())
            path = tuple(connection.get_verified_chain(as_cryptography=True) or ())
        except ValueError as error:
            raise malformed(self._target) from error
        if not chain:
            raise ProbeError(ErrorKind.TLS, f"{self._target} shows no certificate")
        return Handshake(
            address=str(self._stream.extra(SocketAttribute.remote_address)[0]),  # noqa: S610 - not Django's
            chain=chain,
            path=path or chain[:1],
            protocol=cast("Protocol", connection.get_protocol_version_name()),
            cipher=connection.get_cipher_name() or "",
            stapled=self._notes.stapled,
            problems=tuple(self._notes.problems),
            time=time,
            asked=self.asked,
        )


def asked_name(name: str) -> str:
    """A name as SNI and certificates have it, without the dot at its end: ``API.example.com.`` -> ``api.example.com``."""
    return name.removesuffix(".").lower()
