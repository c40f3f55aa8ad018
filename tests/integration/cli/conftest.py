"""The command, as a person or a script starts it."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

RUNBOOK = str(Path(sys.executable).with_name("runbook"))


@dataclass(frozen=True)
class Shell:
    """A folder, an empty home, and the command."""

    folder: Path
    command: tuple[str, ...] = (RUNBOOK,)

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "PYTHONPATH")}
        return {**kept, "HOME": str(self.folder / "home"), "TERM": "xterm", "COLUMNS": "100"}

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
        )


class Terminal:
    """A command on a pseudo-terminal, typed to and read from like a person would."""

    def __init__(self, command: list[str], folder: Path, environ: dict[str, str]) -> None:
        self._here, there = pty.openpty()
        self._process = subprocess.Popen(
            command, stdin=there, stdout=there, stderr=there, cwd=folder, env=environ, start_new_session=True
        )
        os.close(there)
        self.seen = ""

    @property
    def plain(self) -> str:
        """What was seen, without what moves the cursor and colours."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen)

    def until(self, pattern: str, seconds: float = 20.0) -> None:
        """Read until the pattern shows."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            assert time.monotonic() < deadline, f"never saw {pattern!r} in {self.seen!r}"
            if not self._read(deadline - time.monotonic()):
                break
        assert re.search(pattern, self.seen), f"never saw {pattern!r} in {self.seen!r}"

    def type(self, text: str) -> None:
        os.write(self._here, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal sends it."""
        os.killpg(self._process.pid, signal.SIGINT)

    def interrupt_until_it_ends(self, seconds: float = 20.0) -> int:
        """Ctrl-C, again where nothing follows, as people do; the exit code.

        A signal that arrives after a prompt is written and before the terminal is read is kept by Python until the read
        returns, which on a loaded machine is likely: whoever waits for the prompt is scheduled first.
        """
        deadline = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < deadline:
            with suppress(ProcessLookupError):
                self.interrupt()
            again = time.monotonic() + 0.5
            while self._process.poll() is None and time.monotonic() < again:
                self._read(0.05)
        return self.end(0.0)

    def end(self, seconds: float = 20.0) -> int:
        """The exit code. The terminal stays open until then, as a person's does."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < deadline:
            self._read(0.05)
        assert self._process.poll() is not None, f"it has not ended after {seconds} s: {self.seen!r}"
        while self._read(0.0):
            pass
        return self._process.returncode

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._here)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._here], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._here, 65_536)
        except OSError:  # the other end was closed
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def terminal(shell: Shell) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str, **environ: str) -> Terminal:
        started.append(Terminal([*shell.command, *arguments], shell.folder, {**shell.environ, **environ}))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def listening() -> Iterator[int]:
    """A port on which somebody accepts and says nothing."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


@pytest.fixture
def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


PORT = """runbook: port
title: Is the port open?
inputs:
  port: {{type: int, env: THE_PORT, help: Its number{default}}}
start: port
steps:
  port:
    title: Connect to it
    probe: tcp.connect
    with: {{host: 127.0.0.1, port: "{{{{ inputs.port }}}}"}}
    timeout: 10s
    branches:
      - {{when: connect > 5s, finding: slow}}
      - {{else: end}}
    on_error:
      - {{kind: refused, finding: closed}}
findings:
  slow: {{level: warning, title: Slow, resolution: open_it}}
  closed: {{level: critical, title: "Port {{{{ inputs.port }}}} is closed", cause: "{{{{ error.message }}}}", resolution: open_it}}
resolutions:
  open_it: {{title: Open it, steps: [Start the server]}}
"""


@pytest.fixture
def port_runbook(shell: Shell) -> Callable[..., str]:
    def write(default: int | None = None) -> str:
        text = PORT.format(default="" if default is None else f", default: {default}")
        return shell.write("port.yaml", text)

    return write
