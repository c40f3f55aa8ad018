"""What people read after an incident, as it was approved."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.incidents.stories import NOW, at, shop_down

from runbook_engine.incidents import stats, stats_text
from runbook_engine.incidents.html import incident_html
from runbook_engine.incidents.incident import fold
from runbook_engine.incidents.rendering import PostmortemFormat, render

FILES = Path(__file__).parent / "files"
SUFFIXES = {
    PostmortemFormat.TEXT: "txt",
    PostmortemFormat.MARKDOWN: "md",
    PostmortemFormat.HTML: "html",
    PostmortemFormat.JSON: "json",
    PostmortemFormat.CSV: "csv",
}
Golden = Callable[[Path, str], None]


@pytest.mark.parametrize("format_", SUFFIXES)
def test_a_postmortem_reads_as_it_was_approved(format_: PostmortemFormat, golden: Golden) -> None:
    text = render(shop_down(), NOW, format_).replace("\r\n", "\n")
    golden(FILES / f"postmortem.{SUFFIXES[format_]}", text)


def test_the_meeting_is_written_as_it_was_approved(golden: Golden) -> None:
    golden(FILES / "postmortem.ics", render(shop_down(), NOW, PostmortemFormat.ICS).replace("\r\n", "\n"))


def test_with_names_it_reads_as_it_was_approved(golden: Golden) -> None:
    golden(FILES / "postmortem-names.txt", render(shop_down(), NOW, PostmortemFormat.TEXT, names=True))


def test_the_page_of_an_incident_reads_as_it_was_approved(golden: Golden) -> None:
    whole = shop_down()
    golden(FILES / "incident.html", incident_html(fold(whole.id, whole.events[:15]), at(41)))


def test_statistics_read_as_they_were_approved(golden: Golden) -> None:
    golden(FILES / "stats.txt", stats_text.text(stats.stats([shop_down()], NOW)))
