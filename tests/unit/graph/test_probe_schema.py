"""Schemas with the parameters and metrics of the probes that are installed."""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import BaseModel, BeforeValidator, Field

from runbook_engine.document.load import kind_of
from runbook_engine.document.schema import SCHEMAS
from runbook_engine.document.yaml_text import compose
from runbook_engine.graph.probe_schema import document_schema, probes
from runbook_engine.library import shipped_directory
from runbook_engine.probe import Count, Params, ProbeContext, Reading, Secret, probe
from runbook_engine.probe.registry import Registry

SHIPPED = sorted(shipped_directory().rglob("*.yaml"))

RUNBOOK = {
    "runbook": "some",
    "title": "Some",
    "start": "first",
    "steps": {
        "first": {"probe": "http.latency", "with": {"url": "https://example.com"}, "branches": [{"else": "end"}]}
    },
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="module")
def validators(registry: Registry) -> Mapping[str, jsonschema.Draft202012Validator]:
    made = {}
    for kind in SCHEMAS:
        schema = json.loads(json.dumps(document_schema(kind, registry)))
        jsonschema.Draft202012Validator.check_schema(schema)
        made[kind] = jsonschema.Draft202012Validator(schema)
    return made


@pytest.fixture
def takes(validators: Mapping[str, jsonschema.Draft202012Validator]) -> Callable[..., bool]:
    """Whether a step of a runbook fits, with these keys in place of those of a sound one."""

    def fits(**step: object) -> bool:
        document: Any = copy.deepcopy(RUNBOOK)
        document["steps"]["first"] |= step
        return bool(validators["runbook"].is_valid(document))

    return fits


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_document_fits(file: Path, validators: Mapping[str, jsonschema.Draft202012Validator]) -> None:
    kind = kind_of(file)
    assert kind is not None
    value = compose(file.read_text("utf-8"), file.name).value
    assert [each.message for each in validators[kind].iter_errors(value)] == []


def test_a_probe_takes_its_parameters(takes: Callable[..., bool]) -> None:
    assert takes()
    assert takes(**{"with": {"url": "https://example.com", "samples": 3, "sample_timeout": "2s"}})


@pytest.mark.parametrize(
    "given",
    [
        {"url": "https://example.com", "sampels": 3},
        {"url": "https://example.com", "samples": "many"},
        {"url": "https://example.com", "samples": 0},
        {"url": "https://example.com", "method": "PUT"},
        {"url": "https://example.com", "headers": ["no", "mapping"]},
        {"url": ["no", "text"]},
        {"samples": 3},
        {},
    ],
)
def test_a_probe_takes_nothing_else(takes: Callable[..., bool], given: Mapping[str, object]) -> None:
    assert not takes(**{"with": given})


@pytest.mark.parametrize(
    "given",
    [
        {"samples": "{{ inputs.samples }}"},
        {"samples": "3"},
        {"method": "{{ inputs.method }}"},
        {"follow_redirects": "{{ inputs.follow }}"},
        {"expect_status": ["{{ inputs.status }}", 200]},
        {"headers": {"X-Team": "{{ inputs.team }}"}},
    ],
)
def test_a_template_may_stand_for_every_value(takes: Callable[..., bool], given: Mapping[str, object]) -> None:
    assert takes(**{"with": {"url": "{{ inputs.url }}/health", **given}})


def test_parameters_that_are_needed_cannot_be_left_out_altogether(takes: Callable[..., bool]) -> None:
    assert not takes(probe="tcp.connect", **{"with": {}})
    assert not takes(probe="no.such_probe")
    assert takes(probe="host.memory", **{"with": {}})


def test_only_a_probe_with_a_document_has_something_to_extract(takes: Callable[..., bool]) -> None:
    lines = {"lines": {"path": "length(rows)"}}
    assert not takes(extract=lines)
    query = {"dsn": "{{ inputs.dsn }}", "sql": "SELECT 1"}
    assert takes(probe="postgres.query", extract=lines, **{"with": query})
    own = next(iter(Registry().get("postgres.query").metrics), None)
    if own is not None:
        assert not takes(probe="postgres.query", extract={own: {"path": "x"}}, **{"with": query})


