"""Diagnostics as GitHub's workflow commands, which show them beside the lines of a pull request.

https://docs.github.com/en/actions/writing-workflows/choosing-what-your-workflow-does/workflow-commands-for-github-actions
"""

from collections.abc import Iterable, Iterator, Mapping

from runbook_engine.cli.check_places import relative
from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel, visible

_COMMANDS: Mapping[DiagnosticLevel, str] = {
    DiagnosticLevel.ERROR: "error",
    DiagnosticLevel.WARNING: "warning",
    DiagnosticLevel.NOTE: "notice",
}


def annotations(diagnostics: Iterable[Diagnostic]) -> Iterator[str]:
    """``::error file=a.yaml,line=3,col=5,endLine=3,endColumn=9,title=RB111::…``: a line for each that is not suppressed."""
    for each in diagnostics:
        if each.suppressed is not None:
            continue
        span = each.span
        place: dict[str, str | int] = {"file": relative(each.file), "line": span.line}
        if span.line == span.end_line:
            place |= {"col": span.column, "endLine": span.end_line, "endColumn": span.end_column}
        else:
            # GitHub refuses the columns of a place that has several lines.
            place |= {"endLine": span.end_line}
        place |= {"title": each.code}
        told = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
        yield f"::{_COMMANDS[each.level]} {told}::{_data(_message(each))}"


def _message(each: Diagnostic) -> str:
    lines = [each.message + (f" ({each.label})" if each.label else "")]
    if each.help:
        lines.append(f"help: {each.help}")
    return "\n".join(map(visible, lines))


def _data(text: str) -> str:
    """As https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts escapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
