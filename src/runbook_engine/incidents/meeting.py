"""When the postmortem meets, and who comes: pure, of the incident, its policy and the time."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.errors import IncidentError
from runbook_engine.incidents import events as e
from runbook_engine.incidents.engaged import engaged
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.moments import moment
from runbook_engine.incidents.policy import calendar

_NOTICE_S = 3600.0
"""How long before it begins people want to know, where there is a choice."""
_MACHINES = (e.AlertTaken, e.MessageBegun, e.MessageSent, e.MessageFailed)


def latest(incident: Incident, policy: IncidentPolicy) -> float | None:
    """By when the policy wants people to meet; None while the incident is not resolved."""
    return None if incident.resolved_at is None else incident.resolved_at + policy.post_incident.meeting_within


def next_meeting(incident: Incident, policy: IncidentPolicy, now: float, minutes: int) -> float:
    """The first time within business hours that lies within the policy's limit.

    Meetings begin a whole number of hours after business hours do, and end before those end; an hour from now or later,
    unless the limit leaves only an earlier one. Raises IncidentError where there is none.
    """
    limit = latest(incident, policy)
    zone = ZoneInfo(policy.timezone)
    if limit is None:
        raise IncidentError(
            f"incident {incident.id} is not resolved yet; resolve it: runbook incident resolve; or say when with --at"
        )
    found = [each for each in _slots(policy, now, limit, minutes) if each > now]
    if found:
        return next((each for each in found if each >= now + _NOTICE_S), found[0])
    raise IncidentError(
        f"no {minutes} minutes of business hours are left until {moment(limit, zone)}, by when the policy wants the meeting; "
        "say when with --at, and for a later one why with --late-because"
    )


def _slots(policy: IncidentPolicy, now: float, limit: float, minutes: int) -> Iterator[float]:
    """Every time at which a meeting may begin, from the day of ``now`` to the limit, which it may begin at."""
    days = calendar(policy)
    end = time.fromisoformat(policy.business_hours.end)
    day = datetime.fromtimestamp(now, days.zone).date()
    while day <= datetime.fromtimestamp(limit, days.zone).date():
        if day.weekday() in days.days and day not in days.holidays:
            closes = datetime.combine(day, end, days.zone).timestamp()
            for begins in _hours(day, days.begin, days.zone):
                if begins <= limit and begins + minutes * 60 <= closes:
                    yield begins
        day += timedelta(days=1)


def _hours(day: date, begin: time, zone: ZoneInfo) -> Iterator[float]:
    """``begin`` and each hour after it on that day, by the clock on the wall; hours that are left out are left out."""
    for hour in range(begin.hour, 24):
        found = wall(datetime.combine(day, begin.replace(hour=hour)), zone)
        if found is not None:
            yield found


def wall(shown: datetime, zone: ZoneInfo) -> float | None:
    """When the clock on the wall shows that, the first of two times; None where clocks are put forward over it."""
    at = shown.replace(tzinfo=zone)
    back = at.astimezone(UTC).astimezone(zone)
    return at.timestamp() if back.replace(tzinfo=None) == shown else None


def attendees(incident: Incident, policy: IncidentPolicy, now: float) -> tuple[str, ...]:
    """Whoever fills a role or acted, by name; of a role that is engaged and that nobody fills, its title."""
    roles = [each.role for each in engaged(incident, policy, now).engaged]
    found = [incident.people.get(role) or policy.roles[role].title for role in roles]
    found += [*incident.people.values(), *(each.by for each in incident.events if _is_a_person(each))]
    machine = incident.opened.by if incident.opened.source is e.Source.ALERT else ""
    return tuple(dict.fromkeys(each for each in found if each and each != machine))


def _is_a_person(event: e.IncidentEvent) -> bool:
    if isinstance(event, e.Opened):
        return event.source is not e.Source.ALERT
    return not isinstance(event, _MACHINES)
