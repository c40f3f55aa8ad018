"""Sixty planted secrets, in every form, through every door: nothing leaks. The count is printed.

The gate takes a part of all pairs of secret and form, in which each secret and each form is; ``LEAKS=all`` takes all of them.
"""

import html
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from pydantic import JsonValue
from tests.property.planted import FORMS, Planted, leaked, planted

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.engine.codec import encode
from runbook_engine.graph.compile import Compiler
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Document, DocumentReading, Params, ProbeContext, ProbeError, Reading, Secret, probe

SECRETS = tuple(planted())


class LeakyParams(Params):
    secret: Secret
    variable: str
    form: str
    how: str


class LeakyReading(Reading):
    said: str
    size: int | None = None

    RESERVED = Reading.RESERVED | {"size"}


class LeakyDocument(DocumentReading):
    DOCUMENT = Document("Whatever it was given")


def _said(params: LeakyParams, ctx: ProbeContext | None = None) -> str:
    secret = ctx.environ[params.variable] if ctx is not None else params.secret.reveal()
    return f"before {FORMS[params.form](secret)} after"


@probe("leaky.value", command=lambda params: f"client --say {_said(params)}")
async def value(params: LeakyParams, ctx: ProbeContext) -> LeakyReading:
    """Says it in a metric, in evidence and its keys, deep down, and as the reason why something is missing."""
    said = _said(params, ctx)
    deep: JsonValue = {"rows": [{"said": said, said: 1}, [said], {"name": "X", "value": said}]}
    return LeakyReading(said=said, evidence={"text": said, said: said, "deep": deep}, missing={"size": said})


@probe("leaky.failure", command=lambda params: f"client --say {_said(params)}")
async def failure(params: LeakyParams, ctx: ProbeContext) -> LeakyReading:
    """Fails with it, for the reason of it."""
    said = _said(params, ctx)
    if params.how == "crash":
        raise RuntimeError(said) from ValueError(said)
    raise ProbeError(ErrorKind.AUTH, f"cannot log in: {said}", remedy=f"try {said}") from ValueError(said)


@probe("leaky.document", command=lambda params: f"client --say {_said(params)}")
async def document(params: LeakyParams, ctx: ProbeContext) -> LeakyDocument:
    """Has it in a document, out of which a number is to be taken."""
    return LeakyDocument(document={"said": _said(params, ctx), "other": [_said(params, ctx)]})


TEXT = """
runbook: leaky
title: Repeats what it is told
inputs: {secret: {type: secret, env: WHATEVER}, variable: {type: string}}
start: [value, failure, crash, nothing, number]
steps:
  value:
    probe: leaky.value
    with: {secret: "{{ inputs.secret }}", variable: "{{ inputs.variable }}", form: FORM, how: value}
    branches: [{when: said contains "before", finding: said}, {else: end}]
  failure:
    probe: leaky.failure
    with: {secret: "{{ inputs.secret }}", variable: "{{ inputs.variable }}", form: FORM, how: failure}
    on_error: [{kind: auth, finding: refused}]
  crash:
    probe: leaky.failure
    with: {secret: "{{ inputs.secret }}", variable: "{{ inputs.variable }}", form: FORM, how: crash}
    branches: [{else: end}]
  nothing:
    probe: leaky.document
    with: {secret: "{{ inputs.secret }}", variable: "{{ inputs.variable }}", form: FORM, how: document}
    extract: {there: {path: other.nowhere}}
    branches: [{when: there > 1, finding: said}, {else: end}]
  number:
    probe: leaky.document
    with: {secret: "{{ inputs.secret }}", variable: "{{ inputs.variable }}", form: FORM, how: document}
    extract: {there: {path: said}}
    branches: [{when: there > 1, finding: said}, {else: end}]
findings:
  said: {level: warning, title: "It said {{ value.said }} to {{ inputs.secret }}", resolution: fix}
  refused: {level: critical, title: "{{ error.message }}", cause: "{{ error.message }}", resolution: fix}
resolutions: {fix: {title: Fix it, steps: [Fix it]}}
"""


@pytest.fixture(scope="module")
def plans() -> Mapping[str, rb.Plan]:
    compiler = Compiler(rb.Registry.of(value, failure, document), rb.Library(()))
    found = {}
    for form in FORMS:
        compiled = compiler.loaded(load(TEXT.replace("FORM", json.dumps(form)), "leaky.yaml"))
        assert compiled.plan is not None, compiled.diagnostics
        found[form] = compiled.plan
    return found


def _doors(plan: rb.Plan, secret: Planted, folder: Path, *, declared: bool) -> Iterator[tuple[str, str]]:
    """All that leaves the engine of a run. The secret is an input, or only a variable that a probe repeats."""
    journal = rb.SqliteJournal(folder / "journal.sqlite3")
    environ = {"WHATEVER": secret.text} if declared else {"WHATEVER": "unknown", secret.variable: secret.text}
    variable = "WHATEVER" if declared else secret.variable
    trace = rb.run(plan, inputs={"variable": variable}, environ=environ, journal=journal)
    recording = rb.record(trace, folder / "run.jsonl")
    journal.close()
    assert len(trace.steps) == 5
    yield "events", "\n".join(encode(each) for each in trace.events)
    yield "their representation", "\n".join(repr(each) for each in trace.events)
    yield "the recording", recording.file.read_text()
    for file in folder.glob("journal*"):
        yield f"the file {file.suffix} of the journal", file.read_bytes().decode("utf-8", "replace")
    for each in rb.ReportFormat:
        yield f"the report as {each.value}", rb.render(trace, each)
    for file in folder.iterdir():
        file.unlink()


def _groups() -> Mapping[str, Sequence[tuple[int, str]]]:
    """Which secrets are written in which forms, by the name of the test."""
    if os.environ.get("LEAKS") == "all":
        return {form: [(number, form) for number in range(len(SECRETS))] for form in FORMS}
    part = [
        (number, form) for number in range(len(SECRETS)) for at, form in enumerate(FORMS) if (number + at) % 30 == 0
    ]
    return {"a part of all": part}


@pytest.mark.parametrize("group", _groups())
def test_no_planted_secret_leaks_in_any_form_through_any_door(
    group: str, plans: Mapping[str, rb.Plan], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looked, found = 0, []
    for at, (number, form) in enumerate(_groups()[group]):
        for door, text in _doors(plans[form], SECRETS[number], tmp_path, declared=at % 2 == 0):
            looked += 1
            if leaked(text, SECRETS[number]):
                found.append(f"{SECRETS[number].variable} in {form} in {door}")
    with capsys.disabled():
        sys.stdout.write(f"\n{group}: {looked} texts looked at for planted secrets, {len(found)} leaked\n")
    assert found == []


def test_what_looks_for_leaks_finds_each_form_of_each_secret() -> None:
    missed = [
        f"{secret.variable} in {form}"
        for secret in SECRETS
        for form, write in FORMS.items()
        if not leaked(html.escape(write(secret.text)), secret) and form != "percent-encoded partly"
    ]
    assert missed == []
