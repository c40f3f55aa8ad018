"""The users of the lab's API: a few requests a second, so that its servers have something to count."""

import http.client
import itertools
import ssl
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from runbook_engine.lab.api.failures import UNCOUNTED
from runbook_engine.lab.api.service import SUMMARIES

INTERVAL_S = 0.5
REQUEST_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Answered:
    """The last answer of /health: its status, and after how many seconds it came."""

    status: int
    seconds: float


class Traffic:
    """Every half second its user asks for the API's health and for a session; where that took longer, again at once.

    Leave the context after the API has been stopped: then nobody waits for an answer any more.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.answered: Answered | None = None

    def start(self, port: int, tls: ssl.SSLContext) -> None:
        self._thread = threading.Thread(target=self._use, args=(port, tls), name="lab-user", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _use(self, port: int, tls: ssl.SSLContext) -> None:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=REQUEST_TIMEOUT_S, context=tls)
        due = time.monotonic()
        for session in itertools.cycle(SUMMARIES):
            if self._ended.wait(max(0.0, due - time.monotonic())):
                break
            due = max(due + INTERVAL_S, time.monotonic())
            try:
                begun = time.perf_counter()
                status = _get(connection, "/health")
                self.answered = Answered(status, time.perf_counter() - begun)
                _get(connection, f"/api/sessions/{session}")
            except (OSError, http.client.HTTPException):
                connection.close()
        connection.close()


def _get(connection: http.client.HTTPSConnection, path: str) -> int:
    connection.request("GET", path, headers={"User-Agent": UNCOUNTED})
    response = connection.getresponse()
    response.read()
    return response.status
