"""Programs that give credentials (``credential_process``), run where they can ask nobody and outlive nothing.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress


class HelperError(Exception):
    """A program could not be started."""


class Helpers:
    """Starts them without input and without a terminal, and ends what still runs with all of its children.

    ``running`` is the profile whose program is waited for, ``last`` the one whose program was to be started last.
    """

    def __init__(self) -> None:
        self.last: str | None = None
        self._lock = threading.Lock()
        self._started: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._ended = False

    def start(self, profile: str, command: Sequence[str], *, stdout: int, stderr: int) -> "subprocess.Popen[bytes]":
        """As ``subprocess.Popen``. Raises HelperError."""
        with self._lock:
            self.last = profile
            if self._ended:
                raise HelperError("nobody waits for it any more")
            try:
                # Whoever wants to ask something of a person opens /dev/tty, which a session of its own does not have.
                process = subprocess.Popen(  # noqa: S603 - the command is the user's own, from the AWS configuration
                    command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
                )
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise HelperError(f"it cannot be started ({reason.lower()})") from error
            self._started.append((profile, process))
            return process

    @property
    def running(self) -> str | None:
        with self._lock:
            return next((profile for profile, process in self._started if process.poll() is None), None)

    def end(self) -> None:
        """Start no more, and end those that run."""
        with self._lock:
            self._ended = True
            for _, process in self._started:
                if process.poll() is None:
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(process.pid, signal.SIGKILL)
