import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from runbook_engine.document import load, runbook_schema
from runbook_engine.document.yaml_text import compose

GOLDEN = Path(__file__).parents[2] / "golden" / "document"

Text = Callable[..., str]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = runbook_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def accepts(validator: jsonschema.Draft202012Validator, text: str) -> bool:
    composed = compose(text, "r.yaml")
    assert composed.diagnostics == ()
    return bool(validator.is_valid(composed.value))


def test_the_schema_is_json_and_names_its_dialect() -> None:
    schema = json.loads(json.dumps(runbook_schema()))

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "Runbook"


def test_every_key_of_the_format_is_described() -> None:
    def undescribed(schema: object, path: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        own = [
            f"{path}.{name}"
            for name, field in schema.get("properties", {}).items()
            if isinstance(field, dict) and not field.get("description")
        ]
        return own + [
            each for name, definition in schema.get("$defs", {}).items() for each in undescribed(definition, name)
        ]

    assert undescribed(runbook_schema(), "Runbook") == []


def test_a_sound_runbook_fits_the_schema(validator: jsonschema.Draft202012Validator) -> None:
    assert list(validator.iter_errors(compose((GOLDEN / "sound.yaml").read_text(encoding="utf-8"), "r").value)) == []


@pytest.mark.parametrize("name", ["twelve-mistakes", "shapes", "misspelled", "playbook", "unknown-kind"])
def test_a_broken_runbook_does_not_fit_the_schema(validator: jsonschema.Draft202012Validator, name: str) -> None:
    assert not accepts(validator, (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8"))


SOUND = [
    "{ask: x, branches: [{when: a, goto: b}, {when: c, goto: [b, d]}, {else: end}]}",
    "{ask: x, branches: [{else: []}]}",
    "{probe: a.b, on_error: [{kind: dns}, {kind: [tls, auth], finding: f}, {else: end}]}",
    "{probe: a.b, with: {any: [1, {x: null}]}, retry: {on: dns, wait: 1.5s, jitter: 20%}, timeout: 250 ms}",
    "{ask: x, type: enum, values: [a], default: a, timeout: 1h}",
    "{ask: x, default: true}",
    "{ask: x, type: percent, default: 80%}",
    "{ask: x, type: int, default: 3}",
    "{call: other, with: {a: 1}}",
]
BROKEN = [
    "{title: x}",
    "{probe: a.b, ask: x}",
    "{probe: a}",
    "{ask: ''}",
    "{ask: x, timout: 1s}",
    "{ask: x, timeout: 5}",
    "{ask: x, timeout: 5%}",
    "{ask: x, branches: [{goto: b}]}",
    "{ask: x, branches: [{when: a, else: b}]}",
    "{ask: x, branches: [{else: a, goto: b}]}",
    "{ask: x, branches: {when: a}}",
    "{ask: x, type: enum}",
    "{ask: x, values: [a]}",
    "{ask: x, default: yes}",
    "{ask: x, type: percent, default: 80}",
    "{probe: a.b, on_error: [{kind: nope}]}",
    "{probe: a.b, on_error: [{kind: []}]}",
    "{probe: a.b, retry: {attempts: 0}}",
    "{probe: a.b, retry: {jitter: 20}}",
    "{probe: a.b, extract: {X: {path: a}}}",
    "{probe: a.b, extract: {x: {}}}",
    "{probe: a.b, params: {}}",
]
INPUTS = [
    ("{}", True),
    ("{type: duration, default: 500ms}", True),
    ("{type: duration, default: null}", True),
    ("{type: duration, default: 500}", False),
    ("{type: duration, default: 80%}", False),
    ("{type: percent, default: 80}", False),
    ("{type: bytes, default: 512MiB}", True),
    ("{type: bytes, default: 512}", False),
    ("{type: rate, default: 12/min}", True),
    ("{type: url, default: 'https://x.example'}", True),
    ("{type: url, default: example}", False),
    ("{type: int, default: 2.5}", False),
    ("{type: number, default: 2.5}", True),
    ("{type: number, default: '2'}", False),
    ("{default: text}", True),
    ("{default: 5}", False),
    ("{type: secret, env: TOKEN}", True),
    ("{type: secret, default: hunter2}", False),
    ("{type: enum, values: [a, b], default: a}", True),
    ("{type: enum}", False),
    ("{type: string, values: [a]}", False),
    ("{env: 9X}", False),
    ("{optional: yes}", False),
]


@pytest.mark.parametrize(("step", "sound"), [*((step, True) for step in SOUND), *((step, False) for step in BROKEN)])
def test_schema_and_loader_agree_on_steps(
    validator: jsonschema.Draft202012Validator, runbook_text: Text, step: str, *, sound: bool
) -> None:
    text = runbook_text(step=step)

    assert (load(text, "r.yaml").runbook is not None) == sound
    assert accepts(validator, text) == sound


@pytest.mark.parametrize(("spec", "sound"), INPUTS)
def test_schema_and_loader_agree_on_inputs(
    validator: jsonschema.Draft202012Validator, runbook_text: Text, spec: str, *, sound: bool
) -> None:
    text = runbook_text(f"inputs: {{x: {spec}}}")

    assert (load(text, "r.yaml").runbook is not None) == sound
    assert accepts(validator, text) == sound


@pytest.mark.parametrize(
    "line", ["start: []", "steps: {}", "  Bad: {ask: x}", "severity: P 9", "symptoms: x", "unknown: 1"]
)
def test_schema_and_loader_agree_on_the_rest(
    validator: jsonschema.Draft202012Validator, runbook_text: Text, line: str
) -> None:
    text = "\n".join(
        each
        for each in runbook_text(line).splitlines()
        if line[0] == " " or each == line or not each.startswith(line.partition(":")[0])
    )

    if line == "steps: {}":
        text = text.replace('  first: {ask: "Is it slow?"}\n', "")
    assert load(text, "r.yaml").runbook is None
    assert not accepts(validator, text)
