"""A server as a child process: ready when it answers, ended when told to, and at the latest with the interpreter."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from runbook_engine.errors import RunbookError
from runbook_engine.lab.binaries import Account

HOST = "127.0.0.1"
START_TIMEOUT_S = 30.0
LOOK_AGAIN_S = 0.01
STOP_PATIENCE_S = 5.0
LOG_TAIL = 2_000


class ServerStartError(RunbookError):
    """A server of the lab did not come up; the message ends with the end of its log."""

    def __init__(self, server: str, what: str, log: Path) -> None:
        tail = log.read_text(errors="replace")[-LOG_TAIL:].strip() if log.exists() else ""
        super().__init__(f"{server} {what}" + (f"; its log ends with\n{tail}" if tail else ""))


class Port:
    """A free port of 127.0.0.1 which stays ours, also while no server listens there.

    Linux lets a server bind the address of a socket that is bound and does not listen, and gives it to nobody who asks for
    any free port. Elsewhere the reservation ends when the server starts.
    """

    def __init__(self) -> None:
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reservation.bind((HOST, 0))
        self.number: int = self._reservation.getsockname()[1]
        self.release = weakref.finalize(self, self._reservation.close)

    def hand_over(self) -> int:
        """The number, for a server that binds it now."""
        if sys.platform != "linux":
            self.release()
        return self.number


class ServerProcess:
    """One running server. ``stop_signals`` are sent in order, each to be followed by the next where it is ignored."""

    def __init__(
        self,
        server: str,
        command: Sequence[str | Path],
        *,
        directory: Path,
        log: Path,
        stop_signals: Sequence[signal.Signals],
        account: Account | None = None,
    ) -> None:
        self._server = server
        self._log = log
        self._stop_signals = (*stop_signals, signal.SIGKILL)
        self._started_by = os.getpid()
        with log.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal reaches whoever runs the lab, and they end it in order.
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self, attempt: Callable[[], None], *, not_yet: type[Exception]) -> None:
        """Try until the attempt no longer raises ``not_yet``. Raises ServerStartError and leaves nothing running."""
        deadline = time.monotonic() + START_TIMEOUT_S
        try:
            while True:
                try:
                    return attempt()
                except not_yet as error:
                    if self._process.poll() is not None:
                        what = f"ended with code {self._process.returncode} before it was ready"
                        raise ServerStartError(self._server, what, self._log) from None
                    if time.monotonic() > deadline:
                        what = f"did not answer within {START_TIMEOUT_S:.0f} s"
                        raise ServerStartError(self._server, what, self._log) from error
                time.sleep(LOOK_AGAIN_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and its children. Does nothing where it has ended, or in a fork of the process that started it."""
        atexit.unregister(self.stop)
        if os.getpid() != self._started_by:
            return
        for number in self._stop_signals:
            if self._process.poll() is None:
                self._process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_PATIENCE_S)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
