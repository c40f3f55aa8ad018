"""The report as one HTML file that needs nothing beside it: no script, font or picture from elsewhere."""

import re

from markupsafe import Markup

from runbook_engine.engine.trace import Trace
from runbook_engine.graph.drawing import svg
from runbook_engine.graph.drawing.svg import CSS as GRAPH_CSS
from runbook_engine.hostile import cut, one_line
from runbook_engine.report.model import Report
from runbook_engine.report.page import TEMPLATES, content_policy, favicon, icon, stylesheet
from runbook_engine.report.run_overlay import overlay_of
from runbook_engine.report.templating import html_environment
from runbook_engine.report.view import View
from runbook_engine.report.waterfall import waterfall

_MOST_MESSAGE = 2_000
_SHRINK = 0.72
"""How small a picture may be made before it scrolls."""
_TONES = {
    "passed": "ok",
    "healthy": "ok",
    "answered": "ok",
    "inconclusive": "blind",
    "unknown": "blind",
    "not reached": "faint",
    "not asked": "faint",
    "skipped": "faint",
}
_OUTCOME_ICONS = {"healthy": "passed", "inconclusive": "blind"}
_LEVEL_ICONS = {
    "ok": "passed",
    "unknown": "blind",
    "not asked": "not asked",
    "warning": "warning",
    "critical": "critical",
}


def html(report: Report, trace: Trace) -> str:
    """Content-Security-Policy admits this file's own style and script, by their hashes, and nothing else."""
    # The steps of a triage stand side by side, which its table shows better than a picture.
    scopes = [] if report.metrics else trace.runbooks
    graphs = [_Graph(index, trace, scope) for index, scope in enumerate(scopes)]
    style = _style(graphs)
    script = (TEMPLATES / "report.js").read_text("utf-8")
    env = html_environment()
    env.filters["cut"] = lambda text: cut(text, _MOST_MESSAGE)
    env.filters["anchor"] = anchor
    env.filters["tone"] = tone
    return env.get_template("report.html.j2").render(
        view=View(report),
        report=report,
        graphs=graphs,
        waterfall=waterfall(report),
        icon=icon,
        level_icons=_LEVEL_ICONS,
        outcome_icon=_OUTCOME_ICONS.get(report.outcome, report.outcome),
        favicon=favicon(tone(report.outcome)),
        style=Markup(style),  # noqa: S704 - from files of ours
        script=Markup(script),  # noqa: S704 - a file of ours
        policy=content_policy(style, script),
        web=re.compile(r"https?://").match,
    )


def anchor(path: str) -> str:
    """The id of a step's place on the page."""
    return f"step-{path.replace('/', '.')}"


def tone(status: str) -> str:
    """The colour that a status has."""
    return _TONES.get(status, status)


class _Graph:
    """The decision graph of one runbook that was walked."""

    def __init__(self, index: int, trace: Trace, scope: str) -> None:
        runbook = trace.runbooks[scope]
        self.id = f"graph-{index}"
        self.scope = scope
        self.title = one_line(runbook.title)
        drawn = svg(
            runbook,
            overlay_of(trace, scope),
            standalone=False,
            link=lambda step: f"#{anchor(f'{scope}/{step}' if scope else step)}",
            ident=self.id,
        )
        width = re.search(r' width="([\d.]+)"', drawn)
        self.least_width = round(float(width.group(1)) * _SHRINK) if width else 0
        self.svg = Markup(drawn)  # noqa: S704 - escaped where it is drawn


def _style(graphs: list[_Graph]) -> str:
    sizes = "".join(f"#{each.id} svg{{min-width:{each.least_width}px}}" for each in graphs)
    return stylesheet(f"{GRAPH_CSS}{sizes}")
