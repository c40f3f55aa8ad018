"""``render``: a trace in one of the formats."""

from pathlib import Path
from typing import TYPE_CHECKING

from runbook_engine.report.formats import ReportFormat

if TYPE_CHECKING:
    from runbook_engine.engine.trace import Trace


def render(
    trace: "Trace",
    format: ReportFormat,  # noqa: A002 - the word for it
    *,
    template: Path | None = None,
    color: bool = False,
    width: int = 100,
) -> str:
    """The report of a run as a text, with a line break at its end.

    ``color`` (ANSI) and ``width`` (columns, at least 40) are for ``text``. ``template`` is a Jinja template of one's own;
    what it may use is told in ``runbook_engine.report.own_template``. Raises UsageError, with file and line, for a template
    that cannot be rendered.
    """
    from runbook_engine.report.building import build

    report = build(trace)
    if template is not None:
        from runbook_engine.report.own_template import own_template

        return own_template(report, template, format)
    match format:
        case ReportFormat.JSON:
            from runbook_engine.report.model import as_json

            return as_json(report)
        case ReportFormat.JUNIT:
            from runbook_engine.report.junit import junit

            return junit(report)
        case ReportFormat.TEXT:
            from runbook_engine.report.text import text

            return text(report, color=color, width=width)
        case ReportFormat.MARKDOWN:
            from runbook_engine.report.markdown import markdown

            return markdown(report)
        case ReportFormat.HTML:
            from runbook_engine.report.html import html

            return html(report, trace)
