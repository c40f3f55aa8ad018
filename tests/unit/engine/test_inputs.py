"""Where a run's inputs come from, and what is said when they do not."""

import pytest

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.document.models import Runbook
from runbook_engine.engine.inputs import missing, resolve
from runbook_engine.secret import Secret

TEXT = """runbook: example
title: T
inputs:
  api: {type: url, env: API_URL}
  dsn: {type: secret, env: DATABASE_URL}
  slow: {type: duration, default: 500ms}
  share: {type: percent, default: 80%}
  size: {type: bytes, default: 512MiB}
  times: {type: int, default: 3}
  deep: {type: bool, default: false}
  mode: {type: enum, values: [fast, full], default: fast}
  note: {type: string, optional: true}
start: one
steps:
  one: {ask: Well?}
"""
GIVEN = {"api": "https://api.example.com/", "dsn": "postgresql://u:pw@h/d"}


@pytest.fixture
def runbook() -> Runbook:
    found = load(TEXT, "example.yaml").runbook
    assert found is not None
    return found


def test_a_value_is_taken_from_the_flag_before_the_variable_before_the_default(runbook: Runbook) -> None:
    environ = {"API_URL": "https://from.environment", "DATABASE_URL": "x"}
    assert resolve(runbook, {}, environ)["api"].filled.value == "https://from.environment"
    assert resolve(runbook, {}, environ)["api"].source == "variable API_URL"
    assert resolve(runbook, GIVEN, environ)["api"].filled.value == "https://api.example.com"
    assert resolve(runbook, GIVEN, environ)["slow"].source == "default"


def test_values_are_held_in_base_units(runbook: Runbook) -> None:
    resolved = resolve(runbook, {**GIVEN, "slow": "2min", "times": "7", "deep": "yes"}, {})
    values = {name: each.filled.value for name, each in resolved.items()}
    assert values["slow"] == 120.0
    assert values["share"] == 80.0
    assert values["size"] == 512 * 2**20
    assert values["times"] == 7
    assert values["deep"] is True
    assert values["note"] is None


def test_numbers_from_python_are_taken_in_base_units(runbook: Runbook) -> None:
    assert resolve(runbook, {**GIVEN, "slow": 0.25}, {})["slow"].filled.value == 0.25


def test_everything_that_is_wrong_is_said_at_once_with_the_flag_and_the_variable(runbook: Runbook) -> None:
    with pytest.raises(rb.InputsError) as caught:
        resolve(
            runbook, {"slwo": "1s", "slow": "fast", "share": "0.8", "mode": "slow", "times": "many", "api": "nope"}, {}
        )
    assert caught.value.problems == (
        "the runbook example has no input 'slwo'; did you mean \"slow\"?",
        "input 'api': this is not a URL; write for example https://api.example.com",
        "input 'dsn' (secret) is missing: give -s dsn=VALUE or set DATABASE_URL",
        "input 'slow': 'fast' is not a number with a unit; write for example 500ms, 2s, 80%, 512MiB or 12/s",
        "input 'share': '0.8' is not a percent; write for example 80%",
        "input 'times': 'many' is not a whole number",
        "input 'mode': 'slow' is not one of fast, full",
    )


def test_what_a_person_may_be_asked_for_leaves_out_what_is_known_or_optional(runbook: Runbook) -> None:
    assert list(missing(runbook, {}, {})) == ["api", "dsn"]
    assert list(missing(runbook, {"api": "https://x"}, {"DATABASE_URL": "y"})) == []


def test_a_secret_is_shown_as_its_variable_and_never_by_value(runbook: Runbook) -> None:
    resolved = resolve(runbook, GIVEN, {})["dsn"]
    assert resolved.filled.value == Secret("postgresql://u:pw@h/d")
    shown = resolved.shown()
    assert (shown.value, shown.shown) == (None, "$DATABASE_URL")


@pytest.mark.parametrize("value", ["-1ms", -0.001, float("-inf")])
def test_a_value_outside_the_bounds_that_the_checker_proves_with_is_refused(runbook: Runbook, value: object) -> None:
    with pytest.raises(rb.InputsError, match="out of bounds: duration, at least 0 s"):
        resolve(runbook, {**GIVEN, "slow": value}, {})


def test_what_is_not_a_number_is_refused_because_no_condition_could_be_decided_with_it(runbook: Runbook) -> None:
    with pytest.raises(rb.InputsError, match="not-a-number cannot be compared"):
        resolve(runbook, {**GIVEN, "slow": float("nan")}, {})
