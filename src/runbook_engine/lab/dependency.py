"""The external API that the lab's API depends on: it answers, is gone, or never comes to the end of an answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self

from runbook_engine.lab.process import HOST, Port

State = Literal["up", "down", "slow_loris"]
DRIP_EVERY_S = 0.5
PROMISED_BYTES = 1_000
_PATIENCE_S = 10.0


class Dependency:
    """Answers every GET with 200 while it is open, at ``url``. Where it is ``down``, nobody listens on its port."""

    def __init__(self, state: State = "up") -> None:
        self._state = state
        self._ended = threading.Event()
        self._port: Port | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/health"

    def __enter__(self) -> Self:
        if self._state == "down":
            self._port = Port()
            self.port = self._port.number
            return self
        self._server = _Server(self._ended, slow=self._state == "slow_loris")
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="lab-dependency", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._thread is not None:
            self._thread.join()
        if self._port is not None:
            self._port.release()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, ended: threading.Event, *, slow: bool) -> None:
        super().__init__((HOST, 0), _Handler)
        self.ended = ended
        self.slow = slow

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S
    server: _Server

    def do_GET(self) -> None:
        body = json.dumps({"status": "ok"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(PROMISED_BYTES if self.server.slow else len(body)))
        self.end_headers()
        if not self.server.slow:
            self.wfile.write(body)
            return
        for _ in range(PROMISED_BYTES):
            self.wfile.write(b" ")
            if self.server.ended.wait(DRIP_EVERY_S):
                break
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nobody reads a line for each request."""
