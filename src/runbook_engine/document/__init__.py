"""Documents: YAML with the place of everything in it, as frozen models, and what is wrong with it."""

from runbook_engine.document.diagnostics import CODES, Diagnostic, DiagnosticLevel, render, render_all, summary
from runbook_engine.document.lines import Span
from runbook_engine.document.load import Loaded, RawNames, kind_of, load, load_file
from runbook_engine.document.models import Runbook
from runbook_engine.document.schema import environment_schema, knowledge_schema, policy_schema, runbook_schema
from runbook_engine.document.source import Path, Source

__all__ = [
    "CODES",
    "Diagnostic",
    "DiagnosticLevel",
    "Loaded",
    "Path",
    "RawNames",
    "Runbook",
    "Source",
    "Span",
    "environment_schema",
    "kind_of",
    "knowledge_schema",
    "load",
    "load_file",
    "policy_schema",
    "render",
    "render_all",
    "runbook_schema",
    "summary",
]
