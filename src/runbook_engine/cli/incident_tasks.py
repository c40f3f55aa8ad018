"""``runbook incident playbook``, ``tasks``, ``done``, ``skip`` and ``evidence``."""

from pathlib import Path

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_names import PlaybookName, TaskName
from runbook_engine.cli.incident_shared import (
    act,
    by_option,
    clean,
    now,
    number_of,
    open_store,
    send_option,
    which_option,
)
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import out


@click.command("playbook", epilog=examples("runbook incident playbook", "runbook incident playbook security-incident"))
@click.argument("playbook", type=PlaybookName(), required=False)
@which_option()
@by_option()
def playbook_command(*, playbook: str | None, number: int | None, by: str | None) -> int:
    """Follow a PLAYBOOK from now on, by its name or file. That of the priority is followed from the beginning.

    Without a PLAYBOOK, list those that there are.
    """
    from runbook_engine.incidents import acting
    from runbook_engine.incidents.policy import load_playbook_named
    from runbook_engine.library import Library

    if playbook is None:
        books = {name: load_playbook_named(name) for name in Library.default().playbooks()}
        wide = max(map(len, books), default=0)
        for name, each in books.items():
            led = f" ({', '.join(each.priorities)})" if each.priorities else ""
            out(f"{name:<{wide}}  {visible(each.title)}{led}\n")
        return 0
    found = load_playbook_named(playbook)
    return act(number, by, lambda at, name: acting.start_playbook(at, name, found))


@click.command("tasks", epilog=examples("runbook incident tasks"))
@which_option()
def tasks_command(*, number: int | None) -> None:
    """List what is to be done, phase by phase: by whom, by when, and what is done."""
    from runbook_engine.cli.incident_view import tasks_page

    with open_store(reading=True) as store:
        incident = store.load(number_of(store, number))
    out(tasks_page(incident, max(now(), incident.last_at)))


@click.command("done", epilog=examples("runbook incident done confirm_severity"))
@click.argument("task", type=TaskName())
@click.argument("text", required=False, default="")
@send_option()
@which_option()
@by_option()
def done_command(*, task: str, text: str, send: bool, number: int | None, by: str | None) -> int:
    """Say that a TASK is done; TEXT says what came of it."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.finish_task(at, name, task, clean(text)), send=send)


@click.command("skip", epilog=examples("runbook incident skip scale_resources --because 'Load is low'"))
@click.argument("task", type=TaskName())
@click.option("--because", default="", help="Why; some tasks need a reason, and some may not be skipped.")
@which_option()
@by_option()
def skip_command(*, task: str, because: str, number: int | None, by: str | None) -> int:
    """Say that a TASK is left out."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.skip_task(at, name, task, clean(because)))


@click.command("evidence", epilog=examples("runbook incident evidence run.recording --task preserve_evidence"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--task", type=TaskName(), metavar="TASK", default="", help="The task that it belongs to.")
@click.option("--note", "text", default="", help="What it shows.")
@which_option()
@by_option()
def evidence_command(*, file: Path, task: str, text: str, number: int | None, by: str | None) -> int:
    """Keep the SHA-256 of a FILE, such as a recording, so that nobody can change it unseen. The file stays where it is."""
    import hashlib

    from runbook_engine.errors import UsageError
    from runbook_engine.incidents import acting

    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    name = clean(str(file.resolve()))
    return act(
        number,
        by,
        lambda at, who: acting.attach_evidence(at, who, name, digest, size, text=clean(text), task=task),
    )


COMMANDS = (playbook_command, tasks_command, done_command, skip_command, evidence_command)
