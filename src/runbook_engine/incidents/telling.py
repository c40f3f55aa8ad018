"""Whom people decide to tell what: the decisions, as events. What is sent follows from them in ``messages``."""

from collections.abc import Callable, Sequence

from runbook_engine.document.incident_policy import Audience, IncidentPolicy, MessageKind
from runbook_engine.errors import IncidentError, did_you_mean
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident, State
from runbook_engine.incidents.policy import of_document
from runbook_engine.incidents.tasks import IncidentTask, find_task, placed_tasks
from runbook_engine.pasteable import pasteable

Decide = Callable[[Incident], Sequence[e.IncidentEvent]]


def update(at: float, by: str, text: str, audiences: Sequence[Audience] = ()) -> Decide:
    """How it stands: for those who work here, and for the audiences. A task that is just that is done by it."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        if incident.state is State.CLOSED:
            raise IncidentError(f"incident {incident.id} is closed and cannot be updated")
        when = incident.after(at)
        found: list[e.IncidentEvent] = [e.StatusUpdated(at=when, by=by, text=text)]
        for audience in dict.fromkeys(audiences):
            if audience is not Audience.INTERNAL:
                found += _told(incident, MessageKind.STATUS_UPDATE, audience, when, by, text)
        return found

    return decide


def tell(  # what is told has its own words
    at: float,
    by: str,
    audience: Audience,
    text: str,
    *,
    kind: MessageKind = MessageKind.CUSTOM,
    channels: Sequence[str] = (),
    task: str = "",
) -> Decide:
    """Tell an audience something, by the channels of the policy or by those that are named."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        does = find_task(incident, task).id if task else ""
        return _told(incident, kind, audience, incident.after(at), by, text, channels=channels, task=does)

    return decide


def by_task(incident: Incident, task: IncidentTask, at: float, by: str, text: str) -> Sequence[e.IncidentEvent]:
    """What a task says that is a message; nothing, where it is none."""
    message, audience = task.task.message, task.task.audience
    if message is None or audience is None:
        return ()
    kind, when = MessageKind(message), incident.after(at)
    if kind in (MessageKind.STATUS_UPDATE, MessageKind.CUSTOM) and not text.strip():
        raise IncidentError(f"what shall they be told? {pasteable('runbook', 'incident', 'done', task.name)} TEXT")
    updated = (e.StatusUpdated(at=when, by=by, text=text),) if kind is MessageKind.STATUS_UPDATE else ()
    if updated and audience is Audience.INTERNAL and not task.task.channels:
        return updated
    event = _checked(incident, kind, audience, when, by, text, channels=task.task.channels, task=task.id)
    return (*updated, event)


def _told(
    incident: Incident,
    kind: MessageKind,
    audience: Audience,
    when: float,
    by: str,
    text: str,
    *,
    channels: Sequence[str] = (),
    task: str = "",
) -> Sequence[e.IncidentEvent]:
    does = task or _task_of(incident, kind, audience)
    event = _checked(incident, kind, audience, when, by, text, channels=channels, task=does)
    return (event, e.TaskDone(at=when, by=by, task=does, note=text)) if does else (event,)


def _checked(
    incident: Incident,
    kind: MessageKind,
    audience: Audience,
    when: float,
    by: str,
    text: str,
    *,
    channels: Sequence[str],
    task: str,
) -> e.Told:
    """The event, if it says what is so, and reaches somebody."""
    _is_so(incident, kind)
    policy = of_document(incident.policy_document)
    _reaches(incident, policy, kind, audience, channels)
    return e.Told(at=when, by=by, kind=kind, audience=audience, text=text, channels=tuple(channels), task=task)


def _is_so(incident: Incident, kind: MessageKind) -> None:
    untrue = {
        MessageKind.MITIGATED: incident.mitigated_at is None,
        MessageKind.RESOLVED: not incident.is_over,
        MessageKind.ACKNOWLEDGED: not incident.acknowledged,
    }
    if untrue.get(kind):
        raise IncidentError(f"incident {incident.id} is not {kind}; nobody can be told so")
    if kind is MessageKind.POSTMORTEM and incident.meeting is None:
        raise IncidentError("the postmortem has no time yet: runbook incident meeting")
    if kind is MessageKind.SUMMARY:
        raise IncidentError("a summary is of many incidents: runbook incident summary")


def _reaches(
    incident: Incident, policy: IncidentPolicy, kind: MessageKind, audience: Audience, channels: Sequence[str]
) -> None:
    known = policy.channels()
    for name in channels:
        if name not in known:
            message = f"there is no channel {name!r}{did_you_mean(name, known)}"
            raise IncidentError(f"{message}; channels: {', '.join(known)}")
    if not channels and not policy.route(kind, audience, incident.priority):
        message = f"the policy sends no message {kind!r} to {audience} in a {incident.priority}"
        raise IncidentError(f"{message}; name the channels with --channel: {', '.join(known)}")


def _task_of(incident: Incident, kind: MessageKind, audience: Audience) -> str:
    """The only task that is left and says this to them, or an empty text."""
    fitting = [
        each.id
        for each in placed_tasks(incident)
        if each.task.message is not None
        and MessageKind(each.task.message) is kind
        and each.task.audience is audience
        and (each.id not in incident.tasks or each.task.every is not None)
    ]
    return fitting[0] if len(fitting) == 1 else ""
