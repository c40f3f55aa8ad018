"""Which texts are read as JSON, and how much of it."""

import pytest

from runbook_engine.probe import NoCertainValueError, TooManyValuesError, read_json
from runbook_engine.probe.json_text import MOST_VALUES


@pytest.mark.parametrize(
    "text",
    [
        "[" + "7," * (MOST_VALUES + 1) + "7]",
        "[" + '{"a":1},' * (MOST_VALUES // 2 + 1) + "{}]",
        '{"text": "a \\" , [", "more": [' + "[],[]," * (MOST_VALUES // 2) + "[]]}",
    ],
)
def test_a_document_of_too_many_values_is_not_read(text: str) -> None:
    with pytest.raises(TooManyValuesError, match="more than 1,000,000 values"):
        read_json(text)


def test_signs_in_texts_are_no_values() -> None:
    text = '{"log": "' + r"a, [b] {\"c\"} \\" * 700_000 + '"}'
    assert text.count(",") + text.count("[") > MOST_VALUES
    assert isinstance(read_json(text), dict)


def test_as_many_values_as_may_be_are_read() -> None:
    found = read_json("[" + "7," * (MOST_VALUES - 2) + "7]")
    assert isinstance(found, list)
    assert len(found) == MOST_VALUES - 1


@pytest.mark.parametrize("text", ['"' + r"\"," * 1_100_000, "{" + r'"\"[,' * 1_100_000, "plain, text, " * 100_000])
def test_a_text_that_never_ends_is_looked_through_once(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_json(text)
    assert not isinstance(caught.value, NoCertainValueError) or isinstance(caught.value, TooManyValuesError)
