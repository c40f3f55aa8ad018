"""The guard ends and removes what a killed process could not."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook_engine.lab.guard import Guard

Until = Callable[[Callable[[], bool]], bool]

# Asks a guard for what the arguments say, then ends without leaving its context.
VANISH = """
import os, sys
from pathlib import Path
from runbook_engine.lab.guard import Guard
guard = Guard()
guard.end(int(sys.argv[1]))
guard.remove(Path(sys.argv[2]))
if sys.argv[3:] == ["spare"]:
    guard.spare(int(sys.argv[1]))
os._exit(1)
"""


@pytest.fixture
def server() -> Iterator[subprocess.Popen[bytes]]:
    """Something that runs, and reads its input so that it ends with this test in any case."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True) as process:
        yield process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "lab"
    (made / "data").mkdir(parents=True)
    (made / "data" / "file").write_text("content")
    return made


def test_it_ends_processes_and_removes_folders_when_their_owner_vanishes(
    server: subprocess.Popen[bytes], folder: Path, until: Until
) -> None:
    subprocess.run([sys.executable, "-c", VANISH, str(server.pid), str(folder)], check=False)
    assert until(lambda: server.poll() is not None)
    assert until(lambda: not folder.exists())


def test_it_spares_a_process_that_is_no_longer_the_owners(
    server: subprocess.Popen[bytes], folder: Path, until: Until
) -> None:
    subprocess.run([sys.executable, "-c", VANISH, str(server.pid), str(folder), "spare"], check=False)
    assert until(lambda: not folder.exists())
    assert server.poll() is None


def test_it_does_nothing_when_its_owner_leaves_in_order(server: subprocess.Popen[bytes], folder: Path) -> None:
    with Guard() as guard:
        guard.end(server.pid)
        guard.remove(folder)
    assert server.poll() is None
    assert (folder / "data" / "file").read_text() == "content"
