"""What an incident asks for next: pure, of the incident, its policy and the time."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.playbook import DEFAULT_CHANNEL, filled_in
from runbook_engine.incidents.delivery import standing_of, updates_told
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.incident import Incident, State, TaskState
from runbook_engine.incidents.tasks import placed_tasks


class DueKind(StrEnum):
    RESPONSE = "response"
    ESCALATION = "escalation"
    UPDATE = "update"
    POSTMORTEM = "postmortem"
    ACTION = "action"
    TASK = "task"


class Due(Struct, frozen=True):
    """Something that is to be done by ``at`` (Unix seconds). ``roles`` are those whose turn it is."""

    kind: DueKind
    at: float
    what: str
    roles: tuple[str, ...] = ()


def due(incident: Incident, policy: IncidentPolicy, now: float) -> tuple[Due, ...]:
    """All that is asked for, the most urgent first; what is overdue lies before ``now``."""
    found: list[Due] = []
    priority = policy.priorities[incident.priority]
    phase = incident.phases[-1]
    answered = any(each.at >= phase.clock for each in incident.acknowledged)
    if incident.state is State.OPEN:
        if not answered:
            what = f"acknowledge it: somebody is to be on a {incident.priority} by then"
            found.append(Due(DueKind.RESPONSE, phase.clock + priority.response, what))
        coming = engaged(incident, policy, now).next
        if coming is not None:
            titles = " and ".join(policy.roles[each].title for each in coming.roles)
            found.append(Due(DueKind.ESCALATION, coming.at, f"{titles} will be called", coming.roles))
    if priority.updates is not None and not incident.is_over:
        last = max(updates_told(incident, policy), default=incident.opened_at)
        what = "tell those who wait how it stands: runbook incident update"
        if "waiting" in standing_of(incident, policy).values():
            what = "send those who wait the update that is written: runbook incident messages --send"
        found.append(Due(DueKind.UPDATE, last + priority.updates, what))
    if incident.state is State.RESOLVED and incident.resolved_at is not None and incident.meeting is None:
        at = incident.resolved_at + policy.post_incident.meeting_within
        found.append(Due(DueKind.POSTMORTEM, at, "meet for the postmortem"))
    if not incident.is_over:
        found += _tasks(incident, now)
    zone = ZoneInfo(policy.timezone)
    for action in incident.actions.values():
        if action.done_at is None:
            end = datetime.combine(date.fromisoformat(action.due) + timedelta(days=1), time(), zone).timestamp()
            found.append(Due(DueKind.ACTION, end, f"{action.title} ({action.owner})"))
    return tuple(sorted(found, key=lambda each: each.at))


def _tasks(incident: Incident, now: float) -> Iterator[Due]:
    """What is not done yet of the phases that have begun, and what is to be done again."""
    for each in placed_tasks(incident):
        record = incident.tasks.get(each.id)
        if record is None and each.begins <= now:
            yield Due(DueKind.TASK, each.due, each.task.title, (each.task.owner,))
        elif record is not None and record.state is TaskState.DONE and each.task.every is not None:
            yield Due(DueKind.TASK, max(record.at, each.due) + each.task.every, each.task.title, (each.task.owner,))


def channel_name(at: float, pattern: str = DEFAULT_CHANNEL) -> str:
    """``#incident-2026-11-23-14-30``: where people talk about it, by when it was opened, in UTC."""
    return filled_in(pattern, datetime.fromtimestamp(at, UTC))
