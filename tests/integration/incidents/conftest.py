"""Services on loopback that take messages, and remember them: HTTP endpoints and a mail server."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Endpoint:
    """An HTTP server that answers each request by the next of ``answers``, then by 200; it keeps what it got."""

    port: int = 0
    got: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = field(default_factory=list)
    answers: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    usual: int = 200
    reply: bytes = b'{"status": "success", "dedup_key": "taken"}'
    silent: threading.Event | None = None

    @property
    def bodies(self) -> list[Mapping[str, Any]]:
        return [body for _, body, _ in self.got]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            made.got.append((self.path, json.loads(body), dict(self.headers)))
            if made.silent is not None:
                made.silent.wait(60)
                return
            status, headers = made.answers.pop(0) if made.answers else (made.usual, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(made.reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    if made.silent is not None:
        made.silent.set()
    server.shutdown()
    server.server_close()
    thread.join(10)


@dataclass
class Mailbox:
    """A mail server. ``refusal`` is what it says to the next ones instead of taking them."""

    port: int = 0
    got: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - its name there
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = message_from_bytes(content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.got.append((list(envelope.rcpt_tos), parsed))
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    controller = Controller(made, hostname="127.0.0.1", port=0)
    # It asks the port that it was given, so the system's choice is put there first.
    controller.port = _free_port()
    controller.start()
    made.port = controller.port
    yield made
    controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
