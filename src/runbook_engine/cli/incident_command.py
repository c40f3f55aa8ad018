"""``runbook incident``."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runbook_engine.cli import incident_actions, incident_after, incident_messages, incident_summary, incident_watch
from runbook_engine.cli.asked import Asked, seconds, shared_options
from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_names import PlaybookName, RoleName, TaskName
from runbook_engine.cli.incident_shared import act as _act
from runbook_engine.cli.incident_shared import by_option as _by
from runbook_engine.cli.incident_shared import clean as _clean
from runbook_engine.cli.incident_shared import format_option as _format
from runbook_engine.cli.incident_shared import now as _now
from runbook_engine.cli.incident_shared import number_of as _number
from runbook_engine.cli.incident_shared import open_store as _store
from runbook_engine.cli.incident_shared import output_option as _output
from runbook_engine.cli.incident_shared import person as _person
from runbook_engine.cli.incident_shared import send_option as _send
from runbook_engine.cli.incident_shared import show as _show
from runbook_engine.cli.incident_shared import which_option as _which
from runbook_engine.cli.names import RunbookName
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import note as tell
from runbook_engine.cli.streams import out

if TYPE_CHECKING:
    from runbook_engine.document.incident_policy import IncidentPolicy
    from runbook_engine.engine.trace import Trace
    from runbook_engine.incidents.classify import Known

PRIORITIES = ("P0", "P1", "P2", "P3")
F = TypeVar("F", bound=Callable[..., Any])


@click.group(
    "incident",
    epilog=examples(
        "runbook incident classify --answer outage=no --answer error_rate=7%",
        "runbook incident open 'Checkout answers with errors' --answer payment=yes",
        "runbook incident show",
        "runbook incident ack",
        "runbook incident resolve 'Rolled back to 2.4.1'",
    ),
)
def command() -> None:
    """Lead an incident: how bad it is, who should be there now, what is due next, what happened.

    Incidents are kept beside the history of runs. Several people may act on one at once, from several terminals; nothing that
    happened is ever changed or lost. Without --incident the only one that is not closed is meant.
    """


def _answers() -> Callable[[F], F]:
    return click.option(
        "--answer",
        "answers",
        multiple=True,
        metavar="FACT=VALUE",
        help="What is known: yes, no, unsure, or a value such as 7%; may be given again.",
    )


def _run_option() -> Callable[[F], F]:
    return click.option("--run", "run", metavar="RUN", help="Take what a past run found for answers, too.")


def _policy_option() -> Callable[[F], F]:
    return click.option(
        "--policy",
        "policy_file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="A policy of yours  [default: policy/incidents.yaml of the library]",
    )


@command.command("classify", epilog=examples("runbook incident classify --answer outage=no --answer error_rate=7%"))
@_answers()
@_run_option()
@_policy_option()
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@_format()
def classify_command(
    *, answers: tuple[str, ...], run: str | None, policy_file: Path | None, no_input: bool, format_: str
) -> None:
    """Say how bad it is, from answers or from a run's findings, and by which rule of the policy.

    On a terminal, what was not told is asked until a rule decides. When unsure, the higher priority counts.
    """
    import msgspec

    from runbook_engine.cli.incident_view import classified
    from runbook_engine.incidents.classify import classify
    from runbook_engine.incidents.policy import load_policy

    policy = load_policy(policy_file)
    known = _known(policy, answers, run, ask=not no_input and not answers and run is None and sys.stdin.isatty())
    found = classify(policy, known)
    if format_ == "json":
        out(msgspec.json.format(msgspec.json.encode(msgspec.to_builtins(found)), indent=2).decode() + "\n")
    else:
        out(classified(found, policy))


@command.command("open", epilog=examples("runbook incident open 'Checkout answers with errors' --answer payment=yes"))
@click.argument("title")
@click.option("-p", "--priority", type=click.Choice(PRIORITIES), help="How bad it is; else the answers decide.")
@_answers()
@_run_option()
@click.option("--description", default="", help="More about it.")
@_policy_option()
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@_send()
@_by()
@_format()
def open_command(
    *,
    title: str,
    priority: str | None,
    answers: tuple[str, ...],
    run: str | None,
    description: str,
    policy_file: Path | None,
    no_input: bool,
    send: bool,
    by: str | None,
    format_: str,
) -> int:
    """Open an incident; who should be there now is told at once.

    Its priority is given, or follows from the answers and the run. The policy is kept with it.
    """
    from runbook_engine.cli.incident_sending import deliver
    from runbook_engine.document.models import Severity
    from runbook_engine.incidents import acting
    from runbook_engine.incidents.classify import classify
    from runbook_engine.incidents.events import Source
    from runbook_engine.incidents.policy import load_policy, playbook_of

    policy = load_policy(policy_file)
    if priority is None:
        ask = not no_input and not answers and run is None and sys.stdin.isatty()
        known = _known(policy, answers, run, ask=ask)
        if not known:
            raise click.UsageError(
                "how bad is it? give --priority, --answer FACT=VALUE or --run RUN, or answer on a terminal"
            )
        found = classify(policy, known)
        chosen, because = found.priority, found.sentences
    else:
        chosen, because = Severity(priority), ("chosen by who opened it",)
    name, at = _person(by), _now()
    source = Source.RUN if run is not None else Source.PERSON
    with _store() as store:
        incident = store.open(
            acting.opening(
                policy,
                _clean(title),
                chosen,
                at,
                name,
                because=[_clean(each) for each in because],
                description=_clean(description),
                source=source,
                playbook=playbook_of(policy, chosen),
            )
        )
        if run is not None:
            incident = store.act(incident.id, acting.attach_run(at, name, _trace(run)))
        _show(incident, format_)
        return deliver(store, incident.id, name, send=send)


@command.command("list", epilog=examples("runbook incident list --all"))
@click.option("--all", "every", is_flag=True, help="Closed ones, too.")
@_format()
def list_command(*, every: bool, format_: str) -> None:
    """List the incidents that are not closed, newest first."""
    from runbook_engine.cli.incident_view import as_json, listed

    with _store() as store:
        found = [store.load(each) for each in store.numbers(still_open=not every)]
    if format_ == "json":
        out(json.dumps([as_json(each, _now()) for each in found], indent=2) + "\n")
    elif found:
        out(listed(found, _now()))
    else:
        tell("there is no incident" if every else "no incident is open")


@command.command(
    "show",
    epilog=examples("runbook incident show --incident 3", "runbook incident show --format html --output incident.html"),
)
@_which()
@_format("text", "json", "html")
@_output()
def show_command(*, number: int | None, format_: str, output: Path | None) -> None:
    """Show who should be there now, what is due next, what is overdue, what was found, and what happened."""
    with _store() as store:
        incident = store.load(_number(store, number))
    _show(incident, format_, output)


@command.command("ack", epilog=examples("runbook incident ack --for 20min"))
@click.option(
    "--for",
    "duration",
    callback=seconds,
    metavar="DURATION",
    help="Hold the escalation that long; at most as the policy says.",
)
@_send()
@_which()
@_by()
def ack_command(*, duration: float | None, send: bool, number: int | None, by: str | None) -> int:
    """Say that you are on it. That holds the escalation for a while; when the time is over, it goes on."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.acknowledge(at, name, duration), send=send)


