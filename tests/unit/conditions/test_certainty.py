"""Conditions over values that were sampled."""

import math
from collections.abc import Callable, Mapping

import pytest

from runbook_engine.conditions import Name, compile, evidence, explain, parse  # noqa: A004 - as in re.compile
from runbook_engine.quantity import Dimension, MetricType, Value
from runbook_engine.sampled import RISK, Sample, Sampled, share

TYPES = {
    "rate": MetricType(Dimension.PERCENT, 0, 100, sampled=True),
    "other": MetricType(Dimension.PERCENT, 0, 100),
    "p95": MetricType(Dimension.DURATION, 0, sampled=True),
    "inputs.limit": MetricType(Dimension.PERCENT, 0, 100),
}
FOUR_OF_HUNDRED = share(4, 100)  # 1.4 % to 8.9 %
VALUES: Mapping[str, Value | None] = {
    "rate": FOUR_OF_HUNDRED,
    "other": 5.0,
    "p95": Sampled(0.9, Sample(20, 0.7, None, 0.95)),
    "inputs.limit": 5.0,
    "gone": None,
}


def look_up(name: Name) -> Value | None:
    return VALUES.get(str(name))


def types(name: Name) -> MetricType | None:
    return TYPES.get(str(name))


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("rate > 1%", True),
        ("rate > 5%", None),
        ("rate > 9%", False),
        ("rate >= 9%", False),
        ("rate < 9%", True),
        ("rate <= 5%", None),
        ("rate < 1%", False),
        ("9% > rate", True),
        ("5% > rate", None),
        ("rate == 4%", None),
        ("rate == 20%", False),
        ("rate != 20%", True),
        ("rate in [4%, 20%]", None),
        ("rate in [20%, 30%]", False),
        ("rate not in [20%]", True),
        ("rate > other", None),
        ("rate > inputs.limit", None),
        ("p95 > 500ms", True),
        ("p95 > 1s", None),
        ("p95 < 10s", None),
        ("rate > 5% and p95 > 10s", None),
        ("rate > 9% and p95 > 1s", False),
        ("rate > 1% or p95 > 1s", True),
        ("not rate > 5%", None),
        ("not rate > 9%", True),
        ("rate * 2 > 1%", True),
        ("rate * 2 > 5%", None),
        ("rate - 20% < 0%", True),
        ("-rate < 0%", True),
        ("10% / rate > 1", True),
        ("10% / (rate - 4%) > 1", None),
        ("rate is missing", False),
        ("rate is not missing", True),
    ],
)
def test_a_comparison_is_decided_by_the_bounds(text: str, truth: bool | None) -> None:
    assert compile(parse(text)).evaluate(look_up).value is truth


def test_it_is_told_which_comparisons_the_bounds_leave_open_and_which_values_are_missing() -> None:
    both = compile(parse("rate > 5% or gone > 1")).evaluate(look_up)
    assert [str(each) for each in both.missing] == ["gone"]
    assert both.uncertain == (parse("rate > 5%"),)
    assert compile(parse("10% / (rate - 4%) > 1")).evaluate(look_up).uncertain == (parse("rate - 4%"),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rate > 1%", "rate 4 % (1.38 % to 8.92 %, n = 100) > 1 %"),
        ("rate > 20%", "rate 4 % (1.38 % to 8.92 %, n = 100) ≤ 20 %"),
        ("rate > 5%", "rate 4 % (1.38 % to 8.92 %, n = 100) is not told apart from 5 %"),
        ("5% < rate", "rate 4 % (1.38 % to 8.92 %, n = 100) is not told apart from 5 %"),
        ("rate > inputs.limit", "rate 4 % (1.38 % to 8.92 %, n = 100) is not told apart from limit 5 %"),
        ("p95 > 1s", "p95 900 ms (at least 700 ms, n = 20) is not told apart from 1 s"),
        ("rate in [4%]", "rate 4 % (1.38 % to 8.92 %, n = 100) is not told apart from [4 %]"),
    ],
)
def test_the_explanation_has_the_bounds(text: str, told: str) -> None:
    assert explain(parse(text), look_up, types) == told


def test_nothing_counted_is_told_as_up_to_what_it_may_be() -> None:
    assert explain(parse("rate < 50%"), lambda _: share(0, 20), types) == "rate 0 % (up to 13.9 %, n = 20) < 50 %"


def test_evidence_is_a_plain_number_shown_with_its_bounds() -> None:
    (found,) = evidence(parse("rate > 1%"), look_up, types)
    assert (type(found.value), found.value, found.shown) == (float, 4.0, "4 % (1.38 % to 8.92 %, n = 100)")


@pytest.mark.parametrize("true", [0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 50.0])
@pytest.mark.parametrize("n", [20, 100, 300])
@pytest.mark.parametrize("threshold", [1.0, 5.0])
def test_a_condition_is_wrong_at_most_as_often_as_its_bounds(true: float, n: int, threshold: float) -> None:
    """Over every sample that there can be, weighed with its chance."""
    condition = compile(parse(f"rate > {threshold:g}%"))
    wrong = {True: 0.0, False: 0.0}
    for part in range(n + 1):
        chance = math.comb(n, part) * (true / 100) ** part * (1 - true / 100) ** (n - part)
        value = condition.evaluate(sampled(part, n)).value
        if value is not None and value != (true > threshold):
            wrong[value] += chance
    assert max(wrong.values()) <= RISK + 1e-9


def sampled(part: int, n: int) -> Callable[[Name], Value | None]:
    return lambda _name: share(part, n)
