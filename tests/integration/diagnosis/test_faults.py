"""Faults of every family are found, and named, over real servers; a healthy system is healthy."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers import PGBOUNCER, need

from runbook_engine.cli.lab_diagnosis import diagnose, diagnosed
from runbook_engine.lab import FAULTS, Fault
from runbook_engine.lab.scoring import score, verdict

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


@pytest.mark.parametrize("fault", [each.name for each in chosen()])
def test_the_fault_is_found_and_nothing_else(fault: str) -> None:
    found = verdict(FAULTS[fault], diagnosed(FAULTS[fault]))
    assert found.right, found
    assert not found.false_alarm
    assert not found.confidently_wrong


OF_THE_DATABASE = ("long_transaction", "role_connection_limit", "no_primary", "pool_exhausted", "nightly_report")


@pytest.mark.parametrize("fault", OF_THE_DATABASE)
def test_what_looks_like_another_fault_of_the_database_is_told_apart(fault: str) -> None:
    if FAULTS[fault].program == PGBOUNCER.name:
        need(PGBOUNCER)
    found = verdict(FAULTS[fault], diagnosed(FAULTS[fault]))
    assert found.right, found
    assert not found.confidently_wrong


def test_several_are_diagnosed_side_by_side_and_counted(tmp_path: Path) -> None:
    names = ["aws_denied", "connections_81", "connections_79"]
    told: list[str] = []
    found = diagnose(
        [FAULTS[name] for name in names], jobs=2, record=tmp_path, told=lambda each: told.append(each.fault)
    )
    assert [each.fault for each in found] == names
    assert sorted(told) == sorted(names)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(f"{name}.jsonl" for name in names)
    counted = score(found)
    assert (counted.broken, counted.healthy, counted.unseeable) == (1, 1, 1)
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
