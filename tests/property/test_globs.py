"""Patterns of names: held against the standard library's, and never slow."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.document import globs

LETTERS = st.text("ab*?-", max_size=12)


@given(LETTERS, st.text("ab-", max_size=12))
def test_a_pattern_matches_what_a_shell_matches(pattern: str, text: str) -> None:
    assert globs.matches(pattern, text) is fnmatch.fnmatchcase(text, pattern)


@given(st.text("abc*?[]!-", max_size=10), st.text("abc]!-[", max_size=8))
def test_brackets_are_those_of_a_shell_wherever_they_are_closed_and_run_forwards(pattern: str, text: str) -> None:
    try:
        globs.check(pattern)
    except globs.GlobError as error:
        assert pattern[error.at] == "["  # noqa: PT017 - a pattern that is none
        assert not globs.matches(pattern, text)
    else:
        assert globs.matches(pattern, text) is fnmatch.fnmatchcase(text, pattern)


@given(LETTERS, LETTERS, st.text("ab-", max_size=12))
def test_what_covers_a_pattern_matches_whatever_that_matches(wide: str, narrow: str, text: str) -> None:
    if globs.covers(wide, narrow) and globs.matches(narrow, text):
        assert globs.matches(wide, text)


@pytest.mark.parametrize("pattern", ["*a" * 99 + "*b", "*" * 200 + "b", "?*" * 99 + "b", "*[a-z]" * 33 + "b"])
def test_no_name_and_no_pattern_makes_matching_slow(pattern: str) -> None:
    begun = time.process_time()
    assert not globs.matches(pattern, "a" * 4_000)
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(("pattern", "says"), [("Redis[DU", 'no "]" closes'), ("db-[9-0]", "9-0 runs backwards")])
def test_what_is_no_pattern_is_told(pattern: str, says: str) -> None:
    with pytest.raises(globs.GlobError, match=says):
        globs.check(pattern)
