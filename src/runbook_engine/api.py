"""The engine as a library: ``run`` and ``arun``, ``triage`` and ``atriage``."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import anyio

from runbook_engine.document.models import Runbook
from runbook_engine.engine.asking import Ask
from runbook_engine.engine.clock import Clock, SystemClock
from runbook_engine.engine.environments import choose
from runbook_engine.engine.grants import granted
from runbook_engine.engine.inputs import resolve
from runbook_engine.engine.journal import Journal, MemoryJournal
from runbook_engine.engine.knowledge import KnowledgeBase, Recogniser
from runbook_engine.engine.replay import read_recording, replay, write_recording
from runbook_engine.engine.runner import Observer, Runner, Surroundings
from runbook_engine.engine.trace import Trace, fold
from runbook_engine.errors import InvalidDocumentError, UsageError
from runbook_engine.graph.compile import CompiledRunbook, Compiler, recorded_plan, thorough
from runbook_engine.graph.plan import Plan
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry


def load(runbook: str | Path, *, probes: Registry | None = None, library: Library | None = None) -> Plan:
    """Read, check and compile a runbook, by name or by file.

    Raises RunbookNotFoundError, or InvalidDocumentError with every mistake at once.
    """
    found = library or Library.default()
    file = runbook if isinstance(runbook, Path) else found.find(runbook)
    compiled = Compiler(probes or Registry(), found).file(file)
    if compiled.plan is None:
        raise InvalidDocumentError(compiled.diagnostics, compiled.sources)
    return compiled.plan


def check(runbook: str | Path, *, probes: Registry | None = None, library: Library | None = None) -> CompiledRunbook:
    """Everything that can be known of a runbook before it runs; ``diagnostics`` has errors, warnings and notes."""
    found = library or Library.default()
    file = runbook if isinstance(runbook, Path) else found.find(runbook)
    return thorough(probes or Registry(), found).file(file)


class RunOptions(TypedDict, total=False):
    """What a run may be given beside its runbook."""

    inputs: Mapping[str, object]
    """By name: the YAML's own literals (``"500ms"``), or numbers in base units (0.5)."""
    source: str
    """Where the inputs came from, as reports tell it."""
    environment: str | Path
    """Gives values to inputs that neither ``inputs`` nor a variable gives: by name, such as ``"production"``, or a file."""
    ask: Ask
    """Answers questions as they come."""
    answers: Mapping[str, object]
    """Answers given beforehand, by step."""
    observe: Observer
    """Called with each event once it is kept."""
    journal: Journal
    probes: Registry
    library: Library
    environ: Mapping[str, str]
    """Stands in for ``os.environ``."""
    allow: Iterable[str]
    """Grants what is refused by default, such as ``shell``."""
    knowledge: Recogniser | None
    """Recognises error messages; without it the ``knowledge.yaml`` of the library are read when an error is met."""
    deadline: float
    """Seconds for the whole run. When they have passed, the trace says what was not seen."""
    clock: Clock


def prepare(runbook: str | Path | Plan, **options: Unpack[RunOptions]) -> Runner:
    """A run that has not begun; ``await prepare(...).run()`` walks it. Its ``trace()`` tells how far it came at any time.

    Raises RunbookNotFoundError, InvalidDocumentError, InputsError; UsageError where there is no such environment.
    """
    plan = (
        runbook
        if isinstance(runbook, Plan)
        else load(runbook, probes=options.get("probes"), library=options.get("library"))
    )
    environ = options.get("environ", os.environ)
    which = options.get("environment")
    environment = choose(which, plan, options.get("library") or Library.default()).environment if which else None
    inputs = resolve(
        plan.runbook,
        options.get("inputs", {}),
        environ,
        source=options.get("source", "given"),
        environment=environment,
    )
    around = Surroundings(
        ask=options.get("ask"),
        answers=options.get("answers", {}),
        observe=options.get("observe"),
        journal=options.get("journal") or MemoryJournal(),
        clock=options.get("clock") or SystemClock(),
        environ=environ,
        grants=granted(options.get("allow", ()), environ, environment),
        deadline=options.get("deadline"),
        environment=environment,
        knowledge=options["knowledge"]
        if "knowledge" in options
        else KnowledgeBase.of(options.get("library") or Library.default()),
    )
    return Runner(plan, inputs, around)


