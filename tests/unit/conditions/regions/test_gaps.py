"""Which values no branch covers, and why it can sometimes not be told."""

from collections.abc import Callable

import pytest

from runbook_engine.conditions.regions import Analysis, Witness

Analyse = Callable[..., Analysis]
Show = Callable[[Witness | None], str]

GAPS = [
    # One metric.
    (["p95 > 1000ms", "p95 < 1000ms"], "p95 = 1 s"),
    (["error_rate > 5%", "error_rate < 5%"], "error_rate = 5 %"),
    (["active > 10", "active < 10"], "active = 10"),
    (["active > 2.5", "active < 2"], "active = 2"),
    (["p95 != 1s"], "p95 = 1 s"),
    (["p95 in [1s, 2s]", "p95 < 1s", "p95 > 2s"], "p95 = 1.5 s"),
    (["error_rate > 0%"], "error_rate = 0 %"),
    (["error_rate < 100%"], "error_rate = 100 %"),
    (["not p95 > 1s and p95 < 500ms", "p95 >= 1s"], "p95 = 800 ms"),
    (["small == 0", "small in [1, 2]"], "small = 3"),
    # Texts, true and false.
    (['state == "idle"', 'state in ["active"]'], 'state = "waiting"'),
    (['state != "idle"'], 'state = "idle"'),
    (['body == "a"', 'body == "other"'], 'body = "another"'),
    (["ready"], "ready = no"),
    (["ready == true", "ready and healthy"], "ready = no, healthy = no"),
    # Missing, where the author asks for it.
    (
        ["hit_rate is not missing and hit_rate < 80%", "hit_rate is not missing and hit_rate >= 80%"],
        "hit_rate is missing",
    ),
    (["hit_rate is not missing and hit_rate < 80%", "hit_rate is missing"], "hit_rate = 90 %"),
    # Several metrics.
    (["p95 > 1s and error_rate > 5%", "p95 <= 1s"], "p95 = 2 s, error_rate = 2 %"),
    (["p95 > 1s or error_rate > 5%", "p95 < 1s and error_rate <= 5%"], "p95 = 1 s, error_rate = 2 %"),
    # Values that are not known.
    (["p95 > inputs.slow", "p95 < inputs.slow"], "p95 = 1 s, inputs.slow = 1 s"),
    (["p95 > inputs.slow", "p95 <= inputs.very_slow"], "p95 = 1 s, inputs.slow = 1 s, inputs.very_slow = 500 ms"),
    (["small > tiny", "small < tiny", "small == 0"], "small = 1, tiny = 1"),
    (['inputs.wanted == "a"', "state == inputs.wanted"], 'inputs.wanted = "idle", state = "active"'),
    (["body == inputs.wanted", 'body != "a"'], 'body = "a", inputs.wanted = "other"'),
    (["used > 0.8 * limit", "used < 0.8 * limit"], "used = 0.8 B, limit = 1 B"),
    # Calculations, as floats come out.
    (["0.1 * p95 > 0.3s", "0.1 * p95 < 0.3s"], "p95 = 2.9999999999999996 s"),
    (["failed / requests > 0.1", "failed / requests < 0.1"], "failed = 1, requests = 10"),
    (['body contains "error"', 'body matches "^time"'], 'body = "other"'),
]

COVERED = [
    ["p95 > 1s", "p95 <= 1s"],
    ["p95 > 1s", "not p95 > 1s"],
    ["active > 10", "active < 11"],
    ["active > 10.5", "active < 10.2"],
    ["error_rate >= 0%"],
    ["error_rate <= 100%"],
    ["small == 0", "small in [1, 2]", "small > 2"],
    ['state == "idle"', 'state in ["active", "waiting"]'],
    ['state != "idle"', 'state != "active"'],
    ['body == "a"', 'body not in ["a"]'],
    ["ready", "not ready"],
    ["ready and healthy", "not ready", "not healthy"],
    ["p95 > inputs.very_slow", "p95 > inputs.slow", "p95 <= inputs.slow"],
    ["p95 > p99", "p95 == p99", "p99 > p95"],
    ["p95 >= p95"],
    ["p95 > inputs.slow and inputs.slow > inputs.very_slow", "p95 <= inputs.slow", "inputs.very_slow >= inputs.slow"],
    ["p95 < inputs.slow", "inputs.slow < inputs.very_slow", "inputs.very_slow <= p95"],
    ["used >= 0.8 * limit", "used < 0.8 * limit"],
    ["used > limit", "used <= limit"],
    ["requests is missing", "failed / requests * 100% > inputs.errors", "failed / requests * 100% <= inputs.errors"],
    ['body contains "error"', 'not body contains "error"'],
    ['state contains "i"', 'state matches "^.{6}$"'],
    ["hit_rate is missing", "hit_rate < 80%", "hit_rate >= 80%"],
    ["hit_rate < 80%", "hit_rate >= 80%"],
    ["10 / load > 3", "10 / load <= 3"],
    ["database.used > inputs.most", "database.used <= inputs.most"],
    ["tiny * 2 > 1", "tiny == 0"],
    ["-p95 < -1s", "p95 <= 1s"],
]


@pytest.mark.parametrize(("conditions", "told"), GAPS, ids=lambda value: value if isinstance(value, str) else None)
def test_a_gap_is_told_by_values_that_fall_through(
    conditions: list[str], told: str, analysed: Analyse, shown: Show
) -> None:
    analysis = analysed(*conditions)
    assert shown(analysis.gap) == told
    assert analysis.unprovable == ""
    assert analysis.else_witness == analysis.gap


@pytest.mark.parametrize("conditions", COVERED, ids=" | ".join)
def test_branches_that_cover_every_value_are_proven_to(conditions: list[str], analysed: Analyse) -> None:
    analysis = analysed(*conditions)
    assert analysis.gap is None
    assert analysis.unprovable == ""
