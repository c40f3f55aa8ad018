"""``runbook alert``."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.asked import Asked, Output, shared
from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_shared import now, send_option
from runbook_engine.cli.streams import note as tell
from runbook_engine.cli.streams import out

if TYPE_CHECKING:
    from runbook_engine.alerting.alerts import Body
    from runbook_engine.alerting.log import AlertLog, Entry
    from runbook_engine.cli.alert_incidents import Filing
    from runbook_engine.cli.alert_view import Seen

MOST_RUNS = 20


@click.command(
    "alert",
    epilog=examples(
        "runbook alert body.json --dry-run",
        "runbook alert - -e production < body.json",
        "runbook alert body.json --open --send",
        "runbook alert body.json --incident 3",
        "runbook alert --list",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False), required=False)
@click.option("--dry-run", is_flag=True, help="Say what would be run and why; run nothing, and keep nothing.")
@click.option("--list", "list_", is_flag=True, help="List the alerts that were taken, the latest first.")
@click.option("--incident", "number", type=click.IntRange(min=1), metavar="NUMBER", help="Add alerts and runs to it.")
@click.option("--open", "open_", is_flag=True, help="Open an incident for alerts that belong to none that is open.")
@click.option(
    "-p",
    "--priority",
    type=click.Choice(["P0", "P1", "P2", "P3"]),
    help="How bad it is, with --open; else what the runs find decides.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A policy of incidents of yours, with --open  [default: policy/incidents.yaml of the library]",
)
@click.option(
    "--max-runs",
    type=click.IntRange(min=1),
    default=MOST_RUNS,
    show_default=True,
    help="Run at most so many runbooks; the other alerts are taken when they are sent again.",
)
@click.option("--by", default="alert", show_default=True, metavar="NAME", help="Who does it, in an incident.")
@send_option()
@shared("inputs", "environment", "allow", "deadline", "fault", "no_journal", "quiet")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def command(
    *,
    file: Path | None,
    dry_run: bool,
    list_: bool,
    number: int | None,
    open_: bool,
    priority: str | None,
    policy_file: Path | None,
    max_runs: int,
    by: str,
    send: bool,
    inputs: dict[str, str],
    environment: str | None,
    allow: tuple[str, ...],
    deadline: float | None,
    fault: str | None,
    no_journal: bool,
    quiet: bool,
    format_: str,
) -> int:
    """Run the runbooks that alerts trigger. FILE is the body that Alertmanager, Grafana or SNS (CloudWatch) sent; - reads it
    from standard input.

    A runbook says in its triggers which alerts it is for. What is sent again is recognised and not run again. Reports go to
    standard output, progress to standard error; ends as the worst of the runs does, with 0 where nothing is to be done.
    """
    if list_:
        return _list(format_)
    if file is None:
        raise click.UsageError("name the file with the body, or - for standard input")
    if number is not None and open_:
        raise click.UsageError("--incident names an incident and --open opens one; leave out one of them")
    if (priority or policy_file) and not open_:
        raise click.UsageError("--priority and --policy are for the incident that --open opens")
    from runbook_engine.alerting.reading import read_body

    body = _masked(read_body(_read(file)))
    for each in body.notes:
        tell(f"warning: {each}" if body.truncated else each)
    if dry_run:
        return _dry_run(body, format_)
    wanted = Output("text", None, None)
    asked = Asked(
        inputs, environment, False, True, wanted, None, None, frozenset(allow), deadline, fault, no_journal, quiet
    )
    from runbook_engine.cli.alert_incidents import Filing
    from runbook_engine.document.models import Severity

    filing = Filing(number, open_, Severity(priority) if priority else None, policy_file, by, send)
    return _take(body, asked, filing, max_runs, as_json=format_ == "json")


def _take(body: "Body", asked: Asked, filing: "Filing", most: int, *, as_json: bool) -> int:
    """Take what nobody has taken, run what is for it, and keep what came of it."""
    from runbook_engine.alerting.alerts import Status
    from runbook_engine.alerting.jobs import jobs
    from runbook_engine.cli.alert_runs import run_all, worst
    from runbook_engine.cli.alert_view import told

    filing.check()
    with ExitStack() as stack:
        log = stack.enter_context(_log())
        seen = _seen(body, log.take(body.alerts, now()))
        mine = [each for each in seen if each.entry is not None and each.entry.is_open]
        left = {each.alert.key for each in mine}
        # Whatever happens, what is left is there for the next one to whom it is sent.
        stack.callback(lambda: log.release(left))
        if not asked.quiet:
            tell(told(body, seen))
        stack.enter_context(log.held())
        firing = [each for each in mine if each.alert.status is Status.FIRING]
        wanted = jobs((each.alert, each.matches) for each in firing)
        ran = run_all(wanted[:most], asked, log, {each.alert.key: each.entry for each in mine}, silent=as_json)
        undone = {key for each in ran if not each.is_done for key in each.job.keys}
        undone |= {key for job in wanted[most:] for key in job.keys}
        filed = filing.file([each.alert for each in mine], ran)
        done = left - undone
        for number in {filed.get(key) for key in done}:
            log.finish([key for key in done if filed.get(key) == number], number)
        left &= undone
        filing.tell_people(set(filed.values()))
    if as_json:
        from runbook_engine.cli.alert_view import as_document

        out(json.dumps(as_document(body, seen, ran, filed), indent=2, ensure_ascii=False) + "\n")
    codes = [each.code for each in ran]
    if len(wanted) > most:
        tell(
            f"warning: {len(wanted) - most} of {len(wanted)} runs were left out; they are done when the alerts are sent again"
        )
        codes.append(3)
    return worst(codes)


def _dry_run(body: "Body", format_: str) -> int:
    from runbook_engine.alerting.log import AlertLog
    from runbook_engine.cli.alert_view import as_document, told
    from runbook_engine.engine.sqlite import default_file

    known = {}
    if default_file().is_file():
        with AlertLog(default_file()) as log:
            known = dict(log.known(body.alerts, now()))
    seen = _seen(body, known)
    if format_ == "json":
        out(json.dumps(as_document(body, seen, (), {}), indent=2, ensure_ascii=False) + "\n")
    else:
        out(told(body, seen) + "\n")
    return 0


def _list(format_: str) -> int:
    from runbook_engine.alerting.log import AlertLog
    from runbook_engine.cli.alert_view import entry_document, listed
    from runbook_engine.engine.sqlite import default_file

    with AlertLog(default_file()) as log:
        found = log.entries(now())
    if format_ == "json":
        out(json.dumps([entry_document(each) for each in found], indent=2) + "\n")
    elif found:
        out(listed(found))
    else:
        tell("no alert was taken in the last 30 days")
    return 0


def _seen(body: "Body", entries: "Mapping[str, Entry]") -> "Sequence[Seen]":
    """Each alert once, with what is known of it and the runbooks that are for it."""
    from runbook_engine.alerting.matching import candidates
    from runbook_engine.cli.alert_view import Seen
    from runbook_engine.library import Library

    found = candidates(Library.default())
    for file in found.unread:
        tell(f"warning: nobody can say for which alerts {file} is: it has mistakes; see: runbook check {file}")
    alerts = {each.key: each for each in body.alerts}
    return [Seen(each, entries.get(key), tuple(found.matching(each))) for key, each in alerts.items()]


def _read(file: Path) -> bytes:
    """The body, and no more than one byte too many of it."""
    from runbook_engine.alerting.json_text import MOST_BYTES
    from runbook_engine.errors import UsageError

    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _log() -> "AlertLog":
    """Where nothing can be kept, the diagnosis matters more."""
    from runbook_engine.alerting.log import AlertLog
    from runbook_engine.engine.sqlite import default_file
    from runbook_engine.errors import JournalError

    try:
        return AlertLog(default_file())
    except JournalError as error:
        tell(f"warning: {error}; an alert that is sent again will not be recognised")
        return AlertLog(None)


def _masked(body: "Body") -> "Body":
    """Without the passwords in it."""
    from msgspec.structs import replace

    from runbook_engine.engine.border import Border, passwords

    border = Border()
    border.learn_environment(os.environ)

    def clean(text: str) -> str:
        own = passwords(text) if "=" in text or "://" in text else ()
        return border.text(Border(own).text(text) if own else text)

    alerts = tuple(
        replace(
            each,
            name=clean(each.name),
            labels={clean(name): clean(value) for name, value in each.labels.items()},
            annotations={clean(name): clean(value) for name, value in each.annotations.items()},
            url=clean(each.url),
        )
        for each in body.alerts
    )
    return replace(body, alerts=alerts, notes=tuple(map(clean, body.notes)))
