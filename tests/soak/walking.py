"""Runbooks against the servers of the soak, and what came of them."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from tests.soak.misbehaviours import FOUND, HEALTHY, NO_VALUE

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.engine.events import StepStatus
from runbook_engine.graph.compile import Compiler

TEXT = """
runbook: soak
title: One step against one server
inputs:
  at: {{type: string}}
  port: {{type: int}}
  ca: {{type: string}}
  samples: {{type: int, default: 20}}
  slow: {{type: duration, default: 1min}}
start: asked
steps:
  asked:
    title: Asks the server
    timeout: {timeout}s
    {step}
findings:
  bad: {{level: critical, title: It does not work, cause: Whatever it is}}
"""
NEIGHBOUR = """
    probe: http.latency
    with: {url: "https://{{ inputs.at }}/health", ca_file: "{{ inputs.ca }}", samples: "{{ inputs.samples }}"}
    branches:
      - {when: p95 > inputs.slow, finding: bad}
      - {when: error_rate > 0%, finding: bad}
      - {else: end}
"""


class Served(msgspec.Struct, frozen=True):
    """Where servers listen: the ports by name, and the authority whose certificates they show."""

    ports: Mapping[str, int]
    ca_file: str
    pid: int

    def inputs(self, name: str) -> Mapping[str, Any]:
        port = self.ports[name]
        return {"at": f"127.0.0.1:{port}", "port": port, "ca": self.ca_file}


class Walked(NamedTuple):
    """One run: what came of its step, and how many seconds the step took."""

    result: str
    seconds: float
    trace: rb.Trace


@contextmanager
def serving(names: Iterable[str], folder: Path) -> Iterator[Served]:
    """Servers of these names, in a process of their own, which leaves with its standard input."""
    folder.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.soak.serving", str(folder), *names],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield msgspec.json.decode(process.stdout.readline(), type=Served)
        finally:
            process.stdin.close()


def plan(step: str, timeout: float) -> rb.Plan:
    text = TEXT.format(step=step.strip(), timeout=timeout)
    compiled = Compiler(rb.Registry(), rb.Library(())).loaded(load(text, "soak.yaml"))
    assert compiled.plan is not None, [str(each) for each in compiled.diagnostics]
    return compiled.plan


async def walk(plan: rb.Plan, served: Served, name: str, **inputs: object) -> Walked:
    trace = await rb.arun(
        plan,
        inputs={**served.inputs(name), **inputs},
        environ={"PATH": os.environ["PATH"]},
        allow=["shell"],
        knowledge=None,
    )
    step = trace.step("asked")
    return Walked(_result(step), step.duration or 0.0, trace)


def _result(step: rb.StepTrace) -> str:
    if step.error is not None:
        return str(step.error.kind)
    if step.status is StepStatus.PASSED:
        return HEALTHY
    return FOUND if step.status is StepStatus.FLAGGED else NO_VALUE
