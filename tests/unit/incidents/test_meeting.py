"""When the postmortem meets, and who comes."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.unit.incidents.stories import at, lived

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import Severity
from runbook_engine.errors import IncidentError
from runbook_engine.incidents import acting, afterwards
from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident, fold
from runbook_engine.incidents.policy import as_document, of_document

Lived = Callable[..., Incident]


def resolved(policy: IncidentPolicy, when: datetime, **changes: Any) -> Incident:
    """An incident that is resolved then, ten minutes after it was opened."""
    changed = of_document({**as_document(policy), **changes})
    seconds = when.timestamp()
    opened = fold(1, acting.opening(changed, "Shop down", Severity.P1, seconds - 600, "ann"))
    return lived(opened, [acting.resolve(seconds, "bob")])


def meets(incident: Incident, minutes_later: float = 5, **more: Any) -> datetime:
    (made, *_) = afterwards.schedule(incident.last_at + minutes_later * 60, "ann", **more)(incident)
    assert isinstance(made, e.MeetingScheduled)
    policy = of_document(incident.policy_document)
    return datetime.fromtimestamp(made.begins, ZoneInfo(policy.timezone))


def refused(incident: Incident, minutes_later: float = 5, **more: Any) -> str:
    with pytest.raises(IncidentError) as caught:
        meets(incident, minutes_later, **more)
    return str(caught.value)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "begins"),
    [
        (utc(18, 3, 0), utc(18, 9)),  # before work begins
        (utc(18, 9, 10), utc(18, 11)),  # people want an hour's notice
        (utc(18, 15, 30), utc(19, 9)),  # an hour from then would end after work
        (utc(18, 20, 0), utc(19, 9)),  # in the evening
        (utc(19, 20, 0), utc(20, 9)),
        (utc(20, 15, 58), None),  # on a Friday evening: nothing is left within 24 hours
        (utc(21, 10, 0), None),  # on a Saturday: Monday is too late
        (utc(22, 8, 30), None),  # on a Sunday: Monday at 9 is half an hour too late
        (utc(22, 9, 30), utc(23, 9)),  # on a Sunday: Monday at 9 is within 24 hours
    ],
)
def test_without_a_time_it_is_the_next_hour_of_business_within_24_hours(
    when: datetime, begins: datetime | None, policy: IncidentPolicy
) -> None:
    incident = resolved(policy, when)
    if begins is None:
        limit = (when + timedelta(days=1)).strftime("%Y-%m-%d %H:%M UTC")
        assert f"no 60 minutes of business hours are left until {limit}" in refused(incident)
    else:
        assert meets(incident) == begins
        assert meets(incident) <= when + timedelta(hours=24)


def test_a_short_notice_is_better_than_none(policy: IncidentPolicy) -> None:
    assert meets(resolved(policy, utc(20, 14, 30))) == utc(20, 16)
    assert meets(resolved(policy, utc(20, 15, 5)), 50) == utc(20, 16)


def test_holidays_and_the_policys_own_hours_count(policy: IncidentPolicy) -> None:
    hours = {"days": ["wednesday", "thursday", "friday"], "begin": "08:30", "end": "12:00", "holidays": ["2026-11-19"]}
    post = {**as_document(policy)["post_incident"], "meeting_within": "48h"}
    incident = resolved(policy, utc(18, 12, 0), business_hours=hours, post_incident=post)
    assert meets(incident) == utc(20, 8, 30)


@pytest.mark.parametrize(
    ("month", "day", "offset"),
    [(3, 28, 2), (10, 24, 1)],  # the nights before clocks are put forward, and back
)
def test_business_hours_are_those_on_the_wall_when_clocks_change(
    month: int, day: int, offset: int, policy: IncidentPolicy
) -> None:
    hours = {"days": ["saturday", "sunday"], "begin": "09:00", "end": "17:00"}
    when = datetime(2026, month, day, 20, tzinfo=ZoneInfo("Europe/Berlin"))
    begins = meets(resolved(policy, when, timezone="Europe/Berlin", business_hours=hours))
    assert (begins.day, begins.hour, begins.utcoffset()) == (day + 1, 9, timedelta(hours=offset))


def test_hours_that_clocks_leave_out_are_left_out(policy: IncidentPolicy) -> None:
    hours = {"days": ["sunday"], "begin": "02:00", "end": "06:00"}
    when = datetime(2026, 3, 28, 22, tzinfo=ZoneInfo("Europe/Berlin"))
    night = resolved(policy, when, timezone="Europe/Berlin", business_hours=hours)
    assert meets(night).hour == 3
    assert "there is no 02:30 on 2026-03-29 in Europe/Berlin" in refused(
        night, begins=datetime.fromisoformat("2026-03-29 02:30")
    )


def test_a_time_is_in_the_zone_of_the_policy_unless_it_says_its_own(policy: IncidentPolicy) -> None:
    incident = resolved(policy, utc(18, 8, 0), timezone="Europe/Berlin")
    assert meets(incident, begins=datetime.fromisoformat("2026-11-18 22:00")).astimezone(UTC) == utc(18, 21)
    asked = datetime(2026, 11, 18, 22, tzinfo=timezone(timedelta(hours=5)))
    assert meets(incident, begins=asked).astimezone(UTC) == utc(18, 17)


def test_later_than_the_policy_wants_needs_a_reason_which_is_noted(policy: IncidentPolicy) -> None:
    incident = resolved(policy, utc(18, 8, 0))
    assert meets(incident, begins=datetime.fromisoformat("2026-11-19 08:00")) == utc(19, 8)
    late = datetime.fromisoformat("2026-11-19 08:01")
    said = refused(incident, begins=late)
    assert "the policy wants people to meet by 2026-11-19 08:00 UTC, 24 hours after it was resolved" in said
    assert "--late-because" in said
    scheduled, noted = afterwards.schedule(incident.last_at, "ann", begins=late, late_because="all are ill")(incident)
    assert isinstance(scheduled, e.MeetingScheduled)
    assert isinstance(noted, e.Noted)
    assert "all are ill" in noted.text


def test_a_meeting_is_as_long_as_the_policy_allows_and_not_in_the_past(policy: IncidentPolicy) -> None:
    incident = resolved(policy, utc(18, 8, 0))
    for minutes in (60, 90):
        assert afterwards.schedule(incident.last_at, "ann", minutes=minutes)(incident)[0].minutes == minutes  # type: ignore[union-attr] # a meeting
    for minutes in (59, 91):
        assert f"the policy wants 60 to 90 minutes, not {minutes}" in refused(incident, minutes=minutes)
    assert "lies in the past; it is" in refused(incident, begins=datetime.fromisoformat("2026-11-18 08:00"))


def test_before_it_is_resolved_somebody_must_say_when(lived: Lived) -> None:
    incident = lived("P0")
    with pytest.raises(IncidentError, match="is not resolved yet; resolve it: runbook incident resolve; or say when"):
        afterwards.schedule(at(5), "ann")(incident)
    assert meets(incident, begins=datetime.fromisoformat("2026-12-24 10:00")).day == 24


def test_a_meeting_that_is_moved_keeps_what_is_not_said_anew(policy: IncidentPolicy) -> None:
    incident = resolved(policy, utc(18, 8, 0))
    late = datetime.fromisoformat("2026-11-20 10:00")
    first = afterwards.schedule(incident.last_at, "ann", begins=late, minutes=75, place="Room 1", late_because="ill")
    again = afterwards.schedule(incident.last_at, "ann", place="Room 2")
    made = lived(incident, [first, again]).meeting
    assert made is not None
    assert (made.begins, made.minutes, made.place) == (utc(20, 10).timestamp(), 75, "Room 2")


def attendees(incident: Incident, **more: Any) -> Sequence[str]:
    (made, *_) = afterwards.schedule(
        incident.last_at, "kim", begins=datetime.fromisoformat("2026-11-18 20:00"), **more
    )(incident)
    assert isinstance(made, e.MeetingScheduled)
    return made.attendees


def test_engaged_roles_come_by_name_or_title_and_so_does_whoever_acted(lived: Lived) -> None:
    incident = lived(
        "P0",
        acting.assign(at(1), "ann", "technical_lead", "bob"),
        acting.assign(at(2), "ann", "clinical_lead", "eve"),
        acting.note(at(16), "dora", "seen"),
        acting.resolve(at(20), "bob"),
    )
    assert attendees(incident, invited=["a lawyer", "ann"]) == (
        "Incident Commander", "bob", "Security Lead", "eve", "ann", "dora", "a lawyer",
    )  # fmt: skip


def test_what_machines_did_invites_nobody(policy: IncidentPolicy) -> None:
    opening = acting.opening(policy, "Shop down", Severity.P2, at(0), "alertmanager", source=e.Source.ALERT)
    alert = e.AlertTaken(at=at(1), by="alertmanager", key="a", name="Slow", status="firing")
    sent = e.MessageSent(at=at(2), by="sender", key="slack")
    assert attendees(fold(1, (*opening, alert, sent))) == ("Technical Lead",)
