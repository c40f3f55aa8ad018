"""What happened, in sentences for those who read it later. People appear by their role unless names are wanted."""

from collections.abc import Callable, Mapping, Sequence

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import FindingKind
from runbook_engine.incidents import events as e
from runbook_engine.incidents.delivery import Standing, listed, made_late, standing_of, untold_tasks
from runbook_engine.incidents.incident import Incident

SOMEBODY = "A responder"
"""Whoever had no role."""
Shown = Callable[[str], str]
_NOT_TOLD: Mapping[Standing, str] = {Standing.WAITING: ", not sent yet", Standing.UNSENT: ", never sent"}


def sentences(incident: Incident, policy: IncidentPolicy, *, names: bool) -> tuple[str, ...]:
    """One for each event, in their order."""
    first = first_roles(incident, policy)
    standings, late = standing_of(incident, policy), made_late(incident, policy)
    untold = untold_tasks(incident, policy)
    held: dict[str, str] = {}
    found = []
    for seq, event in enumerate(incident.events):
        if isinstance(event, e.RoleAssigned):
            held = {person: title for person, title in held.items() if title != _title(policy, event.role)}
            if event.person:
                held[event.person] = _title(policy, event.role)
        known = {**first, **held}
        shown: Shown = (lambda name: name) if names else _by_role(known)
        standing = untold.get(event.task) if isinstance(event, e.TaskDone) else standings.get(seq)
        said = _sentence(event, policy, shown, _NOT_TOLD.get(standing or Standing.TOLD, ""))
        never = f"; never sent: {listed(late[seq])}" if seq in late else ""
        found.append(said + never)
    return tuple(found)


def first_roles(incident: Incident, policy: IncidentPolicy) -> Mapping[str, str]:
    """The title of the first role that each person had."""
    found: dict[str, str] = {}
    for event in incident.events:
        if isinstance(event, e.RoleAssigned) and event.person:
            found.setdefault(event.person, _title(policy, event.role))
    return found


def _by_role(known: Mapping[str, str]) -> Shown:
    return lambda name: known.get(name, SOMEBODY)


def _title(policy: IncidentPolicy, role: str) -> str:
    return policy.roles[role].title if role in policy.roles else role


def _sentence(event: e.IncidentEvent, policy: IncidentPolicy, shown: Shown, not_told: str = "") -> str:  # noqa: C901, PLR0912 - one case for each event
    who = shown(event.by)
    match event:
        case e.Opened():
            opener = "An alert" if event.source is e.Source.ALERT else who
            return f"{opener} opened it as {event.priority}{_told('; '.join(event.because))}"
        case e.AlertTaken():
            return f"Alert {event.name} is {event.status}{_told(event.summary)}"
        case e.PriorityChanged():
            return f"{who} made it a {event.priority}{_told(event.because)}"
        case e.Acknowledged():
            return f"{who} acknowledged it"
        case e.RoleAssigned():
            return _assigned(event, policy, shown)
        case e.Escalated():
            return f"{who} called {_roles(policy, event.roles)}{not_told}{_told(event.because)}"
        case e.Noted():
            return event.text
        case e.Told():
            verb = f"wrote to {event.audience}{not_told}" if not_told else f"told {event.audience}"
            return f"{who} {verb}{_told(event.text or event.kind.replace('_', ' '))}"
        case e.StatusUpdated():
            return f"{who} {f'wrote an update{not_told}' if not_told else 'told those who wait'}: {event.text}"
        case e.RunAttached():
            return _ran(event)
        case e.Mitigated():
            return f"{who} mitigated it{_told(event.text)}"
        case e.Resolved():
            return f"{who} resolved it{_told(event.text)}"
        case e.Reopened():
            return f"{'An alert' if event.anew else who} opened it again{_told(event.because)}"
        case e.Closed():
            return f"{who} closed it{_told(event.text)}"
        case e.PlaybookStarted():
            return f"{who} began to follow the playbook {event.playbook.get('playbook')}"
        case e.TaskDone():
            return f"{who} did {event.task}{not_told}{_told(event.note)}"
        case e.TaskSkipped():
            return f"{who} left out {event.task}{_told(event.because)}"
        case e.TaskReopened():
            return f"{event.task} is to be done again{_told(event.because)}"
        case e.EvidenceAttached():
            return f"{who} kept evidence, SHA-256 {event.sha256[:16]}…{_told(event.note or event.name)}"
        case e.MeetingScheduled():
            return "The postmortem was scheduled"
        case e.ActionAdded():
            return f"Action {event.action} was added: {event.title}"
        case e.ActionDone():
            return f"Action {event.action} was done{_told(event.note)}"
        case e.Remarked():
            return f"Remark ({event.section.replace('_', ' ')}): {event.text}"
        case e.Pinned():
            return f"Event {event.seq} was {'pinned' if event.pinned else 'left out'}"
        case e.MessageBegun() | e.MessageSent() | e.MessageFailed() | e.MessageDropped() | e.MessageRetried():
            return _message(event, who)


def _told(text: str) -> str:
    return f": {text}" if text else ""


def _roles(policy: IncidentPolicy, roles: Sequence[str]) -> str:
    return " and ".join(_title(policy, each) for each in roles)


def _assigned(event: e.RoleAssigned, policy: IncidentPolicy, shown: Shown) -> str:
    title = _title(policy, event.role)
    if not event.person:
        return f"Nobody is {title} any more"
    person = shown(event.person)
    return f"{person} is {title}" if person not in (title, SOMEBODY) else f"Somebody became {title}"


def _ran(event: e.RunAttached) -> str:
    causes = [each.title for each in event.findings if each.kind == FindingKind.CAUSE]
    others = [each.title for each in event.findings if each.kind != FindingKind.CAUSE]
    found = f"; cause: {'; '.join(causes)}" if causes else f": {'; '.join(others)}" if others else ""
    return f"{event.runbook} ran, {event.outcome}{found}"


def _message(
    event: e.MessageBegun | e.MessageSent | e.MessageFailed | e.MessageDropped | e.MessageRetried, who: str
) -> str:
    match event:
        case e.MessageSent(reference=e.BY_HAND):
            return f"{who} told by hand what message {event.key} says"
        case e.MessageBegun():
            what = "is being sent"
        case e.MessageSent():
            what = "was sent" if event.parts == 1 else f"was sent, part {event.part} of {event.parts}"
        case e.MessageFailed():
            what = f"{'may have arrived, or not' if event.uncertain else 'was not sent'}{_told(event.error)}"
        case e.MessageDropped():
            what = f"is not sent any more{_told(event.because)}"
        case e.MessageRetried():
            what = "is sent again"
    return f"Message {event.key} {what}"
