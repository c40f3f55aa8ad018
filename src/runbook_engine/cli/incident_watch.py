"""``runbook incident watch``."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from runbook_engine.cli import incident_shared
from runbook_engine.cli.asked import seconds
from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_shared import by_option, now, open_store, person, which_option
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import out

if TYPE_CHECKING:
    from runbook_engine.incidents.incident import Incident
    from runbook_engine.incidents.store import IncidentStore

_SOON_S = 300.0
_SHORTEST_S, _LONGEST_S = 1.0, 3600.0


@click.command(
    "watch",
    epilog=examples(
        "runbook incident watch",
        "runbook incident watch --send",
        "runbook incident watch --send --once",
    ),
)
@click.option("--send", is_flag=True, help="Send messages when they are due: calls of the matrix, and tries again.")
@click.option(
    "--every", callback=seconds, default="15s", show_default=True, metavar="DURATION", help="How often to look."
)
@click.option("--once", is_flag=True, help="Look once, say what is due, and end: for cron.")
@which_option()
@by_option()
def watch_command(*, send: bool, every: float, once: bool, number: int | None, by: str | None) -> int:
    """Say what happens in incidents, what is due soon and what is overdue, as time passes; until Ctrl-C.

    Without --incident, all incidents that are not closed are watched, and new ones as they are opened.
    """
    pause = min(max(every, _SHORTEST_S), _LONGEST_S)
    name = person(by)
    said = _Said()
    with open_store() as store:
        code = said.look(store, number, name, send=send)
        while not once:
            incident_shared.CLOCK.sleep(pause)
            code = said.look(store, number, name, send=send)
            if number is not None and store.load(number).closed_at is not None:
                break
    return code


class _Said:
    """What was said already, so that it is said once."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}
        self._due: set[tuple[int, str, str, float, bool]] = set()
        self._waiting: dict[int, str] = {}

    def look(self, store: "IncidentStore", number: int | None, by: str, *, send: bool) -> int:
        """Say what is new, and send what is due. The exit code of that."""
        from runbook_engine.cli.incident_sending import deliver

        numbers: Sequence[int] = [number] if number is not None else sorted(store.numbers(still_open=True))
        if not numbers and not self._events:
            out("no incident is open\n")
            self._events[0] = 0
        code = 0
        for each in numbers:
            incident = store.load(each)
            out("".join(f"{line}\n" for line in self._new(incident)))
            if send:
                code = max(code, deliver(store, each, by, send=True))
            out("".join(f"{line}\n" for line in self._unsent(store.load(each))))
        return code

    def _unsent(self, incident: "Incident") -> Iterator[str]:
        """What nobody has been told, whenever that has changed."""
        from runbook_engine.incidents.delivery import waits
        from runbook_engine.incidents.moments import clock
        from runbook_engine.incidents.policy import of_document

        at = max(now(), incident.last_at)
        waiting = waits(incident, of_document(incident.policy_document), at)
        if waiting != self._waiting.get(incident.id, ""):
            self._waiting[incident.id] = waiting
            if waiting:
                yield f"{clock(at)}  incident {incident.id}  {visible(waiting)}"

    def _new(self, incident: "Incident") -> Iterator[str]:
        from runbook_engine.incidents.due import due
        from runbook_engine.incidents.events import MessageBegun
        from runbook_engine.incidents.moments import clock, span
        from runbook_engine.incidents.policy import of_document
        from runbook_engine.incidents.sentences import sentences

        at = max(now(), incident.last_at)
        policy = of_document(incident.policy_document)
        head = f"{clock(at)}  incident {incident.id}"
        known = self._events.get(incident.id)
        if known is None:
            yield f"{head}  {incident.priority} {incident.state}: {visible(incident.title)}"
        said = list(zip(incident.events, sentences(incident, policy, names=True), strict=True))
        for event, text in said[len(said) if known is None else known :]:
            if not isinstance(event, MessageBegun):
                yield f"{clock(event.at)}  incident {incident.id}  {visible(text)}"
        self._events[incident.id] = len(incident.events)
        for each in due(incident, policy, at):
            late = each.at < at
            mark = (incident.id, str(each.kind), each.what, each.at, late)
            if (late or each.at <= at + _SOON_S) and mark not in self._due:
                self._due.add(mark)
                when = f"overdue {span(at - each.at)}" if late else f"due in {span(each.at - at)}"
                yield f"{head}  {when}: {visible(each.what)}"
