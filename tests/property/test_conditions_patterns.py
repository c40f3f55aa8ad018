"""Patterns against Python's ``re``, and against any text."""

import re

from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.conditions.patterns import PatternError, read_pattern

ATOMS = st.sampled_from(
    ["a", "b", "c", ".", "[ab]", "[^a]", "[b-c]", r"\w", r"\W", r"\d", r"\s", r"\.", "-", "(?:)", r"[\w-]"]
)
PLACES = st.sampled_from(["^", "$", r"\b", r"\A", r"\Z"])
COUNTS = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{,2}", "{1,}", "*?", "+?", "??", "{0}"])


def _grown(below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(st.one_of(below, below, PLACES), min_size=1, max_size=4).map("".join),
        st.lists(below, min_size=1, max_size=3).map(lambda arms: f"({'|'.join(arms)})"),
        st.tuples(below, COUNTS).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(ATOMS, COUNTS).map("".join),
    )


PATTERNS = st.recursive(ATOMS, _grown, max_leaves=8)


@given(PATTERNS, st.text(alphabet="abcA.-_1 \n", max_size=12), st.booleans())
def test_a_pattern_is_found_where_python_finds_it(source: str, text: str, ignore_case: bool) -> None:
    if ignore_case:
        source = f"(?i){source}"
    assert read_pattern(source).found_in(text) is (re.search(source, text) is not None)


@given(
    st.one_of(st.text(max_size=40), st.text(alphabet="ab()[]{}|*+?^$\\.-,19dwbx:", max_size=40)), st.text(max_size=20)
)
def test_any_text_is_a_pattern_or_a_pattern_error(source: str, text: str) -> None:
    try:
        assert read_pattern(source).found_in(text) in (True, False)
    except PatternError as error:
        mistake = error
    else:
        return
    assert 0 <= mistake.start <= mistake.end <= len(source)
