"""What is read of an environment, and what is said of one that has mistakes."""

from collections.abc import Mapping

import jsonschema
import pytest

from runbook_engine.document import DiagnosticLevel, environment_schema, render_all
from runbook_engine.document.environment import (
    FromVariable,
    LoadedEnvironment,
    check_values,
    load_environment,
    load_environment_file,
)
from runbook_engine.document.models import Input, InputType
from runbook_engine.document.yaml_text import compose

HEAD = "environment: staging\ntitle: Staging\n"
KNOWN: Mapping[str, Mapping[str, Input]] = {
    "slow": {"one": Input(type=InputType.DURATION), "two": Input(type=InputType.DURATION)},
    "mode": {"one": Input(type=InputType.ENUM, values=("fast", "full"))},
    "limit": {"one": Input(type=InputType.DURATION), "two": Input(type=InputType.PERCENT)},
    "dsn": {"one": Input(type=InputType.SECRET, env="DATABASE_URL")},
    "name": {"one": Input()},
}


def read(values: str) -> LoadedEnvironment:
    return load_environment(f"{HEAD}values:\n{values}", "staging.yaml")


def told(values: str, *, names: bool = True) -> list[tuple[str, int, int, str, str]]:
    loaded = read(values)
    found = (*loaded.diagnostics, *check_values(loaded, KNOWN, sorted(KNOWN) if names else None))
    return [(each.code, each.span.line, each.span.column, each.message, each.label) for each in sorted(found)]


def test_values_are_literals_or_names_of_variables() -> None:
    loaded = read("  slow: 500ms\n  port: 443\n  deep: true\n  dsn: {env: STAGING_URL}\n")
    assert loaded.diagnostics == ()
    assert loaded.environment is not None
    assert loaded.environment.source == "environment staging"
    assert loaded.environment.values == {
        "slow": "500ms",
        "port": 443,
        "deep": True,
        "dsn": FromVariable(env="STAGING_URL"),
    }


def test_an_environment_without_values_is_one() -> None:
    loaded = load_environment(HEAD, "staging.yaml")
    assert loaded.environment is not None
    assert loaded.environment.values == {}


@pytest.mark.parametrize(
    ("line", "code", "column", "message", "label"),
    [
        ("slow: 5", "RB701", 9, 'the value of "slow" is 5, a number without a unit', "write for example 5s"),
        ("slow: 80%", "RB701", 9, 'the value of "slow" is "80%", which is not a quantity of the type duration', ""),
        (
            "mode: fst",
            "RB701",
            9,
            'the value of "mode" is "fst", which is not one of its values',
            'did you mean "fast"?',
        ),
        ("name: 12", "RB701", 9, 'the value of "name" is 12, which is not a text', "write it in quotes"),
        ("limit: 80%", "RB701", 10, 'the value of "limit" is "80%", which is not a quantity', ""),
        ("dsn: postgresql://u:hush@db/x", "RB123", 8, '"dsn" is a secret of one, and a literal writes it', "remove it"),
        ("slwo: 1s", "RB702", 3, 'no runbook has an input "slwo"', 'did you mean "slow"?'),
        ("slow:", "RB113", 3, 'value "slow" is empty', "give it a value, or remove it"),
        ("slow: [1s]", "RB113", 9, 'value "slow" is a list, not a value', ""),
        ("slow: {var: X}", "RB113", 9, 'value "slow" is a mapping, not a value', ""),
        ("dsn: {env: 1X}", "RB115", 14, 'the variable of value "dsn" is "1X", which is no legal name', ""),
        ("dsn: {env: X, default: y}", "RB111", 17, 'value "dsn" has no key "default"', ""),
        ("Slow: 1s", "RB115", 3, 'value "Slow" has no legal name', 'write "slow"'),
    ],
)
def test_a_mistake_is_told_with_its_place(line: str, code: str, column: int, message: str, label: str) -> None:
    (found,) = told(f"  {line}\n")
    assert found[:3] == (code, 4, column)
    assert found[3].startswith(message)
    assert label in found[4]


def test_all_mistakes_are_told_at_once() -> None:
    text = "environment: staging\ntitel: T\nvalues:\n  slow: 5\n  none:\n  slwo: 1s\n"
    loaded = load_environment(text, "staging.yaml")
    found = (*loaded.diagnostics, *check_values(loaded, KNOWN, sorted(KNOWN)))
    assert [(each.code, each.span.line) for each in sorted(found)] == [
        ("RB111", 2),
        ("RB701", 4),
        ("RB113", 5),
        ("RB702", 6),
    ]
    assert loaded.environment is None


def test_a_name_that_no_runbook_has_is_a_warning_and_everything_else_an_error() -> None:
    loaded = read("  slwo: 1s\n  slow: 5\n")
    levels = {each.code: each.level for each in check_values(loaded, KNOWN, sorted(KNOWN))}
    assert levels == {"RB702": DiagnosticLevel.WARNING, "RB701": DiagnosticLevel.ERROR}


def test_what_two_runbooks_say_of_a_value_alike_is_told_once() -> None:
    assert len(told("  slow: 5\n")) == 1


def test_a_value_from_a_variable_is_held_against_no_type_before_it_is_known() -> None:
    assert told("  slow: {env: SLOW}\n  dsn: {env: URL}\n") == []


def test_unknown_names_are_told_only_where_all_names_are_known() -> None:
    assert told("  slwo: 1s\n", names=False) == []


def test_a_literal_secret_is_starred_out_where_it_is_shown() -> None:
    loaded = read("  dsn: hush-hush\n")
    assert "hush" not in render_all(check_values(loaded, KNOWN), loaded.sources)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document is empty"),
        ("runbook: x\n", "this is not an environment"),
        ("[1, 2]\n", "this is not an environment"),
        ("environment: [\n", ""),
    ],
)
def test_what_is_no_environment_says_so(text: str, message: str) -> None:
    loaded = load_environment(text, "x.yaml")
    assert loaded.environment is None
    assert message in loaded.diagnostics[0].message


def test_a_file_that_cannot_be_read_is_a_diagnostic(tmp_path: object) -> None:
    loaded = load_environment_file(f"{tmp_path}/absent.yaml")
    assert [each.code for each in loaded.diagnostics] == ["RB101"]


def test_the_schema_takes_what_is_legal_and_refuses_what_is_not() -> None:
    schema = environment_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(compose(f"{HEAD}values: {{a: 1, b: 500ms, c: {{env: X}}}}\n", "s").value)
    for wrong in (
        "values: {a: [1]}",
        "values: {a: {env: 1X}}",
        "values: {A: 1}",
        "values: {a: {env: X, b: 1}}",
        "valeus: {}",
    ):
        assert not validator.is_valid(compose(f"{HEAD}{wrong}\n", "s").value), wrong
