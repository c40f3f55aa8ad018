"""What of an incident's messages was delivered, what waits, and what never went out: pure, of the incident and the time.

People were told only by a delivery: that somebody wrote an update, or that the matrix called a role, tells nobody.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from runbook_engine.document.incident_policy import IncidentPolicy, MessageKind
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident, fold
from runbook_engine.incidents.messages import MessageState, Outgoing, outbox

_WAITING = (MessageState.WAITING, MessageState.RETRY)
_NEVER = (MessageState.OBSOLETE, MessageState.DROPPED, MessageState.DEAD)
_TELLS = (e.StatusUpdated, e.Told, e.Escalated)
_MAKES_LATE = (e.Mitigated, e.Resolved, e.Reopened)
"""After these events, messages that waited may be of no use any more. An update that a newer one replaced says so itself."""


class Letters(Struct, frozen=True):
    """Messages by how far they are: ``waiting`` can still be sent, ``never`` are not sent.

    Of those that are ``sending``, somebody has not written down yet what came of it. Of those that are ``uncertain``,
    which may have arrived, and of those that were ``given_up`` a person decides.
    """

    sent: tuple[Outgoing, ...]
    waiting: tuple[Outgoing, ...]
    sending: tuple[Outgoing, ...]
    uncertain: tuple[Outgoing, ...]
    given_up: tuple[Outgoing, ...]
    never: tuple[Outgoing, ...]

    @property
    def lost(self) -> tuple[Outgoing, ...]:
        """Of these a person decides."""
        return (*self.uncertain, *self.given_up)


def letters(incident: Incident, policy: IncidentPolicy, now: float) -> Letters:
    """All messages that were asked for until ``now``."""
    found = outbox(incident, policy, max(now, incident.last_at))

    def among(*states: MessageState) -> tuple[Outgoing, ...]:
        return tuple(each for each in found if each.state in states)

    return Letters(
        among(MessageState.SENT),
        among(*_WAITING),
        among(MessageState.SENDING),
        among(MessageState.UNCERTAIN),
        among(MessageState.DEAD),
        among(*_NEVER),
    )


def waits(incident: Incident, policy: IncidentPolicy, now: float) -> str:
    """A line for who looks at the incident: what nobody has been told yet, and how it is sent; empty where nothing waits."""
    found = letters(incident, policy, now)
    parts = []
    if found.waiting:
        one = len(found.waiting) == 1
        parts.append(f"{len(found.waiting)} message{' waits' if one else 's wait'} to be sent: {listed(found.waiting)}")
    said = {"being sent": found.sending, "may have arrived, or not": found.uncertain, "given up": found.given_up}
    parts += [f"{len(some)} {what}: {listed(some)}" for what, some in said.items() if some]
    if not parts:
        return ""
    return f"{'; '.join(parts)} (runbook incident messages --incident {incident.id} --send)"


def listed(messages: Iterable[Outgoing]) -> str:
    """``opened (PagerDuty, SMS, Slack), escalated after 15 min (Slack)``."""
    return ", ".join(listing(messages))


def listing(messages: Iterable[Outgoing]) -> Sequence[str]:
    """What the messages say, each once, with the channels that it is for."""
    found: dict[str, list[str]] = {}
    for each in messages:
        found.setdefault(_about(each), []).append(each.message.destination.title)
    return [f"{what} ({', '.join(dict.fromkeys(titles))})" for what, titles in found.items()]


def _about(each: Outgoing) -> str:
    from runbook_engine.incidents.moments import span

    message = each.message
    what = message.kind.replace("_", " ")
    if message.row is not None:
        what = f"{what} after {span(message.row.after)}"
    return f"{what} for {message.audience}" if message.told else what


class Standing(StrEnum):
    """How far what an event wants people to be told is. By hand: no service carries it, so that whoever wrote it tells it."""

    TOLD = "told"
    WAITING = "waiting"
    UNSENT = "unsent"
    BY_HAND = "by hand"


def standing_of(incident: Incident, policy: IncidentPolicy) -> Mapping[int, Standing]:
    """Of each event by which somebody wants people to be told something, by its number."""
    telling = [seq for seq, each in enumerate(incident.events) if isinstance(each, _TELLS)]
    firsts = _firsts(incident)
    states: dict[int, list[MessageState]] = {}
    if any(seq not in firsts for seq in telling):
        for each in outbox(incident, policy, incident.last_at):
            if each.message.seq is not None:
                states.setdefault(each.message.seq, []).append(each.state)
    found: dict[int, Standing] = {}
    for seq in telling:
        if seq in firsts:
            found[seq] = Standing.TOLD
        elif not states.get(seq):
            found[seq] = Standing.BY_HAND
        else:
            found[seq] = Standing.UNSENT if all(each in _NEVER for each in states[seq]) else Standing.WAITING
    return found


def untold_tasks(incident: Incident, policy: IncidentPolicy) -> Mapping[str, Standing]:
    """Tasks that tell somebody something and were said to be done, though nothing of it was delivered; by their ids."""
    standings = standing_of(incident, policy)
    found: dict[str, list[Standing]] = {}
    for seq, event in enumerate(incident.events):
        if isinstance(event, e.Told) and event.task:
            found.setdefault(event.task, []).append(standings[seq])
    return {
        task: Standing.WAITING if Standing.WAITING in each else Standing.UNSENT
        for task, each in found.items()
        if not {Standing.TOLD, Standing.BY_HAND} & set(each)
    }


def updates_told(incident: Incident, policy: IncidentPolicy) -> tuple[float, ...]:
    """When those who wait were told how it stands: each update once, when the first of its messages was delivered."""
    times: dict[tuple[float, str], float] = {}
    firsts, standings = _firsts(incident), standing_of(incident, policy)
    for seq, event in enumerate(incident.events):
        told = isinstance(event, e.Told) and event.kind is MessageKind.STATUS_UPDATE
        if not (isinstance(event, e.StatusUpdated) or (isinstance(event, e.Told) and told)):
            continue
        if standings[seq] in (Standing.TOLD, Standing.BY_HAND):
            # What was written once may be told to several audiences.
            at, what = firsts.get(seq, event.at), (event.at, event.text)
            times[what] = min(at, times.get(what, at))
    return tuple(sorted(times.values()))


def made_late(incident: Incident, policy: IncidentPolicy) -> Mapping[int, Sequence[Outgoing]]:
    """What waited and was never sent, by the number of the event that made it too late."""
    found: dict[int, Sequence[Outgoing]] = {}
    for seq, event in enumerate(incident.events):
        if not isinstance(event, _MAKES_LATE):
            continue
        before, after = fold(incident.id, incident.events[:seq]), fold(incident.id, incident.events[: seq + 1])
        waiting = {each.message.key for each in outbox(before, policy, event.at) if each.state in _WAITING}
        late = [
            each
            for each in outbox(after, policy, event.at)
            if each.state is MessageState.OBSOLETE and each.message.key in waiting
        ]
        never = [each for each in late if not _was_sent(incident, each.message.key)]
        if never:
            found[seq] = never
    return found


def _was_sent(incident: Incident, key: str) -> bool:
    delivery = incident.deliveries.get(key)
    return delivery is not None and delivery.is_sent


def _firsts(incident: Incident) -> Mapping[int, float]:
    """When the first message of each event was delivered, by the event's number."""
    found: dict[int, float] = {}
    for seq, at in _sent(incident):
        found[seq] = min(at, found.get(seq, at))
    return found


def _sent(incident: Incident) -> Iterator[tuple[int, float]]:
    for key, each in incident.deliveries.items():
        seq = _seq(key)
        if seq is not None and each.is_sent and each.sent_at is not None:
            yield seq, each.sent_at


def _seq(key: str) -> int | None:
    """The number of the event that a message is about; None where a row of the matrix asks for it."""
    head = key.partition("/")[0]
    return int(head) if head.isdecimal() else None
