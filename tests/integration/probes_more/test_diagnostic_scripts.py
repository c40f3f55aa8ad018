"""The runbook diagnostic-scripts, over small real scripts."""

import sys
from pathlib import Path
from typing import Any

import pytest

import runbook_engine as rb
from runbook_engine.engine.events import Outcome
from runbook_engine.errors import UsageError
from runbook_engine.lab.scripts import COMMANDS, SCRIPTS, write_scripts
from runbook_engine.probe import ErrorKind

STEPS = {
    "health-check": "health_check",
    "performance-analysis": "performance_analysis",
    "analyze-errors": "error_analysis",
    "db-performance": "database_performance",
    "network-test": "network_test",
    "dbshell": "database_shell",
    "show_jobs": "background_jobs",
}
SECRET = "postgresql://app:hush-hush@db.example.com/app"


def look(scripts: Path | str, **more: Any) -> rb.Trace:
    inputs = {
        "scripts_directory": str(scripts),
        "python": sys.executable,
        "hours": 3,
        "api_url": "https://api.example.com",
    }
    return rb.run(
        "diagnostic-scripts", **{"inputs": inputs, "environ": {"PATH": "/usr/bin:/bin"}, "allow": ["shell"], **more}
    )


def test_scripts_that_find_nothing_make_a_healthy_run(tmp_path: Path) -> None:
    trace = look(write_scripts(tmp_path))
    assert (trace.outcome, trace.findings, trace.blind_spots) == (Outcome.HEALTHY, [], [])
    assert _said(trace, "error_analysis") == "analyze-errors: looking\nok: 3 errors in the last 3 h\n"
    assert _said(trace, "health_check").endswith("cache at https://api.example.com\n")
    assert _said(trace, "database_shell") == "connected with the settings production\n"


@pytest.mark.parametrize("name", [*SCRIPTS, *COMMANDS])
def test_a_script_that_fails_is_its_own_finding_with_a_resolution(name: str, tmp_path: Path) -> None:
    trace = look(write_scripts(tmp_path, failing=frozenset({name})))
    assert trace.outcome is Outcome.WARNING
    (finding,) = trace.findings
    step = STEPS[name]
    assert (finding.finding, finding.step) == (f"{step}_failed", step)
    assert finding.title.endswith("ended with exit code 1")
    assert finding.resolution is not None
    assert finding.cause


def test_all_scripts_run_side_by_side_and_each_failure_is_told(tmp_path: Path) -> None:
    trace = look(write_scripts(tmp_path, failing=frozenset(STEPS)))
    assert {each.finding for each in trace.findings} == {f"{step}_failed" for step in STEPS.values()}


def test_without_the_grant_nothing_runs_and_the_report_says_how_to_allow_it(tmp_path: Path) -> None:
    trace = look(write_scripts(tmp_path), allow=[])
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert {each.kind for each in trace.blind_spots} == {ErrorKind.FORBIDDEN}
    assert {each.remedy for each in trace.blind_spots} == {
        "run with --allow shell, or let an environment (allow: [shell]) or RUNBOOK_ALLOW grant it"
    }


def test_scripts_that_are_not_there_are_blind_spots_and_no_findings(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    trace = look(tmp_path / "scripts")
    assert (trace.outcome, trace.findings) == (Outcome.INCONCLUSIVE, [])
    assert {each.step: each.kind for each in trace.blind_spots} == {
        step: ErrorKind.MISSING if step in ("database_shell", "background_jobs") else ErrorKind.UNAVAILABLE
        for step in STEPS.values()
    }


def test_a_secret_reaches_the_scripts_and_no_report(tmp_path: Path) -> None:
    scripts = write_scripts(tmp_path)
    (scripts / "health-check.sh").write_text('#!/bin/sh\necho "$DATABASE_URL"\necho "$DATABASE_URL" >&2\nexit 1\n')
    trace = look(scripts, inputs={"scripts_directory": str(scripts), "database_url": SECRET, "python": sys.executable})
    for each in rb.ReportFormat:
        assert "hush-hush" not in rb.render(trace, each)
    assert "***" in _said(trace, "health_check")


def test_a_script_that_does_not_exist_cannot_be_made_to_fail(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='did you mean "health-check"'):
        write_scripts(tmp_path, failing=frozenset({"health-chek"}))


def _said(trace: rb.Trace, step: str) -> str:
    return str(trace.steps["", step].metrics["output"])
