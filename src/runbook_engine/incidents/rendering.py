"""A postmortem in the formats that people and programs read."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path

from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.moments import recorded
from runbook_engine.incidents.postmortem import postmortem
from runbook_engine.incidents.postmortem_model import Postmortem, as_json
from runbook_engine.incidents.response_rows import rows
from runbook_engine.report.ready import Ready

TEMPLATES = Path(__file__).parent / "templates"


class PostmortemFormat(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    ICS = "ics"
    CSV = "csv"


def render(
    incident: Incident,
    now: float,
    format: PostmortemFormat,  # noqa: A002 - the word for it
    *,
    names: bool = False,
    width: int = 100,
) -> str:
    """The postmortem as a text; of ``ics`` the meeting, of ``csv`` the actions.

    Raises IncidentError for ``ics`` where no meeting is scheduled.
    """
    match format:
        case PostmortemFormat.ICS:
            from runbook_engine.incidents.ical import meeting_file

            return meeting_file(incident)
        case PostmortemFormat.CSV:
            from runbook_engine.incidents.action_list import as_csv, listed

            return as_csv(listed([incident], now, every=True))
        case PostmortemFormat.JSON:
            return as_json(postmortem(incident, now, names=names))
        case PostmortemFormat.TEXT:
            from runbook_engine.incidents.postmortem_text import text

            return text(postmortem(incident, now, names=names), width)
        case PostmortemFormat.MARKDOWN:
            return markdown(postmortem(incident, now, names=names))
        case PostmortemFormat.HTML:
            from runbook_engine.incidents.html import postmortem_html

            return postmortem_html(postmortem(incident, now, names=names))


def markdown(found: Postmortem) -> str:
    """For a wiki or a repository. Whatever people wrote reads as it is and does nothing."""
    from runbook_engine.report.markdown import cell, code, inline, link
    from runbook_engine.report.templating import environment

    env = environment(inline, TEMPLATES)
    env.filters["cell"] = cell
    env.filters["code"] = code
    env.filters["ready"] = Ready
    env.filters["linked"] = lambda target: link(target, target) if target.startswith("http") else cell(target)
    env.filters["recorded"] = recorded
    env.filters["utc"] = utc
    return env.get_template("postmortem.md.j2").render(found=found, rows=tuple(rows(found.response)))


def utc(at: str | None, *, zone: bool = True) -> str:
    """``2026-11-23 14:30 UTC`` of a time in ISO 8601."""
    if at is None:
        return recorded(None)
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M UTC" if zone else "%Y-%m-%d %H:%M")
