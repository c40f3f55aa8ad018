"""What a few samples say of all: bounds held against tables, against exact sums, and against every possible sample."""

import copy
import math
import pickle
from fractions import Fraction

import pytest
from pydantic import BaseModel, ValidationError

from runbook_engine.sampled import RISK, Sample, Sampled, at_least, enough, quantile, ranks, share

PLAYS = [(n, k / 20) for n in (1, 2, 7, 20, 59, 100) for k in range(1, 20)]


def exactly_at_least(part: int, n: int, chance: Fraction) -> Fraction:
    """The sum over all outcomes."""
    return sum(
        (Fraction(math.comb(n, k)) * chance**k * (1 - chance) ** (n - k) for k in range(part, n + 1)), Fraction(0)
    )


@pytest.mark.parametrize(
    ("part", "n", "lower", "upper"),
    [
        (0, 20, 0.0, 13.911),
        (0, 100, 0.0, 2.9513),
        (0, 300, 0.0, 0.99361),
        (1, 20, 0.25614, 21.611),
        (3, 100, 0.82258, 7.5711),
        (20, 20, 86.089, 100.0),
        (351, 1000, 32.6023, 37.6629),
    ],
)
def test_a_share_has_the_bounds_of_the_exact_test(part: int, n: int, lower: float, upper: float) -> None:
    value = share(part, n)
    assert float(value) == pytest.approx(100 * part / n)
    assert value.sample.n == n
    assert value.sample.lower == pytest.approx(lower, rel=1e-4)
    assert value.sample.upper == pytest.approx(upper, rel=1e-4)


@pytest.mark.parametrize(("n", "chance"), PLAYS)
def test_chances_are_those_of_the_exact_sum(n: int, chance: float) -> None:
    for part in {0, 1, n // 2, n - 1, n, n + 1}:
        exact = exactly_at_least(part, n, Fraction(chance).limit_denominator(100))
        assert at_least(part, n, chance) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("n", "true"), PLAYS)
def test_each_bound_of_a_share_is_wrong_at_most_as_often_as_it_says(n: int, true: float) -> None:
    chances = [math.comb(n, k) * true**k * (1 - true) ** (n - k) for k in range(n + 1)]
    samples = [share(k, n).sample for k in range(n + 1)]
    too_high = sum(chance for chance, each in zip(chances, samples, strict=True) if each.lower > 100 * true)
    too_low = sum(chance for chance, each in zip(chances, samples, strict=True) if each.highest < 100 * true)
    assert too_high <= RISK + 1e-9
    assert too_low <= RISK + 1e-9


@pytest.mark.parametrize("n", [1, 5, 20, 58, 59, 60, 100, 300, 1000])
@pytest.mark.parametrize("of", [0.5, 0.95, 0.99])
def test_each_bound_of_a_quantile_is_wrong_at_most_as_often_as_it_says_and_no_nearer_one_is_right(
    n: int, of: float
) -> None:
    below, above = ranks(n, of)
    # A sample of rank k is above the quantile where fewer than k of all samples are below it.
    chances = Fraction(of).limit_denominator(100)
    assert 1 - exactly_at_least(below, n, chances) <= RISK
    assert 1 - exactly_at_least(below + 1, n, chances) > RISK - 1e-9
    if above:
        assert exactly_at_least(above, n, chances) <= RISK
        assert exactly_at_least(above - 1, n, chances) > RISK
    else:
        assert exactly_at_least(n, n, chances) > RISK


def test_a_p95_has_no_upper_bound_below_59_samples() -> None:
    assert quantile([0.01] * 58, 0.95).sample.upper is None
    assert quantile([0.01] * 59, 0.95).sample.upper == 0.01


def test_a_quantile_is_a_value_that_was_measured() -> None:
    value = quantile([float(each) for each in range(1, 101)], 0.95)
    assert float(value) == 95.0
    assert value.sample == Sample(100, 91.0, 99.0, 0.95)


@pytest.mark.parametrize(
    ("value", "bound", "many"),
    [
        (share(0, 20), 1.0, 299),
        (share(0, 20), 5.0, 59),
        (share(5, 5), 50.0, 5),
        (share(1, 20), 5.0, None),
        (quantile([0.01] * 20, 0.95), 1.0, 59),
        (quantile([0.01 * each for each in range(1, 101)], 0.95), 0.94, 1600),
    ],
)
def test_it_is_known_how_many_samples_would_decide(value: Sampled, bound: float, many: int | None) -> None:
    assert enough(value, bound) == many


@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0, 4.9, 5.1, 10.0, 40.0])
def test_so_many_samples_of_the_same_share_decide(bound: float) -> None:
    value = share(5, 100)
    many = enough(value, bound)
    assert many is not None
    part = math.floor(0.05 * many) if bound < 5 else math.ceil(0.05 * many)
    sample = share(part, many).sample
    assert not sample.holds(bound)


def test_a_sampled_number_is_a_float_that_keeps_its_sample_wherever_it_goes() -> None:
    value = share(1, 20)
    assert value == 5.0
    assert copy.deepcopy(value).sample == pickle.loads(pickle.dumps(value)).sample == value.sample


def test_a_field_takes_what_was_sampled_and_a_plain_number_that_is_exact() -> None:
    class Reading(BaseModel):
        rate: Sampled

    assert Reading(rate=share(1, 20)).rate.sample.n == 20
    assert type(Reading.model_validate({"rate": 5}).rate) is float
    with pytest.raises(ValidationError):
        Reading.model_validate({"rate": "many"})


@pytest.mark.parametrize(("part", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_is_refused(part: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        share(part, n)


def test_of_no_samples_there_is_no_quantile() -> None:
    with pytest.raises(ValueError, match="no quantile"):
        quantile([], 0.95)
