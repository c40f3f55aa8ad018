"""Actions of many incidents: what is to be done, by whom, by when, and what is overdue."""

import csv
import io
from collections.abc import Sequence
from datetime import date

import msgspec

from runbook_engine.hostile import one_line
from runbook_engine.incidents.horizons import today_of
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.policy import of_document
from runbook_engine.incidents.postmortem import actions_of
from runbook_engine.incidents.postmortem_model import ActionPart
from runbook_engine.report.model import Part

HEADINGS = ("incident", "action", "title", "owner", "horizon", "due", "state", "link", "note", "incident_title")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ListedAction(Part, frozen=True, kw_only=True):
    """An action, and the incident that it comes from."""

    incident: int
    incident_title: str
    action: ActionPart
    overdue_days: int = 0

    @property
    def state(self) -> str:
        return "done" if self.action.done else "overdue" if self.action.overdue else "open"


def listed(incidents: Sequence[Incident], now: float, *, every: bool = False) -> tuple[ListedAction, ...]:
    """What is not done, the longest overdue first; with ``every`` also what is done, at the end."""
    found = []
    for incident in incidents:
        policy = of_document(incident.policy_document)
        for each in actions_of(incident, policy, now):
            if each.done and not every:
                continue
            late = (today_of(policy, now) - date.fromisoformat(each.due)).days if each.overdue else 0
            title = one_line(incident.title)
            found.append(ListedAction(incident=incident.id, incident_title=title, action=each, overdue_days=late))
    return tuple(sorted(found, key=lambda each: (each.action.done, each.action.due, each.incident, each.action.action)))


def as_json(actions: Sequence[ListedAction]) -> str:
    return msgspec.json.format(msgspec.json.encode(actions), indent=2).decode() + "\n"


def as_csv(actions: Sequence[ListedAction]) -> str:
    """For spreadsheets, as RFC 4180 has it. No cell is a formula to them, whatever it begins with."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for each in actions:
        action = each.action
        cells = (
            str(each.incident),
            str(action.action),
            action.title,
            action.owner,
            str(action.horizon),
            action.due,
            each.state,
            action.link,
            action.note,
            each.incident_title,
        )
        writer.writerow(map(defused, cells))
    return file.getvalue()


def defused(cell: str) -> str:
    """What a spreadsheet would take for a formula begins with an apostrophe, which it takes for a sign of text."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
