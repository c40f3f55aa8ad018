"""``runbook incident actions``: what is to be done afterwards, by whom and by when."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_shared import (
    acted,
    by_option,
    clean,
    format_option,
    now,
    open_store,
    output_option,
    which_option,
    written,
)
from runbook_engine.cli.streams import note as tell
from runbook_engine.cli.streams import out

if TYPE_CHECKING:
    from runbook_engine.incidents.action_list import ListedAction
    from runbook_engine.incidents.incident import Incident

HORIZONS = ("immediate", "short_term", "long_term")


@click.group(
    "actions",
    epilog=examples(
        "runbook incident actions add 'Alert on replication lag' --owner ann --horizon immediate",
        "runbook incident actions list",
        "runbook incident actions done 1 'Alert in place since Monday'",
        "runbook incident actions documentation --owner bob",
    ),
)
def actions() -> None:
    """Keep what is to be done after incidents: by whom, by when. Also those of closed incidents are kept."""


@actions.command(
    "add", epilog=examples("runbook incident actions add 'Alert on replication lag' --owner ann --due 2026-11-30")
)
@click.argument("title")
@click.option("--owner", required=True, metavar="NAME", help="Who does it.")
@click.option(
    "--horizon",
    type=click.Choice(HORIZONS),
    default="short_term",
    show_default=True,
    help="By when it is wanted, as the policy has it.",
)
@click.option("--due", metavar="DATE", help="A day of the horizon, as 2026-11-30  [default: its last day]")
@click.option("--link", default="", help="A runbook that it is about, or an address.")
@which_option()
@by_option()
def add_command(
    *, title: str, owner: str, horizon: str, due: str | None, link: str, number: int | None, by: str | None
) -> None:
    """Add an action. Its day is counted from when the incident was resolved; until then, from today."""
    from runbook_engine.incidents.afterwards import add_action
    from runbook_engine.incidents.events import Horizon

    day = _day(due)
    incident = acted(
        number,
        by,
        lambda at, name: add_action(
            at, name, clean(title), clean(owner), horizon=Horizon(horizon), due=day, link=clean(link)
        ),
    )
    _tell_of(incident, [max(incident.actions)])


@actions.command("list", epilog=examples("runbook incident actions list --format csv --output actions.csv"))
@click.option("--all", "every", is_flag=True, help="What is done, too.")
@which_option()
@format_option("text", "json", "csv")
@output_option()
def list_command(*, every: bool, number: int | None, format_: str, output: Path | None) -> None:
    """List what is to be done, the longest overdue first: of all incidents, closed or not, or of one."""
    from runbook_engine.incidents.action_list import as_csv, as_json, listed

    with open_store() as store:
        incidents = [store.load(each) for each in ([number] if number is not None else store.numbers())]
    found = listed(incidents, now(), every=every)
    if format_ != "text":
        written(as_json(found) if format_ == "json" else as_csv(found), output, "the list")
    elif not found:
        tell("there is no action" if every else "no action is open")
    else:
        written(_table(found), output, "the list")
    late = sum(each.action.overdue for each in found)
    if late:
        tell(f"{late} overdue; when one is done: runbook incident actions done NUMBER --incident INCIDENT")


@actions.command("done", epilog=examples("runbook incident actions done 2 'Merged' --incident 7"))
@click.argument("action", metavar="NUMBER", type=click.IntRange(min=1))
@click.argument("text", required=False, default="")
@which_option()
@by_option()
def done_command(*, action: int, text: str, number: int | None, by: str | None) -> None:
    """Say that an action is done, by its NUMBER; TEXT says what came of it."""
    from runbook_engine.incidents.afterwards import finish_action

    _tell_of(acted(number, by, lambda at, name: finish_action(at, name, action, clean(text))), [action])


@actions.command("documentation", epilog=examples("runbook incident actions documentation --owner ann"))
@click.option("--owner", required=True, metavar="NAME", help="Who does it.")
@click.option("--horizon", type=click.Choice(HORIZONS), default="short_term", show_default=True, help="By when.")
@which_option()
@by_option()
def documentation_command(*, owner: str, horizon: str, number: int | None, by: str | None) -> None:
    """Add what the policy wants to be brought up to date, with links to the runbooks that ran. Nothing is added twice."""
    from runbook_engine.incidents.afterwards import document
    from runbook_engine.incidents.events import Horizon
    from runbook_engine.incidents.policy import of_document

    incident = acted(number, by, lambda at, name: document(at, name, clean(owner), Horizon(horizon)))
    titles = set(of_document(incident.policy_document).post_incident.documentation)
    _tell_of(incident, [each.id for each in incident.actions.values() if each.title in titles])


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a date; write for example 2026-11-30", param_hint="--due") from None


def _table(found: "Sequence[ListedAction]") -> str:
    from runbook_engine.cli.screen import visible

    rows = [
        (
            f"OVERDUE {each.overdue_days} d" if each.action.overdue else each.state,
            each.action.due,
            f"{each.incident}/{each.action.action}",
            visible(each.action.owner),
            visible(f"{each.action.title}{f' ({each.action.link})' if each.action.link else ''}"),
        )
        for each in found
    ]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(f"{cell:<{size}}" for cell, size in zip(row, wide, strict=True)).rstrip() + "\n" for row in rows
    )


def _tell_of(incident: "Incident", numbers: Sequence[int]) -> None:
    """Say how some of the actions stand."""
    from runbook_engine.incidents.action_list import listed

    found = listed([incident], max(now(), incident.last_at), every=True)
    out(_table([each for each in found if each.action.action in numbers]))
