"""An incident as it stands: the fold of its events."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from runbook_engine.incidents import events as e
from runbook_engine.incidents.escalation import Call, Hold, Phase, joined
from runbook_engine.living import Process


class State(StrEnum):
    """How far it is. Mitigated: it no longer hurts; resolved: the cause is gone; closed: nothing is expected of anybody."""

    OPEN = "open"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"


class TaskState(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"


class TaskRecord(Struct, frozen=True):
    """What was last said of a task; ``times`` is how often it was done."""

    state: TaskState
    at: float
    by: str
    note: str
    times: int = 1


class Action(Struct, frozen=True):
    id: int
    title: str
    owner: str
    due: str
    horizon: e.Horizon
    added_at: float
    added_by: str
    link: str = ""
    done_at: float | None = None
    done_by: str = ""
    note: str = ""


class Delivery(Struct, frozen=True):
    """How far a message is. ``begun_at`` and nothing after it: nobody knows whether ``process`` has sent that part.

    ``uncertain``: one of its tries may have arrived.
    """

    attempts: int = 0
    begun_at: float | None = None
    parts: int = 1
    sent_parts: int = 0
    sent_at: float | None = None
    reference: str = ""
    error: str = ""
    retry_at: float | None = None
    uncertain: bool = False
    dead: bool = False
    dropped: bool = False
    asked: bool = False
    process: Process | None = None

    @property
    def is_sent(self) -> bool:
        return self.sent_parts > 0 and self.sent_parts == self.parts


class Incident(Struct):
    """All that is known of an incident. Only the fold changes it."""

    id: int
    events: tuple[e.IncidentEvent, ...]
    opened: e.Opened
    title: str
    priority: str
    state: State = State.OPEN
    phases: tuple[Phase, ...] = ()
    calls: tuple[Call, ...] = ()
    acknowledged: tuple[e.Acknowledged, ...] = ()
    people: dict[str, str] = field(default_factory=dict)
    playbooks: tuple[e.PlaybookStarted, ...] = ()
    tasks: dict[str, TaskRecord] = field(default_factory=dict)
    runs: tuple[e.RunAttached, ...] = ()
    alerts: dict[str, e.AlertTaken] = field(default_factory=dict)
    evidence: tuple[e.EvidenceAttached, ...] = ()
    updates: tuple[e.StatusUpdated, ...] = ()
    told: tuple[e.Told, ...] = ()
    remarks: tuple[e.Remarked, ...] = ()
    pins: dict[int, bool] = field(default_factory=dict)
    actions: dict[int, Action] = field(default_factory=dict)
    meeting: e.MeetingScheduled | None = None
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    mitigated_at: float | None = None
    resolved_at: float | None = None
    closed_at: float | None = None

    @property
    def opened_at(self) -> float:
        return self.opened.at

    @property
    def last_at(self) -> float:
        return self.events[-1].at

    def after(self, at: float) -> float:
        """The time of an event that happens now, at ``at``: events never go back in time, whatever a clock says."""
        return max(at, self.last_at)

    @property
    def policy_document(self) -> Mapping[str, Any]:
        """The incident policy that holds for it, as validated."""
        return self.opened.policy

    def rank(self, priority: str) -> tuple[int, str]:
        """Less for a worse priority, by the order of the incident's policy."""
        order = list(self.policy_document.get("priorities", ()))
        return (order.index(priority) if priority in order else len(order), priority)

    @property
    def is_over(self) -> bool:
        """Whether the cause is gone."""
        return self.state in (State.RESOLVED, State.CLOSED)


def fold(incident_id: int, events: Sequence[e.IncidentEvent]) -> Incident:
    """The incident after all of its events. Raises ValueError where they do not begin with its opening."""
    if not events or not isinstance(events[0], e.Opened):
        raise ValueError(f"the events of incident {incident_id} do not begin with its opening")
    opened = events[0]
    incident = Incident(incident_id, tuple(events), opened, opened.title, opened.priority)
    incident.phases = (Phase(opened.priority, opened.at, opened.at),)
    for event in events[1:]:
        _apply(incident, event)
    return incident


