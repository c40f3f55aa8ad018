"""Quantities as people write and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.quantity import UNITS, Dimension, counted, parse, prose, show


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("500ms", 0.5, Dimension.DURATION),
        ("2s", 2.0, Dimension.DURATION),
        ("5min", 300.0, Dimension.DURATION),
        ("30d", 2_592_000.0, Dimension.DURATION),
        ("80%", 80.0, Dimension.PERCENT),
        ("512MiB", 536_870_912.0, Dimension.BYTES),
        ("12/s", 12.0, Dimension.RATE),
        ("-1.5", -1.5, Dimension.NUMBER),
    ],
)
def test_a_literal_is_read_into_its_base_unit(text: str, value: float, dimension: Dimension) -> None:
    assert parse(text) == (value, dimension)


@pytest.mark.parametrize("text", ["", "fast", "5 parsecs", "1e999", "ms", "5m", "0x10", "1_0"])
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write for example|units are|too large"):
        parse(text)


@pytest.mark.parametrize(
    ("value", "dimension", "shown"),
    [
        (1.24, Dimension.DURATION, "1.24 s"),
        (0.34, Dimension.DURATION, "340 ms"),
        (0.0000015, Dimension.DURATION, "1.5 µs"),
        (90.0, Dimension.DURATION, "90 s"),
        (300.0, Dimension.DURATION, "5 min"),
        (29 * 86400.0, Dimension.DURATION, "29 d"),
        (0.0, Dimension.DURATION, "0 s"),
        (87.5, Dimension.PERCENT, "87.5 %"),
        (1_288_490_189, Dimension.BYTES, "1.2 GiB"),
        (12.0, Dimension.RATE, "12/s"),
        (0.9996, Dimension.DURATION, "1000 ms"),
        (1_234_567.0, Dimension.NUMBER, "1234567"),
        (True, Dimension.BOOL, "yes"),
        (None, Dimension.NUMBER, "missing"),
    ],
)
def test_a_value_is_shown_as_people_read_it(value: float | None, dimension: Dimension, shown: str) -> None:
    assert show(value, dimension) == shown


@pytest.mark.parametrize(
    ("value", "dimension", "said"),
    [
        (12 * 86_400.0, Dimension.DURATION, "12 days"),
        (-3 * 86_400.0, Dimension.DURATION, "-3 days"),
        (36 * 3_600.0, Dimension.DURATION, "36 hours"),
        (300.0, Dimension.DURATION, "5 minutes"),
        (90.0, Dimension.DURATION, "90 s"),
        (1.24, Dimension.DURATION, "1.24 s"),
        (0.34, Dimension.DURATION, "340 ms"),
        (87.5, Dimension.PERCENT, "87.5 %"),
        (1_288_490_189, Dimension.BYTES, "1.2 GiB"),
        (12.0, Dimension.RATE, "12 per second"),
        (3, Dimension.NUMBER, "3"),
        ("2 d", Dimension.TEXT, "2 d"),
        (None, Dimension.DURATION, "missing"),
    ],
)
def test_a_sentence_spells_units_out_that_are_only_letters_in_a_table(
    value: float | str | None, dimension: Dimension, said: str
) -> None:
    assert prose(value, dimension) == said


def test_one_is_one_thing_and_all_else_are_several() -> None:
    assert [counted(number, "session") for number in (0, 1, 2)] == ["0 sessions", "1 session", "2 sessions"]
    assert [counted(number, "entry is", "entries are") for number in (1, 2)] == ["1 entry is", "2 entries are"]


@given(st.floats(0.001, 1e6), st.sampled_from(sorted(UNITS)))
def test_what_is_shown_is_within_a_percent_of_what_was_meant(number: float, unit: str) -> None:
    value, dimension = parse(f"{number:.6f}{unit}")
    if value == 0:
        return
    text = show(value, dimension).replace(" ", "").replace("µ", "u")
    again, same = parse(text)
    assert same is dimension
    assert again == pytest.approx(value, rel=0.01)
