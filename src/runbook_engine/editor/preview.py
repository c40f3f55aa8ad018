"""The graph of a document that is being written, as text."""

from runbook_engine.document.load import load
from runbook_engine.errors import UsageError
from runbook_engine.graph.drawing import dot, mermaid, svg

DRAWINGS = {"mermaid": mermaid, "dot": dot, "svg": svg}
"""Formats of the preview."""


def preview(text: str, drawing: str = "mermaid") -> str:
    """The graph of a runbook. Raises UsageError with a sentence where there is none to draw."""
    if drawing not in DRAWINGS:
        raise UsageError(f"there is no drawing {drawing!r}; there are {', '.join(DRAWINGS)}")
    loaded = load(text.removeprefix("\ufeff"), "the document")
    if loaded.runbook is None:
        mistakes = [each for each in loaded.diagnostics if each.level == "error"]
        first = f": {mistakes[0].message}" if mistakes else ""
        raise UsageError(f"there is no graph to draw while the document has mistakes{first}")
    return DRAWINGS[drawing](loaded.runbook)