def _apply(incident: Incident, event: e.IncidentEvent) -> None:  # noqa: C901, PLR0912 - one case for each event
    match event:
        case e.AlertTaken():
            incident.alerts[event.key] = event
        case e.PriorityChanged():
            _reprioritise(incident, event)
        case e.Acknowledged():
            incident.acknowledged += (event,)
            _hold(incident, Hold(event.at, event.until))
        case e.RoleAssigned():
            if event.person:
                incident.people[event.role] = event.person
            else:
                incident.people.pop(event.role, None)
        case e.Escalated():
            incident.calls += (Call(event.at, event.roles, event.by),)
        case e.StatusUpdated():
            incident.updates += (event,)
        case e.Told():
            incident.told += (event,)
        case e.Remarked():
            incident.remarks += (event,)
        case e.Pinned():
            incident.pins[event.seq] = event.pinned
        case e.RunAttached():
            incident.runs += (event,)
        case e.EvidenceAttached():
            incident.evidence += (event,)
        case e.PlaybookStarted():
            incident.playbooks += (event,)
        case e.TaskDone() | e.TaskSkipped() | e.TaskReopened():
            _task(incident, event)
        case e.Mitigated() | e.Resolved() | e.Reopened() | e.Closed():
            _advance(incident, event)
        case e.MeetingScheduled():
            incident.meeting = event
        case e.ActionAdded() | e.ActionDone():
            _action(incident, event)
        case e.MessageBegun() | e.MessageSent() | e.MessageFailed() | e.MessageDropped() | e.MessageRetried():
            incident.deliveries[event.key] = _delivered(incident.deliveries.get(event.key, Delivery()), event)
        case e.Opened() | e.Noted():
            pass


def _reprioritise(incident: Incident, event: e.PriorityChanged) -> None:
    last = incident.phases[-1]
    raised = incident.rank(event.priority) < incident.rank(last.priority)
    stopped = tuple(Hold(event.at, None) for each in last.holds if each.until is None)
    phase = (
        Phase(event.priority, event.at, event.at, stopped)
        if raised
        else Phase(event.priority, event.at, last.clock, last.holds)
    )
    incident.priority = event.priority
    incident.phases += (phase,)


def _hold(incident: Incident, hold: Hold) -> None:
    last = incident.phases[-1]
    changed = replace(last, holds=joined([*last.holds, hold]))
    incident.phases = (*incident.phases[:-1], changed)


def _advance(incident: Incident, event: e.Mitigated | e.Resolved | e.Reopened | e.Closed) -> None:
    match event:
        case e.Mitigated():
            incident.state, incident.mitigated_at = State.MITIGATED, event.at
            _hold(incident, Hold(event.at, None))
        case e.Resolved():
            incident.mitigated_at = event.at if incident.mitigated_at is None else incident.mitigated_at
            incident.state, incident.resolved_at = State.RESOLVED, event.at
            _hold(incident, Hold(event.at, None))
        case e.Closed():
            incident.state, incident.closed_at = State.CLOSED, event.at
        case e.Reopened():
            incident.state = State.OPEN
            incident.mitigated_at = incident.resolved_at = incident.closed_at = None
            last = incident.phases[-1]
            holds = tuple(Hold(each.since, event.at) if each.until is None else each for each in last.holds)
            held = replace(last, holds=holds)
            began = (Phase(last.priority, event.at, event.at, anew=True),) if event.anew else ()
            incident.phases = (*incident.phases[:-1], held, *began)


def _task(incident: Incident, event: e.TaskDone | e.TaskSkipped | e.TaskReopened) -> None:
    before = incident.tasks.get(event.task)
    match event:
        case e.TaskDone():
            times = before.times + 1 if before is not None and before.state is TaskState.DONE else 1
            incident.tasks[event.task] = TaskRecord(TaskState.DONE, event.at, event.by, event.note, times)
        case e.TaskSkipped():
            incident.tasks[event.task] = TaskRecord(TaskState.SKIPPED, event.at, event.by, event.because, 0)
        case e.TaskReopened():
            incident.tasks.pop(event.task, None)


def _action(incident: Incident, event: e.ActionAdded | e.ActionDone) -> None:
    if isinstance(event, e.ActionAdded):
        incident.actions[event.action] = Action(
            event.action, event.title, event.owner, event.due, event.horizon, event.at, event.by, event.link
        )
        return
    before = incident.actions[event.action]
    incident.actions[event.action] = replace(before, done_at=event.at, done_by=event.by, note=event.note)


def _delivered(
    before: Delivery,
    event: e.MessageBegun | e.MessageSent | e.MessageFailed | e.MessageDropped | e.MessageRetried,
) -> Delivery:
    sent = before.sent_parts
    match event:
        case e.MessageBegun():
            return Delivery(
                event.attempt,
                begun_at=event.at,
                parts=event.parts,
                sent_parts=sent,
                uncertain=before.uncertain,
                process=event.process,
            )
        case e.MessageSent():
            return Delivery(before.attempts, None, event.parts, event.part, event.at, event.reference)
        case e.MessageFailed():
            # What may have arrived once stays uncertain, whatever the later tries say of themselves.
            uncertain = before.uncertain or event.uncertain
            return Delivery(
                before.attempts,
                parts=before.parts,
                sent_parts=sent,
                error=event.error,
                retry_at=event.retry_at,
                uncertain=uncertain,
                dead=event.retry_at is None and not uncertain,
            )
        case e.MessageDropped():
            return Delivery(before.attempts, parts=before.parts, sent_parts=sent, error=before.error, dropped=True)
        case e.MessageRetried():
            return Delivery(0, parts=before.parts, sent_parts=sent, asked=True)
