"""Carrying out a plan: against live systems, the lab or a recording; what comes of it is reported."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.asked import Asked, Output
from runbook_engine.cli.signals import stopped_early
from runbook_engine.cli.streams import data, note, out
from runbook_engine.errors import UsageError
from runbook_engine.files import write_whole
from runbook_engine.ids import TRIAGE
from runbook_engine.pasteable import operands, pasteable

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
    approve: "Callable[[Mapping[str, Resolved]], None]" = lambda _: None,
    silent: bool = False,
) -> int:
    """Run the plan, report, and give the exit code. ``keep`` gets what happened before the report is made.

    ``handed`` are inputs that count after those that were asked for. ``approve`` sees the values of all inputs, and raises
    where the run must not begin. Where it is ``silent``, there is no report.
    """
    environment = _environment(asked, plan)
    if asked.explain:
        return _explained(plan, asked, environment)
    with _laboratory(asked.fault, plan, asked.quiet) as (lab, environ):
        talk = _conversation(quiet=asked.quiet, no_input=asked.no_input)
        inputs = _inputs(plan, asked.inputs, lab, handed, environ, talk, environment)
        if (secrets := click.get_current_context().find_object(set)) is not None:
            secrets.update(secret for each in inputs.values() for secret in each.secrets)
        approve(inputs)
        from runbook_engine.engine.grants import granted
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
            grants=granted(asked.allow, environ, environment, source="--allow"),
            deadline=asked.deadline,
            environment=environment,
            knowledge=knowledge,
        )
        code = _walk(plan, inputs, around, talk, asked, keep, silent=silent)
        for file in knowledge.broken:
            seen = pasteable("runbook", "check", *operands(file))
            note(f"{file} has mistakes, and what is wrong in it was left out; see: {seen}")
        return code


def _environment(asked: Asked, plan: "Plan") -> "Environment | None":
    """The environment that is asked for; what is odd about it is told. Raises UsageError and InvalidDocumentError."""
    if asked.environment is None:
        return None
    from runbook_engine.document import render_all
    from runbook_engine.engine.environments import choose
    from runbook_engine.library import Library

    library = Library.default()
    chosen = choose(asked.environment, plan, library)
    if not asked.quiet and (not asked.explain or asked.output.format == "json"):
        note(f"{chosen.environment.source}: {library.told(chosen.file)}")
    if chosen.warnings and not asked.quiet:
        from runbook_engine.cli.screen import colored

        note(render_all(chosen.warnings, chosen.sources, color=colored(sys.stderr)), painted=True)
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

        data(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
    else:
        out(as_text(rows))
        if asked.environment is not None:
            from runbook_engine.engine.environments import choose
            from runbook_engine.library import Library

            library = Library.default()
            file = choose(asked.environment, plan, library).file
            out(f"\nThe environment is {library.told(file)}\n")
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
            raise InputsError(error.problems, _ways_on(plan) if lacking else ()) from None
    for name, value in talk.complete(lacking).items():
        known[name] = Resolved(read_value(specs[name], value, name=name), "typed")
    return resolved()


def _ways_on(plan: "Plan") -> Iterator[str]:
    """What somebody does who was asked for inputs: write them down once, or see a run without a system of one's own."""
    from runbook_engine.engine.inputs import kept_in_an_environment
    from runbook_engine.lab.faults import fitting

    runbook = plan.runbook.runbook
    ran = "triage" if runbook == TRIAGE else f"run {runbook}"
    yield kept_in_an_environment(ran)
    fault = fitting(runbook)
    if fault is not None:
        yield f"only to see it: runbook {ran} --lab {fault} (servers on this machine, with a fault in them)"


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
    with talk.watching(plan, {name: each.shown() for name, each in inputs.items()}):
        try:
            interrupted = anyio.run(stopped_early, runner.run)
        except KeyboardInterrupt:
            interrupted = True
    if interrupted and not runner.events:
        raise KeyboardInterrupt
    trace = runner.trace()
    if keep is not None:
        keep(trace)
    try:
        if not silent:
            report(trace, asked.output)
    finally:
        recorded = _recorded(trace, asked.record)
    if interrupted:
        return INTERRUPTED
    return _code(trace) if recorded else USAGE


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
        _show(render(trace, ReportFormat(chosen)), chosen)
        raise click.exceptions.Exit(USAGE) from error
    if wanted.file is None:
        _show(text, chosen)
        return
    try:
        write_whole(wanted.file, text, private=True)
    except OSError as error:
        note(f"error: the report cannot be written to {wanted.file}: {error.strerror}; here it is")
        _show(text, chosen)
        raise click.exceptions.Exit(USAGE) from error
    note(f"report written to {wanted.file}")
    if sys.stdout.isatty():
        out(render(trace, ReportFormat.TEXT, color=colored(sys.stdout), width=width()), painted=True)


def _show(report: str, format_: str) -> None:
    if format_ == "text":
        out(report, painted=True)
    else:
        data(report)


def _code(trace: "Trace") -> int:
    return CODES[trace.outcome.value]


def _conversation(*, quiet: bool, no_input: bool) -> "Conversation":
    from runbook_engine.cli.conversation import Conversation

    return Conversation(quiet=quiet, asks=not no_input and sys.stdin.isatty() and sys.stderr.isatty())
