"""Messages on their way: nothing is sent twice, and nothing is lost.

Before a service is asked, the journal says so; after it has answered, what it said. Where the second is missing, somebody was
killed between the two, and nobody knows. PagerDuty, which knows its messages by their key, gets it again, some times; of what
it has not answered then, and of every other service, a person decides. What a service surely did not take is tried again,
later and later, and then laid aside.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.errors import IncidentError, UsageError, did_you_mean
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Delivery, Incident
from runbook_engine.incidents.messages import PAUSES_S, Message, MessageState, Outgoing, outbox
from runbook_engine.incidents.moments import Clock, MachineClock
from runbook_engine.incidents.policy import of_document
from runbook_engine.incidents.services import Answer, NoServiceError, Services, Verdict
from runbook_engine.incidents.splitting import split
from runbook_engine.incidents.store import IncidentStore
from runbook_engine.incidents.wording import Wording, worded
from runbook_engine.library import Library
from runbook_engine.living import this_process

KILLED = Answer(Verdict.UNKNOWN, error="who sent it was killed")
PATIENCE_S = 15.0
"""How long somebody who sends waits for the next try."""

Decide = Callable[[Incident], Sequence[e.IncidentEvent]]


class Sent(Struct, frozen=True):
    """What came of a message. ``answer`` is None where nobody could be asked: ``problem`` says why.

    ``uncertain``: this try or an earlier one may have arrived.
    """

    message: Message
    answer: Answer | None
    problem: str = ""
    retry_at: float | None = None
    uncertain: bool = False

    @property
    def is_sent(self) -> bool:
        return self.answer is not None and self.answer.verdict is Verdict.SENT


class Sender(Struct, frozen=True):
    """Sends what an incident asks for. ``told`` hears of each try."""

    store: IncidentStore
    services: Services
    library: Library
    by: str
    clock: Clock = MachineClock()
    told: Callable[[Sent], None] = lambda _: None
    patience: float = PATIENCE_S

    def send(self, number: int, keys: Sequence[str] = ()) -> Sequence[Sent]:
        """Send what is due, or of that the messages of these keys; what came of each at last.

        Waits for tries that come within ``patience``; later ones are left to whoever sends next.
        """
        self._tell_of_killed(number)
        last: dict[str, Sent] = {}
        end = self.clock.now() + self.patience
        while True:
            for each in self._due(number, keys):
                if each.message.key not in last or last[each.message.key].answer is not None:
                    last[each.message.key] = self._try(number, each.message)
            # What somebody else has sent or dropped meanwhile, or what came too late, is not waited for.
            waiting = [each for each in self._outbox(number, keys) if each.state is MessageState.RETRY]
            times = [each.delivery.retry_at for each in waiting if each.message.key in last]
            coming = [at for at in times if at is not None and at <= end]
            if not coming:
                return tuple(last.values())
            self.clock.sleep(max(0.0, min(coming) - self.clock.now()))

    def _tell_of_killed(self, number: int) -> None:
        """Of what somebody was sending who runs no more, nobody knows whether it was sent: so it is written down."""

        def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
            at = incident.after(self.clock.now())
            cut_off = [
                key
                for key, each in incident.deliveries.items()
                if each.begun_at is not None and each.process is not None and each.process.is_gone
            ]
            messages = _messages(incident, at) if cut_off else {}
            return tuple(_failed(incident, messages.get(key), key, KILLED, at, self.by, waits=False) for key in cut_off)

        self.store.act(number, decide)

    def _due(self, number: int, keys: Sequence[str]) -> Sequence[Outgoing]:
        return [each for each in self._outbox(number, keys) if each.is_due]

    def _outbox(self, number: int, keys: Sequence[str]) -> Sequence[Outgoing]:
        incident = self.store.load(number)
        found = outbox(incident, of_document(incident.policy_document), incident.after(self.clock.now()))
        return [each for each in found if not keys or each.message.key in keys]

    def _try(self, number: int, message: Message) -> Sent:
        incident = self.store.load(number)
        try:
            service = self.services(message.destination)
            wording = service.said(worded(message, incident, of_document(incident.policy_document), self.library))
            pieces = split(wording.body, service.most(wording))
        except (NoServiceError, UsageError, ValueError) as problem:
            sent = Sent(message, None, str(problem))
            self.told(sent)
            return sent
        first = incident.deliveries.get(message.key, Delivery()).sent_parts
        answer = Answer(Verdict.SENT)
        for part, piece in enumerate(pieces[first:], start=first + 1):
            claimed = self._claim(number, message, part, len(pieces))
            if not claimed:
                return Sent(message, None, "somebody else sends it")
            answer = service.send(message, Wording(wording.title, piece))
            after = self._keep(number, message, answer, part, len(pieces))
            if answer.verdict is not Verdict.SENT:
                sent = Sent(message, answer, retry_at=after.retry_at, uncertain=after.uncertain)
                self.told(sent)
                return sent
        sent = Sent(message, answer)
        self.told(sent)
        return sent

    def _claim(self, number: int, message: Message, part: int, parts: int) -> bool:
        """Say that it is being sent, unless somebody else did so meanwhile."""
        claimed: list[e.IncidentEvent] = []

        def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
            now = incident.after(self.clock.now())
            delivery = incident.deliveries.get(message.key, Delivery())
            found = outbox(incident, of_document(incident.policy_document), now)
            due = any(each.message.key == message.key and each.is_due for each in found)
            if not due or delivery.sent_parts != part - 1:
                return ()
            # The pieces of one text are one try.
            attempt = delivery.attempts + (part == 1 or delivery.sent_at is None)
            event = e.MessageBegun(
                at=now,
                by=self.by,
                key=message.key,
                attempt=attempt,
                part=part,
                parts=parts,
                process=this_process(),
            )
            claimed.append(event)
            return (event,)

        self.store.act(number, decide)
        return bool(claimed)

    def _keep(self, number: int, message: Message, answer: Answer, part: int, parts: int) -> Delivery:
        """Write down what a service said; how far the message is after that."""

        def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
            at = incident.after(self.clock.now())
            if answer.verdict is Verdict.SENT:
                event: e.IncidentEvent = e.MessageSent(
                    at=at, by=self.by, key=message.key, reference=answer.reference, part=part, parts=parts
                )
                return (event,)
            return (_failed(incident, message, message.key, answer, at, self.by),)

        return self.store.act(number, decide).deliveries[message.key]


def _failed(
    incident: Incident, message: Message | None, key: str, answer: Answer, at: float, by: str, *, waits: bool = True
) -> e.MessageFailed:
    """What is written down of a try that came to nothing, or of which nobody knows. ``message`` is None where none is wanted.

    The next try ``waits`` for its pause, or comes at once.
    """
    attempts = incident.deliveries[key].attempts
    uncertain = answer.verdict is Verdict.UNKNOWN
    again = answer.verdict is Verdict.FAILED or (uncertain and message is not None and message.may_be_repeated)
    retry_at = None
    if again and attempts <= len(PAUSES_S):
        retry_at = at + max(PAUSES_S[attempts - 1] if waits else 0.0, answer.retry_after or 0.0)
    return e.MessageFailed(at=at, by=by, key=key, error=answer.error, retry_at=retry_at, uncertain=uncertain)


def _messages(incident: Incident, at: float) -> Mapping[str, Message]:
    found = outbox(incident, of_document(incident.policy_document), at)
    return {each.message.key: each.message for each in found}


def again(at: float, by: str, key: str) -> Decide:
    """Send a message again that is dead, uncertain, late or was dropped."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        found = _known(incident, key, at)
        if found.state in (MessageState.SENT, MessageState.SENDING):
            raise IncidentError(f"{key} {'was sent already' if found.state is MessageState.SENT else 'is being sent'}")
        return (e.MessageRetried(at=incident.after(at), by=by, key=key),) if not found.is_due else ()

    return decide


def by_hand(at: float, by: str, key: str) -> Decide:
    """Somebody has told what a message says, by telephone or in a meeting: it counts as sent."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        found = _known(incident, key, at)
        if found.state in (MessageState.SENT, MessageState.SENDING):
            raise IncidentError(f"{key} {'was sent already' if found.state is MessageState.SENT else 'is being sent'}")
        return (e.MessageSent(at=incident.after(at), by=by, key=key, reference=e.BY_HAND),)

    return decide


def drop(at: float, by: str, key: str, because: str = "") -> Decide:
    """Never send a message."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        found = _known(incident, key, at)
        if found.state in (MessageState.SENT, MessageState.SENDING, MessageState.DROPPED):
            raise IncidentError(f"{key} is {found.state} already")
        return (e.MessageDropped(at=incident.after(at), by=by, key=key, because=because),)

    return decide


def _known(incident: Incident, key: str, at: float) -> Outgoing:
    policy: IncidentPolicy = of_document(incident.policy_document)
    found = {each.message.key: each for each in outbox(incident, policy, incident.after(at))}
    if key not in found:
        guess = did_you_mean(key, found)
        raise IncidentError(f"there is no message {key!r}{guess}; `runbook incident messages --all` lists them")
    return found[key]
