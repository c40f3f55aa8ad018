"""Messages of an incident on their way, as somebody in a terminal sees it."""

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from runbook_engine.cli import incident_shared
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import note as tell

if TYPE_CHECKING:
    from runbook_engine.incidents.messages import Message, Outgoing
    from runbook_engine.incidents.sending import Sent
    from runbook_engine.incidents.store import IncidentStore

NOT_SENT = 1
"""The exit code where a message could not be sent: a problem was found."""
SHOWN: Mapping[str, str] = MappingProxyType(
    {
        "uncertain": "nobody knows whether it was sent; look there, then --again or --drop",
        "dead": "it was given up; --again sends it once more, --drop forgets it",
    }
)


def deliver(store: "IncidentStore", number: int, by: str, *, send: bool, keys: Sequence[str] = ()) -> int:
    """Send what an incident asks for, or say how much waits. The exit code."""
    if not send:
        waiting = sum(each.is_due for each in messages_of(store, number))
        if waiting:
            one = "a message waits" if waiting == 1 else f"{waiting} messages wait"
            tell(f"nobody was told: {one} to be sent: runbook incident messages --incident {number}")
        return 0
    from runbook_engine.incidents.sending import Sender
    from runbook_engine.incidents.services import from_environment
    from runbook_engine.library import Library

    sender = Sender(store, from_environment(os.environ), Library.default(), by, clock=incident_shared.CLOCK, told=_tell)
    sent = sender.send(number, keys)
    all_of_it = messages_of(store, number)
    for each in all_of_it:
        if str(each.state) in SHOWN and not any(each.message == one.message for one in sent):
            tell(f"{each.message.key}: {SHOWN[str(each.state)]}")
    failed = any(not each.is_sent and each.answer is not None for each in sent)
    # Of what somebody was told by one channel, another one that is not set up is no failure.
    told = {_occasion(each.message) for each in all_of_it if str(each.state) == "sent"}
    nowhere = bool(sent) and told.isdisjoint(_occasion(each.message) for each in sent)
    return NOT_SENT if failed or nowhere else 0


def _occasion(message: "Message") -> tuple[object, ...]:
    """What asked for a message."""
    return (message.seq, message.row, message.audience)


def messages_of(store: "IncidentStore", number: int) -> "Sequence[Outgoing]":
    """All messages of an incident with how far each is."""
    from runbook_engine.incidents.messages import outbox
    from runbook_engine.incidents.policy import of_document

    incident = store.load(number)
    return outbox(incident, of_document(incident.policy_document), max(incident_shared.now(), incident.last_at))


def _tell(sent: "Sent") -> None:
    where = f"{sent.message.key} ({sent.message.destination.title})"
    if sent.is_sent:
        tell(f"sent {where}")
    elif sent.answer is None:
        tell(f"not sent {where}: {sent.problem}")
    elif sent.retry_at is not None:
        seconds = max(0.0, sent.retry_at - incident_shared.now())
        tell(f"not sent {where}: {visible(sent.answer.error)}; tried again in {seconds:.0f} s")
    else:
        tell(f"not sent {where}: {visible(sent.answer.error)}; {SHOWN['uncertain' if sent.uncertain else 'dead']}")
