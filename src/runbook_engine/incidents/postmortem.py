"""The postmortem of an incident: pure, of the incident and the time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import FindingKind
from runbook_engine.hostile import one_line
from runbook_engine.incidents import events as e
from runbook_engine.incidents import postmortem_model as parts
from runbook_engine.incidents.delivery import letters, listing
from runbook_engine.incidents.effectiveness import effectiveness
from runbook_engine.incidents.horizons import is_overdue
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.meeting import latest
from runbook_engine.incidents.moments import iso, moment
from runbook_engine.incidents.policy import of_document
from runbook_engine.incidents.sentences import sentences
from runbook_engine.version import VERSION

_INTRODUCTION = (
    "This postmortem is blameless: it says what happened and what is learned from it, so that the system and the way we work "
    "get better. It looks for nobody to blame; "
)
_BY_ROLE = "people appear by their role."
_BY_NAME = "people are named so that they can be asked."
SIGNIFICANT = (
    e.Opened,
    e.AlertTaken,
    e.PriorityChanged,
    e.Acknowledged,
    e.RoleAssigned,
    e.Escalated,
    e.Noted,
    e.StatusUpdated,
    e.RunAttached,
    e.MessageDropped,
    e.Mitigated,
    e.Resolved,
    e.Reopened,
    e.Closed,
)
"""What the timeline shows unless somebody wants it otherwise."""


def postmortem(incident: Incident, now: float, *, names: bool = False) -> parts.Postmortem:
    """With ``names`` people appear by name; else by the role that they had. Owners of actions are always named."""
    policy = of_document(incident.policy_document)
    priority = policy.priorities[incident.priority]
    limit = latest(incident, policy)
    said = {
        section: tuple(one_line(each.text) for each in incident.remarks if each.section is section)
        for section in e.Section
    }
    return parts.Postmortem(
        incident=incident.id,
        title=one_line(incident.title),
        description=one_line(incident.opened.description),
        priority=incident.priority,
        priority_title=one_line(priority.title),
        state=incident.state,
        named=names,
        introduction=_INTRODUCTION + (_BY_NAME if names else _BY_ROLE),
        because=tuple(map(one_line, because_of(incident))),
        impact=_impact(incident, priority.impact, said[e.Section.IMPACT]),
        root_cause=parts.RootCausePart(found=tuple(_causes(incident)), remarks=said[e.Section.ROOT_CAUSE]),
        timeline=tuple(_timeline(incident, policy, names=names)),
        response=_response(incident, policy, now),
        blind_spots=tuple(_blind(incident)),
        runbooks=tuple((one_line(each.runbook), each.outcome) for each in incident.runs),
        went_well=said[e.Section.WENT_WELL],
        went_badly=said[e.Section.WENT_BADLY],
        lessons=said[e.Section.LESSON],
        actions=actions_of(incident, policy, now),
        meeting=meeting_of(incident, policy),
        meeting_by=None if limit is None else moment(limit, ZoneInfo(policy.timezone)),
        process=tuple(
            parts.ProcessPart(
                title=one_line(each.title), note=one_line(each.note), items=tuple(map(one_line, each.items))
            )
            for each in policy.post_incident.process
        ),
        policy=f"{one_line(policy.title)} {one_line(policy.version)}",
        written_at=iso(now),
        engine=VERSION,
    )


def actions_of(incident: Incident, policy: IncidentPolicy, now: float) -> tuple[parts.ActionPart, ...]:
    """In the order of their days; what is overdue comes first, what is done last."""
    found = [
        parts.ActionPart(
            action=each.id,
            title=one_line(each.title),
            owner=one_line(each.owner),
            due=each.due,
            horizon=each.horizon,
            horizon_title=one_line(getattr(policy.post_incident.horizons, str(each.horizon)).title),
            link=one_line(each.link),
            done=each.done_at is not None,
            overdue=is_overdue(each, policy, now),
            note=one_line(each.note),
        )
        for each in incident.actions.values()
    ]
    return tuple(sorted(found, key=lambda each: (each.done, not each.overdue, each.due, each.action)))


def because_of(incident: Incident) -> tuple[str, ...]:
    """Why it has the priority that it has."""
    changed = [each.because for each in incident.events if isinstance(each, e.PriorityChanged)]
    return (changed[-1],) if changed else incident.opened.because


def _impact(incident: Incident, stated: str, remarks: tuple[str, ...]) -> parts.ImpactPart:
    symptoms = (
        one_line(each.title) for run in incident.runs for each in run.findings if each.kind == FindingKind.SYMPTOM
    )
    began = incident.opened.since if incident.opened.since is not None else incident.opened_at
    return parts.ImpactPart(
        stated=one_line(stated),
        remarks=remarks,
        symptoms=tuple(dict.fromkeys(symptoms)),
        began_at=_maybe(incident.opened.since),
        opened_at=iso(incident.opened_at),
        mitigated_at=_maybe(incident.mitigated_at),
        resolved_at=_maybe(incident.resolved_at),
        closed_at=_maybe(incident.closed_at),
        hurt_s=None if incident.mitigated_at is None else incident.mitigated_at - began,
        lasted_s=None if incident.resolved_at is None else incident.resolved_at - incident.opened_at,
    )


def _maybe(at: float | None) -> str | None:
    return None if at is None else iso(at)


def _causes(incident: Incident) -> Iterator[parts.CausePart]:
    """Each once, however often it was found."""
    seen: set[tuple[str, str, str]] = set()
    for run in incident.runs:
        for each in run.findings:
            what = (run.runbook, each.id, each.title)
            if each.kind != FindingKind.CAUSE or what in seen:
                continue
            seen.add(what)
            yield parts.CausePart(
                id=one_line(each.id),
                title=one_line(each.title),
                cause=one_line(each.cause),
                resolution=one_line(each.resolution),
                to_do=one_line(each.what_to_do),
                runbook=one_line(run.runbook),
                run_id=one_line(run.run_id),
            )


def _blind(incident: Incident) -> Iterator[parts.BlindPart]:
    """Steps with one reason and one remedy stand together."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for run in incident.runs:
        for each in run.blind_spots:
            what = (one_line(run.runbook), one_line(each.kind), one_line(each.message), one_line(each.remedy))
            found.setdefault(what, []).append(one_line(each.step))
    for (runbook, kind, message, remedy), steps in found.items():
        yield parts.BlindPart(
            runbook=runbook, steps=tuple(dict.fromkeys(steps)), kind=kind, message=message, remedy=remedy
        )


