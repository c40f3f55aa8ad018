"""Fixes: edits that belong together, and the places where a value can be written safely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.document import Source, load
from runbook_engine.document.environment import load_environment
from runbook_engine.document.fixes import Edit, Fix, fixed

RUNBOOK = """\
runbook: slow-page # the page
title: Find out why the page is slow
start: slow

steps:
  slow:
    ask: Is the page slow?
"""


def fix(*edits: tuple[int, int, str]) -> Fix:
    return Fix("", tuple(Edit(*each) for each in edits))


def repaired(text: str) -> str:
    """The text with the fixes of all mistakes of shape in it."""
    return fixed(text, [each.fix for each in load(text, "a.yaml").diagnostics if each.fix is not None]).text


def test_edits_are_carried_out_from_the_end_so_that_places_stay_true() -> None:
    done = fixed("one two three", [fix((0, 3, "1")), fix((8, 13, "3"), (4, 7, "zwei"))])

    assert done.text == "1 zwei 3"
    assert len(done.done) == 2


def test_a_fix_that_overlaps_an_earlier_one_is_skipped_as_a_whole() -> None:
    first, second = fix((0, 3, "1")), fix((2, 5, "x"), (8, 13, "y"))

    done = fixed("one two three", [first, second])

    assert (done.text, done.done, done.skipped) == ("1 two three", (first,), (second,))


@pytest.mark.parametrize("edits", [[(0, 99, "x")], [(-1, 2, "x")], [(3, 2, "x")], [(0, 3, "x"), (2, 5, "y")]])
def test_a_fix_that_cannot_be_carried_out_changes_nothing(edits: list[tuple[int, int, str]]) -> None:
    assert fixed("one two three", [fix(*edits)]).text == "one two three"


def test_the_same_fix_is_carried_out_once() -> None:
    assert fixed("one", [fix((3, 3, "!")), fix((3, 3, "!"))]).text == "one!"


def test_of_two_fixes_that_write_at_one_place_the_first_is_taken() -> None:
    assert fixed("one", [fix((1, 1, "a")), fix((1, 1, "b"))]).text == "oane"


@given(
    st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.text(max_size=5)), max_size=8)
)
def test_what_no_edit_is_about_stays_as_it_is(text: str, places: list[tuple[int, int, str]]) -> None:
    fixes = [fix((start, start + length, new)) for start, length, new in places]

    done = fixed(text, fixes)

    edits = sorted(edit for each in done.done for edit in each.edits)
    kept, at = "", 0
    for edit in edits:
        kept += text[at : edit.start] + edit.text
        at = edit.end
    assert done.text == kept + text[at:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: old # old\n", "a: new # old\n"),
        ('a: "old"\n', 'a: "new"\n'),
        ("a: 'old'\n", "a: 'new'\n"),
        ("{a: old, b: old}\n", "{a: new, b: old}\n"),
        ('a: "\\x6fld"\n', 'a: "new"\n'),
        ("a:\n  old\n", "a:\n  new\n"),
    ],
)
def test_a_value_is_written_inside_of_its_quotes(text: str, expected: str) -> None:
    found = Source("a.yaml", text).rewritten(("a",), "new")

    assert found is not None
    assert fixed(text, [found]).text == expected


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("a: &x old\nb: *x\n", "new"),  # b would change too
        ("b: &x old\na: *x\n", "new"),
        ("a: old\n", "true"),  # read as no text
        ("a: old\n", "12"),
        ("a: old\n", "x: y"),
        ('a: "old"\n', 'x"y'),
        ('a: "old"\n', '"new"'),
        ("a: old\n", '"new"'),
        ("a: [old]\n", "new"),
        ("a:\n", "new"),
        ("b: old\n", "new"),
        ('a: "o\n  ld"\n', "new"),
    ],
)
def test_where_it_is_not_safe_nothing_is_written(text: str, new: str) -> None:
    assert Source("a.yaml", text).rewritten(("a",), new) is None


def test_a_part_of_a_value_is_written_where_it_stands_in_the_text() -> None:
    text = "when: 'it''s > old'\n"

    found = Source("a.yaml", text).rewritten(("when",), "new", within=(7, 10))

    assert found is not None
    assert found.description == 'write "new" instead of "old"'
    assert fixed(text, [found]).text == "when: 'it''s > new'\n"


def test_a_text_in_quotes_is_written_into_a_value_that_has_none() -> None:
    text = "when: state == idle\n"
    found = Source("a.yaml", text).rewritten(("when",), '"idle"', within=(9, 13))

    assert found is not None
    assert fixed(text, [found]).text == 'when: state == "idle"\n'


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (("title:", "titel:"), ("title:", "title:")),
        (("start: slow", "start: slow\nversion: 1.10"), ("start: slow", 'start: slow\nversion: "1.10"')),
        (("runbook: slow-page", 'runbook: "Slow Page"'), ("runbook: slow-page", 'runbook: "slow-page"')),
        (
            ("start: slow", "inputs:\n  a: {type: strng, optional: yes}\nstart: slow"),
            ("start: slow", "inputs:\n  a: {type: string, optional: true}\nstart: slow"),
        ),
        (
            ("start: slow", 'inputs:\n  a: {type: number, default: "12"}\nstart: slow'),
            ("start: slow", "inputs:\n  a: {type: number, default: 12}\nstart: slow"),
        ),
        (
            ("start: slow", "inputs:\n  a: {type: enum, values: [production, staging], default: stagin}\nstart: slow"),
            ("start: slow", "inputs:\n  a: {type: enum, values: [production, staging], default: staging}\nstart: slow"),
        ),
        (
            ("ask: Is the page slow?", "probe: http.get\n    params: {}\n    retry: {jitter: 20}"),
            ("ask: Is the page slow?", "probe: http.get\n    with: {}\n    retry: {jitter: 20%}"),
        ),
    ],
)
def test_a_mistake_of_shape_that_leaves_no_choice_is_fixed(wrong: tuple[str, str], right: tuple[str, str]) -> None:
    assert repaired(RUNBOOK.replace(*wrong)) == RUNBOOK.replace(*right)


@pytest.mark.parametrize(
    "wrong",
    [
        ("ask: Is the page slow?", "probe: http.get\n    timeout: 10"),  # seconds, or milliseconds?
        ("ask: Is the page slow?", "ask: Is it?\n    branches: [{else: end}, {when: answer}]"),
        ("  slow:\n", "  SlowPage:\n"),  # what names it would have to be renamed too
        ("start: slow", "start: slow\n\tseverity: P1"),
        ("start: slow", "start: slow\nthing: 1"),
    ],
)
def test_what_leaves_a_choice_is_left_to_the_author(wrong: tuple[str, str]) -> None:
    text = RUNBOOK.replace(*wrong)

    assert load(text, "a.yaml").diagnostics
    assert repaired(text) == text


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("{{ inputs.a }}", '"{{ inputs.a }}"'),
        ("{{ inputs.a }}/health", '"{{ inputs.a }}/health"'),
        ("{{ inputs.a }}/health # why", '"{{ inputs.a }}/health" # why'),
        ("{{ inputs.a }} and, then: {{ inputs.b }}", '"{{ inputs.a }} and, then: {{ inputs.b }}"'),
        ('{{ inputs.a | default("x") }}/y', "'{{ inputs.a | default(\"x\") }}/y'"),
        ("[{{ inputs.a }}/x, 2, {{ inputs.b }}]", '["{{ inputs.a }}/x", 2, "{{ inputs.b }}"]'),
        ("{c: {{ inputs.a }}, d: {{ inputs.b }}/x}", '{c: "{{ inputs.a }}", d: "{{ inputs.b }}/x"}'),
    ],
)
def test_a_template_without_quotes_is_given_some(wrong: str, right: str) -> None:
    before, after = (f"environment: x\nvalues:\n  url: {each}\n  more: 1\n" for each in (wrong, right))
    found = [each for each in load_environment(before, "a.yaml").diagnostics if each.code == "RB107"]

    assert fixed(before, [each.fix for each in found if each.fix is not None]).text == after


def test_a_number_that_is_a_key_is_put_in_quotes() -> None:
    assert repaired("runbook: a\n500: x\n") == 'runbook: a\n"500": x\n'
