"""What conditions come to, and which missing values leave them undecided."""

import math
from collections.abc import Mapping

import pytest

from runbook_engine.conditions import Name, Truth, parse
from runbook_engine.conditions import compile as compile_condition
from runbook_engine.conditions.patterns import MOST_SUBJECT
from runbook_engine.quantity import Value


def evaluate(text: str, values: Mapping[str, Value | None]) -> Truth:
    return compile_condition(parse(text)).evaluate(lambda name: values.get(str(name)))


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("p95 > 1s", True),
        ("p95 > 2s", False),
        ("1s < p95", True),
        ("p95 >= 1240ms and p95 <= 1240ms", True),
        ("p95 == 1.24s", True),
        ("p95 != 1.24s", False),
        ("p95 < inputs.slow", False),
        ("p95 > inputs.slow or p95 < 0s", True),
        ("not p95 > 1s", False),
        ("active + 1 == 6", True),
        ("active - 1 == 4", True),
        ("active * 2 == 10", True),
        ("active / 2 == 2.5", True),
        ("-active == -5", True),
        ("2 - active < 0", True),
        ("active in [4, 5]", True),
        ("active not in [4, 5]", False),
        ("active in [1, active]", True),
        ('state == "idle"', True),
        ('state in ["active"]', False),
        ('state matches "^id"', True),
        ('state matches "^le"', False),
        ('state contains "dl"', True),
        ('state contains "x"', False),
        ("ready", True),
        ("not ready", False),
        ("ready == true", True),
        ("active is missing", False),
        ("active is not missing", True),
        ("limit is missing", True),
        ("limit is not missing", False),
        ("database.used == 7", True),
        ("huge > 1e300", True),
        ("endless > 1000d", True),
        ("-endless < 0s", True),
        ("huge == 9007199254740993", False),
    ],
)
def test_a_condition_holds_or_does_not(text: str, *, held: bool) -> None:
    values: Mapping[str, Value | None] = {
        "p95": 1.24,
        "inputs.slow": 0.5,
        "active": 5,
        "state": "idle",
        "ready": True,
        "database.used": 7,
        "huge": 10**400,
        "endless": math.inf,
        "limit": None,
    }
    assert evaluate(text, values) == Truth(held)


def test_whole_numbers_and_floats_are_compared_exactly() -> None:
    assert evaluate("n == 9007199254740993", {"n": 9007199254740993}).value is True
    assert evaluate("n == 9007199254740993", {"n": 9007199254740992.0}).value is False
    assert evaluate("n > 9007199254740992", {"n": 9007199254740993}).value is True


@pytest.mark.parametrize("nothing", [None, math.nan])
@pytest.mark.parametrize(
    ("text", "value", "missing"),
    [
        ("x > 1", None, ["x"]),
        ("x != 1", None, ["x"]),
        ("1 < x", None, ["x"]),
        ("one > x", None, ["x"]),
        ("not x > 1", None, ["x"]),
        ("x + one > 1", None, ["x"]),
        ("-x > 1", None, ["x"]),
        ("x in [1]", None, ["x"]),
        ("one in [x]", None, ["x"]),
        ("one in [x, 1]", True, []),
        ("one not in [x, 1]", False, []),
        ("one not in [x, 2]", None, ["x"]),
        ("x > 1 and yes_", None, ["x"]),
        ("x > 1 and no_", False, []),
        ("no_ and x > 1", False, []),
        ("x > 1 or yes_", True, []),
        ("x > 1 or no_", None, ["x"]),
        ("x > inputs.y", None, ["x", "inputs.y"]),
        ("x > 1 or other.z > 1", None, ["x", "other.z"]),
        ("(x > 1 and no_) or other.z > 1", None, ["other.z"]),
        ("x > 1 and x < 5", None, ["x"]),
        ("x is missing", True, []),
        ("x is not missing and x > 1", False, []),
        ("x is missing or x > 1", True, []),
        ("x > 1 or one > x * inputs.y", None, ["x", "inputs.y"]),
    ],
)
def test_a_missing_value_decides_nothing(
    text: str, value: bool | None, missing: list[str], nothing: float | None
) -> None:
    values: Mapping[str, Value | None] = {
        "x": nothing,
        "other.z": nothing,
        "inputs.y": nothing,
        "one": 1,
        "yes_": True,
        "no_": False,
    }
    truth = evaluate(text, values)
    assert truth.value is value
    assert [str(name) for name in truth.missing] == missing


@pytest.mark.parametrize("text", ["s matches 'x'", "s contains 'x'", "'x' contains s", "s == 'x'", "s"])
def test_a_missing_text_or_boolean_decides_nothing(text: str) -> None:
    assert evaluate(text, {}) == Truth(None, (Name(None, "s"),))


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("a / zero > 1", ["zero"]),
        ("a / (zero * a) > 1", ["zero", "a"]),
        ("1 + a / zero * a > 1", ["zero"]),
        ("a / zero > b / none", ["zero", "none"]),
        ("a / 0 > 1", ["a"]),
        ("1 / (1 - 1) > a", []),
    ],
)
def test_a_division_by_zero_blames_the_divisor(text: str, missing: list[str]) -> None:
    truth = evaluate(text, {"a": 3, "b": 4, "zero": 0})
    assert truth.value is None
    assert [str(name) for name in truth.missing] == missing


@pytest.mark.parametrize("text", ["endless - endless > 1", "endless * zero > 1", "huge / small > 1", "huge * part > 1"])
def test_a_calculation_without_a_number_for_its_result_is_missing(text: str) -> None:
    truth = evaluate(text, {"endless": math.inf, "zero": 0, "huge": 10**400, "small": 3, "part": 0.5})
    assert truth.value is None
    assert truth.missing


def test_a_text_that_is_too_long_to_be_searched_to_its_end_is_undecided() -> None:
    truth = evaluate("body matches 'end$'", {"body": "x" * MOST_SUBJECT + "end"})
    assert truth == Truth(None, (Name(None, "body"),))


def test_missing_names_know_where_they_stand() -> None:
    (name,) = evaluate("1 > 2 or p95 > 1s", {}).missing
    assert (name.start, name.end) == (9, 12)


def test_a_condition_that_was_not_checked_says_so_instead_of_guessing() -> None:
    for text in ("s > 1", "s * 2 == 'aa'", "n matches 'x'"):
        with pytest.raises(TypeError):
            evaluate(text, {"s": "a", "n": 5})


def test_a_missing_result_asks_for_no_more_names_than_the_condition_has() -> None:
    asked: list[str] = []

    def lookup(name: Name) -> None:
        asked.append(str(name))

    compile_condition(parse("a > 1 and b > 1")).evaluate(lookup)
    assert set(asked) == {"a", "b"}
