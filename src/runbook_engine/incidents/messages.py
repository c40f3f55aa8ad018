"""Which messages an incident asks for, and how far each is: pure, of its events, its policy and the time.

A message is wanted for an event, or for a row of the escalation matrix that time has reached, once for each channel that the
policy routes it to. Its key says which: ``7/slack`` is what event 7 asks for, ``P0+15min/slack`` what the row of 15 minutes
does. Those who work here are told of what happens by itself; others when somebody decided to (``events.Told``).
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from runbook_engine.document.incident_policy import AlertKind, Audience, IncidentPolicy, MessageKind
from runbook_engine.incidents import events as e
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.escalation import Reached
from runbook_engine.incidents.incident import Delivery, Incident, State, fold

LONGEST_SEND_S = 60.0
"""After so long, whoever has begun to send a message is taken for dead."""
PAUSES_S = (2.0, 8.0, 60.0, 300.0, 900.0)
"""How long after each try that came to nothing the next one comes; after the last, there is none."""


class PagerAction(StrEnum):
    """What an event asks of PagerDuty. https://developer.pagerduty.com/docs/send-alert-event"""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Destination(Struct, frozen=True):
    """Where a message goes. ``variable`` holds the secret address of the service; e-mail goes to ``recipient``, if given."""

    name: str
    title: str
    kind: AlertKind
    variable: str
    recipient: str = ""


class Message(Struct, frozen=True):
    """Something that somebody is to be told.

    ``seq`` is the event that asks for it, or None where a row of the matrix does; ``weight`` is that of its
    priority, 0 for the worst. ``dedup`` makes PagerDuty know what belongs together; it is the same when it is sent again.
    """

    key: str
    kind: MessageKind
    audience: Audience
    destination: Destination
    priority: str
    at: float
    seq: int | None = None
    row: Reached | None = None
    weight: float = 1.0
    text: str = ""
    told: bool = False
    action: PagerAction = PagerAction.TRIGGER
    dedup: str = ""

    @property
    def may_be_repeated(self) -> bool:
        """Whether the service takes what it gets twice for one: of PagerDuty's events, those with the same key."""
        return self.destination.kind is AlertKind.PAGERDUTY


