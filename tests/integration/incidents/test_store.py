"""Incidents on disk: several processes at once, and processes that are killed."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.document.models import Severity
from runbook_engine.errors import IncidentError, JournalError
from runbook_engine.incidents import acting
from runbook_engine.incidents.incident import State
from runbook_engine.incidents.policy import load_policy
from runbook_engine.incidents.store import IncidentStore

WRITER = """
import sys, time
from pathlib import Path
from runbook_engine.incidents import acting
from runbook_engine.incidents.store import IncidentStore
file, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = IncidentStore(file)
for number in range(count):
    store.act(1, acting.note(time.time(), name, f"{name} {number}"))
    print(number, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "state" / "journal.sqlite3"
    with IncidentStore(found) as store:
        store.open(acting.opening(load_policy(), "Shop down", Severity.P0, 1000.0, "ann"))
    return found


def test_two_people_who_act_at_once_lose_no_event(file: Path, start: Callable[..., Any]) -> None:
    writers = [
        start([sys.executable, "-c", WRITER, str(file), name, "60"], stdout=subprocess.DEVNULL)
        for name in ("ann", "bob")
    ]
    assert [each.wait(60) for each in writers] == [0, 0]
    with IncidentStore(file) as store:
        texts = [each.text for each in store.load(1).events[1:] if hasattr(each, "text")]
    assert sorted(texts) == sorted(f"{name} {number}" for name in ("ann", "bob") for number in range(60))
    for name in ("ann", "bob"):
        assert [each for each in texts if each.startswith(name)] == [f"{name} {number}" for number in range(60)]


def test_what_was_said_to_be_kept_is_kept_when_the_process_is_killed(file: Path, start: Callable[..., Any]) -> None:
    writer = start([sys.executable, "-c", WRITER, str(file), "ann", "100000"], stdout=subprocess.PIPE, text=True)
    said = [int(writer.stdout.readline()) for _ in range(25)]
    writer.send_signal(signal.SIGKILL)
    writer.wait(30)
    said += [int(each) for each in writer.stdout.read().split()]
    with IncidentStore(file) as store:
        incident = store.load(1)
        kept = [each.text for each in incident.events[1:] if hasattr(each, "text")]
        assert kept[: len(said)] == [f"ann {number}" for number in said]
        assert len(kept) in (len(said), len(said) + 1)
        assert store.act(1, acting.resolve(incident.last_at, "bob")).state is State.RESOLVED


def test_a_decision_that_is_refused_leaves_everything_as_it_was(file: Path) -> None:
    with IncidentStore(file) as store:
        before = store.load(1)
        with pytest.raises(IncidentError):
            store.act(1, acting.close(2000.0, "ann"))
        assert store.load(1) == before
        with pytest.raises(IncidentError, match="there is no incident 2"):
            store.load(2)


def test_incidents_have_numbers_and_closed_ones_are_out_of_the_way(file: Path) -> None:
    with IncidentStore(file) as store:
        second = store.open(acting.opening(load_policy(), "Slow", Severity.P2, 2000.0, "bob"))
        assert (second.id, store.numbers()) == (2, [2, 1])
        store.act(1, acting.resolve(3000.0, "ann"))
        store.act(1, acting.close(3001.0, "ann"))
        assert store.numbers(still_open=True) == [2]


def test_nobody_else_can_read_the_file_and_a_broken_one_is_told(file: Path, tmp_path: Path) -> None:
    assert file.stat().st_mode & 0o077 == 0
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"not a database, and long enough to be looked at" * 40)
    with pytest.raises(JournalError, match=r"broken\.sqlite3"):
        IncidentStore(broken)
