"""HTTP/1.1 over TLS, one thread for each connection; connections are kept open."""

import json
import re
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket

import psycopg

from runbook_engine.lab.api.failures import Failures
from runbook_engine.lab.api.service import Answer, Service

IDLE_TIMEOUT_S = 60.0
_SESSION = re.compile(r"/api/sessions/([0-9]{1,9})\Z")


class ApiServer(ThreadingHTTPServer):
    """Serves on a free port of 127.0.0.1 once constructed; ``server_port`` says which."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service, certificate_file: str, failures: Failures) -> None:
        self.service = service
        self.failures = failures
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate_file)
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: object, client_address: object) -> None:
        """The handshake happens here, in the connection's own thread: a silent client holds nobody else."""
        assert isinstance(request, socket)
        request.settimeout(IDLE_TIMEOUT_S)
        try:
            secured = self._tls.wrap_socket(request, server_side=True)
        except OSError:
            return
        try:
            _Handler(secured, client_address, self)
        finally:
            secured.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "pixelated-api"
    sys_version = ""
    disable_nagle_algorithm = True
    # Head and body leave in one segment.
    wbufsize = -1
    server: ApiServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        try:
            if self.server.failures.is_due(path, self.headers.get("User-Agent", "")):
                answer = Answer(500, {"error": "KeyError: 'plan' in recommend()"})
            else:
                answer = self._endpoint(path)()
        except psycopg.Error as error:
            answer = Answer(500, {"error": f"the database refused a statement: {error}"})
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _endpoint(self, path: str) -> Callable[[], Answer]:
        service = self.server.service
        if path == "/health":
            return service.health
        if path == "/health/detailed" and service.account == "components":
            return service.health_detailed
        if path == "/status" and service.account == "deps":
            return service.status
        found = _SESSION.match(path)
        if found is not None:
            number = int(found[1])
            return lambda: service.session(number)
        return lambda: Answer(404, {"error": f"there is nothing at {path}"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it so
        """The lab's API keeps no access log."""
