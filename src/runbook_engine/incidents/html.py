"""Postmortems and incidents as HTML files that need nothing beside them: no script, font or picture from elsewhere."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from markupsafe import Markup

from runbook_engine.hostile import cut, one_line
from runbook_engine.incidents.incident import Incident, State
from runbook_engine.incidents.moments import recorded
from runbook_engine.incidents.page_view import IncidentView
from runbook_engine.incidents.postmortem_model import Postmortem
from runbook_engine.incidents.rendering import TEMPLATES, utc
from runbook_engine.incidents.response_rows import rows
from runbook_engine.report.page import content_policy, favicon, icon, stylesheet
from runbook_engine.report.templating import html_environment

_MOST = 2_000
_TONES: Mapping[State, str] = MappingProxyType(
    {State.OPEN: "critical", State.MITIGATED: "warning", State.RESOLVED: "ok", State.CLOSED: "ok"}
)
_OUTCOME_TONES: Mapping[str, str] = MappingProxyType({"healthy": "ok", "inconclusive": "blind"})
_ICONS: Mapping[str, str] = MappingProxyType(
    {"critical": "critical", "warning": "warning", "ok": "passed", "blind": "blind"}
)


def postmortem_html(found: Postmortem) -> str:
    """Readable on a phone, in the dark and on paper. Whatever people wrote is shown as it is."""
    return _page("postmortem.html.j2", found.state, found=found, rows=tuple(rows(found.response)))


def incident_html(incident: Incident, now: float) -> str:
    """The page of an incident as it stands at ``now``, for those who are in it: people appear by name."""
    return _page("incident.html.j2", incident.state, view=IncidentView(incident, now))


def _shown(value: object) -> object:
    """Every text stands in one line, harmless to look at; Jinja escapes it after that."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _page(template: str, state: State, **more: object) -> str:
    style = stylesheet() + (TEMPLATES / "incident.css").read_text("utf-8")
    tone = _TONES[state]
    env = html_environment(TEMPLATES)
    env.finalize = _shown
    env.filters["cut"] = lambda text: cut(one_line(text), _MOST)
    env.filters["recorded"] = recorded
    env.filters["utc"] = utc
    return env.get_template(template).render(
        style=Markup(style),  # noqa: S704 - from files of ours
        policy=content_policy(style),
        favicon=favicon(tone),
        tone=tone,
        icon=icon,
        icons=_ICONS,
        outcome_tone=lambda outcome: _OUTCOME_TONES.get(outcome, outcome),
        web=re.compile(r"https?://\S+\Z").match,
        **more,
    )
