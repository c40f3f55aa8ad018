"""Tests whose server is missing are skipped by name, with the way to have it, and fail in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers import EVERYTHING, Program, need

GHOST = Program("runbook-no-such-server", "Ghost", "ghost-server")


def test_a_test_without_its_server_is_skipped_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(EVERYTHING, raising=False)
    with pytest.raises(pytest.skip.Exception, match="Ghost is not installed: apt-get install ghost-server"):
        need(GHOST)


def test_it_fails_where_nothing_may_be_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EVERYTHING, "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install ghost-server"):
        need(GHOST)


TEST = """
import pytest
from tests.unit.test_servers import GHOST

@pytest.fixture
def server():
    raise AssertionError("it is not there")

@pytest.mark.needs(GHOST)
@pytest.mark.parametrize("number", [1, 2])
def test_it(number, server):
    pass
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_run_ends_with_a_line_that_tells_how_to_have_what_was_missing(tmp_path: Path, workers: str) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.conftest import pytest_configure, pytest_runtest_setup, pytest_terminal_summary\n"
    )
    (tmp_path / "test_it.py").write_text(TEST)
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), EVERYTHING: ""}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", workers, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 skipped" in ran.stdout, ran.stdout + ran.stderr
    assert "To run them as well: apt-get install ghost-server\n" in ran.stdout
