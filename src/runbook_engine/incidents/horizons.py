"""By when actions are wanted: the horizons of the policy as dates."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.incidents.events import Horizon
from runbook_engine.incidents.incident import Action, Incident


class Window(Struct, frozen=True):
    """The dates of a horizon, both included."""

    title: str
    first: date
    last: date


def window(incident: Incident, policy: IncidentPolicy, horizon: Horizon, now: float) -> Window:
    """Counted from the day on which the incident was resolved, in the policy's time zone.

    While it is not resolved, and where the horizon has passed already, it is counted from today.
    """
    found = getattr(policy.post_incident.horizons, str(horizon))
    today = today_of(policy, now)
    first, last = (timedelta(days=each) for each in found.days)
    since = today if incident.resolved_at is None else today_of(policy, incident.resolved_at)
    if since + last < today:
        since = today
    return Window(found.title, since + first, since + last)


def today_of(policy: IncidentPolicy, now: float) -> date:
    """The date where the policy's clocks hang."""
    return datetime.fromtimestamp(now, ZoneInfo(policy.timezone)).date()


def is_overdue(action: Action, policy: IncidentPolicy, now: float) -> bool:
    """Whether its day has passed and it is not done."""
    return action.done_at is None and date.fromisoformat(action.due) < today_of(policy, now)
