"""Patterns are found as Python's ``re`` finds them, in time that no pattern and no text can stretch."""

import random
import re
import time

import pytest

from runbook_engine.conditions.patterns import MOST_SUBJECT, read_pattern

SUBJECTS = (
    "",
    "a",
    "b",
    "ab",
    "aab",
    "abc",
    "ABC",
    "a-b",
    "a]b",
    "a.b",
    "a\nb",
    "ab\n",
    "\nab",
    "error: timeout after 30 s",
    "10.0.0.12",
    "x_1 y",
    "é ÿ ß",
    "٣",
    "tab\there",
    "{1}",
    "a^b",
)
PATTERNS = (
    "a",
    "ab",
    "a|b",
    "a*b",
    "a+b",
    "a?b",
    "a{2}b",
    "a{1,2}b",
    "a{2,}b",
    "a{,1}b",
    "(ab)+",
    "(?:a|b)*c",
    "(a|b|)c",
    "^a",
    "a$",
    "^ab$",
    r"\Aab\Z",
    "^$",
    r"\bab\b",
    r"\btimeout\b",
    r"\d+",
    r"\D",
    r"\w+ \w",
    r"\W",
    r"\s",
    r"\S",
    "a.b",
    r"a\.b",
    "[a-c]{3}",
    "[^a-c]",
    "[]]",
    "[^]a]",
    r"[\]]",
    "[a-]b",
    "[-b]",
    r"a[\-.]b",
    r"[\d.]+$",
    r"[\w]",
    r"[\[]",
    "[a|b]",
    r"a{}|\{1}",
    r"[a\^]\^",
    r"\{1}",
    "a{x}",
    "(?i)abc",
    "(?i)[a-c]+$",
    r"\x61\u0062",
    r"\t",
    "a\nb",
    "a+?b",
    "(^|-)b",
    "(a*)*b",
    "a||b",
    "é",
    r"[à-ÿ]",
    r"(error|warning): .* \d+ s$",
    "x{0}a",
    r"[\b]",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_what_it_means_in_python(pattern: str) -> None:
    ours = read_pattern(pattern)
    theirs = re.compile(pattern)
    assert [ours.found_in(each) for each in SUBJECTS] == [theirs.search(each) is not None for each in SUBJECTS]


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|a)+$", "(a|aa)+$", "(.*a){20}c", ".*.*.*.*.*x", "(a?){50}a{50}c", r"(\w|\d)+$", "[ab]*a[ab]{190}c"],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    found = read_pattern(pattern)
    before = time.process_time()
    assert found.found_in("a" * (MOST_SUBJECT - 1) + "!") is False
    assert found.found_in("ab" * (MOST_SUBJECT // 2 - 1) + "!") is False
    assert found.found_in("".join(random.Random(7).choices("ab", k=MOST_SUBJECT))) is not None
    assert time.process_time() - before < 20  # backtracking would take longer than the universe has existed


def test_only_the_beginning_of_a_very_long_text_is_searched() -> None:
    pattern = read_pattern("needle$")
    assert pattern.found_in("x" * (MOST_SUBJECT - 6) + "needle") is True
    assert pattern.found_in("x" * MOST_SUBJECT) is False
    assert pattern.found_in("x" * MOST_SUBJECT + "y") is None
    assert pattern.found_in("x" * MOST_SUBJECT + "needle") is None
    assert pattern.found_in("x" * (MOST_SUBJECT - 6) + "needle" + "y") is None
    assert read_pattern("^x").found_in("x" * MOST_SUBJECT * 2) is True


def test_what_is_remembered_of_a_text_is_bounded() -> None:
    pattern = read_pattern(r"\w\W\w\W+$")
    text = "".join(chr(0x4E00 + index) for index in range(9000))
    for _ in range(2):
        assert pattern.found_in(text) is False
    assert pattern.found_in("a-b--") is True
    assert all(len(memory) <= 4096 for memory in (pattern.automaton._takers, pattern.automaton._remembered))


def test_patterns_are_equal_when_they_are_written_alike() -> None:
    assert read_pattern("a+") == read_pattern("a+")
    assert read_pattern("a+") != read_pattern("a*")