@command.command("assign", epilog=examples("runbook incident assign technical_lead ann"))
@click.argument("role", type=RoleName())
@click.argument("person", required=False, default="")
@_which()
@_by()
def assign_command(*, role: str, person: str, number: int | None, by: str | None) -> int:
    """Say who fills a ROLE; without a PERSON, nobody does any more."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.assign(at, name, role, _clean(person)))


@command.command(
    "escalate", epilog=examples('runbook incident escalate --to security_lead --because "Foreign sessions seen"')
)
@click.option(
    "--to", "roles", type=RoleName(), multiple=True, metavar="ROLE", help="Call this role; may be given again."
)
@click.option("--because", default="", help="Why.")
@_send()
@_which()
@_by()
def escalate_command(*, roles: tuple[str, ...], because: str, send: bool, number: int | None, by: str | None) -> int:
    """Call those now whom the escalation matrix calls next, or the roles that are named."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.escalate(at, name, roles, _clean(because)), send=send)


@command.command("priority", epilog=examples('runbook incident priority P0 --because "Nobody can sign in"'))
@click.argument("priority", type=click.Choice(PRIORITIES))
@click.option("--because", required=True, help="Why.")
@_send()
@_which()
@_by()
def priority_command(*, priority: str, because: str, send: bool, number: int | None, by: str | None) -> int:
    """Make it worse or less bad. A raised priority begins a clock of its own; a lowered one keeps the clock."""
    from runbook_engine.document.models import Severity
    from runbook_engine.incidents import acting
    from runbook_engine.incidents.policy import of_document, playbook_of

    with _store() as store:
        policy = of_document(store.load(_number(store, number)).policy_document)
    playbook = playbook_of(policy, Severity(priority))
    return _act(
        number,
        by,
        lambda at, name: acting.reprioritise(at, name, Severity(priority), _clean(because), playbook),
        send=send,
    )