def test_a_policy_names_a_metric_of_its_probe(validators: Mapping[str, jsonschema.Draft202012Validator]) -> None:
    file = next(each for each in SHIPPED if kind_of(each) == "policy")
    document: Any = compose(file.read_text("utf-8"), file.name).value
    judged = next(each for each in document["metrics"].values() if each["probe"] == "http.latency")
    assert validators["policy"].is_valid(document)
    judged["metric"] = "p97"
    assert not validators["policy"].is_valid(document)


def test_every_probe_is_named_with_what_it_does_and_measures(registry: Registry) -> None:
    schema: Any = document_schema("runbook", registry)
    listed = schema["$defs"]["ProbeStep"]["properties"]["probe"]["anyOf"]
    assert [each["const"] for each in listed] == list(registry.names())
    latency = next(each for each in listed if each["const"] == "http.latency")
    assert "p95 (duration, at least 0 s)" in latency["description"]


def test_the_defaults_of_every_probe_fit_it(validators: Mapping[str, jsonschema.Draft202012Validator]) -> None:
    refused = []
    for name, found in probes(Registry()):
        assert found is not None
        definition: Any = validators["runbook"].schema["$defs"][f"with {name}"]
        for key, each in definition["properties"].items():
            of_key = {"$defs": validators["runbook"].schema["$defs"], **each}
            if "default" in each and not jsonschema.Draft202012Validator(of_key).is_valid(each["default"]):
                refused.append((name, key))
    assert refused == []


class Nested(BaseModel):
    depth: int


class OddParams(Params):
    dsn: Secret
    nested: Nested
    window: Annotated[float, BeforeValidator(lambda text: float(str(text).removesuffix("s")))] = Field(1.0, gt=0)
    anything: object = None
    callback: Callable[[], int] | None = None


class OddReading(Reading):
    lines: Count


@probe("odd.one", command=lambda _params: "true")
async def odd(params: OddParams, ctx: ProbeContext) -> OddReading:
    """Odd."""
    return OddReading(lines=len(str(params)))


def test_a_probe_with_parameters_of_any_type_gets_a_schema_that_refuses_nothing_that_it_takes() -> None:
    schema = dict(document_schema("runbook", Registry.of(odd)))
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(schema)))

    def takes(**more: object) -> bool:
        given = {"dsn": "{{ inputs.dsn }}", "nested": {"depth": "{{ inputs.depth }}"}, **more}
        step = {"probe": "odd.one", "with": given, "branches": [{"else": "end"}]}
        return bool(validator.is_valid({**RUNBOOK, "steps": {"first": step}}))

    assert takes()
    assert takes(window="5s", anything=[1, {"two": None}])
    assert not takes(nested={"depth": "deep"})
    assert not takes(nested={"deep": 1})


def test_without_a_registry_the_schema_knows_no_probe() -> None:
    assert document_schema("runbook", None) == SCHEMAS["runbook"]()


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({"p95": "200ms", "p50": None}, True),
        ({"error": "timeout"}, True),
        ({"error": {"kind": "auth", "message": "no"}}, True),
        ([{"error": "timeout"}, {"p95": "1s"}], True),
        ({"error": "tiemout"}, False),
        ({"error": {"message": "no kind"}}, False),
        ({"error": "timeout", "p95": "1s"}, False),
        ([], False),
        ("1s", False),
    ],
)
def test_a_test_gives_a_step_readings_errors_or_attempts(
    validators: Mapping[str, jsonschema.Draft202012Validator], given: object, fits: bool
) -> None:
    case = {"steps": {"first": given}, "expect": {"outcome": "healthy"}}
    assert validators["tests"].is_valid({"tests": "some", "cases": {"one": case}}) is fits
