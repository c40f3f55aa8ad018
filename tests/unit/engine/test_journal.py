"""What is kept of a run, and how it survives."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.engine.codec import decode, encode
from runbook_engine.engine.events import Event
from runbook_engine.engine.trace import fold
from runbook_engine.errors import JournalError, RecordingError
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import ProbeError
from runbook_engine.probe.fake import FakeProbe

Fake = Callable[..., FakeProbe]
Compile = Callable[..., rb.Plan]

TEXT = """
start: [look, fail]
steps:
  look: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow}, {else: end}]}
  fail: {probe: fake.error}
findings:
  slow: {level: warning, title: "It takes {{ look.p95 }}", resolution: fix}
resolutions: {fix: {title: Fix it, steps: [Fix it]}}
"""


@pytest.fixture
def compiled(plan: Compile, fake: Fake) -> rb.Plan:
    return plan(TEXT, fake({"p95": 1.24}), fake(ProbeError(ErrorKind.DNS, "no such name"), name="fake.error"))


def test_a_journal_on_disk_gives_back_every_event(compiled: rb.Plan, tmp_path: Path) -> None:
    with rb.SqliteJournal(tmp_path / "state" / "journal.sqlite3") as journal:
        trace = rb.run(compiled, environ={}, journal=journal)
    with rb.SqliteJournal(tmp_path / "state" / "journal.sqlite3") as again:
        assert again.events(trace.run_id) == trace.events
        assert again.events(trace.run_id[:10]) == trace.events
        assert fold(again.events(trace.run_id)).steps == trace.steps
        (line,) = again.runs()
        assert (line.run_id, line.runbook, line.outcome, line.ending) == (
            trace.run_id,
            "example",
            "warning",
            "completed",
        )


def test_the_journal_is_for_its_owner_alone(compiled: rb.Plan, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite3"
    with rb.SqliteJournal(file) as journal:
        rb.run(compiled, environ={}, journal=journal)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_every_event_is_kept_before_it_is_shown(compiled: rb.Plan) -> None:
    journal = rb.MemoryJournal()
    seen: list[tuple[Event, bool]] = []

    def observe(event: Event) -> None:
        seen.append((event, any(event is kept for events in journal.runs.values() for kept in events)))

    rb.run(compiled, environ={}, journal=journal, observe=observe)
    assert seen
    assert all(kept for _, kept in seen)


def test_events_survive_json(compiled: rb.Plan) -> None:
    trace = rb.run(compiled, environ={})
    assert tuple(decode(encode(each)) for each in trace.events) == trace.events


def test_a_run_that_was_killed_is_kept_up_to_that_moment(tmp_path: Path) -> None:
    program = f"""
import os, signal
import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.graph.compile import Compiler
from runbook_engine.probe import Dimension, MetricType
from runbook_engine.probe.fake import FakeProbe

first = FakeProbe("fake.first", {{"v": 1.0}}, metrics={{"v": MetricType(Dimension.NUMBER)}})
text = "runbook: example\\ntitle: T\\nstart: a\\nsteps:\\n  a: {{probe: fake.first, branches: [{{else: b}}]}}\\n  b: {{probe: fake.first}}\\n"
plan = Compiler(rb.Registry.of(first.probe), rb.Library(())).loaded(load(text, "example.yaml")).plan

def observe(event):
    if type(event).__name__ == "StepStarted" and event.step == "b":
        os.kill(os.getpid(), signal.SIGKILL)

rb.run(plan, environ={{}}, journal=rb.SqliteJournal(__import__("pathlib").Path({str(tmp_path / "journal.sqlite3")!r})), observe=observe)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    with rb.SqliteJournal(tmp_path / "journal.sqlite3") as journal:
        (line,) = journal.runs()
        assert line.outcome is None
        trace = fold(journal.events(line.run_id))
        assert trace.step("a").metrics == {"v": 1.0}
        assert trace.step("b").status is None


def test_a_journal_that_cannot_be_opened_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_text("this is not a database, it is a text of some length" * 10)
    with pytest.raises(JournalError, match=r"journal\.sqlite3 cannot be opened: file is not a database"):
        rb.SqliteJournal(tmp_path / "journal.sqlite3")


def test_an_unknown_run_says_where_runs_are_listed(tmp_path: Path) -> None:
    with (
        rb.SqliteJournal(tmp_path / "journal.sqlite3") as journal,
        pytest.raises(JournalError, match=r"no run begins with 'ffff'; `runbook history` lists the runs"),
    ):
        journal.events("ffff")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not a recording: its first line"),
        ("hello\n", "is not a recording: its first line"),
        ('{"schema":"runbook.recording/v1"}\n', "a recording begins with run_started"),
        ('{"schema":"runbook.recording/v1"}\n{"event":"nonsense"}\n', ":2: this is not an event"),
        ('{"schema":"runbook.recording/v1"}\n[]\n', ":2: this is not an event"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_the_line(tmp_path: Path, content: str, message: str) -> None:
    from runbook_engine.api import Recording

    (tmp_path / "run.jsonl").write_text(content)
    with pytest.raises(RecordingError, match=message):
        Recording(tmp_path / "run.jsonl").replay()


def test_a_replay_touches_no_probe(compiled: rb.Plan, tmp_path: Path) -> None:
    recording = rb.record(rb.run(compiled, environ={}), tmp_path / "run.jsonl")
    program = f"""
import socket, sys
def refuse(*a, **k): raise AssertionError("a replay must not open a connection")
socket.socket.connect = refuse
from pathlib import Path
from runbook_engine.api import Recording
trace = Recording(Path({str(recording.file)!r})).replay()
assert trace.outcome == "warning", trace.outcome
assert not any(name.startswith("runbook_probes") for name in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
