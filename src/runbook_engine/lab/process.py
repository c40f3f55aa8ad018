"""A server as a child process on loopback: ready when it answers, gone when told so, at the latest with the interpreter."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

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

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self, attempt: Callable[[], None], *, not_yet: type[Exception]) -> None:
        """Try until the attempt no longer raises ``not_yet``. Raises ServerStartError."""
        deadline = time.monotonic() + START_TIMEOUT_S
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

    def stop(self) -> None:
        """End the server and its children."""
        for number in self._stop_signals:
            if self._process.poll() is None:
                self._process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_PATIENCE_S)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


class LoopbackServer(ABC):
    """A server whose data live from start to stop. The port is the same from one start to the next."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = Port()
        self._home: Path | None = None
        self._process: ServerProcess | None = None
        self._started_by = 0

    @property
    def host(self) -> str:
        return HOST

    @property
    def port(self) -> int:
        return self._port.number

    @property
    def pid(self) -> int | None:
        """That of the server's first process; None while it is stopped."""
        return self._process.pid if self._process else None

    @property
    def home(self) -> Path | None:
        """The folder with its data, which is deleted when it stops; None while it is stopped."""
        return self._home

    def start(self) -> None:
        """Returns once the server answers. Raises BinaryNotFoundError or ServerStartError, and leaves nothing running."""
        if self._process is not None:
            return
        self._started_by = os.getpid()
        atexit.register(self.stop)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._home = self._new_home()
            self._process = self._launch(self._home)
            self._wait(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and delete its data. Does nothing while it is stopped, or in a fork of who started it."""
        if os.getpid() != self._started_by:
            return
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._port.release()

    def _new_home(self) -> Path:
        """A new folder for the server's files, which is deleted when it stops."""
        return Path(tempfile.mkdtemp(prefix="data-", dir=self._directory))

    @abstractmethod
    def _launch(self, home: Path) -> ServerProcess: ...

    @abstractmethod
    def _wait(self, process: ServerProcess) -> None: ...
