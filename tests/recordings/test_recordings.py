"""One run of every fault, kept in a file: anyone can see every report without a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.recordings.edges import edges, reached, shipped

import runbook_engine as rb
from runbook_engine.lab import FAULTS
from runbook_engine.lab.scoring import verdict
from runbook_engine.report import ReportFormat, render

MOST_BYTES = 400_000


def decided(trace: rb.Trace) -> list[tuple[object, ...]]:
    """Every step's way, whichever of those that ran side by side was first."""
    ways = [(each.scope, each.id, each.status, each.branch, each.finding, each.goto) for each in trace.steps.values()]
    return sorted(ways, key=str)


@pytest.mark.parametrize("fault", list(FAULTS))
def test_every_fault_has_a_recording_that_is_replayed_to_the_right_diagnosis(
    fault: str, recordings: Mapping[str, Any]
) -> None:
    recorded = recordings[fault]
    assert recorded.replayed.runbook == FAULTS[fault].runbook
    assert verdict(FAULTS[fault], recorded.replayed).right
    assert decided(recorded.replayed) == decided(recorded.kept)


def test_a_replay_gives_the_report_that_the_run_gave(recordings: Mapping[str, Any]) -> None:
    for recorded in recordings.values():
        for each in (ReportFormat.TEXT, ReportFormat.JSON):
            assert render(recorded.replayed, each) == render(recorded.kept, each)


def test_recordings_are_of_the_runbooks_as_they_are_now(recordings: Mapping[str, Any]) -> None:
    today = {name: rb.load(name).digest for name in {each.kept.runbook for each in recordings.values()}}
    stale = [name for name, each in recordings.items() if each.kept.digest != today[each.kept.runbook]]
    assert stale == [], "these were made of other runbooks; `make recordings` makes them anew"


def test_recordings_are_small_and_hold_no_place_of_the_machine_that_made_them(recordings: Mapping[str, Any]) -> None:
    for recorded in recordings.values():
        text = recorded.file.read_text(encoding="utf-8")
        assert len(text) < MOST_BYTES
        assert [word for word in ("/tmp/", "runbook-lab-", str(Path.home()), str(Path.cwd())) if word in text] == []


def test_every_way_and_every_finding_of_every_shipped_runbook_is_in_some_recording(
    recordings: Mapping[str, Any],
) -> None:
    wanted = {edge for runbook in shipped().values() for edge in edges(runbook)}
    for each in recordings.values():
        wanted -= reached(each.replayed)
    assert sorted(wanted) == []
