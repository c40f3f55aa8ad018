"""What the commands of ``runbook incident`` share: their options, and how one of them acts on an incident."""

import getpass
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runbook_engine.cli.incident_names import IncidentNumber
from runbook_engine.cli.streams import data
from runbook_engine.cli.streams import note as tell
from runbook_engine.incidents.moments import Clock, MachineClock

if TYPE_CHECKING:
    from runbook_engine.document.incident_policy import IncidentPolicy
    from runbook_engine.engine.trace import Trace
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


def format_option(*formats: str) -> Callable[[F], F]:
    """The first one is what is printed where none is asked for; text and json, where none are named."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats or ("text", "json")),
        default="text",
        show_default=True,
        help="For people or for programs.",
    )


def open_store(*, reading: bool = False) -> "IncidentStore":
    from runbook_engine.engine.sqlite import default_file
    from runbook_engine.incidents.store import IncidentStore

    return IncidentStore(default_file(), reading=reading)


def send_option() -> Callable[[F], F]:
    return click.option(
        "--send", is_flag=True, help="Send the messages that follow; else `runbook incident messages` shows them."
    )


def now() -> float:
    """Unix seconds."""
    return CLOCK.now()


def act(number: int | None, by: str | None, make: "Callable[[float, str], Decide]", *, send: bool = False) -> int:
    """Do one thing, tell those who are to know, and show how it stands after that. The exit code."""
    incident = acted(number, by, make)
    show(incident, "text")
    return told(incident, by, send=send)


def told(incident: "Incident", by: str | None, *, send: bool) -> int:
    """Send the messages that an incident asks for, or say how many wait. The exit code."""
    from runbook_engine.cli.incident_sending import deliver

    with open_store() as store:
        return deliver(store, incident.id, person(by), send=send)


def acted(number: int | None, by: str | None, make: "Callable[[float, str], Decide]") -> "Incident":
    """Do one thing; the incident after that."""
    with open_store() as store:
        which = number_of(store, number)
        at = now()
        behind = store.load(which).last_at - at
        if behind > _BEHIND_S:
            tell(
                f"warning: this machine's clock is {behind:.0f} s behind the last event; the event gets that one's time"
            )
        return store.act(which, make(at, person(by)))


def number_of(store: "IncidentStore", number: int | None) -> int:
    from runbook_engine.errors import IncidentError

    if number is not None:
        return number
    found = store.numbers(still_open=True)
    if not found:
        closed = ", or name a closed one with --incident NUMBER" if store.numbers() else ""
        raise IncidentError(f"no incident is open; open one: runbook incident open TITLE{closed}")
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise IncidentError(f"several incidents are not closed ({listed}); say which with --incident NUMBER")
    return found[0]


def own_policy(file: Path | None) -> "IncidentPolicy":
    """The policy of what is opened or classified, and a line that says which file that is. Raises as ``load_policy``."""
    from runbook_engine.incidents.policy import NAME, load_policy
    from runbook_engine.library import Library

    library = Library.default()
    policy = load_policy(file, library)
    tell(f"policy {NAME}: {library.told(file or library.policy_file(NAME))}")
    return policy


def person(by: str | None) -> str:
    name = by or os.environ.get(PERSON_VARIABLE)
    if not name:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = "somebody"
    return clean(name)


def written(text: str, file: Path | None, what: str) -> None:
    """A text on standard output, or in a file, as it is: iCalendar and CSV have line ends of their own.

    Raises UsageError where the file cannot be written.
    """
    from runbook_engine.errors import UsageError
    from runbook_engine.files import write_whole

    if file is None:
        data(text)
        return
    try:
        write_whole(file, text, private=True)
    except OSError as error:
        raise UsageError(f"{what} cannot be written to {file}: {error.strerror}") from error
    tell(f"{what} written to {file}")


def output_option() -> Callable[[F], F]:
    return click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")


def clean(text: str) -> str:
    """What somebody typed, without the passwords in it, and without signs that act or cannot be written down."""
    from runbook_engine.engine.border import Border, passwords
    from runbook_engine.hostile import harmless

    border = Border(passwords(text))
    border.learn_environment(os.environ)
    return harmless(border.text(text))


def show(incident: "Incident", format_: str, file: Path | None = None) -> None:
    written(_shown(incident, format_, max(now(), incident.last_at)), file, "the incident")


def _shown(incident: "Incident", format_: str, at: float) -> str:
    if format_ == "html":
        from runbook_engine.incidents.html import incident_html

        return incident_html(incident, at)
    from runbook_engine.cli.incident_view import as_json, page

    return json.dumps(as_json(incident, at), indent=2) + "\n" if format_ == "json" else page(incident, at)


def trace_of(run: str) -> "Trace":
    """A past run, by its id or the beginning of it."""
    from runbook_engine.engine.sqlite import SqliteJournal, default_file
    from runbook_engine.engine.trace import fold

    with SqliteJournal(default_file(), reading=True) as journal:
        return fold(journal.events(run))