@command.command(
    "playbook", epilog=examples("runbook incident playbook", "runbook incident playbook security-incident")
)
@click.argument("playbook", type=PlaybookName(), required=False)
@_which()
@_by()
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
    return _act(number, by, lambda at, name: acting.start_playbook(at, name, found))


@command.command("tasks", epilog=examples("runbook incident tasks"))
@_which()
def tasks_command(*, number: int | None) -> None:
    """List what is to be done, phase by phase: by whom, by when, and what is done."""
    from runbook_engine.cli.incident_view import tasks_page

    with _store() as store:
        incident = store.load(_number(store, number))
    out(tasks_page(incident, max(_now(), incident.last_at)))


@command.command("done", epilog=examples("runbook incident done confirm_severity"))
@click.argument("task", type=TaskName())
@click.argument("text", required=False, default="")
@_send()
@_which()
@_by()
def done_command(*, task: str, text: str, send: bool, number: int | None, by: str | None) -> int:
    """Say that a TASK is done; TEXT says what came of it."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.finish_task(at, name, task, _clean(text)), send=send)


@command.command("skip", epilog=examples("runbook incident skip scale_resources --because 'Load is low'"))
@click.argument("task", type=TaskName())
@click.option("--because", default="", help="Why; some tasks need a reason, and some may not be skipped.")
@_which()
@_by()
def skip_command(*, task: str, because: str, number: int | None, by: str | None) -> int:
    """Say that a TASK is left out."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.skip_task(at, name, task, _clean(because)))


