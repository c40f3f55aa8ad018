"""Names of files that no system has."""

import os
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.cli.check_files import Checker
from runbook_engine.engine.replay import read_recording
from runbook_engine.errors import RecordingError, RunbookNotFoundError, UsageError
from runbook_engine.probe.registry import Registry

TOO_LONG = "a" * 5_000


@pytest.mark.parametrize("name", [TOO_LONG, f"./{TOO_LONG}.yaml", "with\0nothing", "./with\0nothing.yaml"])
def test_a_runbook_whose_name_no_file_can_have_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunbookNotFoundError):
        rb.Library((tmp_path,)).find(name)


@pytest.mark.parametrize("name", [TOO_LONG, f"./{TOO_LONG}.yaml"])
def test_an_environment_or_a_policy_whose_name_no_file_can_have_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="there is no environment"):
        rb.Library((tmp_path,)).environment_file(name)
    with pytest.raises(UsageError, match="there is no policy"):
        rb.Library((tmp_path,)).policy_file(name)


def test_tests_of_a_runbook_whose_name_no_file_can_have_are_told_so(tmp_path: Path) -> None:
    text = f"tests: ./{'a' * 300}.yaml\ncases: {{one: {{expect: {{outcome: healthy}}}}}}\n"
    found = Checker(Registry(), rb.Library((tmp_path,))).text(text, "x.test.yaml", tmp_path / "x.test.yaml")
    assert [each.code for each in found.diagnostics] == ["RB801"]


@pytest.mark.parametrize("name", ["with\0nothing", TOO_LONG])
def test_a_recording_whose_name_no_file_can_have_cannot_be_read(name: str) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(Path(name))


def test_a_pipe_that_nobody_writes_to_is_no_recording(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordingError, match="it is not a file"):
        read_recording(tmp_path / "pipe")
