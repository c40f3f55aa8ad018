"""TLS servers on loopback, made wrong in every way, and servers that are none."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from runbook_engine.probe import Probe, ProbeContext, ProbeError

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


LATE_S = 5.0
"""So much later than it should a probe may end on a machine that is busy: what it is held by here would hold it for ever."""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Made:
    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def staple(self, status: ocsp.OCSPCertStatus, issuer: "Made") -> bytes:
        """What its authority says of it, signed."""
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.certificate,
            issuer=issuer.certificate,
            algorithm=hashes.SHA256(),
            cert_status=status,
            this_update=now(),
            next_update=now() + dt.timedelta(days=1),
            revocation_time=now() if status is ocsp.OCSPCertStatus.REVOKED else None,
            revocation_reason=None,
        )
        responder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
        return responder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def make(
    common_name: str,
    *,
    issuer: Made | None = None,
    names: Sequence[str] = (),
    authority: bool = False,
    extensions: Sequence[x509.ExtensionType] = (),
    key: Key | None = None,
    begins: dt.timedelta = dt.timedelta(days=-1),
    ends: dt.timedelta = dt.timedelta(days=60),
    organisation: str = "",
) -> Made:
    key = key or ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    subject = x509.Name(attributes)
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() + begins)
        .not_valid_after(now() + ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if names:
        listed: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address(each)) if each[:1].isdigit() or ":" in each else x509.DNSName(each)
            for each in names
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(listed), critical=False)
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    return Made(builder.sign(signer, hashes.SHA256()), key)


@dataclass
class Server:
    """``here`` is how many clients are connected at this moment, ``connections`` how many there ever were."""

    port: int = 0
    connections: int = 0
    here: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def everybody_left(self) -> None:
        with anyio.fail_after(2):
            async with self.changed:
                await self.changed.wait_for(lambda: self.here == 0)

    async def somebody_came(self) -> None:
        with anyio.fail_after(2):
            async with self.changed:
                await self.changed.wait_for(lambda: self.connections > 0)

    async def note(self, change: int) -> None:
        async with self.changed:
            self.here += change
            self.connections += max(change, 0)
            self.changed.notify_all()


async def until_end_of_file(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


class Servers:
    """Starts servers and stops them at the end of the test."""

    make = staticmethod(make)

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self.authority = trustme.CA()
        self.ca_file = self.file("ca.pem", self.authority.cert_pem.bytes())

    def file(self, name: str, content: bytes) -> str:
        (self._folder / name).write_bytes(content)
        return str(self._folder / name)

    async def start(self, handler: Handler) -> Server:
        tasks: set[asyncio.Task[None]] = set()
        server = Server()

        async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.note(+1)
            try:
                await handler(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.close()
                await server.note(-1)

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(attend(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        listening = await asyncio.start_server(begin, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]

        async def stop() -> None:
            listening.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._stack.push_async_callback(stop)
        return server

    async def black_hole(self) -> Server:
        async def handler(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await until_end_of_file(reader)

        return await self.start(handler)

    async def talker(self, speech: bytes, *, close: bool = True) -> Server:
        """Says something, whatever it is asked."""

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not speech.startswith((b"SSH", b"220")):
                await reader.read(65536)
            writer.write(speech)
            await writer.drain()
            if not close:
                await until_end_of_file(reader)

        return await self.start(handler)

    async def resetter(self) -> Server:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(65536)
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        return await self.start(handler)

    async def repeater(self, beginning: bytes, again: bytes, every: float) -> Server:
        """Says ``beginning``, and then ``again`` without end."""

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            left = asyncio.ensure_future(until_end_of_file(reader))
            try:
                writer.write(beginning)
                while not left.done():
                    writer.write(again)
                    await writer.drain()
                    await asyncio.wait([left], timeout=every)
            finally:
                left.cancel()

        return await self.start(handler)

    async def relay(
        self, port: int, *, most: int = 65536, every: float = 0.0, after: tuple[int, str] = (9, "")
    ) -> Server:
        """Between the client and a server: passes on its answers in pieces of ``most`` bytes, one ``every`` seconds.

        ``after`` so many connections it is a "black hole", or cuts off what comes after the server's "first answer".
        """

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            changed = after[1] if server.connections > after[0] else ""
            if changed == "black hole":
                await until_end_of_file(reader)
                return
            there, back = await asyncio.open_connection("127.0.0.1", port)

            async def answers() -> None:
                while received := await there.read(most):
                    writer.write(received)
                    await writer.drain()
                    await asyncio.sleep(every)
                    if changed:
                        break
                writer.write_eof()

            async def questions() -> None:
                while received := await reader.read(65536):
                    back.write(received)
                    await back.drain()

            answering = asyncio.ensure_future(answers())
            try:
                await questions()
            finally:
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)
                back.close()

        server = await self.start(handler)
        return server

    def tls(
        self,
        *made: "Made | trustme.LeafCert",
        version: ssl.TLSVersion | None = None,
        demand: ssl.VerifyMode = ssl.CERT_NONE,
    ) -> int:
        """The port of a TLS server. The first shows its certificate, the others are its chain, as they are given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        first, *rest = made
        if isinstance(first, trustme.LeafCert):
            first.configure_cert(context)
        else:
            secret = first.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            pem = secret + first.pem + b"".join(each.pem for each in rest if isinstance(each, Made))
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.load_cert_chain(self.file(f"{id(first)}.pem", pem))
        if version is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # that the versions are old is the point
                context.minimum_version = context.maximum_version = version
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.verify_mode = demand
        if demand is not ssl.CERT_NONE:
            self.authority.configure_trust(context)

        def attend(accepted: socket.socket) -> None:
            with context.wrap_socket(accepted, server_side=True) as secured:
                secured.recv(1)

        return self._threaded(attend)

    def stapling(self, made: Made, answer: bytes) -> int:
        """The port of a server that sends this OCSP answer along."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.use_privatekey(made.key)
        context.use_certificate(made.certificate)
        context.set_ocsp_server_callback(lambda _connection, _data: answer)
        return self._openssl(context)

    def every_version(self, made: Made) -> int:
        """The port of a server that accepts every version of TLS that OpenSSL has."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        context.set_min_proto_version(SSL.TLS1_VERSION)
        context.use_privatekey(made.key)
        context.use_certificate(made.certificate)
        return self._openssl(context)

    def anonymous(self) -> int:
        """The port of a server that has no certificate."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_cipher_list(b"aNULL:@SECLEVEL=0")
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        return self._openssl(context)

    def by_name(self, default: Made, **others: Made) -> int:
        """The port of a server that chooses its certificate by the name that is asked for (SNI), ``-`` written ``_``."""

        def context_of(made: Made) -> SSL.Context:
            context = SSL.Context(SSL.TLS_SERVER_METHOD)
            context.use_privatekey(made.key)
            context.use_certificate(made.certificate)
            return context

        contexts = {name.replace("_", "."): context_of(made) for name, made in others.items()}

        def choose(connection: SSL.Connection) -> None:
            asked = (connection.get_servername() or b"").decode()
            if asked in contexts:
                connection.set_context(contexts[asked])

        first = context_of(default)
        first.set_tlsext_servername_callback(choose)
        return self._openssl(first)

    def _openssl(self, context: SSL.Context) -> int:
        def attend(accepted: socket.socket) -> None:
            # OpenSSL reads the socket by itself and knows nothing of Python's own time limit.
            accepted.settimeout(None)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
            connection = SSL.Connection(context, accepted)
            connection.set_accept_state()
            with suppress(SSL.Error):
                connection.do_handshake()
                connection.recv(1)

        return self._threaded(attend)

    def _threaded(self, attend: Callable[[socket.socket], None]) -> int:
        stack = self._stack.enter_context(ExitStack())
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def one(accepted: socket.socket) -> None:
            with accepted, suppress(OSError):
                accepted.settimeout(5)
                attend(accepted)

        def serve() -> None:
            threads: list[threading.Thread] = []
            while not stopped.is_set():
                accepted, _ = listening.accept()
                threads.append(threading.Thread(target=one, args=(accepted,), daemon=True))
                threads[-1].start()
            for each in threads:
                each.join(10)

        stopped = threading.Event()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def stop() -> None:
            stopped.set()
            socket.create_connection(listening.getsockname()).close()
            thread.join(20)

        stack.callback(stop)
        return int(listening.getsockname()[1])

    def refusing_port(self) -> int:
        """A port that is taken, so that nobody else gets it, and on which nobody listens."""
        taken = self._stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    async with AsyncExitStack() as stack:
        yield Servers(stack, tmp_path)


@pytest.fixture
def measure() -> Callable[..., Awaitable[Any]]:
    """Measures once, told of the deadline that the engine would set."""

    async def once(probe: Probe[Any, Any], timeout: float = 5.0, **params: object) -> Any:
        with anyio.fail_after(timeout + LATE_S):
            given = {"host": "127.0.0.1", **params}
            ctx = ProbeContext(deadline=anyio.current_time() + timeout)
            return await probe(probe.params.model_validate(given), ctx)

    return once


@pytest.fixture
def fails(measure: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[ProbeError]]:
    """Measures, and gives the ProbeError that must come of it."""

    async def once(probe: Probe[Any, Any], timeout: float = 5.0, **params: object) -> ProbeError:
        with pytest.raises(ProbeError) as caught:
            await measure(probe, timeout, **params)
        return caught.value

    return once
