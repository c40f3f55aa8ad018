from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.report import ReportFormat, render

FILES = Path(__file__).parent / "files"
SUFFIXES = {
    ReportFormat.TEXT: "txt",
    ReportFormat.MARKDOWN: "md",
    ReportFormat.HTML: "html",
    ReportFormat.JSON: "json",
    ReportFormat.JUNIT: "xml",
}
Golden = Callable[[Path, str], None]
Triages = Mapping[str, rb.Trace]


@pytest.mark.parametrize("name", ["healthy", "mixed", "unreachable", "unseen"])
@pytest.mark.parametrize("format_", [ReportFormat.TEXT, ReportFormat.MARKDOWN])
def test_each_triage_reads_as_it_was_approved(
    name: str, format_: ReportFormat, triages: Triages, golden: Golden
) -> None:
    golden(FILES / f"{name}.{SUFFIXES[format_]}", render(triages[name], format_))


@pytest.mark.parametrize("format_", [ReportFormat.HTML, ReportFormat.JSON, ReportFormat.JUNIT])
def test_the_other_formats_are_as_they_were_approved(format_: ReportFormat, triages: Triages, golden: Golden) -> None:
    golden(FILES / f"mixed.{SUFFIXES[format_]}", render(triages["mixed"], format_))


def test_colours_on_a_narrow_terminal_are_as_they_were_approved(triages: Triages, golden: Golden) -> None:
    golden(FILES / "mixed.ansi", render(triages["mixed"], ReportFormat.TEXT, color=True, width=60))
