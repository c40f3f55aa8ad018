"""Files of tests: read, with all that is wrong with them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.document.cases import (
    Case,
    Cases,
    Expect,
    ExpectedOutcome,
    is_cases_file,
    load_cases,
    load_cases_file,
)
from runbook_engine.document.cases_text import literal, write_cases
from runbook_engine.quantity import Dimension, parse

HEAD = "tests: small\n"
SOUND = HEAD + "cases: {one: {expect: {outcome: healthy}}}\n"


def messages(text: str) -> list[str]:
    return [
        f"{each.span.line}:{each.span.column} {each.code} {each.message}" for each in load_cases(text, "t").diagnostics
    ]


def test_a_sound_file_is_read_whole() -> None:
    loaded = load_cases(SOUND, "t")
    assert loaded.diagnostics == ()
    assert loaded.cases == Cases(tests="small", cases={"one": Case(expect=Expect(outcome=ExpectedOutcome.HEALTHY))})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.test.yaml", True),
        ("b/a.test.yml", True),
        ("test.yaml", False),
        ("a.tests.yaml", False),
        ("a.test.json", False),
    ],
)
def test_files_are_known_by_their_names(name: str, expected: bool) -> None:
    assert is_cases_file(name) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1 RB110 the document is empty"),
        ("runbook: x\n", "1:1 RB110 these are no tests"),
        ("tests: x\n", '1:1 RB112 the document has no "cases"'),
        ("tests: x\ncases: {}\n", '2:8 RB116 "cases" needs at least one entry'),
        (SOUND + "title: [a]\n", '3:8 RB113 "title" must be a text, not a list'),
        (SOUND + "titel: a\n", '3:1 RB111 the document has no key "titel"'),
        (HEAD + "cases: {one: {}}\n", '2:9 RB112 case "one" has no "expect"'),
        (HEAD + "cases: {one: {expect: {}}}\n", '2:15 RB112 what case "one" expects has no "outcome"'),
        (
            HEAD + "cases: {one: {expect: {outcome: ill}}}\n",
            '2:33 RB114 "outcome" of what case "one" expects is "ill", which is not legal',
        ),
        (
            HEAD + "cases: {one: {expect: {outcome: healthy, findigns: []}}}\n",
            '2:42 RB111 what case "one" expects has no key "findigns"',
        ),
        (SOUND + "inputs: {a: }\n", '3:10 RB113 input "a" is empty'),
        (SOUND + "inputs: {a: [1]}\n", '3:13 RB113 input "a" is a list, not a value'),
        (SOUND + "steps: {a: 3}\n", '3:12 RB113 step "a" is given 3, and not what it brings'),
        (SOUND + "steps: {a: }\n", '3:9 RB113 step "a" is given empty, and not what it brings'),
        (SOUND + "steps: {a: []}\n", '3:12 RB116 step "a" is given no attempt'),
        (SOUND + "steps: {a: [{}, 1]}\n", '3:17 RB113 step "a" is given 1, and not what it brings'),
        (SOUND + "steps: {A/b: {}}\n", '3:9 RB115 "A/b" cannot be the name of a step'),
        (SOUND + "steps: {a/: {}}\n", '3:9 RB115 "a/" cannot be the name of a step'),
        (
            SOUND + "steps: {a: {error: timout}}\n",
            '3:20 RB114 the error of step "a" is "timout", which is no kind of error',
        ),
        (SOUND + "steps: {a: {error: }}\n", '3:13 RB114 the error of step "a" is empty, which is no kind of error'),
        (
            SOUND + "steps: {a: {error: [tls]}}\n",
            '3:20 RB114 the error of step "a" is a list, which is no kind of error',
        ),
        (SOUND + "steps: {a: {error: {message: x}}}\n", '3:20 RB112 the error of step "a" has no "kind"'),
        (
            SOUND + "steps: {a: {error: {kind: tls, mesage: x}}}\n",
            '3:32 RB111 the error of step "a" has no key "mesage"',
        ),
        (
            SOUND + "steps: {a: {error: {kind: tls, message: 3}}}\n",
            '3:41 RB113 "message" of the error of step "a" must be a text, not 3',
        ),
        (SOUND + "steps: {a: {error: tls, p95: 1s}}\n", '3:25 RB111 step "a" is given an error and "p95"'),
    ],
)
def test_each_mistake_of_shape_is_told_at_its_place(text: str, expected: str) -> None:
    assert messages(text) == [expected]


def test_a_case_has_the_same_mistakes_at_its_own_places() -> None:
    text = HEAD + "cases:\n  one:\n    inputs: {a: }\n    steps: {a: {error: tsl}}\n    expect: {outcome: healthy}\n"
    assert messages(text) == [
        '4:14 RB113 input "a" of case "one" is empty',
        '5:24 RB114 the error of step "a" is "tsl", which is no kind of error',
    ]


def test_several_mistakes_are_told_at_once_and_what_is_sound_remains() -> None:
    loaded = load_cases(SOUND + "inputs: {a: , b: 2}\nsteps: {a: 3, b: {}}\n", "t")
    assert [each.code for each in loaded.diagnostics] == ["RB113", "RB113"]
    assert loaded.cases is None
    assert loaded.partial is not None
    assert dict(loaded.partial.inputs) == {"b": 2}
    assert dict(loaded.partial.steps) == {"b": {}}


def test_sections_that_are_no_mappings_are_told_and_left_out() -> None:
    loaded = load_cases(SOUND + "inputs: 3\nsteps: 4\n", "t")
    assert [each.message for each in loaded.diagnostics] == [
        '"inputs" must be a mapping of keys and values, not 3',
        '"steps" must be a mapping of keys and values, not 4',
    ]
    assert loaded.partial is not None
    assert loaded.partial.steps == {}


def test_a_file_that_cannot_be_read_is_a_mistake_too() -> None:
    assert [each.code for each in load_cases_file("/nowhere/x.test.yaml").diagnostics] == ["RB101"]


@given(st.text(alphabet=string.printable, max_size=200))
def test_no_text_makes_the_loader_raise(text: str) -> None:
    load_cases(text, "t")
    load_cases(f"tests: x\n{text}", "t")
    load_cases(f"{SOUND}steps: {text}", "t")


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "error")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SCALARS = st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS | st.none(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(TEXTS, each, max_size=3),
    max_leaves=6,
)
ERRORS = st.sampled_from(["timeout", "missing"]).map(lambda kind: {"error": kind})
GIVEN = st.dictionaries(NAMES, VALUES, max_size=3) | ERRORS
STEPS = st.dictionaries(NAMES, GIVEN | st.lists(GIVEN, min_size=1, max_size=2), max_size=3)
INPUTS = st.dictionaries(NAMES, SCALARS, max_size=3)
WORDS = st.lists(TEXTS, max_size=3).map(tuple)
CASES = st.builds(
    Case,
    title=TEXTS,
    inputs=INPUTS,
    recording=st.none() | TEXTS,
    steps=STEPS,
    expect=st.builds(
        Expect, outcome=st.sampled_from(ExpectedOutcome), findings=WORDS, blind_spots=WORDS, path=st.none() | WORDS
    ),
)


@given(
    st.builds(
        Cases,
        tests=TEXTS,
        title=TEXTS,
        description=TEXTS,
        inputs=INPUTS,
        steps=STEPS,
        cases=st.dictionaries(NAMES, CASES, min_size=1, max_size=3),
    ),
    TEXTS,
)
def test_cases_that_are_written_are_read_back_as_they_were(cases: Cases, comment: str) -> None:
    loaded = load_cases(write_cases(cases, comment="".join(filter(str.isprintable, comment))), "t")
    assert loaded.diagnostics == ()
    assert loaded.cases == cases


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (0.5, Dimension.DURATION, "500ms"),
        (1.2, Dimension.DURATION, "1200ms"),
        (100.0, Dimension.DURATION, "100s"),
        (2592000.0, Dimension.DURATION, "30d"),
        (0.0, Dimension.DURATION, "0s"),
        (80.0, Dimension.PERCENT, "80%"),
        (0.5, Dimension.PERCENT, "0.5%"),
        (512 * 2**20, Dimension.BYTES, "512MiB"),
        (1001, Dimension.BYTES, "1001B"),
        (12.0, Dimension.RATE, "12/s"),
    ],
)
def test_quantities_are_written_as_people_write_them(value: float, dimension: Dimension, text: str) -> None:
    assert literal(value, dimension) == text


@given(
    st.floats(min_value=0, allow_infinity=False),
    st.sampled_from([Dimension.DURATION, Dimension.PERCENT, Dimension.RATE]),
)
def test_a_quantity_that_is_written_is_read_back_exactly(value: float, dimension: Dimension) -> None:
    assert parse(str(literal(value, dimension))) == (value, dimension)


@pytest.mark.parametrize(
    ("value", "dimension"),
    [(3, Dimension.NUMBER), ("up", Dimension.TEXT), (True, Dimension.BOOL), ("1s", Dimension.TEXT)],
)
def test_what_has_no_unit_is_written_as_it_is(value: object, dimension: Dimension) -> None:
    assert literal(value, dimension) is value  # type: ignore[arg-type]  # each is a value


def test_a_case_of_which_the_outcome_is_broken_is_looked_at_as_a_whole() -> None:
    for expect in ("{outcome: ill, findings: [x]}", "{findings: [x]}", "3"):
        loaded = load_cases(HEAD + f"cases: {{one: {{steps: {{a: {{}}}}, expect: {expect}}}}}\n", "t")
        assert len(loaded.diagnostics) == 1
        assert loaded.cases is None
        assert loaded.partial is not None
        assert dict(loaded.partial.cases["one"].steps) == {"a": {}}
