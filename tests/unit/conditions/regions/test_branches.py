"""What is known of each branch: whether it can win, what takes its place, and values at which it does."""

from collections.abc import Callable

import pytest

from runbook_engine.conditions import Name, compile, names, parse  # noqa: A004 - as in re.compile
from runbook_engine.conditions.regions import Analysis, Witness, analyse
from runbook_engine.quantity import MetricType

Analyse = Callable[..., Analysis]
Show = Callable[[Witness | None], str]
Types = Callable[[Name], MetricType | None]

CONSTANT = [
    ("error_rate > 120%", "never"),
    ("error_rate <= 120%", "always"),
    ("active >= 0", "always"),
    ("active == 2.5", "never"),
    ("p95 < 0s", "never"),
    ('state == "gone"', "never"),
    ('state contains "w" or state == "idle"', "varies"),
    ('state contains "i"', "always"),
    ('state matches "^[iaw]"', "always"),
    ("ready or not ready", "always"),
    ("ready and not ready", "never"),
    ("p95 > 1s and p95 < 500ms", "never"),
    ("p95 >= p95", "always"),
    ("p95 < p95", "never"),
    ("p95 > inputs.slow and p95 < inputs.slow", "never"),
    ("p95 > p99 and p99 > inputs.slow and inputs.slow > p95", "never"),
    ("active is missing", "never"),
    ("hit_rate is missing", "varies"),
    ("p95 is missing", "varies"),
    ("database.used is missing", "varies"),
    ("used < 0.8 * limit and used > limit", "never"),
    ("0.8 * limit == limit and limit > 0B", "varies"),  # the smallest float is
    ("used + 1B < used", "never"),
    ("requests is missing and failed / requests > 0.1", "never"),
    (
        "active > 0 and active < 3 and failed > 0 and failed < 3 and inputs.most > 0 and inputs.most < 3 "
        "and active > failed and failed > inputs.most",
        "never",
    ),
    ("2 > 1", "always"),
    ("load / 0 > 1", "never"),
    ("p95 > inputs.slow", "varies"),
]


@pytest.mark.parametrize(("condition", "told"), CONSTANT)
def test_a_condition_that_always_comes_out_the_same_is_known(condition: str, told: str, analysed: Analyse) -> None:
    (facts,) = analysed(condition).branches
    assert ("always" if facts.always else "never" if facts.never else "varies") == told


SHADOWED = [
    (["p95 > 1s", "p95 > 2s"], (0,)),
    (["p95 > 500ms", "p95 > 2s", "p95 > 1s"], (0,)),
    (["p95 < 1s", "p95 < 2s", "p95 < 1500ms"], (1,)),
    (["p95 > 1s", "p95 <= 1s", "error_rate > 5%"], (0, 1)),
    (["p95 > 2s", "p95 > 1s and p95 < 3s", "p95 > 1500ms"], (0, 1)),
    (["active == 1", "active == 3", "active == 2", "active > 0 and active < 4"], (0, 1, 2)),
    (["active == 1", "active in [1, 2]", "active in [2, 3]", "active > 0 and active < 4"], (1, 2)),
    (['state == "idle"', 'state == "waiting"', 'state != "active"'], (0, 1)),
    (["ready", "healthy", "ready and healthy"], (0,)),
    (["p95 > inputs.slow", "p95 > inputs.slow and error_rate > 5%"], (0,)),
    (["p95 > inputs.slow or p95 > inputs.very_slow", "p95 > inputs.very_slow"], (0,)),
    (["used > 0.8 * limit", "used > limit"], (0,)),
    (["used > 0.8 * limit", "used > 0.9 * limit"], (0,)),
    (["used > limit - 5B", "used > limit"], (0,)),
    (["failed / requests > 0.1", "failed / requests > 0.2"], (0,)),
    (["failed + active > 10", "active + failed > 20"], (0,)),
    (['body contains "x"', 'body contains "x" and ready'], (0,)),
    (["p95 > p99", "p99 > inputs.slow", "p95 > inputs.slow"], (0, 1)),
]


