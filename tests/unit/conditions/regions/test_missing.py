"""What is missing, or has no result: not a gap, but a step that is undecided."""

from collections.abc import Callable

import pytest

from runbook_engine.conditions.regions import Analysis, Witness

Analyse = Callable[..., Analysis]
Show = Callable[[Witness | None], str]

MISSED = [
    (["hit_rate < 80%", "hit_rate >= 80%"], ["hit_rate"]),
    (["hit_rate is missing", "hit_rate < 80%", "hit_rate >= 80%"], []),
    (["hit_rate is not missing and hit_rate < 80%", "ready", "not ready"], []),
    (["ready", "hit_rate < 80%", "not ready"], ["hit_rate"]),
    (["ready", "not ready", "hit_rate < 80%"], []),
    (["p95 > 1s", "p95 <= 1s"], []),
    (["trusted and requests > 0", "not trusted"], ["trusted", "requests"]),
    (["requests > 0 or ready", "not ready"], ["requests"]),
    (["failed / requests > 0.1", "failed / requests <= 0.1"], ["requests"]),
    (["title contains 'x'", "title is missing"], ["title"]),
]


@pytest.mark.parametrize(("conditions", "told"), MISSED, ids=" | ".join)
def test_optional_metrics_that_a_decision_needs_are_told(
    conditions: list[str], told: list[str], analysed: Analyse
) -> None:
    assert [str(name) for name in analysed(*conditions).missing] == told


UNDECIDED = [
    (["10 / load > 3", "10 / load <= 3"], "load = 0"),
    (["failed / requests > 0.1", "failed / requests <= 0.1"], "failed = 1, requests = 0"),
    (["requests is missing or requests == 0", "failed / requests > 0.1", "failed / requests <= 0.1"], ""),
    (["hit_rate < 80%", "hit_rate >= 80%"], ""),
]


@pytest.mark.parametrize(("conditions", "told"), UNDECIDED, ids=str)
def test_values_with_which_a_calculation_has_no_result_are_told(
    conditions: list[str], told: str, analysed: Analyse, shown: Show
) -> None:
    assert shown(analysed(*conditions).undecided) == told


def test_a_missing_metric_is_no_gap_where_nobody_asks_for_it(analysed: Analyse) -> None:
    analysis = analysed("hit_rate < 80%", "hit_rate >= 80%")
    assert analysis.gap is None
    assert analysis.unprovable == ""


def test_a_gap_is_rather_shown_with_nothing_missing(analysed: Analyse, shown: Show) -> None:
    assert shown(analysed("hit_rate is missing and ready").gap) == "hit_rate = 50 %, ready = no"
