"""Whatever an incident is called, calendars and spreadsheets read back what was written."""

import csv
import io

import icalendar
from hypothesis import example, given
from hypothesis import strategies as st

from runbook_engine.hostile import one_line
from runbook_engine.incidents.action_list import defused
from runbook_engine.incidents.ical import escaped, folded

TEXT = st.text().map(one_line)


@given(TEXT)
@example("a\\n;,\\\\" + "ü" * 100 + "𝄞" * 60)
def test_a_text_in_a_calendar_is_read_back(text: str) -> None:
    lines = list(folded(f"SUMMARY:{escaped(text)}"))
    assert all(len(line.encode()) <= 75 for line in lines)
    event = icalendar.Event.from_ical("\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""]))
    assert event["summary"] == text


@given(st.lists(TEXT, max_size=5))
def test_lines_of_a_text_in_a_calendar_are_read_back(texts: list[str]) -> None:
    text = "\n".join(texts)
    lines = folded(f"DESCRIPTION:{escaped(text)}")
    event = icalendar.Event.from_ical("\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""]))
    assert event["description"] == text


@given(st.lists(TEXT, min_size=1))
def test_cells_of_a_sheet_are_read_back_and_none_is_a_formula(cells: list[str]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerow(map(defused, cells))
    (row,) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert [
        cell.removeprefix("'") if original != cell else cell for cell, original in zip(row, cells, strict=True)
    ] == cells
