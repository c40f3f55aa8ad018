"""The meeting of a postmortem as an iCalendar file (https://www.rfc-editor.org/rfc/rfc5545)."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from runbook_engine.errors import IncidentError
from runbook_engine.hostile import one_line
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.policy import of_document
from runbook_engine.version import VERSION

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\Z")
_OCTETS = 75


def meeting_file(incident: Incident) -> str:
    """One event, which takes the place of an earlier one where the meeting was moved.

    Attendees that are e-mail addresses are invited; others are named in the description. Raises IncidentError where no
    meeting is scheduled.
    """
    found = incident.meeting
    if found is None:
        raise IncidentError(
            f"no postmortem of incident {incident.id} is scheduled; schedule it: runbook incident meeting -i {incident.id}"
        )
    moved = sum(isinstance(each, e.MeetingScheduled) for each in incident.events) - 1
    title = one_line(incident.title)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//runbook-engine//{VERSION}//EN",
        "BEGIN:VEVENT",
        f"UID:{_uid(incident)}",
        f"SEQUENCE:{moved}",
        f"DTSTAMP:{_utc(found.at)}",
        f"DTSTART:{_utc(found.begins)}",
        f"DTEND:{_utc(found.begins + found.minutes * 60)}",
        f"SUMMARY:{escaped(f'Postmortem of incident {incident.id}: {title}')}",
        f"DESCRIPTION:{escaped(_description(incident, found))}",
        *([f"LOCATION:{escaped(one_line(found.place))}"] if found.place else []),
        *_people(found),
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


def escaped(text: str) -> str:
    """A value of the type TEXT."""
    found = re.sub(r"([\\;,])", r"\\\1", text)
    return found.replace("\r\n", "\\n").replace("\n", "\\n")


def folded(line: str) -> Iterator[str]:
    """A line in parts of at most 75 octets in UTF-8; no character is taken apart."""
    part, octets = "", 0
    for letter in line:
        size = len(letter.encode())
        if octets + size > _OCTETS:
            yield part
            part, octets = " ", 1
        part, octets = part + letter, octets + size
    yield part


def _uid(incident: Incident) -> str:
    """The same for each version of the meeting, and another for every other incident, in other stores, too."""
    digest = hashlib.sha256(f"{incident.id} {incident.opened_at!r} {incident.title}".encode()).hexdigest()
    return f"postmortem-{digest[:32]}@runbook-engine"


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")


def _people(meeting: e.MeetingScheduled) -> Iterator[str]:
    """Who has attendees must have an organizer, too; one without an address is named as other calendars do it."""
    invited = [each for each in meeting.attendees if _ADDRESS.match(each)]
    if not invited:
        return
    name = one_line(meeting.by).replace('"', "'")
    address = f"mailto:{meeting.by}" if _ADDRESS.match(meeting.by) else "invalid:nomail"
    yield f'ORGANIZER;CN="{name}":{address}'
    yield from (f'ATTENDEE;CN="{each}";RSVP=TRUE:mailto:{each}' for each in invited)


def _description(incident: Incident, meeting: e.MeetingScheduled) -> str:
    policy = of_document(incident.policy_document)
    lines = [
        f"Blameless postmortem of incident {incident.id} ({incident.priority}): {one_line(incident.title)}",
        f"With {', '.join(map(one_line, meeting.attendees))}",
    ]
    for step in policy.post_incident.process:
        lines += ["", one_line(step.title), *(f"- {one_line(each)}" for each in step.items)]
    lines += ["", f"runbook incident postmortem -i {incident.id}"]
    return "\n".join(lines)
