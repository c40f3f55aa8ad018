"""``runbook incident``."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from runbook_engine.cli import (
    incident_actions,
    incident_after,
    incident_messages,
    incident_opening,
    incident_summary,
    incident_tasks,
    incident_watch,
)
from runbook_engine.cli.asked import Asked, seconds, shared_options
from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_names import PriorityName, RoleName, TaskName
from runbook_engine.cli.incident_shared import (
    act,
    by_option,
    clean,
    format_option,
    now,
    number_of,
    open_store,
    output_option,
    person,
    send_option,
    show,
    trace_of,
    which_option,
)
from runbook_engine.cli.names import RunbookName
from runbook_engine.cli.streams import data, out
from runbook_engine.cli.streams import note as tell

if TYPE_CHECKING:
    from runbook_engine.engine.trace import Trace


SUMMARIES: Mapping[str, str] = MappingProxyType(
    {
        "classify": "Say how bad it is, and by which rule.",
        "open": "Open an incident; who should be there is told at once.",
        "list": "List the incidents that are not closed.",
        "show": "Show who should be there, what is due, what happened.",
        "watch": "Say what happens and what is due, as time passes.",
        "ack": "Say that you are on it.",
        "assign": "Say who fills a role.",
        "escalate": "Call people now, before the matrix does.",
        "priority": "Make it worse or less bad.",
        "playbook": "Follow a playbook, or list those that there are.",
        "tasks": "List what is to be done, by whom and by when.",
        "done": "Say that a task is done.",
        "skip": "Say that a task is left out.",
        "run": "Run a runbook and attach what it finds.",
        "attach": "Attach a past run with its findings.",
        "evidence": "Keep the hash of a file.",
        "note": "Write down what happened.",
        "update": "Say how it stands.",
        "tell": "Tell customers, regulators, executives something.",
        "messages": "Show the messages that wait, and send them.",
        "mitigate": "Say that it no longer hurts.",
        "resolve": "Say that the cause is gone.",
        "reopen": "Say that it hurts again, or never stopped.",
        "close": "Say that nothing more is expected of anybody.",
        "remark": "Write a sentence for the postmortem.",
        "pin": "Have the timeline show an event, or leave it out.",
        "meeting": "Schedule the postmortem's meeting, or move it.",
        "postmortem": "Render the blameless postmortem.",
        "actions": "Keep what is to be done afterwards.",
        "stats": "Tell how long incidents took, over months.",
        "summary": "Sum up the incidents of the last days.",
    }
)
"""What each command is for, in the order in which an incident needs them."""


class _InOrder(click.Group):
    """Lists commands in the order of their summaries."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(SUMMARIES)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(
    "incident",
    cls=_InOrder,
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


@command.command("list", epilog=examples("runbook incident list --all"))
@click.option("--all", "every", is_flag=True, help="Closed ones, too.")
@format_option()
def list_command(*, every: bool, format_: str) -> None:
    """List the incidents that are not closed, newest first."""
    from runbook_engine.cli.incident_view import as_json, listed

    with open_store(reading=True) as store:
        found = [store.load(each) for each in store.numbers(still_open=not every)]
    if format_ == "json":
        data(json.dumps([as_json(each, now()) for each in found], indent=2) + "\n")
    elif found:
        out(listed(found, now()))
    else:
        tell("there is no incident" if every else "no incident is open")


@command.command(
    "show",
    epilog=examples("runbook incident show --incident 3", "runbook incident show --format html --output incident.html"),
)
@which_option()
@format_option("text", "json", "html")
@output_option()
def show_command(*, number: int | None, format_: str, output: Path | None) -> None:
    """Show who should be there now, what is due next, what is overdue, what was found, and what happened."""
    with open_store(reading=True) as store:
        incident = store.load(number_of(store, number))
    show(incident, format_, output)


@command.command("ack", epilog=examples("runbook incident ack --for 20min"))
@click.option(
    "--for",
    "duration",
    callback=seconds,
    metavar="DURATION",
    help="Hold the escalation that long; at most as the policy says.",
)
@send_option()
@which_option()
@by_option()
def ack_command(*, duration: float | None, send: bool, number: int | None, by: str | None) -> int:
    """Say that you are on it. That holds the escalation for a while; when the time is over, it goes on."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.acknowledge(at, name, duration), send=send)


@command.command("assign", epilog=examples("runbook incident assign technical_lead ann"))
@click.argument("role", type=RoleName())
@click.argument("person", required=False, default="")
@which_option()
@by_option()
def assign_command(*, role: str, person: str, number: int | None, by: str | None) -> int:
    """Say who fills a ROLE; without a PERSON, nobody does any more."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.assign(at, name, role, clean(person)))


