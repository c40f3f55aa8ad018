"""Types as a user's program sees them."""

import subprocess
import sys
from pathlib import Path

PROGRAM = '''
"""A program that embeds the engine."""

import asyncio

import runbook_engine as rb
from runbook_engine.probe import Count, Params, ProbeContext, Reading, probe


class QueueParams(Params):
    name: str


def diagnose() -> list[str]:
    trace: rb.Trace = rb.run("high-latency", inputs={"api_url": "https://api.example.com"}, deadline=60.0)
    if trace.outcome is rb.Outcome.HEALTHY:
        return []
    return [finding.title for finding in trace.causes] + [spot.message for spot in trace.blind_spots]


async def side_by_side(names: list[str]) -> dict[str, rb.Outcome]:
    traces = await asyncio.gather(*(rb.arun(name) for name in names))
    return {trace.runbook: trace.outcome for trace in traces}


def report(trace: rb.Trace) -> str:
    duration: float | None = trace.step("database").duration
    return rb.render(trace, rb.ReportFormat.MARKDOWN) + str(duration)


class Length(Reading):
    waiting: Count


@probe("queue.length", command=lambda params: f"queue {params.name}")
async def length(params: QueueParams, ctx: ProbeContext) -> Length:
    return Length(waiting=int(ctx.remaining()))
'''


def mypy(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    file = folder / "program.py"
    file.write_text(program)
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n")
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "program.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_users_program_is_clean_under_strict_mypy(tmp_path: Path) -> None:
    done = mypy(tmp_path, PROGRAM)
    assert done.returncode == 0, done.stdout


def test_a_wrong_option_is_found_by_mypy(tmp_path: Path) -> None:
    done = mypy(tmp_path, 'import runbook_engine as rb\n\nrb.run("high-latency", deadlien=60.0)\n')
    assert done.returncode == 1
    assert "deadlien" in done.stdout
