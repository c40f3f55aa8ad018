"""Runbooks and their tests in a few lines, over a probe that must never be asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

import runbook_engine as rb
from runbook_engine.probe import Duration, Percent, ProbeContext, Reading, probe
from runbook_engine.probe.contract import Count, DocumentReading
from runbook_engine.probe.fake import AnyParams
from runbook_engine.testing import FileResult, run_file


class State(Reading):
    p95: Duration
    used: Percent
    connections: Count
    state: Literal["up", "down"]
    hit_rate: Percent | None = None


class Answered(DocumentReading):
    time: Duration


@probe("fake.state", command=lambda _params: "look")
async def state(params: AnyParams, ctx: ProbeContext) -> State:
    raise AssertionError("a test asks no probe")


@probe("fake.answer", command=lambda _params: "ask")
async def answer(params: AnyParams, ctx: ProbeContext) -> Answered:
    raise AssertionError("a test asks no probe")


PROBES = rb.Registry.of(state, answer)
Tested = Callable[..., FileResult]


@pytest.fixture
def tested(tmp_path: Path) -> Tested:
    """What comes of tests. The runbook is ``example``, of which ``steps`` and what follows are given; others by name."""

    def run(runbook: str, tests: str, **others: str) -> FileResult:
        for name, text in {"example": runbook, **others}.items():
            written = name.replace("_", "-")
            (tmp_path / f"{written}.yaml").write_text(f"runbook: {written}\ntitle: {name}\n{text}")
        file = tmp_path / "example.test.yaml"
        file.write_text(f"tests: example\n{tests}")
        return run_file(file, probes=PROBES, library=rb.Library((tmp_path,)))

    return run


@pytest.fixture
def said() -> Callable[[FileResult], list[str]]:
    """The mistakes of a file with tests, as ``line CODE message``."""

    def each(result: FileResult) -> list[str]:
        return [f"{found.span.line} {found.code} {found.message}" for found in result.diagnostics]

    return each
