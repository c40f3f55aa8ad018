"""What cannot be proven is said to be so, and nothing else is claimed."""

from collections.abc import Callable

import pytest

from runbook_engine.conditions import parse
from runbook_engine.conditions.regions import Analysis, analyse
from runbook_engine.quantity import Dimension, MetricType

Analyse = Callable[..., Analysis]

REASONS = [
    (
        [r'body matches "^\d{4}$"', r'not body matches "^\d{3}"'],
        r'body matches "^\d{4}$" searches a text, so it cannot be proven that the branches cover every value: add an else',
    ),
    (
        ["load * load >= 0"],
        "load * load is more than is reasoned with, so it cannot be proven that the branches cover every value: "
        "add an else",
    ),
    (
        ["failed + active >= 0"],
        "active + failed calculates with several values, so it cannot be proven that the branches cover every value: "
        "add an else",
    ),
    (
        ["unheard_of > 1", "unheard_of <= 1"],
        "the type of unheard_of is not known, so it cannot be proven that the branches cover every value: add an else",
    ),
]


@pytest.mark.parametrize(("conditions", "told"), REASONS, ids=lambda value: str(value[0]))
def test_what_cannot_be_proven_is_told_with_its_reason(conditions: list[str], told: str, analysed: Analyse) -> None:
    analysis = analysed(*conditions)
    assert analysis.unprovable == told
    assert analysis.gap is None
    assert [facts.shadowed_by for facts in analysis.branches] == [()] * len(conditions)


def test_too_many_combinations_are_given_up_with_the_names() -> None:
    known = MetricType(Dimension.NUMBER, lower=0)
    conditions = [parse(f"m{one} > m{other}") for one in range(16) for other in range(one)]
    analysis = analyse(conditions, lambda _name: known)
    assert analysis.unprovable == (
        "m1, m0, m2, m3, m4, m5, … have too many combinations that the conditions tell apart, "
        "so it cannot be proven that the branches cover every value: add an else"
    )
    assert analysis.gap is None
    assert len(analysis.branches) == len(conditions)
    assert not any(facts.always or facts.never or facts.shadowed_by or facts.overlaps for facts in analysis.branches)
    assert analysis.branches[0].witness is None
    assert analysis.missing == ()
    assert analysis.undecided is None


def test_what_is_proven_in_spite_of_a_search_is_proven(analysed: Analyse) -> None:
    analysis = analysed('body contains "a" and ready', 'not body contains "a"', "not ready")
    assert analysis.gap is None
    assert analysis.unprovable == ""


def test_many_metrics_are_no_matter_where_few_combinations_differ() -> None:
    known = MetricType(Dimension.NUMBER, lower=0, integer=True)
    conditions = [parse(f"m{index} > 5") for index in range(60)]
    last = parse(" and ".join(f"m{index} <= 5" for index in range(60)))
    assert analyse([*conditions, last], lambda _name: known).gap is None
    gap = analyse(conditions, lambda _name: known).gap
    assert gap is not None
    assert set(gap.values()) == {2}


def test_a_condition_that_mixes_its_types_is_not_reasoned_with(analysed: Analyse) -> None:
    for condition in ('p95 > "a"', "p95 > true", "body > 1", "ready + 1 > 2", 'not "a"', "p95", "p95 in [1s, true]"):
        analysis = analysed(condition)
        assert len(analysis.branches) == 1
        assert not analysis.branches[0].always
