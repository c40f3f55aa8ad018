"""Incidents as people read them in a terminal, and as programs do."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from runbook_engine.cli.policy_command import words
from runbook_engine.cli.screen import visible
from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.incidents import events as e
from runbook_engine.incidents.classify import Classification
from runbook_engine.incidents.delivery import letters, untold_tasks, waits
from runbook_engine.incidents.due import Due, due
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.escalation import Engagement
from runbook_engine.incidents.incident import Incident, TaskState
from runbook_engine.incidents.moments import clock, span
from runbook_engine.incidents.policy import of_document
from runbook_engine.incidents.sentences import sentences
from runbook_engine.incidents.tasks import IncidentTask, placed_tasks
from runbook_engine.pasteable import pasteable

_NEWEST = 12


def listed(incidents: Sequence[Incident], now: float) -> str:
    """A line for each."""
    rows = [
        (
            str(each.id),
            str(each.priority),
            str(each.state),
            clock(each.opened_at),
            visible(each.title),
            _hint(each, now),
        )
        for each in incidents
    ]
    wide = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    return "".join(
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, wide, strict=False)), row[4], row[5]]).rstrip()
        + "\n"
        for row in rows
    )


def _hint(incident: Incident, now: float) -> str:
    policy = of_document(incident.policy_document)
    late = sum(each.at < now for each in due(incident, policy, now))
    found = letters(incident, policy, now)
    waiting = len(found.waiting) + len(found.lost)
    told = [f"{late} overdue"] if late else []
    told += [f"{waiting} message{'' if waiting == 1 else 's'} not sent"] if waiting else []
    return f"({', '.join(told)})" if told else ""


def page(incident: Incident, now: float) -> str:
    """Who should be there now, what is due, what is known, what happened."""
    policy = of_document(incident.policy_document)
    return "\n".join(_lines(incident, policy, now)) + "\n"


def _lines(incident: Incident, policy: IncidentPolicy, now: float) -> Iterator[str]:
    priority = policy.priorities[incident.priority]
    waiting = waits(incident, policy, now)
    if waiting:
        yield visible(waiting)
    yield f"Incident {incident.id}  {incident.priority} {priority.title}  {_state(incident, now)}"
    yield visible(incident.title)
    if incident.opened.description:
        yield visible(incident.opened.description)
    yield ""
    yield from (
        f"  {'Why' if not index else '':<9}{visible(each)}" for index, each in enumerate(incident.opened.because)
    )
    yield f"  {'Opened':<9}{clock(incident.opened_at)} by {visible(incident.opened.by)}"
    yield f"  {'Channel':<9}{incident.opened.channel}"
    escalation = engaged(incident, policy, now)
    if escalation.held_until is not None:
        who = visible(incident.acknowledged[-1].by) if incident.acknowledged else "nobody"
        held = span(escalation.held_until - now)
        yield f"  {'On it':<9}{who}; the escalation is held for {held} more"
    if not incident.is_over:
        yield ""
        yield "Engaged now"
        yield from _people(escalation.engaged, incident, policy)
    coming = due(incident, policy, now)
    if coming:
        yield ""
        yield "Next"
        yield from (f"  {_when(each, now):<18}{visible(each.what)}" for each in coming)
    if incident.runs:
        yield ""
        yield "Found"
        for run in incident.runs:
            yield f"  {run.runbook}: {run.outcome} (run {run.run_id})"
            yield from (f"    {each.level}: {visible(each.title)}" for each in run.findings)
            yield from (f"    not seen: {visible(each.step)}: {visible(each.message)}" for each in run.blind_spots)
    yield ""
    yield "What happened"
    said = zip(incident.events, sentences(incident, policy, names=True), strict=True)
    told = [(number, *each) for number, each in enumerate(said) if not isinstance(each[0], e.MessageBegun)]
    shown = told[-_NEWEST:]
    if len(told) > _NEWEST:
        yield f"  {len(told) - _NEWEST} earlier events; all of them with --format json"
    yield from (f"  {number:>3}  {clock(each.at)}  {visible(text)}" for number, each, text in shown)


def tasks_page(incident: Incident, now: float) -> str:
    """What is to be done, by playbook and phase."""
    policy = of_document(incident.policy_document)
    lines: list[str] = []
    untold = untold_tasks(incident, policy)
    heading: tuple[str, ...] = ()
    for each in placed_tasks(incident):
        if (each.playbook, each.phase, each.group) != heading:
            if (each.playbook, each.phase) != heading[:2]:
                lines += ["", f"{each.phase} ({each.playbook})"]
            lines.append(f"  {each.group}")
            heading = (each.playbook, each.phase, each.group)
        owner = policy.roles[each.task.owner].title if each.task.owner in policy.roles else each.task.owner
        mark, told = _progress(each, incident, now)
        told += ", not sent" if mark == "[x]" and each.id in untold else ""
        lines.append(f"    {mark} {each.name}: {visible(each.task.title)} ({owner}{told})")
        lines += [f"          {visible(line)}" for line in each.task.instructions] if mark == "[ ]" else []
        if mark == "[ ]" and each.task.runbook is not None:
            lines.append(f"          {pasteable('runbook', 'incident', 'run', each.task.runbook)}")
        if mark == "[ ]":
            lines += [f"          {visible(more)}" for more in (each.task.contact, each.task.link) if more]
    if not lines:
        return "no playbook is followed; start one: runbook incident playbook NAME\n"
    return "\n".join(lines[1:]) + "\n"


def _progress(each: IncidentTask, incident: Incident, now: float) -> tuple[str, str]:
    record = incident.tasks.get(each.id)
    if record is None:
        late = f"overdue {span(now - each.due)}" if each.due < now else f"due in {span(each.due - now)}"
        return "[ ]", f", {late}"
    times = f" {record.times} times, last" if record.times > 1 else ""
    note = f": {visible(record.note)}" if record.note else ""
    return (
        "[x]" if record.state is TaskState.DONE else "[-]"
    ), f", {record.state}{times} by {visible(record.by)}{note}"


def _state(incident: Incident, now: float) -> str:
    at = incident.closed_at or incident.resolved_at or incident.mitigated_at
    if at is None:
        return f"open for {span(now - incident.opened_at)}"
    return f"{incident.state} after {span(at - incident.opened_at)}"


def _people(found: Sequence[Engagement], incident: Incident, policy: IncidentPolicy) -> Iterator[str]:
    titles = {each.role: policy.roles[each.role].title for each in found}
    wide = max(map(len, titles.values()), default=0)
    for each in found:
        person = incident.people.get(each.role) or "not assigned"
        by_matrix = f"after {words(each.after)}" if each.after else "at once"
        why = f"called by {visible(each.by)}" if each.after is None else by_matrix
        contact = policy.roles[each.role].contact
        yield f"  {titles[each.role]:<{wide}}  {visible(person)}, {why}{f', {contact}' if contact else ''}"


def _when(each: Due, now: float) -> str:
    return f"overdue {span(now - each.at)}" if each.at < now else f"in {span(each.at - now)}"


def as_json(incident: Incident, now: float) -> Mapping[str, Any]:
    """For programs. Times are ISO 8601 in UTC."""
    policy = of_document(incident.policy_document)
    escalation = engaged(incident, policy, now)

    def iso(at: float | None) -> str | None:
        return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")

    found = letters(incident, policy, now)
    events = [msgspec.to_builtins(each) for each in incident.events]
    for each in events:
        each["at"] = iso(each["at"])
        each.pop("policy", None)
    return {
        "schema": "runbook.incident/v1",
        "incident": incident.id,
        "title": incident.title,
        "description": incident.opened.description,
        "priority": incident.priority,
        "state": incident.state,
        "because": incident.opened.because,
        "channel": incident.opened.channel,
        "opened_at": iso(incident.opened_at),
        "mitigated_at": iso(incident.mitigated_at),
        "resolved_at": iso(incident.resolved_at),
        "closed_at": iso(incident.closed_at),
        "held_until": iso(escalation.held_until),
        "engaged": [
            {
                "role": each.role,
                "title": policy.roles[each.role].title,
                "contact": policy.roles[each.role].contact,
                "person": incident.people.get(each.role, ""),
                "since": iso(each.since),
            }
            for each in escalation.engaged
        ],
        "due": [
            {"kind": each.kind, "at": iso(each.at), "what": each.what, "roles": each.roles, "overdue": each.at < now}
            for each in due(incident, policy, now)
        ],
        "not_sent": [
            {
                "key": each.message.key,
                "kind": each.message.kind,
                "audience": each.message.audience,
                "channel": each.message.destination.name,
                "state": each.state,
            }
            for each in (*found.waiting, *found.lost)
        ],
        "runs": [msgspec.to_builtins(each) for each in incident.runs],
        "events": events,
    }


def classified(found: Classification, policy: IncidentPolicy) -> str:
    """The priority, and why."""
    priority = policy.priorities[found.priority]
    lines = [f"{found.priority} {priority.title}: {priority.impact}", ""]
    rule = f" (rule {found.rule}: {found.condition})" if found.rule is not None else ""
    lines.append(f"  Why         {visible(found.because)}{rule}")
    lines += [
        f"  Told        {visible(name)}: {visible(each.shown)} ({visible(each.source)})"
        for name, each in found.facts.items()
    ]
    if found.unsure:
        lines.append(f"  Unsure      {', '.join(found.unsure)}: the higher priority counts until that is known")
    if found.assumed:
        lines.append(f"  Not told    {', '.join(found.assumed)}: taken for a no")
    lines.append(f"  Examples    {', '.join(priority.examples)}")
    called = policy.rungs(found.priority)[0][1]
    lines.append(
        f"  Call first  {', '.join(f'{policy.roles[each].title} {policy.roles[each].contact}'.strip() for each in called)}"
    )
    lines.append(f"  Response    within {words(priority.response)}")
    return "\n".join(lines) + "\n"
