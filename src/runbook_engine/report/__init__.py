"""Reports: pure renderings of a run's trace.

``render(trace, ReportFormat.HTML)`` gives the text of a report; ``build(trace)`` its content as typed models, which is what
the JSON format writes and ``report_schema()`` describes.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from runbook_engine.report.formats import ReportFormat
from runbook_engine.report.rendering import render

if TYPE_CHECKING:
    from runbook_engine.report.building import build as build
    from runbook_engine.report.model import Report as Report
    from runbook_engine.report.model import report_schema as report_schema
    from runbook_engine.report.run_overlay import overlay_of as overlay_of

# Exported lazily: a command line that lists the formats must not pay for pydantic.
_EXPORTS = {"Report": "model", "build": "building", "overlay_of": "run_overlay", "report_schema": "model"}

__all__ = ["Report", "ReportFormat", "build", "overlay_of", "render", "report_schema"]


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        return getattr(import_module(f"runbook_engine.report.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'runbook_engine.report' has no attribute {name!r}")
