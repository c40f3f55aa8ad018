"""What the commands of ``runbook incident`` share: their options, and how one of them acts on an incident."""

import getpass
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runbook_engine.cli.incident_names import IncidentNumber
from runbook_engine.cli.streams import note as tell
from runbook_engine.cli.streams import out
from runbook_engine.incidents.moments import Clock, MachineClock

if TYPE_CHECKING:
    from runbook_engine.incidents.acting import Decide
    from runbook_engine.incidents.incident import Incident
    from runbook_engine.incidents.store import IncidentStore

PERSON_VARIABLE = "RUNBOOK_USER"
CLOCK: Clock = MachineClock()
"""What time it is in an incident."""
_BEHIND_S = 1.0
F = TypeVar("F", bound=Callable[..., Any])


def by_option() -> Callable[[F], F]:
    return click.option("--by", metavar="NAME", help=f"Who does it  [default: ${PERSON_VARIABLE}, or the user's name]")


def which_option() -> Callable[[F], F]:
    return click.option(
        "-i", "--incident", "number", type=IncidentNumber(), metavar="NUMBER", help="Of which incident."
    )


def format_option() -> Callable[[F], F]:
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="For people or for programs.",
    )


def open_store() -> "IncidentStore":
    from runbook_engine.engine.sqlite import default_file
    from runbook_engine.incidents.store import IncidentStore

    return IncidentStore(default_file())


def send_option() -> Callable[[F], F]:
    return click.option(
        "--send", is_flag=True, help="Send the messages that follow; else `runbook incident messages` shows them."
    )


def now() -> float:
    """Unix seconds."""
    return CLOCK.now()


def act(number: int | None, by: str | None, make: "Callable[[float, str], Decide]", *, send: bool = False) -> int:
    """Do one thing, tell those who are to know, and show how it stands after that. The exit code."""
    from runbook_engine.cli.incident_sending import deliver

    with open_store() as store:
        which = number_of(store, number)
        at = now()
        behind = store.load(which).last_at - at
        if behind > _BEHIND_S:
            tell(
                f"warning: this machine's clock is {behind:.0f} s behind the last event; the event gets that one's time"
            )
        incident = store.act(which, make(at, person(by)))
        show(incident, "text")
        return deliver(store, which, person(by), send=send)


def number_of(store: "IncidentStore", number: int | None) -> int:
    from runbook_engine.errors import IncidentError

    if number is not None:
        return number
    found = store.numbers(still_open=True)
    if not found:
        raise IncidentError("no incident is open; open one: runbook incident open TITLE")
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise IncidentError(f"several incidents are not closed ({listed}); say which with --incident NUMBER")
    return found[0]


def person(by: str | None) -> str:
    name = by or os.environ.get(PERSON_VARIABLE)
    if not name:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = "somebody"
    return clean(name)


def clean(text: str) -> str:
    """What somebody typed, without the passwords in it."""
    from runbook_engine.engine.border import Border, passwords

    border = Border(passwords(text))
    border.learn_environment(os.environ)
    return border.text(text)


def show(incident: "Incident", format_: str) -> None:
    from runbook_engine.cli.incident_view import as_json, page

    at = max(now(), incident.last_at)
    out(json.dumps(as_json(incident, at), indent=2) + "\n" if format_ == "json" else page(incident, at))
