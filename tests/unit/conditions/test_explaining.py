"""Conditions as people read them afterwards."""

import math
from collections.abc import Callable, Mapping

import pytest

from runbook_engine.conditions import Measured, Name, evidence, explain, parse
from runbook_engine.conditions.patterns import MOST_SUBJECT
from runbook_engine.quantity import Dimension, MetricType, Value

Types = Callable[[Name], MetricType | None]

VALUES: Mapping[str, Value | None] = {
    "p95": 1.24,
    "error_rate": 3.0,
    "active": 5,
    "load": 0,
    "used": 90 * 2**20,
    "limit": 128 * 2**20,
    "requests": 12.5,
    "state": "idle",
    "body": 'connection "a"\nrefused',
    "ready": True,
    "database.used": 7,
    "inputs.slow": 0.5,
    "inputs.very_slow": 1.0,
    "inputs.most": None,
    "inputs.wanted": "active",
}


def told(text: str, types: Types, **values: Value | None) -> str:
    world = {**VALUES, **values}
    return explain(parse(text), lambda name: world.get(str(name)), types)


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        # As it came out.
        ("p95 > 1s", "p95 1.24 s > 1 s"),
        ("p95 > 2s", "p95 1.24 s ≤ 2 s"),
        ("p95 >= 2s", "p95 1.24 s < 2 s"),
        ("p95 < 2s", "p95 1.24 s < 2 s"),
        ("p95 < 1s", "p95 1.24 s ≥ 1 s"),
        ("p95 <= 1s", "p95 1.24 s > 1 s"),
        ("p95 >= 1s", "p95 1.24 s ≥ 1 s"),
        ("p95 <= 2s", "p95 1.24 s ≤ 2 s"),
        ("active == 5", "active = 5"),
        ("active != 5", "active = 5"),
        ("active == 6", "active 5 ≠ 6"),
        ("active != 6", "active 5 ≠ 6"),
        ("1s < p95", "p95 1.24 s > 1 s"),
        # Thresholds that are inputs, metrics of other steps.
        ("p95 > inputs.very_slow", "p95 1.24 s > very_slow 1 s"),
        ("database.used > 3", "database.used 7 > 3"),
        ("requests > 10/s", "requests 12.5/s > 10/s"),
        ("error_rate > 500%", "error_rate 3 % ≤ 500 %"),
        # Parts that decided.
        ("p95 > 1s and active > 3", "p95 1.24 s > 1 s and active 5 > 3"),
        ("p95 > 1s and active > 9", "active 5 ≤ 9"),
        ("p95 > 2s and active > 9", "p95 1.24 s ≤ 2 s and active 5 ≤ 9"),
        ("p95 > 1s or active > 9", "p95 1.24 s > 1 s"),
        ("p95 > 2s or active > 9", "p95 1.24 s ≤ 2 s and active 5 ≤ 9"),
        ("not (p95 > 1s or active > 9)", "p95 1.24 s > 1 s"),
        ("not p95 > 2s", "p95 1.24 s ≤ 2 s"),
        ("p95 > 1s or p95 > 1s", "p95 1.24 s > 1 s"),
        ("inputs.most > 3 or active > 3", "active 5 > 3"),
        # Missing.
        ("inputs.most is missing", "most is missing"),
        ("inputs.most is not missing", "most is missing"),
        ("p95 is missing", "p95 is not missing"),
        ("p95 is not missing", "p95 is not missing"),
        ("p95 is not missing and p95 > 1s", "p95 1.24 s > 1 s"),
        ("p95 is not missing and active > 3", "p95 is not missing and active 5 > 3"),
        ("active > inputs.most", "most is missing"),
        ("active > 3 and active > inputs.most", "most is missing"),
        ("active / load > 1", "load is 0"),
        ("active / (load * 2) > 1", "load * 2 is 0"),
        # Calculations.
        ("used / limit > 0.5", "used 90 MiB / limit 128 MiB = 0.703 > 0.5"),
        ("used > 0.8 * limit", "used 90 MiB ≤ 0.8 × limit 128 MiB = 102 MiB"),
        ("(active + 1) * 2 > 3", "(active 5 + 1) × 2 = 12 > 3"),
        ("active - (1 - load) > 3", "active 5 - (1 - load 0) = 4 > 3"),
        ("-(active + 1) < 3", "-(active 5 + 1) = -6 < 3"),
        ("2 * 600ms < p95", "p95 1.24 s > 2 × 600 ms = 1.2 s"),
        # Texts, lists, booleans.
        ('state == "idle"', 'state = "idle"'),
        ('state == "active"', 'state "idle" ≠ "active"'),
        ("state == inputs.wanted", 'state "idle" ≠ wanted "active"'),
        ("state in ['idle', 'active']", 'state "idle" in ["idle", "active"]'),
        ("state not in ['idle', 'active']", 'state "idle" in ["idle", "active"]'),
        ("p95 in [1s, inputs.slow]", "p95 1.24 s not in [1 s, slow 500 ms]"),
        ("state matches '^i'", 'state "idle" matches "^i"'),
        ("state matches '^x'", 'state "idle" does not match "^x"'),
        ("state contains 'dl'", 'state "idle" contains "dl"'),
        ("state contains 'x'", 'state "idle" does not contain "x"'),
        ("body contains 'x'", 'body \'connection "a" refused\' does not contain "x"'),
        ("ready", "ready is yes"),
        ("not ready", "ready is yes"),
        ("ready == false", "ready is yes"),
        ("ready != false", "ready is yes"),
    ],
)
def test_a_condition_is_told_as_it_came_out(text: str, explanation: str, types: Types) -> None:
    assert told(text, types) == explanation


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_what_is_missing_is_told_and_nothing_else(nothing: float | None, types: Types) -> None:
    assert told("p95 > 1s", types, p95=nothing) == "p95 is missing"
    assert told("p95 > 1s or p95 > 2s or active > 9", types, p95=nothing) == "p95 is missing"