@command.command(
    "escalate", epilog=examples('runbook incident escalate --to security_lead --because "Foreign sessions seen"')
)
@click.option(
    "--to", "roles", type=RoleName(), multiple=True, metavar="ROLE", help="Call this role; may be given again."
)
@click.option("--because", default="", help="Why.")
@send_option()
@which_option()
@by_option()
def escalate_command(*, roles: tuple[str, ...], because: str, send: bool, number: int | None, by: str | None) -> int:
    """Call those now whom the escalation matrix calls next, or the roles that are named."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.escalate(at, name, roles, clean(because)), send=send)


@command.command("priority", epilog=examples('runbook incident priority P0 --because "Nobody can sign in"'))
@click.argument("priority", type=PriorityName())
@click.option("--because", required=True, help="Why.")
@send_option()
@which_option()
@by_option()
def priority_command(*, priority: str, because: str, send: bool, number: int | None, by: str | None) -> int:
    """Make it worse or less bad. A raised priority begins a clock of its own; a lowered one keeps the clock."""
    from runbook_engine.incidents import acting
    from runbook_engine.incidents.policy import of_document, playbook_of, priority_named

    with open_store() as store:
        policy = of_document(store.load(number_of(store, number)).policy_document)
    chosen = priority_named(policy, priority)
    playbook = playbook_of(policy, chosen)
    return act(
        number,
        by,
        lambda at, name: acting.reprioritise(at, name, chosen, clean(because), playbook),
        send=send,
    )


@command.command("note", epilog=examples("runbook incident note 'Deployed 2.4.2 at 14:03'"))
@click.argument("text")
@which_option()
@by_option()
def note_command(*, text: str, number: int | None, by: str | None) -> int:
    """Write down what happened."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.note(at, name, clean(text)))


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
@which_option()
@by_option()
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
    with open_store() as store:
        incident = store.load(number_of(store, number))
    if task is not None:
        find_task(incident, task)
    name = person(by)

    def keep(trace: "Trace") -> None:
        with open_store() as store:
            store.act(incident.id, acting.attach_run(now(), name, trace, task))
        tell(f"attached to incident {incident.id}")

    return carry_out(load(runbook), asked, keep=keep)


@command.command("attach", epilog=examples("runbook incident attach 6b03ffe0"))
@click.argument("run")
@which_option()
@by_option()
def attach_command(*, run: str, number: int | None, by: str | None) -> int:
    """Attach a past RUN with its findings, by its id or the beginning of it."""
    from runbook_engine.incidents import acting

    trace = trace_of(run)
    return act(number, by, lambda at, name: acting.attach_run(at, name, trace))


@command.command("mitigate", epilog=examples("runbook incident mitigate 'Traffic moved to the other region'"))
@click.argument("text", required=False, default="")
@send_option()
@which_option()
@by_option()
def mitigate_command(*, text: str, send: bool, number: int | None, by: str | None) -> int:
    """Say that it no longer hurts, though the cause may be there still. The escalation stands still."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.mitigate(at, name, clean(text)), send=send)


@command.command("resolve", epilog=examples("runbook incident resolve 'Index rebuilt'"))
@click.argument("text", required=False, default="")
@send_option()
@which_option()
@by_option()
def resolve_command(*, text: str, send: bool, number: int | None, by: str | None) -> int:
    """Say that the cause is gone."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.resolve(at, name, clean(text)), send=send)


@command.command("reopen", epilog=examples("runbook incident reopen --because 'Errors are back'"))
@click.option("--because", required=True, help="Why.")
@send_option()
@which_option()
@by_option()
def reopen_command(*, because: str, send: bool, number: int | None, by: str | None) -> int:
    """Say that it hurts again, or never stopped. The escalation goes on where it stood."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.reopen(at, name, clean(because)), send=send)


@command.command("close", epilog=examples("runbook incident close"))
@click.argument("text", required=False, default="")
@which_option()
@by_option()
def close_command(*, text: str, number: int | None, by: str | None) -> int:
    """Say that nothing more is expected of anybody. Only what is resolved can be closed."""
    from runbook_engine.incidents import acting

    return act(number, by, lambda at, name: acting.close(at, name, clean(text)))


for each in (
    *incident_opening.COMMANDS,
    *incident_tasks.COMMANDS,
    *incident_messages.COMMANDS,
    incident_watch.watch_command,
    incident_summary.summary_command,
    *incident_after.COMMANDS,
    incident_actions.actions,
):
    command.add_command(each)
