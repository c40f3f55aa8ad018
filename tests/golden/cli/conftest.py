"""A folder with runbooks, and the command in it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DISK = """runbook: port-closed
title: Nothing answers on the port
version: 2.1.0
owner: operations
severity: P2
description: Looks at the port, and asks whether that was meant.
symptoms: [Clients are refused]
inputs:
  port:  {type: int, default: 5432, help: Its number}
  token: {type: secret, env: THE_TOKEN, optional: true, help: How to get in}
start: port
steps:
  port:
    title: Does anybody listen?
    description: Opens a connection, and closes it again.
    probe: tcp.connect
    with: {host: 127.0.0.1, port: "{{ inputs.port }}"}
    branches:
      - {when: connect > 500ms, finding: slow, goto: page}
      - {else: page}
    on_error:
      - {kind: [refused, timeout], finding: closed, goto: meant}
      - {else: end}
  page:
    title: Does it let us in?
    probe: http.get
    with: {url: "http://127.0.0.1:5432/", headers: {authorization: "{{ inputs.token }}"}}
  meant:
    title: Was it meant?
    ask: Was the server stopped on purpose?
    branches:
      - {when: answer, goto: end}
      - {else: end}
findings:
  slow: {kind: symptom, level: warning, title: "It takes {{ port.connect }}", resolution: start_it}
  closed: {level: critical, title: "Port {{ inputs.port }} is closed", cause: "{{ error.message }}", resolution: start_it}
resolutions:
  start_it: {title: Start it, steps: [Look at its log, Start the server]}
prevention: [Watch the port]
"""
BROKEN = "runbook: broken\ntitle: B\nstart: usage\nsteps:\n  usage: {probe: tcp.conect, with: {host: h, port: 1}}\n"


@pytest.fixture
def typed(tmp_path: Path) -> Callable[..., str]:
    """What a command shows, with its exit code; what stands on standard error is marked."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "port-closed.yaml").write_text(DISK)
    (tmp_path / "runbooks" / "broken.yaml").write_text(BROKEN)
    (tmp_path / "runbooks" / "no-steps.yaml").write_text("runbook: no-steps\ntitle: N\nstart: nowhere\n")
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
    environ = {**kept, "HOME": str(tmp_path), "LANG": "C.UTF-8", "COLUMNS": "100"}

    def run(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("runbook")), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environ, cwd=tmp_path, stdin=subprocess.DEVNULL
        )
        told = "".join(f"! {line}\n" for line in done.stderr.splitlines())
        shown = f"$ runbook {' '.join(arguments)}\n{done.stdout}{told}[{done.returncode}]\n"
        return shown.replace(f"{tmp_path.resolve()}/", "").replace(f"{tmp_path}/", "")

    return run