@pytest.mark.parametrize(
    ("text", "value", "explanation"),
    [
        ("p95 > 1s", 1.0004, "p95 1.0004 s > 1 s"),
        ("p95 > 1s", 0.9996, "p95 999.6 ms ≤ 1 s"),
        ("p95 < 1.0004s", 1.0, "p95 1 s < 1.0004 s"),
        ("p95 > 1s", math.nextafter(1.0, 2.0), "p95 1.0000000000000002 s > 1 s"),
        ("p95 > 1000.4s", 1000.6, "p95 16.68 min > 16.67 min"),
        ("error_rate > 5%", 5.0001, "error_rate 5.0001 % > 5 %"),
        ("load > 1000", 1000.4, "load 1000.4 > 1000"),
        ("load > 1e-30", 1.0000001e-30, "load 1.0000001e-30 > 1e-30"),
        ("load != 9007199254740992", 9007199254740993, "load 9007199254740993 ≠ 9007199254740992"),
        ("used > 1GiB", 2**30 + 1, "used 1.000000001 GiB > 1 GiB"),
        ("p95 <= 1s", 1.0, "p95 1 s ≤ 1 s"),
    ],
)
def test_digits_are_added_until_two_values_differ(text: str, value: float, explanation: str, types: Types) -> None:
    assert told(text, types, p95=value, error_rate=value, load=value, used=value) == explanation


@pytest.mark.parametrize(
    ("value", "explanation"),
    [
        (math.inf, "load infinite > 5"),
        (-math.inf, "load minus infinite ≤ 5"),
        (10**400, "load 1.00e+400 > 5"),
        (1e305, "load 1.00e+305 > 5"),
    ],
)
def test_endless_numbers_are_told_too(value: float, explanation: str, types: Types) -> None:
    assert told("load > 5", types, load=value) == explanation


def test_a_calculation_without_a_result_is_told(types: Types) -> None:
    assert told("load - load > 5", types, load=math.inf) == "load - load has no value"


def test_a_long_text_is_shortened_and_stays_on_its_line(types: Types) -> None:
    explanation = told("body contains 'x'", types, body="a\n\x1b" + "b" * 200)
    assert explanation == f'body "a {"b" * 77}…" does not contain "x"'


def test_a_text_too_long_to_be_searched_is_told(types: Types) -> None:
    assert (
        told("body matches 'x'", types, body="a" * (MOST_SUBJECT + 1)) == "body is too long to be searched to its end"
    )


def test_without_a_type_the_other_side_tells_the_dimension() -> None:
    assert told("p95 > 1s", lambda _name: None) == "p95 1.24 s > 1 s"
    assert told("active > 3", lambda _name: None) == "active 5 > 3"
    assert told("state == inputs.wanted", lambda _name: None) == 'state "idle" ≠ wanted "active"'


def test_the_evidence_is_every_metric_once_and_no_input(types: Types) -> None:
    text = "p95 > inputs.slow and p95 < 5s or limit is missing or database.used > 3 or state == 'x' or ready"
    world = {**VALUES, "limit": None}
    assert evidence(parse(text), lambda name: world[str(name)], types) == (
        Measured("p95", 1.24, "s", "1.24 s"),
        Measured("limit", None, "B", "missing"),
        Measured("database.used", 7, "", "7"),
        Measured("state", "idle", "", "idle"),
        Measured("ready", True, "", "yes"),
    )


def test_a_metric_that_is_not_a_number_is_missing_evidence() -> None:
    assert evidence(parse("load > 1"), lambda _name: math.nan, lambda _name: None) == (
        Measured("load", None, "", "missing"),
    )


def test_evidence_without_a_type_is_shown_as_it_is() -> None:
    values: Mapping[str, Value] = {"a": "text", "b": 2.5, "c": False}
    found = evidence(parse("a == 'x' or b > 1 or c"), lambda name: values[name.name], lambda _name: None)
    assert [each.shown for each in found] == ["text", "2.5", "no"]


def test_a_metric_of_another_dimension_than_its_value_looks_like_is_shown_by_its_type() -> None:
    assert evidence(parse("a > 1"), lambda _name: 80.0, lambda _name: MetricType(Dimension.PERCENT)) == (
        Measured("a", 80.0, "%", "80 %"),
    )
