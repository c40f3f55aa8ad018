"""Recordings of the ways that no fault of the lab takes: races, odd errors, neighbours of thresholds.

They are made with stand-ins for probes, from the tables by which the shipped runbooks are tested, and as few as it takes::

    python -m tests.recordings.edges examples/recordings
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.integration.runbooks.conftest import INPUTS, World

import runbook_engine as rb
from runbook_engine.cli.lab_diagnosis import anywhere
from runbook_engine.document.models import Runbook
from runbook_engine.engine.replay import read_recording
from runbook_engine.engine.trace import fold
from runbook_engine.lab.scripts import COMMANDS, SCRIPTS, write_scripts
from runbook_engine.library import shipped_directory

FOLDER = "edges"
CASES = Path(__file__).parent.parent / "integration" / "runbooks" / "cases"

Edge = tuple[str, str, str, int]
"""Runbook, step, part, place of the branch."""


def edges(runbook: Runbook) -> Iterator[Edge]:
    """Every way out of every step, those of errors among them; and every finding."""
    for step_id, step in runbook.steps.items():
        for part in ("branches", "on_error"):
            for index in range(len(getattr(step, part))):
                yield runbook.runbook, step_id, part, index
    for finding in runbook.findings:
        yield runbook.runbook, finding, "findings", 0


def reached(trace: rb.Trace) -> set[Edge]:
    """The ways that a run took, and what it found."""
    ways = {
        (trace.runbooks[step.scope].runbook, step.id, *step.branch)
        for step in trace.steps.values()
        if step.branch is not None
    }
    return ways | {(trace.runbooks[each.scope].runbook, each.finding, "findings", 0) for each in trace.findings}


def shipped() -> Mapping[str, Runbook]:
    """Every runbook that comes with the package."""
    files = [each for each in sorted(shipped_directory().glob("*.yaml")) if each.read_text().startswith("runbook:")]
    return {file.stem: rb.load(file).runbook for file in files}


def run(runbook: str, case: Mapping[str, Any]) -> rb.Trace:
    world = World(case.get("given", {}))
    plan = rb.load(shipped_directory() / f"{runbook}.yaml", probes=world.registry)
    without = case.get("without", ())
    given = {**INPUTS, **case.get("inputs", {})}
    inputs = {name: value for name, value in given.items() if name in plan.runbook.inputs and name not in without}
    return rb.run(plan, inputs=inputs, environ={})


def scripts(failing: frozenset[str]) -> rb.Trace:
    """A team's own scripts, which are run for real."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = {"scripts_directory": str(write_scripts(Path(folder), failing=failing)), "python": sys.executable}
        trace = rb.run("diagnostic-scripts", inputs=inputs, environ={}, allow=["shell"])
        events = anywhere(anywhere(trace.events, [folder]), [sys.executable], "python")
    return fold(events)


def main(folder: Path) -> None:
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    (folder / FOLDER).mkdir(parents=True)
    wanted = {edge for runbook in shipped().values() for edge in edges(runbook)}
    for file in folder.glob("*.jsonl"):
        wanted -= reached(fold(read_recording(file)))
    runs: dict[str, rb.Trace] = {}
    for file in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text(encoding="utf-8")):
            name = f"{file.stem}-{_slug(case['case'])}"
            runs[f"{name}-2" if name in runs else name] = run(file.stem, case)
    runs["diagnostic-scripts-all-is-well"] = scripts(frozenset())
    runs["diagnostic-scripts-all-fail"] = scripts(frozenset((*SCRIPTS, *COMMANDS)))
    while wanted:
        name, trace = max(runs.items(), key=lambda each: (len(reached(each[1]) & wanted), -len(each[1].events)))
        if not reached(trace) & wanted:
            raise SystemExit(f"nothing reaches {sorted(wanted)}")
        rb.record(trace, folder / FOLDER / f"{name}.jsonl")
        wanted -= reached(trace)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].rstrip("-")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
