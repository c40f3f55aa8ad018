"""HTTPS servers on loopback whose certificate is good, or wrong in one way."""

import json
import socket
import ssl
import tempfile
import threading
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, Self, get_args

from runbook_engine.lab.authority import Authority
from runbook_engine.lab.process import HOST

TlsKind = Literal[
    "fresh",
    "expiring",
    "expired",
    "wrong_name",
    "incomplete_chain",
    "expiring_chain",
    "expired_chain",
    "self_signed",
    "untrusted",
    "old_protocol",
]
KINDS: tuple[TlsKind, ...] = get_args(TlsKind)

NAME = "api.pixelatedempathy.com"
OTHER_NAME = "www.example.com"
FRESH_DAYS = 90.0
EXPIRING_DAYS = 29.0
EXPIRED_DAYS = -3.0
_INTERMEDIATE_DAYS = MappingProxyType({"expiring_chain": 9.0, "expired_chain": EXPIRED_DAYS})
_PATIENCE_S = 10.0


class TlsServer:
    """Answers ``GET /health`` while it is open::

        with TlsServer("expiring", days=29) as server:
            ...  # https://127.0.0.1:{server.port}/health, for the name server.name, trusting server.ca_file

    ``days`` is when the certificate expires, from now; without it 90, for ``expiring`` 29, for ``expired`` three days ago.
    ``name`` is the name that clients ask for; the certificate is also for 127.0.0.1 and localhost, but for ``wrong_name``,
    which is for another name alone. The intermediate certificate of ``expiring_chain`` expires in 9 days, that of
    ``expired_chain`` did three days ago. ``untrusted`` sends a whole chain, of an authority that ``ca_file`` does not hold.
    ``trusted_too`` is a PEM file of authorities that ``ca_file`` holds besides this server's own.
    """

    def __init__(
        self, kind: TlsKind = "fresh", *, days: float | None = None, name: str = NAME, trusted_too: str | Path = ""
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of TLS server; kinds are {', '.join(KINDS)}")
        self.kind: TlsKind = kind
        self.name = name
        self.port = 0
        self.ca_file = ""
        self._trusted_too = trusted_too
        self._days = (
            days if days is not None else {"expiring": EXPIRING_DAYS, "expired": EXPIRED_DAYS}.get(kind, FRESH_DAYS)
        )
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            folder = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="runbook-tls-")))
            context = self._context(folder)
            server = opening.enter_context(_Server(context))
            self.port = int(server.server_address[1])
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="lab TLS server", daemon=True)
            thread.start()
            opening.callback(thread.join)
            opening.callback(server.shutdown)
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    def _context(self, folder: Path) -> ssl.SSLContext:
        authority = Authority("runbook-engine lab", intermediate_days=_INTERMEDIATE_DAYS.get(self.kind))
        names = [OTHER_NAME] if self.kind == "wrong_name" else [self.name, "localhost", HOST]
        issuer = Authority("Nobody's authority") if self.kind == "untrusted" else authority
        issued = (
            issuer.self_signed(names, self._days) if self.kind == "self_signed" else issuer.issue(names, self._days)
        )
        sent = {"incomplete_chain": issued.chain[:1], "untrusted": (*issued.chain, issuer.root)}.get(
            self.kind, issued.chain
        )
        self.ca_file = str(folder / "ca.pem")
        Path(self.ca_file).write_bytes(
            authority.root + (Path(self._trusted_too).read_bytes() if self._trusted_too else b"")
        )
        shown = folder / "server.pem"
        shown.touch(mode=0o600)
        shown.write_bytes(issued.key + b"".join(sent))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.kind == "old_protocol":
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        else:
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(shown)
        return context


class _Server(ThreadingHTTPServer):
    """Shakes hands in the thread of each connection, so that a silent client holds up nobody."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__((HOST, 0), _Handler)
        self._context = context

    def finish_request(self, request: "socket.socket | tuple[bytes, socket.socket]", client_address: object) -> None:
        assert isinstance(request, socket.socket)
        request.settimeout(_PATIENCE_S)
        # A client that leaves, or that does not like the certificate.
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as secured:
            _Handler(secured, client_address, self)

    def shutdown_request(self, request: "socket.socket | tuple[bytes, socket.socket]") -> None:
        """The socket went over to the one that is secured, which is closed by then."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        found = self.path.partition("?")[0] == "/health"
        body = json.dumps({"status": "ok"} if found else {"error": "not found"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nobody reads a line for each request."""
