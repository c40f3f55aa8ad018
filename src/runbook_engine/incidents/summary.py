"""What was in the last days: the summary that goes out by e-mail."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from runbook_engine.document.incident_policy import AlertKind, Audience, IncidentPolicy, MessageKind
from runbook_engine.hostile import harmless, one_line
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.messages import Destination, Message, destinations
from runbook_engine.incidents.moments import span
from runbook_engine.incidents.wording import Wording
from runbook_engine.library import Library
from runbook_engine.own_templates import fill, fill_bounded, sandbox

_SHIPPED = Path(__file__).parent / "templates"
_TEMPLATE = "summary.j2"


class Period(Struct, frozen=True):
    """Whole days, by the clocks of the policy's time zone. ``begins`` and ``ends`` in Unix seconds."""

    begins: float
    ends: float
    first: str
    last: str


def last_days(policy: IncidentPolicy, days: int, now: float) -> Period:
    """The days before today: however often it is asked for today, it is the same."""
    zone = ZoneInfo(policy.timezone)
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = datetime.combine(today.date() - timedelta(days=days), today.timetz().replace(tzinfo=None), zone)
    last = today.date() - timedelta(days=1)
    return Period(first.timestamp(), today.timestamp(), first.date().isoformat(), last.isoformat())


def summary_messages(policy: IncidentPolicy, period: Period) -> Sequence[Message]:
    """One for each channel that summaries are routed to; nobody is paged for one."""
    known = destinations(policy)
    names = dict.fromkeys(
        name for priority in policy.order for name in policy.route(MessageKind.SUMMARY, Audience.INTERNAL, priority)
    )
    found: list[Destination] = [known[each] for each in names if each in known]
    return [
        Message(
            f"summary-{period.first}-{period.last}/{each.name}",
            MessageKind.SUMMARY,
            Audience.INTERNAL,
            each,
            policy.order[-1],
            period.ends,
        )
        for each in found
        if each.kind is not AlertKind.PAGERDUTY
    ]


def summary(incidents: Sequence[Incident], period: Period, now: float, library: Library) -> Wording:
    """What it says. Raises UsageError where a team's own ``messages/summary.j2`` has a mistake."""
    folders = [each / "messages" for each in library.directories if (each / "messages" / _TEMPLATE).is_file()]
    variables = _variables(incidents, period, now)
    if folders:
        text = harmless(fill_bounded(folders[0] / _TEMPLATE, [*folders, _SHIPPED], variables))
    else:
        text = harmless(fill(sandbox([_SHIPPED]), _SHIPPED / _TEMPLATE, variables))
    title, _, body = text.strip().partition("\n")
    return Wording(one_line(title), body.strip() + "\n" if body.strip() else "Nothing happened.\n")


def _variables(incidents: Sequence[Incident], period: Period, now: float) -> Mapping[str, Any]:
    def within(at: float | None) -> bool:
        return at is not None and period.begins <= at < period.ends

    def row(incident: Incident) -> Mapping[str, Any]:
        end = incident.resolved_at
        return {
            "number": incident.id,
            "priority": str(incident.priority),
            "title": one_line(incident.title),
            "state": str(incident.state),
            "duration": span((now if end is None else end) - incident.opened_at),
        }

    today = datetime.fromtimestamp(period.ends, ZoneInfo("UTC")).date().isoformat()
    return {
        "begin": period.first,
        "end": period.last,
        "opened": [row(each) for each in incidents if within(each.opened_at)],
        "resolved": [row(each) for each in incidents if within(each.resolved_at)],
        "left": [row(each) for each in incidents if not each.is_over],
        "overdue": [
            {"due": action.due, "title": one_line(action.title), "owner": action.owner, "number": each.id}
            for each in incidents
            for action in each.actions.values()
            if action.done_at is None and action.due < today
        ],
    }
