"""Carrying out a plan: against live systems, the lab or a recording; what comes of it is reported."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.asked import Asked, Output
from runbook_engine.cli.streams import note, out
from runbook_engine.errors import UsageError

if TYPE_CHECKING:
    from runbook_engine.cli.conversation import Conversation
    from runbook_engine.document.environment import Environment
    from runbook_engine.engine.inputs import Resolved
    from runbook_engine.engine.journal import Journal
    from runbook_engine.engine.runner import Surroundings
    from runbook_engine.engine.trace import Trace
    from runbook_engine.graph.plan import Plan

SUFFIXES = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".xml": "junit", ".txt": "text"}
CODES = {"healthy": 0, "warning": 1, "critical": 1, "inconclusive": 3}
USAGE, INTERRUPTED = 2, 130


def carry_out(
    plan: "Plan",
    asked: Asked,
    answers: Mapping[str, str] | None = None,
    keep: "Callable[[Trace], None] | None" = None,
    *,
    handed: "Mapping[str, Resolved]" = MappingProxyType({}),
    silent: bool = False,
) -> int:
    """Run the plan, report, and give the exit code. ``keep`` gets what happened before the report is made.

    ``handed`` are inputs that count after those that were asked for. Where it is ``silent``, there is no report.
    """
    environment = _environment(asked, plan)
    if asked.explain:
        return _explained(plan, asked, environment)
    with _laboratory(asked.fault, plan, asked.quiet) as (lab, environ):
        talk = _conversation(quiet=asked.quiet, no_input=asked.no_input)
        inputs = _inputs(plan, asked.inputs, lab, handed, environ, talk, environment)
        from runbook_engine.engine.knowledge import KnowledgeBase
        from runbook_engine.engine.runner import Surroundings
        from runbook_engine.library import Library

        knowledge = KnowledgeBase.of(Library.default())
        around = Surroundings(
            ask=talk.ask if talk.asks else None,
            answers=answers or {},
            observe=talk.observe,
            journal=_journal(wanted=not asked.no_journal),
            environ=environ,
            grants=asked.allow,
            deadline=asked.deadline,
            environment=environment,
            knowledge=knowledge,
        )
        code = _walk(plan, inputs, around, talk, asked, keep, silent=silent)
        for file in knowledge.broken:
            note(f"{file} has mistakes, and what is wrong in it was left out; see: runbook check {file}")
        return code


def _environment(asked: Asked, plan: "Plan") -> "Environment | None":
    """The environment that is asked for; what is odd about it is told. Raises UsageError and InvalidDocumentError."""
    if asked.environment is None:
        return None
    from runbook_engine.document import render_all
    from runbook_engine.engine.environments import choose
    from runbook_engine.library import Library

    chosen = choose(asked.environment, plan, Library.default())
    if chosen.warnings and not asked.quiet:
        from runbook_engine.cli.screen import colored

        note(render_all(chosen.warnings, chosen.sources, color=colored(sys.stderr)))
    return chosen.environment


def _explained(plan: "Plan", asked: Asked, environment: "Environment | None") -> int:
    """Where each input would come from. Ends as a run would where one is missing or cannot be read."""
    if asked.fault is not None:
        raise click.UsageError("--explain-inputs runs nothing, and the lab knows its values only once it runs")
    import os

    from runbook_engine.cli.explained import as_text
    from runbook_engine.engine.explanation import explain
    from runbook_engine.engine.inputs import Around, resolve

    rows = explain(plan, Around(asked.inputs, os.environ, {}, "command line", environment))
    if asked.output.format == "json":
        import msgspec

        out(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
    else:
        out(as_text(rows))
    resolve(plan.runbook, asked.inputs, source="command line", environment=environment)
    return 0


def replayed(file: Path, runbook: str | None, wanted: Output) -> int:
    from runbook_engine.api import Recording

    trace = Recording(file).replay()
    if runbook is not None and runbook != trace.runbook:
        raise click.UsageError(f"{file} is a recording of {trace.runbook!r}, not of {runbook!r}")
    report(trace, wanted)
    return _code(trace)


@contextmanager
def _laboratory(fault: str | None, plan: "Plan", quiet: bool) -> Iterator[tuple[dict[str, str], Mapping[str, str]]]:
    """The inputs of the lab, where one is wanted, and the variables of the run."""
    import os

    if fault is None:
        yield {}, os.environ
        return
    from runbook_engine.lab import open_lab

    def tell(line: str) -> None:
        if not quiet:
            note(f"lab: {line}")

    with open_lab(fault, progress=tell) as lab:
        known = plan.runbook.inputs
        yield {name: value for name, value in lab.inputs.items() if name in known}, {**os.environ, **lab.environ}


def _inputs(
    plan: "Plan",
    given: Mapping[str, str],
    lab: Mapping[str, str],
    handed: Mapping[str, "Resolved"],
    environ: Mapping[str, str],
    talk: "Conversation",
    environment: "Environment | None",
) -> dict[str, "Resolved"]:
    """What was given counts first, then what the lab knows, is handed or a person types. Each says where it came from."""
    from runbook_engine.engine.inputs import Resolved, missing, read_value, resolve
    from runbook_engine.errors import InputsError

    specs = plan.runbook.inputs
    known = dict(handed) | {
        name: Resolved(read_value(specs[name], value, name=name), "lab") for name, value in lab.items()
    }

    def resolved() -> dict[str, Resolved]:
        return resolve(plan.runbook, given, environ, inherited=known, source="command line", environment=environment)

    try:
        return resolved()
    except InputsError as error:
        lacking = missing(plan.runbook, {**handed, **lab, **given}, environ, environment)
        if not talk.asks or len(error.problems) > len(lacking):
            raise
    for name, value in talk.complete(lacking).items():
        known[name] = Resolved(read_value(specs[name], value, name=name), "typed")
    return resolved()


def _walk(
    plan: "Plan",
    inputs: Mapping[str, "Resolved"],
    around: "Surroundings",
    talk: "Conversation",
    asked: Asked,
    keep: "Callable[[Trace], None] | None",
    *,
    silent: bool,
) -> int:
    import anyio

    from runbook_engine.engine.runner import Runner

    runner = Runner(plan, inputs, around)
    interrupted = False
    with _terminated_as_interrupted(), talk.watching(plan):
        try:
            anyio.run(runner.run)
        except KeyboardInterrupt:
            if not runner.events:
                raise
            interrupted = True
    trace = runner.trace()
    if keep is not None:
        keep(trace)
    recorded = _recorded(trace, asked.record)
    if not silent:
        report(trace, asked.output)
    if interrupted:
        return INTERRUPTED
    return _code(trace) if recorded else USAGE


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Whoever ends the process (``timeout``, a CI job) gets the report so far, as with Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _recorded(trace: "Trace", file: Path | None) -> bool:
    """Whether the recording, if one is wanted, was written. The report comes all the same."""
    if file is None:
        return True
    from runbook_engine.api import record
    from runbook_engine.errors import RecordingError

    try:
        record(trace, file)
    except RecordingError as error:
        note(f"error: {error}")
        return False
    return True


def _journal(*, wanted: bool) -> "Journal":
    if wanted:
        from runbook_engine.cli.keeping import History

        return History()
    from runbook_engine.engine.journal import MemoryJournal

    return MemoryJournal()


def report(trace: "Trace", wanted: Output) -> None:
    from runbook_engine.cli.screen import colored, width
    from runbook_engine.report import ReportFormat, render

    chosen = wanted.format or (SUFFIXES.get(wanted.file.suffix.lower(), "text") if wanted.file else "text")
    try:
        text = render(
            trace,
            ReportFormat(chosen),
            template=wanted.template,
            color=wanted.file is None and colored(sys.stdout),
            width=width(),
        )
    except UsageError as error:
        note(f"error: {error}; here is the report without the template")
        out(render(trace, ReportFormat(chosen)))
        raise click.exceptions.Exit(USAGE) from error
    if wanted.file is None:
        out(text)
        return
    try:
        wanted.file.write_text(text, encoding="utf-8")
    except OSError as error:
        note(f"error: the report cannot be written to {wanted.file}: {error.strerror}; here it is")
        out(text)
        raise click.exceptions.Exit(USAGE) from error
    note(f"report written to {wanted.file}")
    if sys.stdout.isatty():
        out(render(trace, ReportFormat.TEXT, color=colored(sys.stdout), width=width()))


def _code(trace: "Trace") -> int:
    return CODES[trace.outcome.value]


def _conversation(*, quiet: bool, no_input: bool) -> "Conversation":
    from runbook_engine.cli.conversation import Conversation

    return Conversation(quiet=quiet, asks=not no_input and sys.stdin.isatty() and sys.stderr.isatty())