def _timeline(incident: Incident, policy: IncidentPolicy, *, names: bool) -> Iterator[parts.MomentPart]:
    """By when it happened; what was pinned is there, what was unpinned is not."""
    told = sentences(incident, policy, names=names)
    shown = [
        (seq, event)
        for seq, event in enumerate(incident.events)
        if incident.pins.get(seq, isinstance(event, SIGNIFICANT))
    ]
    for seq, event in sorted(shown, key=lambda each: (_happened(each[1]), each[0])):
        happened = _happened(event)
        yield parts.MomentPart(
            seq=seq,
            at=iso(happened),
            written_at=iso(event.at) if happened != event.at else None,
            kind=str(type(event).__struct_config__.tag),
            text=one_line(told[seq]),
            pinned=incident.pins.get(seq, False),
        )


def _happened(event: e.IncidentEvent) -> float:
    return event.happened if isinstance(event, e.Noted) and event.happened is not None else event.at


def _response(incident: Incident, policy: IncidentPolicy, now: float) -> parts.ResponsePart:
    found = effectiveness(incident, now)
    times, updates, tasks = found.times, found.updates, found.tasks
    return parts.ResponsePart(
        times=parts.TimesPart(
            acknowledge_s=times.acknowledge,
            diagnose_s=times.diagnose,
            mitigate_s=times.mitigate,
            resolve_s=times.resolve,
        ),
        answers=tuple(
            parts.AnswerPart(
                priority=each.priority, limit_s=each.limit, took_s=each.took, in_time=each.in_time, again=each.again
            )
            for each in found.answers
        ),
        updates=None
        if updates is None
        else parts.UpdatesPart(
            every_s=updates.every,
            kept=updates.kept,
            late=updates.late,
            missed=updates.missed,
            longest_s=updates.longest,
        ),
        reached=tuple(
            parts.ReachedPart(
                at=iso(each.at),
                after_s=each.after,
                priority=each.priority,
                roles=tuple(one_line(policy.roles[role].title) for role in each.roles),
            )
            for each in found.reached
        ),
        tasks=None
        if tasks is None
        else parts.TasksPart(
            in_time=tasks.in_time,
            late=tuple(
                parts.LateTaskPart(task=one_line(each.name), title=one_line(each.title), late_s=each.by)
                for each in tasks.late
            ),
            skipped=tasks.skipped,
            left=tasks.left,
            untold=tasks.untold,
        ),
        messages=_messages(incident, policy, now),
        reopened=found.reopened,
    )


def _messages(incident: Incident, policy: IncidentPolicy, now: float) -> parts.MessagesPart:
    found = letters(incident, policy, now)
    uncertain = tuple(each for each in found.lost if each not in found.never)
    return parts.MessagesPart(
        sent=len(found.sent),
        waiting=tuple(map(one_line, listing(found.waiting))),
        uncertain=tuple(map(one_line, listing(uncertain))),
        never_sent=tuple(map(one_line, listing(found.never))),
    )


def meeting_of(incident: Incident, policy: IncidentPolicy) -> parts.MeetingPart | None:
    """The meeting as people read it."""
    found = incident.meeting
    if found is None:
        return None
    return parts.MeetingPart(
        begins_at=datetime.fromtimestamp(found.begins, UTC).isoformat().replace("+00:00", "Z"),
        shown=moment(found.begins, ZoneInfo(policy.timezone)),
        minutes=found.minutes,
        place=one_line(found.place),
        attendees=tuple(map(one_line, found.attendees)),
    )
