from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runbook_engine.engine.trace import Trace
from runbook_engine.graph.drawing import dot, mermaid, svg
from runbook_engine.report import ReportFormat, overlay_of, render

FILES = Path(__file__).parent / "files"
SUFFIXES = {
    ReportFormat.TEXT: "txt",
    ReportFormat.MARKDOWN: "md",
    ReportFormat.HTML: "html",
    ReportFormat.JSON: "json",
    ReportFormat.JUNIT: "xml",
}
Golden = Callable[[Path, str], None]


@pytest.mark.parametrize("name", ["healthy", "warning", "critical", "called", "inconclusive", "interrupted"])
@pytest.mark.parametrize("format_", [ReportFormat.TEXT, ReportFormat.MARKDOWN, ReportFormat.JSON, ReportFormat.JUNIT])
def test_each_run_reads_as_it_was_approved(
    name: str, format_: ReportFormat, traces: Mapping[str, Trace], golden: Golden
) -> None:
    golden(FILES / f"{name}.{SUFFIXES[format_]}", render(traces[name], format_))


@pytest.mark.parametrize("name", ["critical", "called"])
def test_the_page_reads_as_it_was_approved(name: str, traces: Mapping[str, Trace], golden: Golden) -> None:
    golden(FILES / f"{name}.html", render(traces[name], ReportFormat.HTML))


def test_colours_on_a_narrow_terminal_are_as_they_were_approved(traces: Mapping[str, Trace], golden: Golden) -> None:
    golden(FILES / "critical.ansi", render(traces["critical"], ReportFormat.TEXT, color=True, width=60))


@pytest.mark.parametrize("suffix", ["svg", "mmd", "dot"])
def test_a_runbook_is_drawn_as_it_was_approved(suffix: str, traces: Mapping[str, Trace], golden: Golden) -> None:
    draw = {"svg": svg, "mmd": mermaid, "dot": dot}[suffix]
    golden(FILES / f"runbook.{suffix}", draw(traces["critical"].document))


@pytest.mark.parametrize("suffix", ["svg", "mmd", "dot"])
def test_a_run_is_drawn_as_it_was_approved(suffix: str, traces: Mapping[str, Trace], golden: Golden) -> None:
    draw = {"svg": svg, "mmd": mermaid, "dot": dot}[suffix]
    golden(FILES / f"run.{suffix}", draw(traces["critical"].document, overlay_of(traces["critical"])))
