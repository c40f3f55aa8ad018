"""What people do in an incident: each decides from the incident as it is, and comes to events. Nothing here reads a clock."""

from collections.abc import Callable, Sequence

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.playbook import Playbook, Skip
from runbook_engine.engine.events import Ending, FindingRaised
from runbook_engine.engine.trace import Trace
from runbook_engine.errors import IncidentError, did_you_mean
from runbook_engine.ids import ResolutionId
from runbook_engine.incidents import events as e
from runbook_engine.incidents.due import channel_name
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.incident import Incident, State, TaskState
from runbook_engine.incidents.policy import as_document, of_document
from runbook_engine.incidents.tasks import find_task, placed_tasks, playbook_document
from runbook_engine.incidents.telling import by_task
from runbook_engine.pasteable import pasteable
from runbook_engine.version import VERSION

Decide = Callable[[Incident], Sequence[e.IncidentEvent]]


def opening(  # what is known at the beginning has its own words
    policy: IncidentPolicy,
    title: str,
    priority: str,
    at: float,
    by: str,
    *,
    because: Sequence[str] = (),
    description: str = "",
    source: e.Source = e.Source.PERSON,
    playbook: Playbook | None = None,
) -> Sequence[e.IncidentEvent]:
    """The first events of an incident."""
    return (
        e.Opened(
            at=at,
            by=by,
            title=title,
            priority=priority,
            policy=as_document(policy),
            engine=VERSION,
            description=description,
            because=tuple(because),
            source=source,
            channel=channel_name(at) if playbook is None else channel_name(at, playbook.channel),
        ),
        *((_started(playbook, at, by),) if playbook is not None else ()),
    )


def _started(playbook: Playbook, at: float, by: str) -> e.PlaybookStarted:
    return e.PlaybookStarted(at=at, by=by, playbook=playbook_document(playbook), since=at)


def start_playbook(at: float, by: str, playbook: Playbook) -> Decide:
    """Follow a playbook from now on; one that is followed already stays as it is."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        _not_over(incident, "led by another playbook")
        if any(each.playbook["playbook"] == playbook.playbook for each in incident.playbooks):
            return ()
        return (_started(playbook, incident.after(at), by),)

    return decide


def finish_task(at: float, by: str, name: str, text: str = "") -> Decide:
    """A task is done. One that is done again and again may be done any number of times; one that is a message tells it."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        task = find_task(incident, name)
        before = incident.tasks.get(task.id)
        if before is not None and before.state is TaskState.DONE and task.task.every is None:
            raise IncidentError(f"{task.name} was done by {before.by} already")
        if task.task.evidence and not any(each.task == task.id for each in incident.evidence):
            hint = pasteable("runbook", "incident", "evidence", "FILE", "--task", task.name)
            raise IncidentError(f"{task.name} is done only when something is attached to it: {hint}")
        said = by_task(incident, task, at, by, text)
        return (*said, e.TaskDone(at=incident.after(at), by=by, task=task.id, note=text))

    return decide


def skip_task(at: float, by: str, name: str, because: str = "") -> Decide:
    """A task is left out, as far as the playbook allows it."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        task = find_task(incident, name)
        before = incident.tasks.get(task.id)
        if before is not None:
            raise IncidentError(f"{task.name} was {before.state} by {before.by} already")
        if task.task.skip is Skip.NEVER:
            hint = pasteable("runbook", "incident", "done", task.name)
            raise IncidentError(f"{task.name} may not be skipped; do it, and say so: {hint}")
        if task.task.skip is Skip.REASON and not because.strip():
            raise IncidentError(f"why is {task.name} skipped? say it with --because")
        return (e.TaskSkipped(at=incident.after(at), by=by, task=task.id, because=because),)

    return decide


def attach_evidence(  # what is known of a file has its own words
    at: float, by: str, name: str, sha256: str, size: int, *, text: str = "", task: str = ""
) -> Decide:
    """Keep the hash of a file, so that nobody can change it unseen."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        found = find_task(incident, task).id if task else ""
        event = e.EvidenceAttached(
            at=incident.after(at), by=by, name=name, sha256=sha256, size=size, note=text, task=found
        )
        return (event,)

    return decide


def acknowledge(at: float, by: str, seconds: float | None = None) -> Decide:
    """Somebody is on it. The policy says how long that holds the escalation at most."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        _not_over(incident, "acknowledged")
        longest = of_document(incident.policy_document).acknowledgement
        if seconds is not None and not 0 < seconds <= longest:
            raise IncidentError(f"an acknowledgement holds for {longest / 60:g} minutes at most, as the policy says")
        return (e.Acknowledged(at=incident.after(at), by=by, until=incident.after(at) + (seconds or longest)),)

    return decide


def assign(at: float, by: str, role: str, person: str) -> Decide:
    """Somebody fills a role; with an empty name, nobody does any more."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        _not_closed(incident, "assigned to anybody")
        _roles(incident, (role,))
        if incident.people.get(role, "") == person:
            return ()
        return (e.RoleAssigned(at=incident.after(at), by=by, role=role, person=person),)

    return decide


