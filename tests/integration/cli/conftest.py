"""The command, as a person or a script starts it."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
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
