"""``runbook run``."""

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.names import FaultName, RunbookName
from runbook_engine.cli.streams import note, out
from runbook_engine.errors import UsageError
from runbook_engine.ids import SNAKE_CASE

if TYPE_CHECKING:
    from runbook_engine.cli.conversation import Conversation
    from runbook_engine.engine.inputs import Resolved
    from runbook_engine.engine.journal import Journal
    from runbook_engine.engine.runner import Surroundings
    from runbook_engine.engine.trace import Trace
    from runbook_engine.graph.plan import Plan

FORMATS = ("text", "markdown", "html", "json", "junit")
SUFFIXES = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".xml": "junit", ".txt": "text"}
CODES = {"healthy": 0, "warning": 1, "critical": 1, "inconclusive": 3}
USAGE, INTERRUPTED = 2, 130


@dataclass(frozen=True, slots=True)
class Output:
    """Where the report goes and how it looks."""

    format: str | None
    file: Path | None
    template: Path | None


def pairs(_ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in values:
        name, sign, value = each.partition("=")
        if not sign or not name:
            shown = repr(each) if SNAKE_CASE.match(each) else "what was given"  # which may hold a password
            raise click.BadParameter(f"{shown} should be name=value", param=param)
        found[name] = value
    return found


def seconds(_ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    from runbook_engine.quantity import Dimension, parse

    text = f"{value}in" if value.endswith("m") else value
    try:
        number, dimension = parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=param) from None
    if dimension is not Dimension.DURATION or number <= 0:
        raise click.BadParameter(f"{value!r} is not a duration; write for example 30s or 5m", param=param)
    return number


@click.command(
    "run",
    epilog="""\b
Examples:
  runbook run high-latency
  runbook run high-latency -s api_url=https://api.example.com -s slow=300ms
  runbook run high-latency --no-input --format json -o report.json
  runbook run high-latency --lab slow_queries
  runbook run --replay run.jsonl
\b
Exit codes: 0 healthy, 1 problem found, 2 usage, 3 inconclusive, 78 the runbook has mistakes, 130 interrupted.""",
)
@click.argument("runbook", type=RunbookName(), required=False)
@click.option("-s", "--set", "inputs", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Set an input.")
@click.option(
    "--answer", "answers", multiple=True, metavar="STEP=VALUE", callback=pairs, help="Answer a question beforehand."
)
@click.option("--no-input", is_flag=True, help="Ask nothing; questions take their default or stay open.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Format of the report  [default: text, or by -o]")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
@click.option(
    "--template", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A report template of yours."
)
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="Keep the whole run in a file.")
@click.option(
    "--replay", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Walk a recorded run again, offline."
)
@click.option("--allow", multiple=True, type=click.Choice(["shell"]), help="Allow what is refused by default.")
@click.option("--deadline", callback=seconds, metavar="DURATION", help="End the run after this time: 30s, 5m.")
@click.option("--lab", "fault", type=FaultName(), metavar="FAULT", help="Run against the lab with this fault in it.")
@click.option("--no-journal", is_flag=True, help="Do not keep the run in the history.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def command(
    runbook: str | None,
    inputs: dict[str, str],
    answers: dict[str, str],
    no_input: bool,
    format_: str | None,
    output: Path | None,
    template: Path | None,
    record: Path | None,
    replay: Path | None,
    allow: tuple[str, ...],
    deadline: float | None,
    fault: str | None,
    no_journal: bool,
    quiet: bool,
) -> int:
    """Run a RUNBOOK, by name or file, and report what is wrong.

    The report goes to standard output, progress to standard error.
    """
    wanted = Output(format_, output, template)
    if replay is not None:
        idle = {"-s": inputs, "--answer": answers, "--lab": fault, "--allow": allow, "--deadline": deadline}
        for option in (option for option, value in idle.items() if value):
            raise click.UsageError(f"{option} cannot change what was recorded; leave it out, or run the runbook anew")
        return replayed(replay, runbook, wanted)
    if runbook is None:
        raise click.UsageError("name a runbook; `runbook list` lists them")
    from runbook_engine.api import load

    plan = load(runbook)
    if answers:
        from runbook_engine.cli.answers import check_answers

        check_answers(plan, answers)
    with laboratory(fault, plan, quiet) as (lab, environ):
        talk = conversation(quiet=quiet, no_input=no_input)
        resolved = inputs_of(plan, inputs, lab, environ, talk)
        from runbook_engine.engine.runner import Surroundings

        around = Surroundings(
            ask=talk.ask if talk.asks else None,
            answers=answers,
            observe=talk.observe,
            journal=journal(wanted=not no_journal),
            environ=environ,
            grants=frozenset(allow),
            deadline=deadline,
        )
        return walk(plan, resolved, around, talk, wanted, record)


def replayed(file: Path, runbook: str | None, wanted: Output) -> int:
    from runbook_engine.api import Recording

    trace = Recording(file).replay()
    if runbook is not None and runbook != trace.runbook:
        raise click.UsageError(f"{file} is a recording of {trace.runbook!r}, not of {runbook!r}")
    report(trace, wanted)
    return _code(trace)


@contextmanager
def laboratory(fault: str | None, plan: "Plan", quiet: bool) -> Iterator[tuple[dict[str, str], Mapping[str, str]]]:
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


def inputs_of(
    plan: "Plan", given: Mapping[str, str], lab: Mapping[str, str], environ: Mapping[str, str], talk: "Conversation"
) -> dict[str, "Resolved"]:
    """What was given counts first, then what the lab knows or a person types. Each says where it came from."""
    from runbook_engine.engine.inputs import Resolved, missing, read_value, resolve
    from runbook_engine.errors import InputsError

    specs = plan.runbook.inputs
    known = {name: Resolved(read_value(specs[name], value, name=name), "lab") for name, value in lab.items()}
    try:
        return resolve(plan.runbook, given, environ, inherited=known, source="command line")
    except InputsError as error:
        lacking = missing(plan.runbook, {**lab, **given}, environ)
        if not talk.asks or len(error.problems) > len(lacking):
            raise
    for name, value in talk.complete(lacking).items():
        known[name] = Resolved(read_value(specs[name], value, name=name), "typed")
    return resolve(plan.runbook, given, environ, inherited=known, source="command line")


def walk(
    plan: "Plan",
    inputs: Mapping[str, "Resolved"],
    around: "Surroundings",
    talk: "Conversation",
    wanted: Output,
    record: Path | None,
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
    recorded = _recorded(trace, record)
    report(trace, wanted)
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


def journal(*, wanted: bool) -> "Journal":
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


def conversation(*, quiet: bool, no_input: bool) -> "Conversation":
    from runbook_engine.cli.conversation import Conversation

    return Conversation(quiet=quiet, asks=not no_input and sys.stdin.isatty() and sys.stderr.isatty())
