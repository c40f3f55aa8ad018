"""What is found of a message in a line."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.document.phrases import Found, Phrase


@pytest.mark.parametrize(
    ("phrase", "line", "found"),
    [
        ("Connection refused", "error: connection refused (111)", "connection refused"),
        ('role "*" does not exist', 'fatal: role "bob" does not exist', 'role "bob" does not exist'),
        ('role "*" does not exist', 'role "" does not exist', 'role "" does not exist'),
        ("could not extend *: no space", "could not extend file x: no space left", "could not extend file x: no space"),
        ("oom", "the oom killer", "oom"),
        ("  too   many\tclients ", "too many clients", "too many clients"),
        ("target.timeout", "(target.timeout)", "target.timeout"),
    ],
)
def test_a_message_is_found_in_any_case_and_spacing_with_anything_for_a_star(
    phrase: str, line: str, found: str
) -> None:
    place = Phrase(phrase).found_in(line)
    assert place is not None
    assert line[place.start : place.end] == found


@pytest.mark.parametrize(
    ("phrase", "line"),
    [
        ("timeout", "connect_timeout=5"),
        ("oom", "zoom in the room"),
        ("enoent", "enoents"),
        ("first * last", "last comes before first"),
        ("same * same", "same"),
    ],
)
def test_a_part_of_a_word_and_the_wrong_order_are_not_the_message(phrase: str, line: str) -> None:
    assert Phrase(phrase).found_in(line) is None


def test_a_word_inside_another_does_not_hide_the_word_that_stands_alone_later() -> None:
    assert Phrase("oom").found_in("zoom, boom, oom") == Found(12, 15)


def test_more_letters_say_more() -> None:
    assert Phrase("timeout").letters < Phrase("statement timeout").letters
    assert Phrase("* * --").letters == 0


_LETTERS = st.text("ab _*", max_size=8)


@given(_LETTERS, st.text("ab _", max_size=30))
def test_it_agrees_with_a_regular_expression(text: str, raw: str) -> None:
    line = " ".join(raw.split())
    phrase = Phrase(text)
    parts = [" ".join(each.split()) for each in text.split("*")]
    parts = [each for each in parts if each]
    if not parts:
        assert phrase.found_in(line) is None
        return
    before = r"(?<!\w)" if re.match(r"\w", parts[0]) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", parts[-1]) else ""
    pattern = before + ".*?".join(re.escape(each) for each in parts) + after
    assert (phrase.found_in(line) is not None) == (re.search(pattern, line, re.ASCII) is not None)


@given(st.text("ab _*", min_size=1, max_size=12), st.text("ab _", max_size=40))
def test_what_is_found_begins_and_ends_with_the_message(text: str, raw: str) -> None:
    line = " ".join(raw.split())
    phrase = Phrase(text)
    place = phrase.found_in(line)
    if place is None:
        return
    found = line[place.start : place.end]
    assert found.startswith(phrase.parts[0])
    assert found.endswith(phrase.parts[-1])
    assert [found.find(each) for each in phrase.parts].count(-1) == 0
    assert all(len(one) + len(other) <= len(found) for one, other in pairwise(phrase.parts))
