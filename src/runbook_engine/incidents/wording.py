"""What a message says: a template for each audience, filled with the incident as it was when the message was asked for.

A team's own templates are ``messages/AUDIENCE.j2`` beside its runbooks. The first line is the title, the rest the text. They
may use ``kind``, ``again`` (whether it was opened again), ``text`` and ``by`` (who said it), ``incident`` (``number title
description priority priority_title impact state channel because opened_at mitigated_at resolved_at duration``), ``engaged``
(``title person contact``), ``causes`` (``title cause resolution``), ``row`` (``after roles``), ``meeting`` (``begins minutes
place attendees``) and ``next_update``.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2.sandbox import SandboxedEnvironment
from msgspec import Struct

from runbook_engine.document.incident_policy import AlertKind, IncidentPolicy
from runbook_engine.hostile import harmless, one_line
from runbook_engine.incidents import events as e
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.messages import Message, as_of
from runbook_engine.incidents.moments import clock, span
from runbook_engine.library import Library
from runbook_engine.own_templates import fill, fill_bounded, sandbox

SHIPPED = Path(__file__).parent / "templates"
_FOLDER = "messages"
_LONGEST_TITLE = 200
_LONGEST_SMS = 160


class Wording(Struct, frozen=True):
    """``title`` is one line."""

    title: str
    body: str


def worded(message: Message, incident: Incident, policy: IncidentPolicy, library: Library) -> Wording:
    """The same text whenever it is asked for. Raises UsageError where a template of the team's has a mistake."""
    name = f"{message.audience}.j2"
    folders = [each / _FOLDER for each in library.directories if (each / _FOLDER / name).is_file()]
    variables = _variables(message, as_of(incident, message), policy)
    if folders:
        text = harmless(fill_bounded(folders[0] / name, [*folders, SHIPPED], variables))
    else:
        text = harmless(fill(environment((SHIPPED,)), SHIPPED / name, variables))
    title, _, body = text.strip().partition("\n")
    title = one_line(title)
    if message.destination.kind is AlertKind.SMS:
        return Wording("", _cut(f"{title}. {incident.opened.channel}", _LONGEST_SMS))
    return Wording(_cut(title, _LONGEST_TITLE), body.strip() + "\n" if body.strip() else "")


@lru_cache(maxsize=8)
def environment(folders: tuple[Path, ...]) -> SandboxedEnvironment:
    """Templates by name, each compiled once; a file that changes is read again."""
    return sandbox(folders)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _variables(message: Message, incident: Incident, policy: IncidentPolicy) -> Mapping[str, Any]:
    priority = policy.priorities[incident.priority]
    end = incident.resolved_at or incident.mitigated_at
    updates = priority.updates
    return {
        "kind": str(message.kind),
        "text": message.text,
        "again": message.seq is not None and isinstance(incident.events[message.seq], e.Reopened),
        "by": getattr(incident.events[message.seq], "by", "") if message.seq is not None else "",
        "incident": {
            "number": incident.id,
            "title": one_line(incident.title),
            "description": incident.opened.description,
            "priority": str(incident.priority),
            "priority_title": priority.title,
            "impact": priority.impact,
            "state": str(incident.state),
            "channel": incident.opened.channel,
            "because": incident.opened.because,
            "opened_at": clock(incident.opened_at),
            "mitigated_at": clock(incident.mitigated_at) if incident.mitigated_at is not None else "",
            "resolved_at": clock(incident.resolved_at) if incident.resolved_at is not None else "",
            "duration": span((message.at if end is None else end) - incident.opened_at),
        },
        "engaged": [
            {
                "title": policy.roles[each.role].title,
                "person": incident.people.get(each.role, ""),
                "contact": policy.roles[each.role].contact,
            }
            for each in engaged(incident, policy, message.at).engaged
        ],
        "causes": [
            {"title": each.title, "cause": each.cause, "resolution": each.what_to_do}
            for run in incident.runs
            for each in run.findings
            if each.kind == "cause"
        ],
        "row": None
        if message.row is None
        else {
            "after": span(message.row.after),
            "roles": [policy.roles[each].title for each in message.row.roles],
        },
        "meeting": _meeting(incident),
        "next_update": clock(message.at + updates) if updates is not None and not incident.is_over else "",
    }


def _meeting(incident: Incident) -> Mapping[str, Any] | None:
    meeting = incident.meeting
    if meeting is None:
        return None
    return {
        "begins": clock(meeting.begins),
        "minutes": meeting.minutes,
        "place": meeting.place,
        "attendees": list(meeting.attendees),
    }
