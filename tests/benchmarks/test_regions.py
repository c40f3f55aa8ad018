"""How fast it is proven that branches cover every value. None of the figures is ever asserted."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from runbook_engine.conditions import Expression, Name, parse
from runbook_engine.conditions.regions import analyse
from runbook_engine.quantity import Dimension, MetricType

TYPES = {
    "p95": MetricType(Dimension.DURATION, lower=0),
    "error_rate": MetricType(Dimension.PERCENT, lower=0, upper=100),
    "active": MetricType(Dimension.NUMBER, lower=0, integer=True),
    "state": MetricType(Dimension.TEXT, members=("idle", "active", "waiting")),
    **{f"inputs.limit_{index}": MetricType(Dimension.DURATION, lower=0) for index in range(10)},
}


def types(name: Name) -> MetricType | None:
    return TYPES.get(str(name))


def parsed(*texts: str) -> list[Expression]:
    return [parse(text) for text in texts]


@pytest.mark.parametrize("size", [1_000, 3_000, 10_000])
def test_falling_thresholds_of_one_metric(benchmark: BenchmarkFixture, size: int) -> None:
    branches = parsed(*(f"p95 > {size - index}ms" for index in range(size)))
    analysis = benchmark(lambda: analyse(branches, types))
    assert analysis.gap is not None


@pytest.mark.parametrize("size", [1_000, 3_000, 10_000])
def test_ranges_of_one_metric_side_by_side(benchmark: BenchmarkFixture, size: int) -> None:
    branches = parsed(*(f"p95 >= {index}ms and p95 < {index + 1}ms" for index in range(size)), f"p95 >= {size}ms")
    analysis = benchmark(lambda: analyse(branches, types))
    assert analysis.gap is None
    assert analysis.unprovable == ""


@pytest.mark.parametrize("size", [1_000, 3_000])
def test_branches_in_the_shadow_of_others(benchmark: BenchmarkFixture, size: int) -> None:
    branches = parsed(
        *(f"active == {index}" for index in range(size // 2)),
        *(f"active < {size // 2 - index}" for index in range(size // 2)),
        "active >= 0",
    )
    analysis = benchmark(lambda: analyse(branches, types))
    assert analysis.gap is None
    assert analysis.branches[-2].shadowed_by == (0,)


def test_ten_branches_over_four_metrics(benchmark: BenchmarkFixture) -> None:
    branches = parsed(
        "p95 > 2s and error_rate > 10%",
        "p95 > 2s and active > 100",
        'p95 > 1s and state == "waiting"',
        "error_rate > 20% or active > 500",
        "p95 > 1s and error_rate > 5% and active > 50",
        'state == "active" and active > 80',
        "p95 <= 500ms and error_rate < 1%",
        "p95 > 500ms and p95 <= 1s",
        'state in ["idle", "active"] and error_rate >= 1%',
        "active <= 500",
    )
    analysis = benchmark(lambda: analyse(branches, types))
    assert analysis.gap is None
    assert analysis.unprovable == ""


def test_ten_inputs_against_one_metric(benchmark: BenchmarkFixture) -> None:
    names = [f"inputs.limit_{index}" for index in range(10)]
    branches = parsed(*(f"p95 > {name}" for name in names), f"p95 <= {names[0]}")
    analysis = benchmark(lambda: analyse(branches, types))
    assert analysis.gap is None
    assert analysis.unprovable == ""


def test_every_witness_of_a_thousand_branches(benchmark: BenchmarkFixture) -> None:
    branches = parsed(*(f"p95 > {1_000 - index}ms" for index in range(1_000)))
    found = benchmark(lambda: [facts.witness for facts in analyse(branches, types).branches])
    assert None not in found
