"""Servers on loopback that do what real ones do on their worst days."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import anyio
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.integration.documents import assert_document_as_declared

from runbook_engine.probe import Probe, ProbeContext

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


LATE_S = 5.0
"""So much later than it should a probe may end on a machine that is busy: what it is held by here would hold it for ever."""


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    number: int


@dataclass
class Response:
    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False


@dataclass
class Server:
    """``here`` is how many clients are connected at this moment, ``connections`` how many there ever were.

    ``poured`` counts the bytes of bodies that went out, where that matters.
    """

    port: int
    scheme: str = "http"
    connections: int = 0
    here: int = 0
    poured: int = 0
    requests: list[Request] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/health"

    def named(self, host: str) -> str:
        return f"{self.scheme}://{host}:{self.port}/health"

    async def everybody_left(self) -> None:
        """Waits until no client is connected any more, and fails where one stays."""
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


async def _until_end_of_file(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


class Servers:
    """Starts servers and stops them at the end of the test."""

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self.authority = trustme.CA()
        self.ca_file = self.file("ca.pem", self.authority.cert_pem.bytes())

    def file(self, name: str, content: bytes) -> str:
        (self._folder / name).write_bytes(content)
        return str(self._folder / name)

    async def start(self, handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Server:
        tasks: set[asyncio.Task[None]] = set()

        async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.note(+1)
            try:
                await handler(reader, writer)
            except (ConnectionError, ssl.SSLError):
                pass
            finally:
                writer.close()
                await server.note(-1)

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(attend(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        listening = await asyncio.start_server(begin, host, 0, ssl=tls)
        server = Server(listening.sockets[0].getsockname()[1], "https" if tls else "http")

        async def stop() -> None:
            listening.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._stack.push_async_callback(stop)
        return server

    async def http(
        self, answer: Callable[[Request], Response] | Response, *, tls: ssl.SSLContext | None = None
    ) -> Server:
        """Speaks HTTP/1.1 and keeps connections."""

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while head := await _read_head(reader):
                request = _request(head, len(server.requests))
                server.requests.append(request)
                response = answer(request) if callable(answer) else answer
                if response.hang:
                    await _until_end_of_file(reader)
                    return
                await asyncio.sleep(response.delay)
                writer.write(_written(response, request.method))
                await writer.drain()

        server = await self.start(handler, tls=tls)
        return server

    async def black_hole(self) -> Server:
        """Accepts, reads, and never says anything: to a TLS client as to any other."""

        async def handler(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await _until_end_of_file(reader)

        return await self.start(handler)

    async def dripper(self, begin: bytes, *, tls: ssl.SSLContext | None = None) -> Server:
        """Says ``begin`` and then one more byte again and again, without end."""

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            left = asyncio.ensure_future(_until_end_of_file(reader))
            try:
                writer.write(begin)
                while not left.done():
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.wait([left], timeout=0.01)
            finally:
                left.cancel()

        return await self.start(handler, tls=tls)

    async def talker(self, speech: bytes, *, close: bool = True) -> Server:
        """Says something, whatever it is asked, and closes."""

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not speech.startswith(b"SSH"):
                await reader.read(65536)
            writer.write(speech)
            await writer.drain()
            if not close:
                await _until_end_of_file(reader)

        return await self.start(handler)

    async def resetter(self, speech: bytes = b"") -> Server:
        """Waits for the request, says something or nothing, and resets the connection."""

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(65536)
            if speech:
                writer.write(speech)
                await writer.drain()
                await asyncio.sleep(0.05)  # let it arrive: a reset overtakes what is under way
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        return await self.start(handler)

    async def pourer(self, size: int) -> Server:
        """Answers with a body of ``size`` bytes, as fast as it is taken. ``poured`` counts what went out."""

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _read_head(reader)
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
            piece = b"a" * 65536
            for _ in range(size // len(piece)):
                writer.write(piece)
                await writer.drain()
                server.poured += len(piece)

        server = await self.start(handler)
        return server

    def handshake_only(self, context: ssl.SSLContext) -> Server:
        """Shakes hands once and leaves. In a thread: asyncio's servers leave without the alert that says why."""
        listening = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listening.settimeout(5)

        def attend() -> None:
            accepted, _ = listening.accept()
            accepted.settimeout(5)
            with accepted, contextlib.suppress(OSError):
                context.wrap_socket(accepted, server_side=True).close()

        thread = threading.Thread(target=attend, daemon=True)
        thread.start()
        self._stack.callback(thread.join, 10)
        return Server(listening.getsockname()[1], "https")

    def refusing_port(self) -> int:
        """A port that is taken, so that nobody else gets it, and on which nobody listens."""
        taken = self._stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])

    def unanswering_port(self, address: str = "127.0.0.1", port: int = 0) -> int:
        """A port whose queue of connections is full: attempts to connect are neither taken nor refused."""
        listening = self._stack.enter_context(socket.socket())
        listening.bind((address, port))
        listening.listen(0)
        for _ in range(4):
            waiting = self._stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        return int(listening.getsockname()[1])

    def tls(self, *names: str, expired: bool = False, authority: trustme.CA | None = None) -> ssl.SSLContext:
        """A server's context, with a certificate for these names."""
        issued = (authority or self.authority).issue_cert(
            *names,
            not_before=PAST if expired else None,
            not_after=PAST + dt.timedelta(days=1) if expired else None,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        return context

    def self_signed(self) -> ssl.SSLContext:
        """A server's context, with a certificate for 127.0.0.1 that vouches for itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = self._folder / "self-signed.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    async def dns_beside(
        self, over_tcp: Server, answer: "Callable[[dns.message.Message], dns.message.Message | None]"
    ) -> str:
        """A name server over UDP, on the port of one over TCP."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _NameServer(answer), local_addr=("127.0.0.1", over_tcp.port)
        )
        self._stack.callback(transport.close)
        return f"127.0.0.1:{over_tcp.port}"

    async def dns(self, answer: "Callable[[dns.message.Message], dns.message.Message | None]") -> str:
        """A name server over UDP, as ``address:port``. It stays silent where ``answer`` gives None."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _NameServer(answer), local_addr=("127.0.0.1", 0))
        self._stack.callback(transport.close)
        return f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"

    async def zone(self, *records: str) -> str:
        """A name server that knows these records, each written as ``api.test. 60 IN A 10.0.0.1``, and no other name."""

        def answer(query: dns.message.Message) -> dns.message.Message:
            response = dns.message.make_response(query)
            question = query.question[0]
            response.set_rcode(dns.rcode.NXDOMAIN)
            for record in records:
                name, ttl, _in, kind, data = record.split(maxsplit=4)
                if dns.name.from_text(name) != question.name:
                    continue
                response.set_rcode(dns.rcode.NOERROR)
                if kind == dns.rdatatype.to_text(question.rdtype):
                    of_name = response.find_rrset(
                        response.answer, question.name, question.rdclass, question.rdtype, create=True
                    )
                    of_name.add(dns.rdata.from_text(question.rdclass, question.rdtype, data), int(ttl))
            return response

        return await self.dns(answer)


class _NameServer(asyncio.DatagramProtocol):
    def __init__(self, answer: "Callable[[dns.message.Message], dns.message.Message | None]") -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # the base is wider
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(dns.message.from_wire(data))
        if answer is not None:
            self._transport.sendto(answer.to_wire(), addr)


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _request(head: bytes, number: int) -> Request:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, path, _version = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, path, headers, number)


def _written(response: Response, method: str) -> bytes:
    headers = {"Content-Length": str(len(response.body)), **response.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = b"" if method == "HEAD" else response.body
    return f"HTTP/1.1 {response.status} Whatever\r\n{head}\r\n".encode() + body


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    async with AsyncExitStack() as stack:
        yield Servers(stack, tmp_path)


@pytest.fixture
def response() -> type[Response]:
    return Response


@pytest.fixture
def measure() -> Callable[..., Awaitable[Any]]:
    """Measures once, told of the deadline that the engine would set."""

    async def once(probe: Probe[Any, Any], timeout: float = 5.0, **params: object) -> Any:
        with anyio.fail_after(timeout + LATE_S):
            ctx = ProbeContext(deadline=anyio.current_time() + timeout)
            reading = await probe(probe.params.model_validate(params), ctx)
            assert_document_as_declared(probe, reading)
            return reading

    return once
