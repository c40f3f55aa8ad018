"""What the page of an incident shows beside the incident itself."""

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby

from msgspec import Struct

from runbook_engine.incidents import events as e
from runbook_engine.incidents.delivery import waits
from runbook_engine.incidents.due import Due, due
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.incident import Incident, TaskState
from runbook_engine.incidents.moments import clock, iso, span
from runbook_engine.incidents.policy import of_document
from runbook_engine.incidents.postmortem import actions_of, because_of
from runbook_engine.incidents.postmortem_model import ActionPart
from runbook_engine.incidents.sentences import sentences
from runbook_engine.incidents.tasks import IncidentTask, placed_tasks
from runbook_engine.version import VERSION

_OWN = (e.Pinned, e.MessageBegun)
"""Events that say nothing to those who are in the incident."""


class Person(Struct, frozen=True):
    """A role that should be there; ``person`` is empty where nobody was assigned."""

    role: str
    person: str
    since: str
    contact: str


class Line(Struct, frozen=True):
    """What is due: ``left`` says in how long, or for how long it has been overdue."""

    what: str
    left: str
    at: str
    overdue: bool


class TaskLine(Struct, frozen=True):
    """A task: ``state`` is done, skipped, overdue, due or later."""

    title: str
    name: str
    owner: str
    state: str
    told: str


class PhaseLines(Struct, frozen=True):
    title: str
    done: int
    tasks: Sequence[TaskLine]


class Happened(Struct, frozen=True):
    seq: int
    at: str
    shown: str
    text: str


class IncidentView:
    """An incident at a time. All texts are as they were written; whoever renders them escapes them."""

    engine = VERSION

    def __init__(self, incident: Incident, now: float) -> None:
        self.incident = incident
        self.now = now
        self.policy = of_document(incident.policy_document)
        self.priority = self.policy.priorities[incident.priority]

    @property
    def written_at(self) -> str:
        return iso(self.now)

    @property
    def because(self) -> Sequence[str]:
        return because_of(self.incident)

    @property
    def opened(self) -> str:
        return clock(self.incident.opened_at)

    @property
    def lasts(self) -> str:
        """``open for 20 min``, ``resolved after 3 h 05 min``."""
        found = self.incident
        at = found.closed_at or found.resolved_at or found.mitigated_at
        if at is None:
            return f"open for {span(self.now - found.opened_at)}"
        return f"{found.state} after {span(at - found.opened_at)}"

    @cached_property
    def held(self) -> str:
        """For how long somebody's acknowledgement still holds the escalation, and whose it is."""
        until = engaged(self.incident, self.policy, self.now).held_until
        if until is None or not self.incident.acknowledged:
            return ""
        return f"{self.incident.acknowledged[-1].by} is on it; the escalation is held for {span(until - self.now)} more"

    @cached_property
    def waits(self) -> str:
        """What nobody has been told yet, and how it is sent."""
        return waits(self.incident, self.policy, self.now)

    @cached_property
    def people(self) -> Sequence[Person]:
        """Who should be there now; nobody, where it is over."""
        if self.incident.is_over:
            return ()
        found = engaged(self.incident, self.policy, self.now).engaged
        roles = {each.role: each.since for each in found}
        return [
            Person(
                self.policy.roles[role].title,
                self.incident.people.get(role, ""),
                clock(since),
                self.policy.roles[role].contact,
            )
            for role, since in roles.items()
        ]

    @cached_property
    def due(self) -> Sequence[Line]:
        """What is overdue comes first. Tasks stand where they belong, and actions, too."""
        found = due(self.incident, self.policy, self.now)
        return [self._line(each) for each in found if each.kind not in ("task", "action")]

    def _line(self, each: Due) -> Line:
        left = each.at - self.now
        told = f"overdue {span(-left)}" if left < 0 else f"in {span(left)}"
        return Line(each.what[:1].upper() + each.what[1:], told, clock(each.at), left < 0)

    @cached_property
    def overdue(self) -> int:
        """How much is overdue: of what is due, of tasks and of actions."""
        return sum(each.at < self.now for each in due(self.incident, self.policy, self.now))

    @cached_property
    def phases(self) -> Sequence[PhaseLines]:
        """The tasks of the playbooks, by phase."""
        placed = groupby(placed_tasks(self.incident), key=lambda each: (each.playbook, each.phase))
        found = []
        for (playbook, phase), tasks in placed:
            lines = [self._task(each) for each in tasks]
            done = sum(each.state in ("done", "skipped") for each in lines)
            found.append(PhaseLines(f"{phase} ({playbook})", done, lines))
        return found

    def _task(self, each: IncidentTask) -> TaskLine:
        record = self.incident.tasks.get(each.id)
        owner = self.policy.roles[each.task.owner].title if each.task.owner in self.policy.roles else each.task.owner
        if record is not None:
            state = "done" if record.state is TaskState.DONE else "skipped"
            note = f": {record.note}" if record.note else ""
            return TaskLine(each.task.title, each.name, owner, state, f"{state} by {record.by}{note}")
        if self.incident.is_over:
            return TaskLine(each.task.title, each.name, owner, "later", "nothing was said of it")
        left = each.due - self.now
        if left < 0:
            return TaskLine(each.task.title, each.name, owner, "overdue", f"overdue {span(-left)}")
        return TaskLine(
            each.task.title, each.name, owner, "due" if each.begins <= self.now else "later", f"due in {span(left)}"
        )

    @cached_property
    def actions(self) -> Sequence[ActionPart]:
        return actions_of(self.incident, self.policy, self.now)

    @cached_property
    def happened(self) -> Sequence[Happened]:
        """The newest first."""
        told = sentences(self.incident, self.policy, names=True)
        shown = [
            Happened(seq, iso(event.at), clock(event.at), told[seq])
            for seq, event in enumerate(self.incident.events)
            if not isinstance(event, _OWN)
        ]
        return shown[::-1]
