"""The API as a child process, which ends when its standard input does."""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from runbook_engine.errors import RunbookError
from runbook_engine.lab.api.settings import ApiSettings

START_TIMEOUT_S = 20.0
LOG_TAIL = 2_000


class ApiProcess:
    """Starts at once, in parallel with its servers; serves once it is told its settings."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "api.log"
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal reaches the lab, and the lab ends its children in order.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "runbook_engine.lab.api"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def serve(self, settings: ApiSettings) -> int:
        """The port on which it serves from now on. Raises RunbookError with the end of its log where it does not."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(settings.to_line().encode())
            self._process.stdin.flush()
        except OSError:
            raise self._failure("ended before it served") from None
        line = self._first_line()
        try:
            return int(json.loads(line)["port"])
        except (ValueError, KeyError, TypeError):
            raise self._failure("ended before it served") from None

    def _first_line(self) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + START_TIMEOUT_S
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise self._failure(f"did not serve within {START_TIMEOUT_S:.0f} s")
            received = os.read(descriptor, 4096)
            if not received:
                break
            line += received
        return line

    def _failure(self, what: str) -> RunbookError:
        tail = self._log.read_text(errors="replace")[-LOG_TAIL:].strip()
        return RunbookError(f"the lab's API {what}" + (f"; its log ends with\n{tail}" if tail else ""))

    def stop(self) -> None:
        """It keeps nothing that would have to be saved."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                # Settings that it did not live to read are written once more, and in vain.
                with suppress(BrokenPipeError):
                    stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
