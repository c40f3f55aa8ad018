"""A journal that is slow, locked or broken: no measurement waits for it, and nothing is told that is not kept."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import pytest

import runbook_engine as rb
from runbook_engine.api import prepare
from runbook_engine.engine.events import Event, RunFinished, StepMeasured
from runbook_engine.errors import JournalError
from runbook_engine.probe import Dimension, MetricType, Params, ProbeContext
from runbook_engine.probe.contract import Probe, Reading
from runbook_engine.probe.fake import AnyParams, FakeProbe, reading_type

Fake = Callable[..., FakeProbe]
Compile = Callable[..., rb.Plan]
TEXT = """
start: first
steps:
  first: {probe: fake.value, branches: [{else: second}]}
  second: {probe: fake.last}
"""
READING = reading_type({"p95": MetricType(Dimension.DURATION, lower=0)})


class Held:
    """A journal that keeps nothing before it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.kept: list[Event] = []

    def append(self, run_id: str, events: Sequence[Event]) -> None:
        assert run_id
        assert self.go.wait(60)
        self.kept.extend(events)


def last(measured: Callable[[], None]) -> FakeProbe:
    """A probe that says when it measures."""

    async def measure(params: Params, ctx: ProbeContext) -> Reading:
        assert params is not None
        assert ctx is not None
        measured()
        return READING.model_validate({"p95": 0.1})

    probe = FakeProbe("fake.last", {"p95": 0.1}, metrics={"p95": MetricType(Dimension.DURATION, lower=0)})
    probe.probe = Probe("fake.last", AnyParams, READING, measure, lambda _: "fake", frozenset(), "")
    return probe


def test_no_step_waits_for_the_journal_and_nothing_is_told_before_it_is_kept(plan: Compile, fake: Fake) -> None:
    journal = Held()
    told_too_early: list[Event] = []

    def observe(event: Event) -> None:
        if event not in journal.kept:
            told_too_early.append(event)

    # The last step lets the journal go: it would never be measured if the first one had to be kept before.
    trace = rb.run(plan(TEXT, fake({"p95": 0.1}), last(journal.go.set)), environ={}, journal=journal, observe=observe)
    assert trace.outcome == "healthy"
    assert tuple(journal.kept) == trace.events
    assert told_too_early == []


def test_a_journal_that_another_process_has_locked_holds_up_nothing(plan: Compile, fake: Fake, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite3"
    with rb.SqliteJournal(file) as journal:
        other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        other.execute("begin immediate")

        def let_go() -> None:
            other.execute("rollback")

        trace = rb.run(plan(TEXT, fake({"p95": 0.1}), last(let_go)), environ={}, journal=journal)
        other.close()
        assert journal.events(trace.run_id) == trace.events


def test_a_journal_that_breaks_ends_the_run_with_its_own_error(plan: Compile, fake: Fake) -> None:
    class Broken:
        def append(self, run_id: str, events: Sequence[Event]) -> None:
            raise JournalError(f"the disk is full, {run_id[:0]}{len(events)} events are lost")

    slow = fake({"p95": 0.1}, delay=60)
    told: list[Event] = []
    compiled = plan("start: a\nsteps:\n  a: {probe: fake.value}\n", slow)
    with pytest.raises(JournalError, match="the disk is full"):
        rb.run(compiled, environ={}, journal=Broken(), observe=told.append)
    assert told == []


def test_who_is_told_and_fails_ends_the_run_with_that_error(plan: Compile, fake: Fake, tmp_path: Path) -> None:
    def observe(event: Event) -> None:
        raise OSError(f"{type(event).__name__} cannot be shown")

    compiled = plan("start: a\nsteps:\n  a: {probe: fake.value}\n", fake({"p95": 0.1}, delay=60))
    with rb.SqliteJournal(tmp_path / "journal.sqlite3") as journal, pytest.raises(OSError, match="RunStarted cannot"):
        rb.run(compiled, environ={}, journal=journal, observe=observe)


def test_a_run_that_is_cancelled_keeps_how_far_it_came(plan: Compile, fake: Fake, tmp_path: Path) -> None:
    compiled = plan(TEXT, fake({"p95": 0.1}), FakeProbe("fake.last", {}, metrics={}, delay=60))

    async def cancelled(journal: rb.SqliteJournal) -> str:
        runner = prepare(compiled, environ={}, journal=journal, observe=seen.append)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runner.run)
            while not any(isinstance(each, StepMeasured) for each in runner.events):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        return runner.run_id

    seen: list[Event] = []
    with rb.SqliteJournal(tmp_path / "journal.sqlite3") as journal:
        run_id = anyio.run(cancelled, journal)
        assert list(journal.events(run_id)) == seen
        assert isinstance(seen[-1], RunFinished)


def test_runs_side_by_side_share_a_journal(plan: Compile, fake: Fake, tmp_path: Path) -> None:
    compiled = plan(TEXT, fake({"p95": 0.1}), FakeProbe("fake.last", {}, metrics={}))

    async def side_by_side(journal: rb.SqliteJournal) -> list[rb.Trace]:
        traces: list[rb.Trace] = []

        async def one() -> None:
            traces.append(await rb.arun(compiled, environ={}, journal=journal))

        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(one)
        return traces

    with rb.SqliteJournal(tmp_path / "journal.sqlite3") as journal:
        for trace in anyio.run(side_by_side, journal):
            assert journal.events(trace.run_id) == trace.events
