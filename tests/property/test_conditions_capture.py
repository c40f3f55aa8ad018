"""What a group captures, against Python's ``re``."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from runbook_engine.conditions.capture import read_capture
from runbook_engine.conditions.patterns import PatternError

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\d", r"\s", "1", "-", "(?:a|ab)", "(?:b|)"])
PLACES = st.sampled_from(["^", "$", r"\b", r"\A", r"\Z"])
COUNTS = st.sampled_from(["", "*", "+", "?", "{2}", "{1,2}", "*?", "+?", "??", "{1,2}?"])
PIECES = st.lists(st.one_of(st.tuples(ATOMS, COUNTS).map("".join), PLACES), max_size=4).map("".join)
ARMS = st.lists(PIECES, min_size=1, max_size=2).map("|".join)


@given(PIECES, ARMS, st.sampled_from(["", "?", "??"]), PIECES, st.text(alphabet="ab1- \nA", max_size=12), st.booleans())
def test_a_group_captures_what_python_captures(
    before: str, inside: str, count: str, after: str, text: str, ignore_case: bool
) -> None:
    source = f"{'(?i)' if ignore_case else ''}{before}({inside}){count}{after}"
    try:
        capture = read_capture(source)
    except PatternError:
        assume(False)
    found = re.search(source, text)
    assert capture.found_in(text) == (found[1] if found is not None else None)


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_text_is_a_capture_or_a_pattern_error(source: str, text: str) -> None:
    try:
        found = read_capture(source).found_in(text)
    except PatternError as error:
        mistake = error
    else:
        assert found is None or found in text
        return
    assert 0 <= mistake.start <= mistake.end <= len(source)
