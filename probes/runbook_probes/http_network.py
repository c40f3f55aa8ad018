"""The network under httpcore: names are looked up under a deadline, an address that stays silent does not hold up the
others, and every phase is timed where it happens. There are no time-outs here; whoever waits has a deadline.
"""
# ruff: noqa: ARG002 - the signatures are httpcore's

import selectors
import socket
import ssl
from collections.abc import Callable, Iterable

import anyio
import httpcore
from anyio import aclose_forcefully
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSStream

from runbook_probes import network
from runbook_probes.http_timeline import Timeline


class Network(httpcore.AsyncNetworkBackend):
    """``timeline`` gives the one of the request that is being made."""

    def __init__(self, timeline: Callable[[], Timeline]) -> None:
        self._timeline = timeline

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        timeline = self._timeline()
        timeline.missed = f"the name {host} could not be looked up"
        begun = anyio.current_time()
        addresses = await network.lookup(host)
        looked_up = anyio.current_time()
        if not network.is_address(host):
            timeline.dns = (timeline.dns or 0.0) + looked_up - begun
        timeline.missed = f"{timeline.where} did not answer the attempt to connect"
        stream = await network.connect(addresses, port)
        timeline.connect = (timeline.connect or 0.0) + anyio.current_time() - looked_up
        timeline.address = network.where(str(stream.extra(SocketAttribute.remote_address)[0]), port)  # noqa: S610
        return _Stream(stream, self._timeline)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: ByteStream, timeline: Callable[[], Timeline]) -> None:
        self._stream = stream
        self._timeline = timeline

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            piece = await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        self._timeline().received(piece)
        return piece

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        try:
            await self._stream.send(buffer)
        except anyio.BrokenResourceError as error:
            raise httpcore.WriteError(str(error)) from error
        self._timeline().requested()

    async def aclose(self) -> None:
        await aclose_forcefully(self._stream)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        timeline = self._timeline()
        timeline.missed = f"{timeline.where} accepted the connection, but did not finish the TLS handshake"
        begun = anyio.current_time()
        try:
            stream = await TLSStream.wrap(
                self._stream,
                ssl_context=ssl_context,
                # A certificate has no dot at the end of its names, and SNI neither: browsers and curl leave it out.
                hostname=server_hostname.removesuffix(".") if server_hostname else server_hostname,
                standard_compatible=False,
                server_side=False,
            )
        except anyio.EndOfStream:
            await self.aclose()
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "closed during the handshake") from None
        except BaseException:
            await self.aclose()
            raise
        timeline.tls = (timeline.tls or 0.0) + anyio.current_time() - begun
        return _Stream(stream, self._timeline)

    def get_extra_info(self, info: str) -> object:
        match info:
            case "ssl_object":
                return self._stream.extra(TLSAttribute.ssl_object, None)  # noqa: S610 - not Django's
            case "is_readable":
                return _is_readable(self._stream.extra(SocketAttribute.raw_socket))  # noqa: S610
        return None


def _is_readable(raw: socket.socket) -> bool:
    """Of an idle connection: whether the server has closed it."""
    with selectors.DefaultSelector() as selector:
        selector.register(raw, selectors.EVENT_READ)
        return bool(selector.select(0))
