"""Extracts that leave their path or their unit to an input: what may be left to it, and what is proven of its default."""

import pytest

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.graph.compile import Compiler

TEXT = """
runbook: example
title: An example
inputs:
  where: {where}
  measure: {measure}
start: look
steps:
  look:
    probe: {probe}
    with: {{{params}}}
    extract:
      took: {{path: '{path}', type: {type}, unit: '{unit}'}}
    branches: [{{when: took > {limit}, goto: end}}, {{else: end}}]
"""


def told(
    *,
    where: str = "{type: jmespath, default: components.application.latency_ms}",
    measure: str = "{type: enum, values: [ms, s], default: ms}",
    path: str = "{{ inputs.where }}",
    unit: str = "{{ inputs.measure }}",
    type_: str = "duration",
    limit: str = "1s",
    probe: str = "http.get",
    params: str = 'url: "https://api.example.com"',
) -> list[str]:
    text = TEXT.format(
        where=where, measure=measure, path=path, unit=unit, type=type_, limit=limit, probe=probe, params=params
    )
    found = Compiler(rb.Registry(), rb.Library(())).loaded(load(text, "example.yaml"))
    return [f"{each.code} {each.message}" for each in found.diagnostics if each.code != "RB231"]


def test_a_path_and_a_unit_may_be_inputs() -> None:
    assert told() == []
    assert told(where="{type: jmespath, optional: true}") == []
    assert told(where="{type: jmespath}") == []


@pytest.mark.parametrize("type_", ["string", "url", "int", "enum, values: [a]", "duration", "secret"])
def test_a_path_can_only_be_an_input_that_is_held_to_be_a_path(type_: str) -> None:
    assert told(where=f"{{type: {type_}}}") == [
        f'RB406 extract "took": the input "where" is of the type {type_.partition(",")[0]}, and a path is a JMESPath'
    ]


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ("{type: string, default: ms}", '"measure" is of the type string, and a unit is one of a few'),
        ("{type: enum, values: [ms, MiB]}", '"measure" may be "MiB", which is no unit of the type duration'),
        ("{type: enum, values: [ms, furlong]}", '"measure" may be "furlong", which is no unit of the type duration'),
    ],
)
def test_a_unit_can_only_be_an_input_all_of_whose_values_are_units_of_the_type(measure: str, message: str) -> None:
    assert told(measure=measure) == [f'RB406 extract "took": the input {message}']


def test_a_type_without_units_takes_none_from_an_input() -> None:
    (message,) = told(type_="count", limit="1")
    assert message == 'RB406 extract "took": the input "measure" gives a unit, and the type count has none'


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("components.{{ inputs.where }}", 'RB406 extract "took": the path is made of parts'),
        ("{{ inputs.where | upper }}", 'RB406 extract "took": the path is made of parts'),
        ("{{ inputs.where | default(inputs.measure) }}", 'RB406 extract "took": the path is made of parts'),
        ("{{ look.total }}", 'RB406 extract "took": the path is made of parts'),
        ("{{ inputs.here }}", 'RB404 there is no input named "here"; did you mean "where"?'),
    ],
)
def test_a_path_is_written_out_or_one_input_as_a_whole(path: str, message: str) -> None:
    assert any(each.startswith(message) for each in told(path=path))


def test_a_template_that_is_none_is_told_at_the_path() -> None:
    assert any(each.startswith("RB403 ") for each in told(path="{{ inputs.where"))


def test_a_default_that_is_no_path_is_told_at_the_input() -> None:
    (message, *_) = told(where="{type: jmespath, default: a..b}")
    assert message == 'RB121 the default of input "where" is "a..b", which is not a JMESPath'


def test_a_default_is_held_against_what_the_probe_says_of_its_document() -> None:
    found = told(
        probe="postgres.query",
        params='dsn: "postgresql://db.example.com/app", sql: SELECT 1 AS one',
        where='{type: jmespath, default: "rows.one"}',
    )
    (message,) = [each for each in found if "RB407" in each]
    assert message.startswith('RB407 extract "took", by default of the input where: rows.one leads nowhere')


def test_an_input_that_gives_a_path_is_used() -> None:
    assert told(path="components.application.latency_ms", unit="ms") == [
        'RB208 input "where" is unused: nothing uses it',
        'RB208 input "measure" is unused: nothing uses it',
    ]
