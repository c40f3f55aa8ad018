"""Faults of every family are found, and named, over real servers; a healthy system is healthy."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from runbook_engine.cli.lab_diagnosis import diagnose
from runbook_engine.lab import FAULTS, Fault
from runbook_engine.lab.scoring import Verdict, score

AT_A_TIME = 2
DOCUMENTED = Path(__file__).parent.parent.parent.parent / "docs" / "diagnosis.md"


def chosen() -> list[Fault]:
    """Of every family two broken systems and a healthy one; all pairs, and all that cannot be seen. `make diagnosis-table` takes all."""
    found: list[Fault] = []
    for family in dict.fromkeys(each.family for each in FAULTS.values()):
        members = [each for each in FAULTS.values() if each.family == family]
        found += [each for each in members if each.expects][: None if family == "pairs" else 2]
        found += [each for each in members if not each.expects and not each.blind][:1]
        found += [each for each in members if each.blind]
    return found


LIVE = chosen()


@pytest.fixture(scope="module")
def verdicts() -> Mapping[str, Verdict]:
    """Each fault, diagnosed once by the runbook that is meant for it."""
    found = diagnose(LIVE, jobs=AT_A_TIME, record=None, told=lambda _: None)
    return {each.fault: each for each in found}


@pytest.mark.parametrize("fault", [each.name for each in LIVE])
def test_the_fault_is_found_and_nothing_else(fault: str, verdicts: Mapping[str, Verdict]) -> None:
    found = verdicts[fault]
    assert found.right, found


def test_no_healthy_system_is_called_broken_and_no_wrong_cause_is_named(verdicts: Mapping[str, Verdict]) -> None:
    counted = score(list(verdicts.values()))
    assert (counted.false_alarms, counted.confidently_wrong) == (0, 0)
    assert counted.perfect


def test_the_documented_table_has_every_fault_and_every_one_was_found() -> None:
    rows = [line.split(" | ") for line in DOCUMENTED.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert [row[0].strip("| `") for row in rows] == list(FAULTS), "`make diagnosis-table` makes it anew"
    assert {row[-1].strip("| ") for row in rows} == {"yes"}


@pytest.mark.parametrize(
    ("fault", "symptom", "code"), [("none", False, 0), ("cpu_high", False, 1), ("slow_queries", True, 1)]
)
def test_the_command_says_whether_the_symptom_was_seen(fault: str, symptom: bool, code: int, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("runbook"))]
    command += ["run", "high-latency", "--lab", fault, "--no-input", "--format", "json"]
    environ = {**os.environ, "RUNBOOK_STATE": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=120)
    report = json.loads(done.stdout)
    assert done.returncode == code
    assert sorted(each["id"] for each in report["findings"] if each["kind"] == "cause") == sorted(FAULTS[fault].expects)
    assert report["symptom"]["confirmed"] is symptom
    assert symptom or "p95" in report["symptom"]["why"]
