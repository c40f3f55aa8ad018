"""The meeting in a calendar, read back with a library that others wrote."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest
from tests.unit.incidents.stories import NOW, at, shop_down
from tests.unit.incidents.stories import lived as lived_on

from runbook_engine.errors import IncidentError
from runbook_engine.incidents import acting, afterwards
from runbook_engine.incidents.ical import meeting_file
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.rendering import PostmortemFormat, render

Lived = Callable[..., Incident]


def read(incident: Incident) -> Any:
    (event,) = icalendar.Calendar.from_ical(meeting_file(incident)).walk("VEVENT")
    return event


def test_a_calendar_reads_when_where_and_what() -> None:
    event = read(shop_down())
    assert event.decoded("dtstart") == datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
    assert event.decoded("dtend") == datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    assert event.decoded("dtstamp") == datetime(2026, 11, 18, 14, 32, 40, tzinfo=UTC)
    assert event["summary"] == "Postmortem of incident 7: Nobody can pay in the shop"
    assert event["location"] == "https://meet.example.com/pm-7"
    assert "\n- Create action items with owners\n" in event["description"]
    assert "With bob, ann, eve@example.com, dora\n" in event["description"]


def test_addresses_are_invited_and_names_are_only_told(lived: Lived) -> None:
    invited = ["eve@example.com", 'Eve, the "lawyer"', "x@y\r\nATTENDEE:mailto:z@z", "mailto:a@b.c"]
    incident = lived(
        "P1", acting.resolve(at(60), "b@example.com"), afterwards.schedule(at(61), "b@example.com", invited=invited)
    )
    event = read(incident)
    attendees = event["attendee"]
    assert [str(each) for each in attendees] == ["mailto:b@example.com", "mailto:eve@example.com"]
    assert [each.params["CN"] for each in attendees] == ["b@example.com", "eve@example.com"]
    assert str(event["organizer"]) == "mailto:b@example.com"
    assert 'Eve, the "lawyer"' in event["description"]
    assert "z@z" in event["description"]


def test_an_organizer_without_an_address_is_named_where_somebody_is_invited(lived: Lived) -> None:
    organizer = read(shop_down())["organizer"]
    assert (str(organizer), organizer.params["CN"]) == ("invalid:nomail", "ann")
    resolved = acting.resolve(at(60), "b")
    quoted = lived("P1", resolved, afterwards.schedule(at(61), 'a"b;:c\r\nX:y', invited=["a@example.com"]))
    assert read(quoted)["organizer"].params["CN"].startswith("a'b;:c")
    assert "organizer" not in read(lived("P1", resolved, afterwards.schedule(at(61), "ann")))


def test_lines_end_as_the_standard_says_and_are_no_longer_than_75_octets() -> None:
    text = render(shop_down(), NOW, PostmortemFormat.ICS)
    assert text.endswith("END:VCALENDAR\r\n")
    assert text.count("\n") == text.count("\r\n")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75


def test_a_meeting_that_is_moved_takes_the_place_of_the_earlier_one() -> None:
    incident = shop_down()
    before = read(incident)
    began = datetime(2026, 12, 24, 10, tzinfo=UTC)
    moved = read(lived_on(incident, [afterwards.schedule(NOW, "ann", begins=began, late_because="all were ill")]))
    assert moved["uid"] == before["uid"]
    assert (before["sequence"], moved["sequence"]) == (0, 1)
    assert moved.decoded("dtstart") == began


def test_without_a_meeting_it_is_said_how_one_is_scheduled(lived: Lived) -> None:
    with pytest.raises(IncidentError, match="schedule it: runbook incident meeting -i 1"):
        meeting_file(lived("P1"))


def test_another_incident_is_another_event(lived: Lived) -> None:
    uids = set()
    for priority in ("P1", "P0"):
        incident = lived(priority, acting.resolve(at(60), "b"), afterwards.schedule(at(61), "b"))
        uids.add(read(incident)["uid"])
    assert len(uids) == 1
    assert read(shop_down())["uid"] not in uids
