"""Where servers of the soak listen: on loopback, with certificates of an authority of their own."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import trustme

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Begin = Callable[["Place"], Awaitable[int]]
"""Makes a server listen, and gives its port."""

PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
WIDE = 1 << 20


class Place:
    """Starts servers, and stops them when ``stack`` is closed."""

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self._stack = stack
        self._authority = trustme.CA()
        self.ca_file = folder / "authority.pem"
        self.ca_file.write_bytes(self._authority.cert_pem.bytes())

    async def listen(self, handler: Handler, tls: ssl.SSLContext | None = None, port: int = 0) -> int:
        """A server over TCP. ``handler`` attends each connection, which is closed behind it."""
        tasks: set[asyncio.Task[None]] = set()

        async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handler(reader, writer)
            except (OSError, EOFError, asyncio.LimitOverrunError):  # the client has left, or said too much
                pass
            finally:
                writer.close()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(attend(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        listening = await asyncio.start_server(begin, "127.0.0.1", port, ssl=tls, backlog=256)

        async def stop() -> None:
            listening.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._stack.push_async_callback(stop)
        return int(listening.sockets[0].getsockname()[1])

    async def datagrams(self, answer: Callable[[bytes], bytes | None], port: int = 0) -> int:
        """A server over UDP, silent where ``answer`` gives None."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(answer), local_addr=("127.0.0.1", port)
        )
        self._stack.callback(transport.close)
        return int(transport.get_extra_info("sockname")[1])

    def full_queue(self) -> int:
        """A port whose queue of connections is full: attempts to connect are neither taken nor refused."""
        listening = self._stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = self._stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        return int(listening.getsockname()[1])

    def closed(self) -> int:
        """A port that is taken, so that nobody else gets it, and on which nobody listens."""
        taken = self._stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])

    def certificate(self, name: str = "127.0.0.1", *, expired: bool = False) -> ssl.SSLContext:
        issued = self._authority.issue_cert(
            name,
            not_before=PAST if expired else None,
            not_after=PAST + dt.timedelta(days=1) if expired else None,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        return context


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is not None:
            self._transport.sendto(answer, addr)


def plain(handler: Handler) -> Begin:
    return lambda place: place.listen(handler)


def over_tls(handler: Handler, name: str = "127.0.0.1", *, expired: bool = False) -> Begin:
    return lambda place: place.listen(handler, place.certificate(name, expired=expired))


async def full_queue(place: Place) -> int:
    return place.full_queue()


async def closed(place: Place) -> int:
    return place.closed()


def says(*speech: bytes, heard: bytes = b"\r\n\r\n") -> Handler:
    """Waits until the client has said ``heard``, says its speech, and closes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(heard)
        writer.writelines(speech)
        await writer.drain()

    return handler


def pours(begin: bytes, piece: bytes, *, every: float = 0.0, heard: bytes = b"\r\n\r\n") -> Handler:
    """Says ``begin``, and then ``piece`` again and again: as fast as it is taken, or one ``every`` so many seconds."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if heard:
            await reader.readuntil(heard)
        writer.write(begin)
        left = asyncio.ensure_future(until_it_leaves(reader))
        try:
            while not left.done():
                writer.write(piece)
                await writer.drain()
                await asyncio.wait([left], timeout=every)
        finally:
            left.cancel()

    return handler


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await until_it_leaves(reader)


def resets(speech: bytes = b"", *, heard: bytes = b"\r\n\r\n") -> Handler:
    """Resets the connection: at once, or when the client has said ``heard`` and taken the speech."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if speech:
            await reader.readuntil(heard)
            writer.write(speech)
            await writer.drain()
            await asyncio.sleep(0.05)  # a reset overtakes what is under way
        taken = writer.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return handler


async def until_it_leaves(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(65536):
            pass