@command.command("evidence", epilog=examples("runbook incident evidence run.recording --task preserve_evidence"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--task", type=TaskName(), metavar="TASK", default="", help="The task that it belongs to.")
@click.option("--note", "text", default="", help="What it shows.")
@_which()
@_by()
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
    name = str(file.resolve())
    return _act(
        number,
        by,
        lambda at, who: acting.attach_evidence(at, who, name, digest, size, text=_clean(text), task=task),
    )


@command.command("note", epilog=examples("runbook incident note 'Deployed 2.4.2 at 14:03'"))
@click.argument("text")
@_which()
@_by()
def note_command(*, text: str, number: int | None, by: str | None) -> int:
    """Write down what happened."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.note(at, name, _clean(text)))


@command.command(
    "run", epilog=examples("runbook incident run high-latency", "runbook incident run memory --incident 3")
)
@click.argument("runbook", type=RunbookName())
@shared_options
@click.option(
    "--task",
    type=TaskName(),
    metavar="TASK",
    help="The task that it does  [default: the one that is left and wants this runbook]",
)
@_which()
@_by()
def run_command(asked: Asked, *, runbook: str, task: str | None, number: int | None, by: str | None) -> int:
    """Run a RUNBOOK and attach what it finds; a task that wants it is done by that.

    Takes the options of runbook run, and ends with its exit codes.
    """
    from runbook_engine.api import load
    from runbook_engine.cli.carrying_out import carry_out
    from runbook_engine.incidents import acting
    from runbook_engine.incidents.tasks import find_task

    if asked.replay is not None:
        raise click.UsageError("what was recorded is no run of this incident; leave out --replay")
    with _store() as store:
        incident = store.load(_number(store, number))
    if task is not None:
        find_task(incident, task)
    name = _person(by)

    def keep(trace: "Trace") -> None:
        with _store() as store:
            store.act(incident.id, acting.attach_run(_now(), name, trace, task))
        tell(f"attached to incident {incident.id}")

    return carry_out(load(runbook), asked, keep=keep)


@command.command("attach", epilog=examples("runbook incident attach 6b03ffe0"))
@click.argument("run")
@_which()
@_by()
def attach_command(*, run: str, number: int | None, by: str | None) -> int:
    """Attach a past RUN with its findings, by its id or the beginning of it."""
    from runbook_engine.incidents import acting

    trace = _trace(run)
    return _act(number, by, lambda at, name: acting.attach_run(at, name, trace))


@command.command("mitigate", epilog=examples("runbook incident mitigate 'Traffic moved to the other region'"))
@click.argument("text", required=False, default="")
@_send()
@_which()
@_by()
def mitigate_command(*, text: str, send: bool, number: int | None, by: str | None) -> int:
    """Say that it no longer hurts, though the cause may be there still. The escalation stands still."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.mitigate(at, name, _clean(text)), send=send)


@command.command("resolve", epilog=examples("runbook incident resolve 'Index rebuilt'"))
@click.argument("text", required=False, default="")
@_send()
@_which()
@_by()
def resolve_command(*, text: str, send: bool, number: int | None, by: str | None) -> int:
    """Say that the cause is gone."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.resolve(at, name, _clean(text)), send=send)


@command.command("reopen", epilog=examples("runbook incident reopen --because 'Errors are back'"))
@click.option("--because", required=True, help="Why.")
@_send()
@_which()
@_by()
def reopen_command(*, because: str, send: bool, number: int | None, by: str | None) -> int:
    """Say that it hurts again, or never stopped. The escalation goes on where it stood."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.reopen(at, name, _clean(because)), send=send)


@command.command("close", epilog=examples("runbook incident close"))
@click.argument("text", required=False, default="")
@_which()
@_by()
def close_command(*, text: str, number: int | None, by: str | None) -> int:
    """Say that nothing more is expected of anybody. Only what is resolved can be closed."""
    from runbook_engine.incidents import acting

    return _act(number, by, lambda at, name: acting.close(at, name, _clean(text)))


def _trace(run: str) -> "Trace":
    from runbook_engine.engine.sqlite import SqliteJournal, default_file
    from runbook_engine.engine.trace import fold

    with SqliteJournal(default_file()) as journal:
        return fold(journal.events(run))


def _known(policy: "IncidentPolicy", answers: tuple[str, ...], run: str | None, *, ask: bool) -> "Mapping[str, Known]":
    """What is told: by the run, by the answers, which count more, and by a person."""
    from runbook_engine.incidents.classify import from_trace, read_answer

    known = dict(from_trace(policy, _trace(run))) if run is not None else {}
    for each in answers:
        name, sign, value = each.partition("=")
        if not sign:
            raise click.UsageError(f"--answer {each!r} has no value; write {each}=yes, {each}=no or {each}=unsure")
        known[name] = read_answer(policy, name, value)
    return _asked(policy, known) if ask else known


def _asked(policy: "IncidentPolicy", known: "dict[str, Known]") -> "Mapping[str, Known]":
    """Ask one fact after the other, until a rule decides."""
    from runbook_engine.errors import UsageError
    from runbook_engine.incidents.classify import classify, read_answer

    tell("Answer yes, no, a value such as 7%, or nothing where you are not sure.")
    for name, fact in policy.facts.items():
        while name not in known:
            text = str(click.prompt(fact.ask, default="", show_default=False, err=True))
            try:
                known[name] = read_answer(policy, name, text)
            except UsageError as error:
                tell(f"  {error}")
        if classify(policy, known).rule is not None:
            break
    return known


for each in (
    *incident_messages.COMMANDS,
    incident_watch.watch_command,
    incident_summary.summary_command,
    *incident_after.COMMANDS,
    incident_actions.actions,
):
    command.add_command(each)
