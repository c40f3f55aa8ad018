"""Services of messages in a process of their own, that write down what arrives before they answer."""

import json
import os
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

PAGER_KEY = "R0123456789ABCDEF0123456789ABCDE"


class Arrived(NamedTuple):
    """A request that was read to its end: ``service`` is pagerduty, slack or status."""

    service: str
    body: Mapping[str, Any]

    @property
    def what(self) -> str:
        """The same for a message that came twice."""
        if self.service == "pagerduty":
            return f"{self.body['event_action']} {self.body['dedup_key']}"
        return f"{self.body['title']}\n{self.body['message']}"


class Receiver:
    """Forked off before anything else is done; it ends when whoever made it does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        ready, said = os.pipe()
        ended, self._alive = os.pipe()
        if os.fork() == 0:
            os.close(ready)
            os.close(self._alive)
            self._serve(said, ended)
        os.close(said)
        os.close(ended)
        self.port = int(os.read(ready, 16))
        os.close(ready)

    def variables(self, place: str) -> Mapping[str, str]:
        """Where messages go, told apart by a ``place``."""
        base = f"127.0.0.1:{self.port}/{place}"
        return {
            "RUNBOOK_PAGERDUTY_KEY": f"http://{PAGER_KEY}@{base}/pagerduty",
            "RUNBOOK_SLACK_URL": f"json://{base}/slack",
            "RUNBOOK_STATUS_PAGE_URL": f"json://{base}/status",
        }

    def arrived(self, place: str) -> list[Arrived]:
        """What came to a place, in order."""
        file = self.folder / place
        lines = file.read_text().splitlines() if file.exists() else []
        return [Arrived(*json.loads(line)) for line in lines]

    def _serve(self, said: int, ended: int) -> None:
        import threading

        folder = self.folder

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self: Self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                _, place, service = self.path.split("/")
                line = json.dumps([service, body]) + "\n"
                number = os.open(folder / place, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
                os.write(number, line.encode())
                os.close(number)
                self.send_response(202)
                self.end_headers()
                self.wfile.write(b'{"status": "success"}')

            def log_message(self: Self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                pass

            def handle(self: Self) -> None:
                try:
                    super().handle()
                except OSError:  # who sent it was killed
                    self.close_connection = True

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.write(said, str(server.server_address[1]).encode())
        os.close(said)
        os.read(ended, 1)
        os._exit(0)
