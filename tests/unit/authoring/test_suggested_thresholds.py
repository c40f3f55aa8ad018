"""The thresholds that ``runbook measure`` suggests are read by people, and do not hold of what was measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.authoring.suggesting import _literal
from runbook_engine.quantity import Dimension, parse


@pytest.mark.parametrize(
    ("value", "dimension", "written"),
    [
        (25917029.159699, Dimension.DURATION, "300d"),
        (0.0026542, Dimension.DURATION, "2.66ms"),
        (1.0, Dimension.DURATION, "1s"),
        (0.0, Dimension.DURATION, "0ms"),
        (56.84864011065187, Dimension.PERCENT, "56.9%"),
        (554_990.0, Dimension.BYTES, "542KiB"),
        (10123.0, Dimension.NUMBER, "10123"),
        (3.14159, Dimension.NUMBER, "3.15"),
        (12.0, Dimension.RATE, "12/s"),
    ],
)
def test_a_threshold_has_a_unit_and_three_digits(value: float, dimension: Dimension, written: str) -> None:
    assert _literal(value, dimension) == written


@given(st.floats(0, 1e12), st.sampled_from([Dimension.DURATION, Dimension.BYTES, Dimension.PERCENT, Dimension.NUMBER]))
def test_what_was_measured_is_not_more(value: float, dimension: Dimension) -> None:
    threshold, read = parse(_literal(value, dimension))

    assert read is dimension
    assert value <= threshold * (1 + 1e-12) <= max(value * 1.011, 1e-300)