def escalate(at: float, by: str, roles: Sequence[str] = (), because: str = "") -> Decide:
    """Call roles now: the given ones, or those whom the matrix calls next."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        _not_over(incident, "escalated")
        called = tuple(roles)
        policy = _roles(incident, called)
        if not called:
            now = incident.after(at)
            known = {each.role for each in engaged(incident, policy, now).engaged}
            rows = [each for _, each in policy.rungs(incident.priority)]
            called = next((each for each in rows if not set(each) <= known), ())
            if not called:
                raise IncidentError(
                    "everybody whom the escalation matrix knows is called already; name others with --to"
                )
        return (e.Escalated(at=incident.after(at), by=by, roles=called, because=because),)

    return decide


def reprioritise(at: float, by: str, priority: str, because: str, playbook: Playbook | None = None) -> Decide:
    """Make it worse or less bad; ``playbook`` is the one that leads through the new priority."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        _not_over(incident, "given another priority")
        if priority == incident.priority:
            raise IncidentError(f"incident {incident.id} is a {priority} already")
        changed = e.PriorityChanged(at=incident.after(at), by=by, priority=priority, because=because)
        started = start_playbook(at, by, playbook)(incident) if playbook is not None else ()
        return (changed, *started)

    return decide


def note(at: float, by: str, text: str, happened: float | None = None) -> Decide:
    return lambda incident: (e.Noted(at=incident.after(at), by=by, text=text, happened=happened),)


def attach_run(at: float, by: str, trace: Trace, task: str | None = None) -> Decide:
    """Keep what a run found with the incident. A run is attached once.

    It does ``task``; where none is named, the only one that is left and wants this runbook. One that was cut short does none.
    """

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        if any(each.run_id == trace.run_id for each in incident.runs):
            return ()
        does = _task_of(incident, trace, task)
        attached = (
            e.RunAttached(
                at=incident.after(at),
                by=by,
                run_id=trace.run_id,
                runbook=trace.runbook,
                outcome=trace.outcome,
                started_at=trace.started_at,
                finished_at=trace.started_at + trace.duration,
                findings=tuple(
                    e.AttachedFinding(
                        each.finding,
                        each.kind,
                        each.level,
                        each.title,
                        each.cause,
                        each.resolution or "",
                        _to_do(trace, each),
                    )
                    for each in trace.findings
                ),
                blind_spots=tuple(
                    e.AttachedBlindness(each.step, str(each.kind), each.message, each.remedy)
                    for each in trace.blind_spots
                ),
                task=does,
            ),
        )
        if not does or trace.ending is not Ending.COMPLETED:
            return attached
        done = e.TaskDone(at=incident.after(at), by=by, task=does, note=f"{trace.runbook}: {trace.outcome}")
        return (*attached, done)

    return decide


def _to_do(trace: Trace, finding: FindingRaised) -> str:
    """``Restore the cache: check its status, then start or fail over``."""
    resolution = trace.runbooks[finding.scope].resolutions.get(ResolutionId(finding.resolution or ""))
    return f"{resolution.title}: {'; '.join(resolution.steps)}" if resolution else ""


def _task_of(incident: Incident, trace: Trace, task: str | None) -> str:
    """The task that a run does, or an empty text."""
    if task is not None:
        return find_task(incident, task).id
    left = [each for each in placed_tasks(incident) if each.id not in incident.tasks]
    fitting = [each.id for each in left if each.task.runbook == trace.runbook]
    return fitting[0] if len(fitting) == 1 else ""


def mitigate(at: float, by: str, text: str = "") -> Decide:
    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        if incident.state is not State.OPEN:
            raise IncidentError(f"incident {incident.id} is {incident.state} already")
        return (e.Mitigated(at=incident.after(at), by=by, text=text),)

    return decide


def resolve(at: float, by: str, text: str = "") -> Decide:
    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        _not_over(incident, "resolved")
        return (e.Resolved(at=incident.after(at), by=by, text=text),)

    return decide


def reopen(at: float, by: str, because: str, *, anew: bool = False) -> Decide:
    """It hurts again. With ``anew`` people are called as they were at first, whatever was acknowledged before."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        if incident.state is State.OPEN:
            raise IncidentError(f"incident {incident.id} is open")
        return (e.Reopened(at=incident.after(at), by=by, because=because, anew=anew),)

    return decide


def close(at: float, by: str, text: str = "") -> Decide:
    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        if incident.state is State.CLOSED:
            raise IncidentError(f"incident {incident.id} is closed already")
        if incident.state is not State.RESOLVED:
            raise IncidentError(
                f"incident {incident.id} is {incident.state}; resolve it first: runbook incident resolve"
            )
        return (e.Closed(at=incident.after(at), by=by, text=text),)

    return decide


def _not_over(incident: Incident, what: str) -> None:
    if incident.is_over:
        message = f"incident {incident.id} is {incident.state} and cannot be {what}; it may be opened again: "
        raise IncidentError(f"{message}runbook incident reopen --incident {incident.id} --because …")


def _not_closed(incident: Incident, what: str) -> None:
    if incident.state is State.CLOSED:
        raise IncidentError(f"incident {incident.id} is closed and cannot be {what}")


def _roles(incident: Incident, roles: Sequence[str]) -> IncidentPolicy:
    """The incident's policy, in which these roles stand."""
    policy = of_document(incident.policy_document)
    for role in roles:
        if role not in policy.roles:
            known = ", ".join(policy.roles)
            raise IncidentError(f"there is no role {role!r}{did_you_mean(role, policy.roles)}; roles: {known}")
    return policy
