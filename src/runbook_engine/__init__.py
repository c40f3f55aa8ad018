"""Runbooks as code: YAML decision graphs that are checked, walked against live systems, and reported with evidence.

::

    import runbook_engine as rb

    trace = rb.run("high-latency", inputs={"api_url": "https://api.example.com"})
    print(trace.outcome, [finding.title for finding in trace.causes])
    print(rb.render(trace, rb.ReportFormat.MARKDOWN))
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runbook_engine.api import Recording as Recording
    from runbook_engine.api import RunOptions as RunOptions
    from runbook_engine.api import arun as arun
    from runbook_engine.api import atriage as atriage
    from runbook_engine.api import check as check
    from runbook_engine.api import load as load
    from runbook_engine.api import load_triage as load_triage
    from runbook_engine.api import prepare as prepare
    from runbook_engine.api import record as record
    from runbook_engine.api import run as run
    from runbook_engine.api import triage as triage
    from runbook_engine.engine.asking import Question as Question
    from runbook_engine.engine.events import Ending as Ending
    from runbook_engine.engine.events import Event as Event
    from runbook_engine.engine.events import FindingRaised as FindingRaised
    from runbook_engine.engine.events import Outcome as Outcome
    from runbook_engine.engine.events import StepStatus as StepStatus
    from runbook_engine.engine.journal import MemoryJournal as MemoryJournal
    from runbook_engine.engine.knowledge import KnowledgeBase as KnowledgeBase
    from runbook_engine.engine.sqlite import SqliteJournal as SqliteJournal
    from runbook_engine.engine.trace import StepTrace as StepTrace
    from runbook_engine.engine.trace import Trace as Trace
    from runbook_engine.errors import InputsError as InputsError
    from runbook_engine.errors import InvalidDocumentError as InvalidDocumentError
    from runbook_engine.errors import RunbookError as RunbookError
    from runbook_engine.errors import RunbookNotFoundError as RunbookNotFoundError
    from runbook_engine.errors import UsageError as UsageError
    from runbook_engine.graph.plan import Plan as Plan
    from runbook_engine.library import Library as Library
    from runbook_engine.probe.fake import FakeProbe as FakeProbe
    from runbook_engine.probe.registry import Registry as Registry
    from runbook_engine.report import ReportFormat as ReportFormat
    from runbook_engine.report import render as render
    from runbook_engine.version import VERSION as __version__  # noqa: N811 - the name that everybody looks for

# Exported lazily: `runbook --help` must not pay for pydantic, and `import runbook_engine` not for the whole engine.
_EXPORTS = {
    "Recording": "api",
    "RunOptions": "api",
    "arun": "api",
    "atriage": "api",
    "check": "api",
    "load": "api",
    "load_triage": "api",
    "prepare": "api",
    "record": "api",
    "run": "api",
    "triage": "api",
    "Question": "engine.asking",
    "Ending": "engine.events",
    "Event": "engine.events",
    "FindingRaised": "engine.events",
    "Outcome": "engine.events",
    "StepStatus": "engine.events",
    "MemoryJournal": "engine.journal",
    "KnowledgeBase": "engine.knowledge",
    "SqliteJournal": "engine.sqlite",
    "StepTrace": "engine.trace",
    "Trace": "engine.trace",
    "InputsError": "errors",
    "InvalidDocumentError": "errors",
    "RunbookError": "errors",
    "RunbookNotFoundError": "errors",
    "UsageError": "errors",
    "Library": "library",
    "Plan": "graph.plan",
    "FakeProbe": "probe.fake",
    "Registry": "probe.registry",
    "ReportFormat": "report",
    "render": "report",
}

__all__ = [  # noqa: PLE0604 - the table above is the list
    *_EXPORTS,
    "__version__",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("runbook_engine.version").VERSION
    if name in _EXPORTS:
        return getattr(import_module(f"runbook_engine.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'runbook_engine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
