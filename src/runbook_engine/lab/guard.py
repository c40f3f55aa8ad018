"""Cleans up after a lab whose process was killed and could not: a small process that waits for the end of its input.

Run as a script it is the guard itself, which needs nothing but the standard library.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 5.0
LOOK_AGAIN_S = 0.02


class Guard:
    """Told what to end and what to remove; does so only if this process ends without leaving the context."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self, pid: int | None) -> None:
        self._tell({"end": pid})

    def spare(self, pid: int | None) -> None:
        """Its process has ended, and the number may soon be somebody else's."""
        self._tell({"spare": pid})

    def remove(self, folder: Path) -> None:
        self._tell({"remove": str(folder)})

    def _tell(self, order: dict[str, str | int | None]) -> None:
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def main() -> None:
    pids: list[int] = []
    folders: list[str] = []
    for line in sys.stdin:
        order = json.loads(line)
        if order.get("end"):
            pids.append(order["end"])
        if order.get("spare") in pids:
            pids.remove(order["spare"])
        if order.get("remove"):
            folders.append(order["remove"])
    for pid in pids:
        # Both servers shut down in order, without waiting for their clients; one that is stopped goes on for that.
        _send(pid, signal.SIGINT)
        _send(pid, signal.SIGCONT)
    deadline = time.monotonic() + PATIENCE_S
    while any(_send(pid, 0) for pid in pids) and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN_S)
    for pid in pids:
        _send(pid, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _send(pid: int, number: int) -> bool:
    """Whether the process was there to receive it."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
        return True
    return False


if __name__ == "__main__":
    main()