@pytest.mark.parametrize(("conditions", "told"), SHADOWED, ids=str)
def test_a_branch_to_which_earlier_ones_leave_nothing_is_shadowed_by_them(
    conditions: list[str], told: tuple[int, ...], analysed: Analyse
) -> None:
    analysis = analysed(*conditions)
    assert analysis.branches[-1].shadowed_by == told
    assert analysis.branches[-1].undecided_by == ()
    assert analysis.branches[-1].witness is None
    assert [facts.shadowed_by for facts in analysis.branches[:-1]] == [()] * (len(conditions) - 1) or len(told) == 1


NOT_SHADOWED = [
    ["p95 > 2s", "p95 > 1s"],
    ["p95 > inputs.slow", "p95 > inputs.very_slow"],
    ["used > 0.9 * limit", "used > 0.8 * limit"],
    ["load > 0.8 * load + 1"],
    ["failed / requests > 0.2", "failed / requests > 0.1"],
    ['body contains "x"', 'body contains "y"'],
    ["hit_rate is missing", "hit_rate < 80%"],
    ["small > 2", "small == 2"],
    ["requests > 0", "requests is missing or requests == 0"],
]


@pytest.mark.parametrize("conditions", NOT_SHADOWED, ids=" | ".join)
def test_each_branch_that_can_win_has_values_at_which_exactly_it_does(conditions: list[str], types: Types) -> None:
    parsed = [parse(each) for each in conditions]
    for index, facts in enumerate(analyse(parsed, types).branches):
        assert facts.shadowed_by == ()
        assert facts.witness is not None
        truths = [compile(each).evaluate(facts.witness.get).value for each in parsed]
        assert truths[: index + 1] == [*[False] * index, True]
        assert set(facts.witness) == {name for each in parsed for name in names(each)}


def test_a_branch_behind_one_that_is_undecided_where_it_would_hold_cannot_win(analysed: Analyse) -> None:
    facts = analysed("hit_rate < 80%", "hit_rate is missing").branches[1]
    assert facts.shadowed_by == (0,)
    assert facts.undecided_by == (0,)
    assert facts.witness is None
    assert not facts.never


def test_a_branch_may_be_hidden_by_one_that_holds_and_one_that_is_undecided(analysed: Analyse) -> None:
    facts = analysed("p95 > 1s", "hit_rate < 80%", "p95 > 2s or hit_rate is missing").branches[2]
    assert facts.shadowed_by == (0, 1)
    assert facts.undecided_by == (1,)


def test_where_the_order_matters_values_are_given_for_which_both_hold(analysed: Analyse, shown: Show) -> None:
    first, second, third = analysed("p95 > 2s", "error_rate > 5%", "p95 <= 2s").branches
    assert first.overlaps == ()
    assert [(each.earlier, shown(each.witness)) for each in second.overlaps] == [(0, "p95 = 4 s, error_rate = 50 %")]
    assert [(each.earlier, shown(each.witness)) for each in third.overlaps] == [(1, "p95 = 1 s, error_rate = 50 %")]


def test_branches_that_never_hold_together_do_not_overlap(analysed: Analyse) -> None:
    analysis = analysed("p95 > inputs.slow", "p95 == inputs.slow", "p95 < inputs.slow")
    assert [facts.overlaps for facts in analysis.branches] == [(), (), ()]


def test_only_earlier_branches_that_win_where_a_branch_holds_overlap_with_it(analysed: Analyse) -> None:
    facts = analysed("p95 > 1s", "p95 > 2s", "p95 > 500ms").branches[2]
    assert [each.earlier for each in facts.overlaps] == [0]


def test_of_many_overlaps_some_are_told(analysed: Analyse) -> None:
    facts = analysed(*(f"active == {value}" for value in range(30)), "active >= 0").branches[30]
    assert len(facts.overlaps) == 8
    assert facts.shadowed_by == ()


def test_no_branch_holds_for_everything_without_conditions(analysed: Analyse, shown: Show) -> None:
    analysis = analysed()
    assert analysis.branches == ()
    assert shown(analysis.gap) == "any value"