async def arun(runbook: str | Path | Plan, **options: Unpack[RunOptions]) -> Trace:
    """Run a runbook and return its trace: outcome, findings, blind spots, every step. ``RunOptions`` lists the options.

    Raises RunbookNotFoundError, InvalidDocumentError, InputsError. A probe that fails raises nothing: it is in the trace.
    """
    return await prepare(runbook, **options).run()


def run(runbook: str | Path | Plan, **options: Unpack[RunOptions]) -> Trace:
    """``arun`` for programs without an event loop; takes and raises the same. Raises UsageError inside a running loop."""
    return _outside_a_loop(prepare(runbook, **options), "run")


def _outside_a_loop(runner: Runner, name: str) -> Trace:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return anyio.run(runner.run)
    raise UsageError(f"{name}() was called inside a running event loop; use `await a{name}(...)` there")


def load_triage(
    policy: str | Path | None = None, *, probes: Registry | None = None, library: Library | None = None
) -> Plan:
    """Read, check and compile a policy of metrics; without one the library's ``policy/metrics.yaml``.

    The plan runs like any other; what several metrics are judged by is measured once. Raises UsageError where there is no
    such file, or InvalidDocumentError with every mistake at once.
    """
    from runbook_engine.graph.triage_checks import compile_policy_file

    found = library or Library.default()
    file = found.policy_file("metrics") if policy is None else Path(policy)
    if not file.is_file():
        raise UsageError(f"there is no policy {file}")
    compiled = compile_policy_file(file, probes or Registry(), found)
    if compiled.plan is None:
        raise InvalidDocumentError(compiled.diagnostics, compiled.sources)
    return compiled.plan


async def atriage(policy: str | Path | None = None, **options: Unpack[RunOptions]) -> Trace:
    """Measure the metrics of a policy, all at once, and return the trace: a finding for each that is over its threshold.

    ``runbook_engine.report.build(trace).metrics`` is the table, and every report has it. Options are those of ``arun``.

    Raises UsageError, InvalidDocumentError, InputsError.
    """
    return await _triage(policy, options).run()


def triage(policy: str | Path | None = None, **options: Unpack[RunOptions]) -> Trace:
    """``atriage`` for programs without an event loop; takes and raises the same."""
    return _outside_a_loop(_triage(policy, options), "triage")


def _triage(policy: str | Path | None, options: RunOptions) -> Runner:
    plan = load_triage(policy, probes=options.get("probes"), library=options.get("library"))
    return prepare(plan, **options)


@dataclass(frozen=True, slots=True)
class Recording:
    """A run kept in a file: walk it again with ``replay()``."""

    file: Path

    def replay(self) -> Trace:
        """The recorded run, decided anew from its readings, with no network and no probe. Raises RecordingError."""
        events = read_recording(self.file)
        recorded = fold(events)
        documents: dict[str, Runbook] = {each.runbook: each for each in _documents(events)}
        plan = recorded_plan(documents, recorded.runbook, recorded.digest)
        return fold(replay(events, plan))


def record(trace: Trace, file: Path) -> Recording:
    """Write a run to a file that holds all that is needed to walk it again. Raises RecordingError."""
    write_recording(trace.events, file)
    return Recording(file)


def _documents(events: Iterable[object]) -> list[Runbook]:
    from runbook_engine.engine.events import RunStarted

    start = next(each for each in events if isinstance(each, RunStarted))
    return [Runbook.model_validate(each) for each in start.documents.values()]
