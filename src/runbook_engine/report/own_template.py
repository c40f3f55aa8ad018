"""A report by a template of one's own: ``runbook run … --template page.html.j2``.

The template is Jinja's full language, in its sandbox. It may use:

``report``      everything of the JSON format, as plain values: ``report.runbook.title``, ``report.findings[0].evidence``;
                ``runbook_engine.report.report_schema()`` describes every field
``causes``, ``symptoms``   the findings of each kind, worst first
``resolutions`` each resolution once: ``id``, ``title``, ``steps``, and ``findings`` (the titles of those it is for)
``verdict``     what was found, in a sentence; ``ran``: how many steps ran, and how long it took

and the filters ``duration`` (milliseconds as people read them), ``code`` and ``inline`` (text made safe for Markdown).
Values are escaped for HTML where the file is named ``.html``, ``.htm``, ``.xml`` or ``.svg`` (with or without ``.j2``) or the
format is html. ``{% include %}`` and ``{% extends %}`` find files beside the template.
"""

from collections.abc import Mapping
from pathlib import Path

from runbook_engine.own_templates import fill_bounded
from runbook_engine.report.formats import ReportFormat
from runbook_engine.report.model import Report, plain
from runbook_engine.report.view import View

_MARKUP = frozenset({".html", ".htm", ".xml", ".svg"})
_JINJA = frozenset({".j2", ".jinja", ".jinja2"})


def own_template(report: Report, template: Path, format: ReportFormat) -> str:  # noqa: A002 - the word for it
    """Render it. Raises UsageError that names file and line."""
    filters = {
        "duration": "runbook_engine.report.view:duration",
        "code": "runbook_engine.report.markdown:code",
        "inline": "runbook_engine.report.markdown:inline",
    }
    markup = _is_markup(template, format)
    return fill_bounded(template, [template.parent], _variables(report), autoescape=markup, filters=filters)


def _variables(report: Report) -> Mapping[str, object]:
    view = View(report)
    return {
        "report": plain(report),
        "causes": [plain(each) for each in view.causes],
        "symptoms": [plain(each) for each in view.symptoms],
        "resolutions": [
            {**plain(each.resolution), "findings": [finding.title for finding in each.findings]}
            for each in view.remedies
        ],
        "verdict": view.verdict,
        "ran": view.ran,
    }


def _is_markup(template: Path, format: ReportFormat) -> bool:  # noqa: A002
    suffixes = [each.lower() for each in template.suffixes if each.lower() not in _JINJA]
    return format is ReportFormat.HTML or bool(suffixes and suffixes[-1] in _MARKUP)
