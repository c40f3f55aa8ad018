"""Name servers on loopback that know what they are told."""

import socket
import socketserver
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from ipaddress import ip_address
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from runbook_engine.lab.process import HOST

if TYPE_CHECKING:
    import dns.message
    import dns.name
    import dns.rdata

TTL_S = 60
MOST_ALIASES = 8
_PATIENCE_S = 10.0
_ATTEMPTS = 20

Zone = Mapping["dns.name.Name", Sequence["dns.rdata.Rdata"]]


class DnsServer:
    """Answers over UDP and TCP while it is open, as ``address``::

        with DnsServer({"api.test": ["10.0.0.7", "10.0.0.8"], "www.test": ["CNAME api.test."]}) as server:
            ...  # dig @127.0.0.1 -p PORT api.test

    A record is an address, or its type and data as in a zone file. Any other name does not exist (NXDOMAIN).
    """

    def __init__(self, records: Mapping[str, Sequence[str]] | None = None) -> None:
        self.address = ""
        self._zone: Zone = MappingProxyType({})
        self._opened = ExitStack()
        self.tell(records or {})

    def tell(self, records: Mapping[str, Sequence[str]]) -> None:
        """From now on it knows these records and no others. Raises ValueError for what is not a record."""
        self._zone = _zone(records)

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            tcp, udp, port = _bound(self._answer)
            opening.enter_context(tcp)
            opening.enter_context(udp)
            self.address = f"{HOST}:{port}"
            for server in (tcp, udp):
                thread = threading.Thread(
                    target=server.serve_forever, args=(0.05,), name="lab name server", daemon=True
                )
                thread.start()
                opening.callback(thread.join)
                opening.callback(server.shutdown)
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def _answer(self, wire: bytes, *, most: int | None) -> bytes | None:
        """In at most ``most`` bytes, where the client did not say that it takes more. None for what is no question."""
        import dns.exception
        import dns.flags
        import dns.message

        try:
            query = dns.message.from_wire(wire)
        except (dns.exception.DNSException, ValueError):
            return None
        if query.flags & dns.flags.QR or len(query.question) != 1:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= dns.flags.AA
        self._look_up(query, response)
        room = 65535 if most is None else max(most, query.payload)
        return response.to_wire(max_size=room, prefer_truncation=True)

    def _look_up(self, query: "dns.message.Message", response: "dns.message.Message") -> None:
        import dns.rcode
        import dns.rdatatype
        from dns.rdtypes.ANY.CNAME import CNAME

        question = query.question[0]
        name, zone = question.name, self._zone
        for _ in range(MOST_ALIASES):
            known = zone.get(name)
            if known is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                return
            alias = next((each for each in known if isinstance(each, CNAME)), None)
            wanted = question.rdtype if alias is None else dns.rdatatype.CNAME
            for record in known:
                if record.rdtype == wanted:
                    found = response.find_rrset(response.answer, name, question.rdclass, wanted, create=True)
                    found.add(record, TTL_S)
            if alias is None or question.rdtype == dns.rdatatype.CNAME:
                return
            name = alias.target


class _Answering(Protocol):
    def __call__(self, wire: bytes, *, most: int | None) -> bytes | None: ...


def _zone(records: Mapping[str, Sequence[str]]) -> Zone:
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass

    read: dict[dns.name.Name, tuple[dns.rdata.Rdata, ...]] = {}
    for name, listed in records.items():
        try:
            read[dns.name.from_text(name)] = tuple(
                dns.rdata.from_text(dns.rdataclass.IN, *_typed(each)) for each in listed
            )
        except dns.exception.DNSException as error:
            raise ValueError(f"{name}: {', '.join(listed)!r} are not records: {error}") from error
    return MappingProxyType(read)


def _typed(record: str) -> tuple[str, str]:
    try:
        return ("AAAA" if ip_address(record).version == 6 else "A"), record
    except ValueError:
        kind, _, data = record.partition(" ")
        return kind, data


def _bound(answer: _Answering) -> tuple[socketserver.BaseServer, socketserver.BaseServer, int]:
    """TCP and UDP on one port, which the system chose for TCP: for UDP it may be taken."""
    for _ in range(_ATTEMPTS):
        tcp = _Tcp(answer)
        port = int(tcp.server_address[1])
        try:
            return tcp, _Udp(port, answer), port
        except OSError:
            tcp.server_close()
    raise OSError(f"no port of {HOST} is free for both UDP and TCP")


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: _Answering) -> None:
        self.answer = answer
        super().__init__((HOST, 0), _TcpHandler)


class _TcpHandler(socketserver.StreamRequestHandler):
    """Each message with its length before it (RFC 1035, section 4.2.2)."""

    server: _Tcp
    timeout = _PATIENCE_S

    def handle(self) -> None:
        with suppress(OSError):
            while len(head := self.rfile.read(2)) == 2:
                response = self.server.answer(self.rfile.read(int.from_bytes(head, "big")), most=None)
                if response is None:
                    return
                self.wfile.write(len(response).to_bytes(2, "big") + response)


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False
    max_packet_size = 65535

    def __init__(self, port: int, answer: _Answering) -> None:
        self.answer = answer
        super().__init__((HOST, port), _UdpHandler)


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _Udp
    request: tuple[bytes, socket.socket]

    def handle(self) -> None:
        wire, answering = self.request
        response = self.server.answer(wire, most=512)
        if response is not None:
            with suppress(OSError):
                answering.sendto(response, self.client_address)
