"""Services on loopback that take messages, and remember them: HTTP endpoints and a mail server."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from runbook_engine.cli import incident_shared
from runbook_engine.cli.ending import ended


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


class VirtualClock:
    """Time that passes only when somebody says so, or waits."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.waits: list[float] = []
        self.stop_after: int | None = None

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.stop_after is not None and len(self.waits) > self.stop_after:
            raise KeyboardInterrupt
        self.at += seconds


@dataclass
class Desk:
    """The command in this process, with a journal, a clock and variables of its own."""

    clock: VirtualClock
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    code: int = 0
    out: str = ""
    err: str = ""

    def __call__(self, *arguments: str, code: int | None = 0) -> str:
        """What it prints on stdout; fails where the exit code is another one than ``code``."""
        self.capture.readouterr()
        self.code = ended(arguments)
        self.out, self.err = self.capture.readouterr()
        assert code is None or self.code == code, f"{arguments}: {self.code}\n{self.out}\n{self.err}"
        return self.out

    def minutes(self, minutes: float, *arguments: str, code: int | None = 0) -> str:
        """The same, so many minutes after the beginning."""
        self.clock.at = BEGIN + minutes * 60
        return self(*arguments, code=code)


BEGIN = 1_795_010_400.0
"""2026-11-18 14:00 UTC, a Wednesday."""


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    clock = VirtualClock(BEGIN)
    monkeypatch.setattr(incident_shared, "CLOCK", clock)
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("RUNBOOK_USER", "ann")
    monkeypatch.chdir(tmp_path)
    for name in ("PAGERDUTY_KEY", "SLACK_URL", "EMAIL_URL", "SMS_URL", "STATUS_PAGE_URL", "SUPPORT_EMAIL_URL"):
        monkeypatch.delenv(f"RUNBOOK_{name}", raising=False)
    return Desk(clock, capsys, monkeypatch)
