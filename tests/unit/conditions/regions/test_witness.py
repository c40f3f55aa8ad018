"""Values as an author reads them, exactly."""

from collections.abc import Callable, Mapping

import pytest

from runbook_engine.conditions import Name, parse
from runbook_engine.conditions.regions import Analysis, Witness
from runbook_engine.quantity import MetricType, Value

Analyse = Callable[..., Analysis]
Types = Callable[[Name], MetricType | None]


def named(values: Mapping[str, Value | None]) -> Witness:
    found: dict[Name, Value | None] = {}
    for text, value in values.items():
        name = parse(text)
        assert isinstance(name, Name)
        found[name] = value
    return Witness(found)


SHOWN: list[tuple[str, Value | None, str]] = [
    ("p95", 1.0, "p95 = 1 s"),
    ("p95", 0.34, "p95 = 340 ms"),
    ("p95", 1.0000000001, "p95 = 1.0000000001 s"),
    ("p95", 5e-06, "p95 = 5 µs"),
    ("error_rate", 5.0, "error_rate = 5 %"),
    ("error_rate", 12.3456, "error_rate = 12.3456 %"),
    ("used", 2**30, "used = 1 GiB"),
    ("used", 1234567, "used = 1234567 B"),
    ("active", 12345, "active = 12345"),
    ("state", "idle", 'state = "idle"'),
    ("body", "", 'body = ""'),
    ("ready", False, "ready = no"),
    ("hit_rate", None, "hit_rate is missing"),
    ("inputs.slow", 0.5, "inputs.slow = 500 ms"),
    ("nobody", 3, "nobody = 3"),
]


@pytest.mark.parametrize(("name", "value", "told"), SHOWN)
def test_a_value_is_shown_as_a_literal_that_means_exactly_it(
    name: str, value: Value | None, told: str, types: Types
) -> None:
    assert named({name: value}).shown(types) == told


def test_several_values_are_told_in_the_order_of_the_conditions(types: Types) -> None:
    witness = named({"p95": 1.0, "error_rate": 5.0, "hit_rate": None})
    assert witness.shown(types) == "p95 = 1 s, error_rate = 5 %, hit_rate is missing"
    (name, *_) = witness
    assert witness.shown(types, only=[name]) == "p95 = 1 s"


def test_a_witness_is_a_mapping_that_can_be_compared_and_kept() -> None:
    witness = named({"p95": 1.0, "state": "idle"})
    assert witness == named({"state": "idle", "p95": 1.0})
    assert hash(witness) == hash(named({"state": "idle", "p95": 1.0}))
    assert len(witness) == 2
    assert repr(witness) == "Witness({'p95': 1.0, 'state': 'idle'})"
    assert [witness.look_up(name) for name in witness] == [1.0, "idle"]
    assert witness.look_up(Name("other", "p95")) is None


GAP_NAMES = [
    (["p95 > 1s", "p95 < 1s", "ready and p95 > 5s"], ["p95"]),
    (["ready and p95 > 1s", "not ready and p95 <= 1s"], ["ready", "p95"]),
    (
        ["p95 > inputs.slow", "p95 < inputs.slow", "ready and p95 > inputs.very_slow and p95 < 0s"],
        ["p95", "inputs.slow"],
    ),
    (["failed / requests > 0.1 and ready", "failed / requests < 0.1"], ["failed", "requests"]),
    (["hit_rate is missing and ready"], ["hit_rate"]),
    (["ready", "not ready and hit_rate > 200%"], ["ready"]),
    (['body contains "x" and ready'], ["body"]),
    (["p95 > 1s", "p95 <= 1s"], []),
]


@pytest.mark.parametrize(("conditions", "told"), GAP_NAMES, ids=str)
def test_a_gap_is_told_by_the_names_that_make_it_one(conditions: list[str], told: list[str], analysed: Analyse) -> None:
    assert [str(name) for name in analysed(*conditions).gap_names] == told
