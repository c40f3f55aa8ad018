"""``runbook alert``."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.asked import Asked, Output, shared
from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_names import PriorityName
from runbook_engine.cli.incident_shared import now, send_option
from runbook_engine.cli.streams import data, out
from runbook_engine.cli.streams import note as tell
from runbook_engine.pasteable import operands, pasteable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runbook_engine.alerting.alerts import Alert, Body
    from runbook_engine.alerting.log import AlertLog, Entry
    from runbook_engine.alerting.matching import Match
    from runbook_engine.cli.alert_incidents import Filing
    from runbook_engine.cli.alert_view import Seen

MOST_RUNS = 20
UNREAD, BLIND = 2, 3


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
@click.option(
    "--open", "open_", is_flag=True, help="Have each alert that fires in an incident: in its own, or in a new one."
)
@click.option(
    "-p",
    "--priority",
    type=PriorityName(),
    metavar="PRIORITY",
    help="How bad it is, with --open; else what the runs find, then the alert's labels, by the policy.",
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

    A runbook says in its triggers which alerts it is for. What is sent again is recognised; only what could not be run is run
    again. Reports go to standard output, progress to standard error.

    Ends as the worst of the runs does; with 1 at least where an incident was opened or got an alert, or where a message could
    not be sent; with 0 where nothing is to be done.
    """
    if number is not None and open_:
        raise click.UsageError("--incident names an incident and --open opens one; leave out one of them")
    if (priority or policy_file) and not open_:
        raise click.UsageError("--priority and --policy are for the incident that --open opens")
    with _told(as_json=format_ == "json"):
        if list_:
            return _list(format_)
        if file is None:
            raise click.UsageError("name the file with the body, or - for standard input")
        from runbook_engine.alerting.reading import read_body

        body = _masked(read_body(_read(file)))
        for each in body.notes:
            tell(f"warning: {each}" if body.truncated else each)
        for each in body.odd:
            tell(f"warning: {each}")
        if dry_run:
            return _dry_run(body, format_)
        wanted = Output("text", None, None)
        asked = Asked(
            inputs, environment, False, True, wanted, None, None, frozenset(allow), deadline, fault, no_journal, quiet
        )
        from runbook_engine.cli.alert_incidents import Filing

        filing = Filing(number, open_, priority, policy_file, by, send)
        return _take(body, asked, filing, max_runs, as_json=format_ == "json")


@contextmanager
def _told(*, as_json: bool) -> Iterator[None]:
    """Where nothing can be done, a program gets a document, too."""
    from runbook_engine.errors import RunbookError

    try:
        yield
    except (RunbookError, click.ClickException) as error:
        if as_json:
            from runbook_engine.cli.alert_view import problem_document

            problem = error.format_message() if isinstance(error, click.ClickException) else str(error)
            data(json.dumps(problem_document(problem, error.exit_code), indent=2, ensure_ascii=False) + "\n")
        raise


def _take(body: "Body", asked: Asked, filing: "Filing", most: int, *, as_json: bool) -> int:
    """Take what nobody has taken, run what is for it, and keep what came of it."""
    from runbook_engine.alerting.jobs import jobs
    from runbook_engine.cli.alert_runs import run_all, worst
    from runbook_engine.cli.alert_view import told

    filing.check()
    with ExitStack() as stack:
        log, seen = _taken(body, stack)
        mine = [each for each in seen if each.is_mine]
        left = {each.alert.key for each in mine}
        # Whatever happens, what is left is there for the next one to whom it is sent.
        stack.callback(lambda: _noted(lambda: log.release(left)))
        if not asked.quiet:
            tell(told(body, seen))
        stack.enter_context(log.held())
        wanted = jobs((each.alert, each.matches) for each in mine if each.runs)
        ran = run_all(wanted[:most], asked, log, {each.alert.key: each.entry for each in mine}, silent=as_json)
        undone = {key for each in ran if not each.is_done for key in each.job.keys}
        undone |= {key for job in wanted[most:] for key in job.keys}
        filing.file(seen, ran)
        done = left - undone
        if _noted(lambda: log.file(filing.of)) and _noted(lambda: log.finish(done)):
            left &= undone
    codes = [*(each.code for each in ran), *filing.codes]
    codes += [UNREAD] if body.unread else [BLIND] if body.blind else []
    if len(wanted) > most:
        tell(
            f"warning: {len(wanted) - most} of {len(wanted)} runs were left out; they are done when the alerts are sent again"
        )
        codes.append(3)
    code = worst(codes)
    if as_json:
        from runbook_engine.cli.alert_view import as_document

        data(json.dumps(as_document(body, seen, ran, filing, code), indent=2, ensure_ascii=False) + "\n")
    return code