class MessageState(StrEnum):
    """Waiting: nothing was tried. Retry: it is tried again. Uncertain: it may have been sent. Obsolete: it came too late."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    RETRY = "retry"
    UNCERTAIN = "uncertain"
    DEAD = "dead"
    DROPPED = "dropped"
    OBSOLETE = "obsolete"


class Outgoing(Struct, frozen=True):
    """A message with how far it is. ``is_due``: it can be sent now without asking anybody."""

    message: Message
    state: MessageState
    delivery: Delivery
    is_due: bool


_KINDS: Mapping[type, MessageKind] = {
    e.Opened: MessageKind.OPENED,
    e.Reopened: MessageKind.OPENED,
    e.Acknowledged: MessageKind.ACKNOWLEDGED,
    e.Escalated: MessageKind.ESCALATED,
    e.StatusUpdated: MessageKind.STATUS_UPDATE,
    e.Mitigated: MessageKind.MITIGATED,
    e.Resolved: MessageKind.RESOLVED,
    e.MeetingScheduled: MessageKind.POSTMORTEM,
}
_ENDS: Mapping[MessageKind, PagerAction] = {
    MessageKind.ACKNOWLEDGED: PagerAction.ACKNOWLEDGE,
    MessageKind.RESOLVED: PagerAction.RESOLVE,
}
_CURRENT = (MessageKind.OPENED, MessageKind.STATUS_UPDATE, MessageKind.MITIGATED, MessageKind.RESOLVED)
"""Of these only the newest to a channel is of use."""


def destinations(policy: IncidentPolicy) -> Mapping[str, Destination]:
    """Whatever a message can be sent to, by name; those without an address of a service are left out."""
    found: dict[str, Destination] = {}
    for name, each in policy.channels().items():
        if each.kind is None or each.url_env is None:
            continue
        address = getattr(each, "address", "")
        recipient = address if each.kind is AlertKind.EMAIL and "@" in address else ""
        found[name] = Destination(name, each.title, each.kind, each.url_env, recipient)
    return found


def wanted(incident: Incident, policy: IncidentPolicy, now: float) -> Sequence[Message]:
    """All messages that were ever asked for until ``now``, in the order of their times."""
    known = destinations(policy)
    found = [*_by_events(incident, policy, known), *_by_rows(incident, policy, known, now)]
    found.sort(key=lambda each: each.at)
    triggers: list[Message] = []
    made: list[Message] = []
    for each in found:
        if each.destination.kind is not AlertKind.PAGERDUTY or each.kind not in _ENDS:
            made.append(each)
            if each.destination.kind is AlertKind.PAGERDUTY:
                triggers.append(each)
            continue
        alerts = {before.dedup: before.key for before in triggers if before.destination == each.destination}
        made += [_ending(each, dedup, first=not index) for index, dedup in enumerate(alerts)]
    return made


def outbox(incident: Incident, policy: IncidentPolicy, now: float) -> Sequence[Outgoing]:
    """All messages with how far each is."""
    messages = wanted(incident, policy, now)
    newest: dict[tuple[MessageKind, Audience, str, str], str] = {}
    for each in messages:
        newest[_theme(each)] = each.key
    anew = max((each.since for each in incident.phases if each.anew), default=incident.opened_at)
    alerted = {each.dedup for each in messages if _may_have_alerted(each, incident)}
    found: list[Outgoing] = []
    for each in messages:
        delivery = incident.deliveries.get(each.key, Delivery())
        obsolete = _is_late(each, incident, anew) or (each.kind in _CURRENT and newest[_theme(each)] != each.key)
        if each.destination.kind is AlertKind.PAGERDUTY and each.action is not PagerAction.TRIGGER:
            obsolete = obsolete or each.dedup not in alerted
        state = _state(delivery, now, obsolete=obsolete and not each.told and not delivery.asked)
        found.append(Outgoing(each, state, delivery, _is_due(each, state, delivery, now)))
    return found


def as_of(incident: Incident, message: Message) -> Incident:
    """The incident as it was when the message was asked for: what it says never depends on when it is sent."""
    if message.seq is not None:
        return fold(incident.id, incident.events[: message.seq + 1])
    return fold(incident.id, [each for each in incident.events if each.at <= message.at])


def _by_events(incident: Incident, policy: IncidentPolicy, known: Mapping[str, Destination]) -> Iterator[Message]:
    priority = incident.opened.priority
    for seq, event in enumerate(incident.events):
        kind, audience = _KINDS.get(type(event)), Audience.INTERNAL
        names: tuple[str, ...] = ()
        if isinstance(event, e.PriorityChanged):
            raised, priority = policy.rank(event.priority) < policy.rank(priority), event.priority
            kind = MessageKind.ESCALATED if raised else MessageKind.STATUS_UPDATE
        elif isinstance(event, e.Told):
            kind, audience, names = event.kind, event.audience, event.channels
        if kind is None:
            continue
        text = getattr(event, "text", "") or getattr(event, "because", "")
        for name in names or policy.route(kind, audience, priority):
            if name in known:
                yield Message(
                    f"{seq}/{name}",
                    kind,
                    audience,
                    known[name],
                    priority,
                    event.at,
                    seq,
                    weight=policy.weight(priority),
                    text=text if isinstance(text, str) else "",
                    told=isinstance(event, e.Told),
                    action=_ENDS.get(kind, PagerAction.TRIGGER),
                    dedup=_dedup(incident, seq if _calls_anew(event, kind) else None),
                )


def _calls_anew(event: e.IncidentEvent, kind: MessageKind) -> bool:
    """Whether PagerDuty must page for it, whatever it has of the incident already."""
    return kind is MessageKind.ESCALATED or (isinstance(event, e.Reopened) and event.anew)


def _by_rows(
    incident: Incident, policy: IncidentPolicy, known: Mapping[str, Destination], now: float
) -> Iterator[Message]:
    for row in engaged(incident, policy, now).reached:
        if row.after == 0 or row.carried:
            continue
        phase = max(index for index, each in enumerate(incident.phases) if each.since <= row.at)
        again = f".{phase + 1}" if phase else ""
        which = f"{row.priority}+{row.after / 60:g}min{again}"
        for name in policy.route(MessageKind.ESCALATED, Audience.INTERNAL, row.priority):
            if name in known:
                yield Message(
                    f"{which}/{name}",
                    MessageKind.ESCALATED,
                    Audience.INTERNAL,
                    known[name],
                    row.priority,
                    row.at,
                    row=row,
                    weight=policy.weight(row.priority),
                    dedup=_dedup(incident, which),
                )


def _dedup(incident: Incident, part: int | str | None) -> str:
    """The same for the same alert whenever it is sent, and different for incidents of different journals."""
    base = f"runbook-{incident.id}-{incident.opened_at * 1000:.0f}"
    return base if part is None else f"{base}-{part}"


def _ending(message: Message, dedup: str, *, first: bool) -> Message:
    from msgspec.structs import replace

    part = dedup.removeprefix(message.dedup).lstrip("-")
    return replace(message, key=message.key if first else f"{message.key}@{part}", dedup=dedup)


def _theme(message: Message) -> tuple[MessageKind, Audience, str, str]:
    """What only the newest message says. An end is told of each alert that PagerDuty has."""
    return message.kind, message.audience, message.destination.name, message.dedup if message.kind in _ENDS else ""


def _may_have_alerted(message: Message, incident: Incident) -> bool:
    delivery = incident.deliveries.get(message.key)
    if message.destination.kind is not AlertKind.PAGERDUTY or message.action is not PagerAction.TRIGGER:
        return False
    return delivery is not None and delivery.attempts > 0


def _is_late(message: Message, incident: Incident, anew: float) -> bool:
    """Whether it would tell people of what is over: in the incident, or before an alert opened it ``anew``."""
    match message.kind:
        case MessageKind.ESCALATED | MessageKind.ACKNOWLEDGED:
            return incident.state is not State.OPEN or message.at < anew
        case MessageKind.OPENED | MessageKind.STATUS_UPDATE:
            return incident.is_over
        case MessageKind.MITIGATED:
            return incident.state is not State.MITIGATED
        case MessageKind.RESOLVED:
            return not incident.is_over
        case _:
            return False


def _state(delivery: Delivery, now: float, *, obsolete: bool) -> MessageState:  # one for each
    if delivery.is_sent:
        return MessageState.SENT
    if delivery.dropped:
        return MessageState.DROPPED
    if delivery.begun_at is not None:
        return MessageState.SENDING if now < delivery.begun_at + LONGEST_SEND_S else MessageState.UNCERTAIN
    if delivery.uncertain and (obsolete or delivery.retry_at is None):
        return MessageState.UNCERTAIN
    if delivery.dead:
        return MessageState.DEAD
    if obsolete:
        return MessageState.OBSOLETE
    return MessageState.WAITING if delivery.retry_at is None else MessageState.RETRY


def _is_due(message: Message, state: MessageState, delivery: Delivery, now: float) -> bool:
    match state:
        case MessageState.WAITING:
            return True
        case MessageState.RETRY:
            return delivery.retry_at is not None and delivery.retry_at <= now
        case MessageState.UNCERTAIN:
            # Somebody has begun to send it, and nobody wrote down what came of it.
            begun = delivery.begun_at is not None and delivery.attempts <= len(PAUSES_S)
            return begun and message.may_be_repeated
        case _:
            return False
