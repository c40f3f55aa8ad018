"""A text in pieces: each is short enough, and together they say all."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.incidents.splitting import split


@given(st.text(alphabet="ab c\nä", max_size=600), st.integers(40, 200))
def test_pieces_are_short_enough_and_say_all(text: str, most: int) -> None:
    pieces = split(text, most)
    assert all(len(each) <= most for each in pieces)
    if len(pieces) == 1:
        assert pieces == [text]
        return
    bare = [re.sub(r" \(\d+/\d+\)\Z", "", each) for each in pieces]
    assert re.sub(r"\s", "", "".join(bare)) == re.sub(r"\s", "", text)
    assert pieces[0].endswith(f" (1/{len(pieces)})")


def test_it_is_cut_between_lines_then_between_words_then_anywhere() -> None:
    assert split("one line of text that is here\nand another one", 50) == [
        "one line of text that is here\nand another one"
    ]
    lines = "\n".join(["x" * 20] * 4)
    assert split(lines, 64) == ["x" * 20 + "\n" + "x" * 20 + " (1/2)", "x" * 20 + "\n" + "x" * 20 + " (2/2)"]
    assert split("word " * 20, 60)[0].startswith("word word")
    assert [len(each) for each in split("x" * 100, 60)] == [54, 54, 10]


def test_a_service_that_takes_next_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="says nothing"):
        split("x" * 100, 20)