def _taken(body: "Body", stack: ExitStack) -> "tuple[AlertLog, Sequence[Seen]]":
    """Each alert once, with what is known of it, and where that is kept: in memory, where nothing can be kept."""
    from runbook_engine.alerting.log import AlertLog
    from runbook_engine.engine.sqlite import default_file
    from runbook_engine.errors import JournalError

    matched = _matched(body)
    alerts, jobs_of = [alert for alert, _ in matched], _jobs_of(matched)
    try:
        log = AlertLog(default_file())
        stack.callback(log.close)
        return log, _seen(matched, log.take(alerts, now(), jobs_of))
    except JournalError as error:
        tell(f"warning: {error}; an alert that is sent again will not be recognised")
    log = stack.enter_context(AlertLog(None))
    return log, _seen(matched, log.take(alerts, now(), jobs_of))


def _noted(write: Callable[[], None]) -> bool:
    """Whether it could be written down. Where it could not, the alert is taken anew when it is sent again."""
    from runbook_engine.errors import JournalError

    try:
        write()
    except JournalError as error:
        tell(f"warning: {error}; an alert that is sent again will not be recognised")
        return False
    return True


def _dry_run(body: "Body", format_: str) -> int:
    from runbook_engine.alerting.log import AlertLog
    from runbook_engine.cli.alert_view import as_document, told
    from runbook_engine.engine.sqlite import default_file

    known, matched = {}, _matched(body)
    if default_file().is_file():
        with AlertLog(default_file(), reading=True) as log:
            known = dict(log.known(body.alerts, _jobs_of(matched)))
    seen = _seen(matched, known)
    if format_ == "json":
        data(json.dumps(as_document(body, seen), indent=2, ensure_ascii=False) + "\n")
    else:
        out(told(body, seen) + "\n")
    return 0


def _list(format_: str) -> int:
    from runbook_engine.alerting.log import AlertLog
    from runbook_engine.cli.alert_view import entry_document, listed
    from runbook_engine.engine.sqlite import default_file

    with AlertLog(default_file(), reading=True) as log:
        found = log.entries()
    if format_ == "json":
        data(json.dumps([entry_document(each) for each in found], indent=2) + "\n")
    elif found:
        out(listed(found))
    else:
        tell("no alert was taken in the last 30 days")
    return 0


def _matched(body: "Body") -> "Sequence[tuple[Alert, Sequence[Match]]]":
    """Each alert once, with the runbooks that are for it: none for one that is over."""
    from runbook_engine.alerting.matching import candidates
    from runbook_engine.library import Library

    found = candidates(Library.default())
    for file in found.unread:
        seen = pasteable("runbook", "check", *operands(file))
        tell(f"warning: nobody can say for which alerts {file} is: it has mistakes; see: {seen}")
    return [(each, found.matching(each)) for each in {each.key: each for each in body.alerts}.values()]


def _jobs_of(matched: "Sequence[tuple[Alert, Sequence[Match]]]") -> "Mapping[str, Sequence[str]]":
    """The ids of what is to be run for each alert that fires, by its key."""
    from runbook_engine.alerting.alerts import Status
    from runbook_engine.alerting.jobs import job_id

    return {
        alert.key: [job_id(each) for each in matches] for alert, matches in matched if alert.status is Status.FIRING
    }


def _seen(matched: "Sequence[tuple[Alert, Sequence[Match]]]", entries: "Mapping[str, Entry]") -> "Sequence[Seen]":
    from runbook_engine.cli.alert_view import Seen

    return [Seen(alert, entries.get(alert.key), tuple(matches)) for alert, matches in matched]


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


def _masked(body: "Body") -> "Body":
    """Without the secrets in it: the environment's, those in URLs, and what labels are named like."""
    from msgspec.structs import replace

    from runbook_engine.alerting.part import MOST_NAME, MOST_TEXT
    from runbook_engine.engine.border import Border
    from runbook_engine.masking import HIDDEN, holds_secret, passwords

    border = Border()
    border.learn_environment(os.environ)
    for each in body.alerts:
        for text in (each.name, each.url, *each.labels.values(), *each.annotations.values()):
            border.learn(*(passwords(text) if "=" in text or "://" in text else ()))

    def clean(text: str, most: int = MOST_TEXT) -> str:
        return border.text(text, most)

    def texts(given: "Mapping[str, str]") -> dict[str, str]:
        return {
            clean(name, MOST_NAME): HIDDEN if holds_secret(name, value) else clean(value)
            for name, value in given.items()
        }

    alerts = tuple(
        replace(
            each,
            name=clean(each.name, MOST_NAME),
            labels=texts(each.labels),
            derived=texts(each.derived),
            annotations=texts(each.annotations),
            url=clean(each.url, MOST_NAME),
        )
        for each in body.alerts
    )
    return replace(body, alerts=alerts, notes=tuple(map(clean, body.notes)), odd=tuple(map(clean, body.odd)))
