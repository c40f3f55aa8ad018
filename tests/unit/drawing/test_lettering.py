import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.graph.drawing.lettering import clip, width, wrap


@given(st.text(max_size=200), st.floats(20, 300), st.booleans())
def test_a_clipped_text_fits_and_says_that_it_was_clipped(text: str, room: float, mono: bool) -> None:
    clipped = clip(text, room, 11.0, mono=mono)
    assert clipped == text or clipped.endswith("…")
    assert width(clipped, 11.0, mono=mono) <= room


@given(st.text(max_size=300), st.integers(1, 4))
def test_wrapped_lines_fit_and_are_no_more_than_asked_for(text: str, lines: int) -> None:
    wrapped = wrap(text, 120.0, 11.0, lines)
    assert 1 <= len(wrapped) <= lines
    assert all(width(line, 11.0) <= 120.0 for line in wrapped)


def test_nothing_is_lost_where_there_is_room() -> None:
    assert " ".join(wrap("How slow is the API at this moment?", 90.0, 11.0, 9)) == "How slow is the API at this moment?"


def test_a_text_that_needs_more_lines_ends_in_an_ellipsis() -> None:
    assert wrap("one two three four five six", 40.0, 11.0, 2)[-1].endswith("…")


@pytest.mark.parametrize(("narrow", "wide"), [("iii", "mmm"), ("abc", "日本語"), ("e", "ee")])
def test_what_is_wider_on_screen_is_wider_here(narrow: str, wide: str) -> None:
    assert width(narrow, 11.0) < width(wide, 11.0)


def test_a_combining_mark_takes_no_room() -> None:
    assert width("e\u0301", 11.0) == width("e", 11.0)
