"""``runbook history``."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from runbook_engine.cli.asked import FORMATS
from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import RunbookName
from runbook_engine.cli.streams import data, note, say


@click.command(
    "history",
    epilog=examples(
        "runbook history --runbook high-latency",
        "runbook history 6b03ffe0",
        "runbook history 6b03ffe0 --format html -o report.html",
    ),
)
@click.argument("run", required=False)
@click.option("--runbook", type=RunbookName(), help="Only runs of this runbook.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many runs.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="Of the report."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
def command(run: str | None, runbook: str | None, limit: int, format_: str, output: Path | None) -> None:
    """List past runs, newest first; with a RUN (or the beginning of its id), show its report again."""
    from runbook_engine.engine.sqlite import SqliteJournal, default_file

    file = default_file()
    if not file.exists():
        say("nothing has been run yet" if format_ == "text" else "[]")
        return
    journal = SqliteJournal(file, reading=True)
    try:
        if run is None:
            _list(journal, limit, runbook, as_json=format_ == "json")
        else:
            from runbook_engine.cli.asked import Output
            from runbook_engine.cli.carrying_out import report
            from runbook_engine.engine.trace import fold

            report(fold(journal.events(run)), Output(format_, output, None))
    finally:
        journal.close()


def _list(journal: object, limit: int, runbook: str | None, *, as_json: bool) -> None:
    from runbook_engine.engine.sqlite import SqliteJournal
    from runbook_engine.quantity import Dimension, show

    assert isinstance(journal, SqliteJournal)  # noqa: S101 - imported late, for start-up time
    runs = journal.runs(limit, runbook)
    if as_json:
        data(json.dumps([asdict(each) for each in runs], indent=2) + "\n")
        return
    for each in runs:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.started_at))
        took = show(each.finished_at - each.started_at, Dimension.DURATION) if each.finished_at else ""
        ended = each.outcome or "never ended"
        told = f" ({each.ending})" if each.ending not in (None, "completed") else ""
        say(f"{each.run_id}  {when}  {each.runbook:<24} {ended + told:<14} {took}".rstrip())
    if runs and sys.stdout.isatty():
        note("\nShow one again with: runbook history RUN")
