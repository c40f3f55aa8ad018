"""A planted secret appears nowhere: no event, journal, recording, report or message."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.engine.border import Border
from runbook_engine.engine.codec import encode
from runbook_engine.graph.compile import Compiler
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Params, ProbeContext, ProbeError, Reading, Secret, probe

# Distinctive, so that finding it anywhere is a leak and no coincidence; with what URLs, JSON, Markdown and HTML escape.
secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), min_size=6, max_size=40
).map(lambda text: f"Zq{text}Xj")


class LeakyParams(Params):
    dsn: Secret
    url: str
    how: str


class LeakyReading(Reading):
    said: str


@probe("leaky.value", command=lambda params: f"client {params.dsn} {params.url}")
async def leaky(params: LeakyParams, ctx: ProbeContext) -> LeakyReading:
    """Repeats all that it was given, in every form that clients write."""
    known = [params.dsn.reveal(), params.url, ctx.environ["APP_TOKEN"]]
    raw = " ".join(
        form
        for each in known
        for form in (each, quote(each, safe=""), json.dumps(each), repr(each), base64.b64encode(each.encode()).decode())
    )
    if params.how == "error":
        raise ProbeError(ErrorKind.AUTH, f"cannot log in with {raw}", remedy=f"try {raw}") from ValueError(raw)
    if params.how == "crash":
        raise RuntimeError(raw)
    return LeakyReading(said=raw, evidence={"rows": [{"said": raw, raw[:150]: 1}], "text": raw}, missing={"x": raw})


TEXT = """
runbook: leaky
title: Repeats what it is told
inputs:
  dsn: {type: secret, env: APP_DSN}
  url: {type: url}
start: look
steps:
  look:
    probe: leaky.value
    with: {dsn: "{{ inputs.dsn }}", url: "{{ inputs.url }}", how: HOW}
    branches:
      - {when: said contains "Zq", finding: leaked}
      - {when: said contains "login", finding: leaked}
      - {else: end}
    on_error:
      - {kind: auth, finding: refused}
findings:
  leaked: {level: warning, title: "It said {{ look.said }} to {{ inputs.dsn }}", resolution: fix}
  refused: {level: critical, title: "{{ error.message }}", cause: "{{ inputs.url }}", resolution: fix}
resolutions: {fix: {title: Fix it, steps: [Fix it]}}
"""


@pytest.mark.parametrize("how", ["reading", "error", "crash"])
@given(password=secrets, token=secrets)
@settings(max_examples=40)
def test_a_planted_secret_appears_nowhere(
    tmp_path_factory: pytest.TempPathFactory, how: str, password: str, token: str
) -> None:
    folder = tmp_path_factory.mktemp("run")
    registry = rb.Registry.of(leaky)
    found = Compiler(registry, rb.Library(())).loaded(load(TEXT.replace("HOW", how), "leaky.yaml"))
    assert found.plan is not None, found.diagnostics
    dsn = f"postgresql://app:{quote(password, safe='')}@db.example.com/app"
    journal = rb.SqliteJournal(folder / "journal.sqlite3")
    trace = rb.run(
        found.plan,
        inputs={"dsn": dsn, "url": f"https://user:{quote(password, safe='')}@example.com/login"},
        environ={"APP_TOKEN": token},
        journal=journal,
    )
    recording = rb.record(trace, folder / "run.jsonl")
    journal.close()
    shown = {
        "events": "\n".join(encode(each) for each in trace.events),
        "repr": "\n".join(repr(each) for each in trace.events),
        "recording": recording.file.read_text(),
        **{file.name: file.read_bytes().decode("utf-8", "replace") for file in folder.glob("journal*")},
        **{each.value: rb.render(trace, each) for each in rb.ReportFormat},
    }
    for where, text in shown.items():
        for secret in (
            password,
            token,
            quote(password, safe=""),
            base64.b64encode(token.encode()).decode().rstrip("="),
        ):
            assert secret not in text, f"leaked in {where}"
    assert recording.replay().steps == trace.steps


@given(secret=secrets)
def test_every_form_in_which_clients_write_a_secret_is_masked(secret: str) -> None:
    border = Border([secret])
    for form in (
        secret,
        quote(secret),
        quote(secret, safe=""),
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        repr(secret),
        base64.b64encode(secret.encode()).decode(),
    ):
        assert secret not in border.text(f"before {form} after")
        assert form.strip("\"'=") not in border.text(f"before {form} after")


def test_the_password_of_a_connection_string_counts_by_itself() -> None:
    border = Border(["postgresql://app:s3cr%40t-x@db/app", "host=db password='two words' user=app"])
    masked = border.text("auth failed for s3cr@t-x, s3cr%40t-x and two words")
    assert masked == "auth failed for ***, *** and ***"


def test_a_short_secret_is_masked_where_it_stands_alone_and_nowhere_else() -> None:
    assert Border(["abc"]).text("abc is not abcd, nor xabc: (abc)") == "*** is not abcd, nor xabc: (***)"


def test_a_password_in_any_url_is_hidden_even_when_nobody_declared_it() -> None:
    assert Border().text("GET https://u:hunter2@example.com/x") == "GET https://u:***@example.com/x"


def test_a_variable_that_is_harmless_by_its_value_hides_nothing() -> None:
    border = Border()
    border.learn_environment({"USE_TOKEN": "true", "SSH_AUTH_SOCK": "/tmp/agent", "GIT_AUTHOR_NAME": "operations"})
    assert border.text("it is true: operations use /tmp/agent") == "it is true: operations use /tmp/agent"
    border.learn_environment({"STRIPE_KEY": "sk_live_123456", "CACHE": "redis://:pa55word@cache:6379"})
    assert border.text("sk_live_123456 pa55word") == "*** ***"


def test_evidence_is_bounded_and_says_so() -> None:
    border = Border()
    kept = border.evidence({"rows": list(range(5_000)), "text": "x" * 50_000, "deep": _nest(50)})
    assert kept["rows"][-1] == {"truncated": True, "items": 5_000}  # type: ignore[index]  # a list
    assert str(kept["text"]).endswith("… (truncated, 50000 characters)")
    assert len(json.dumps(kept)) < 70_000
    assert "truncated" in json.dumps(kept["deep"])


def _nest(depth: int) -> JsonValue:
    inner: JsonValue = "end"
    for _ in range(depth):
        inner = {"in": inner}
    return inner


def test_a_secret_shows_itself_as_its_variable() -> None:
    secret = Secret("postgresql://app:hunter2@db/app", "$DATABASE_URL")
    assert f"{secret} {secret!r} {[secret]}" == "$DATABASE_URL Secret('$DATABASE_URL') [Secret('$DATABASE_URL')]"


def test_a_literal_connection_string_shows_itself_without_its_password() -> None:
    assert str(Secret("postgresql://app:hunter2@db:5432/app")) == "postgresql://app:***@db:5432/app"
    assert str(Secret("hunter2")) == "***"


def test_a_recording_file_is_plain_text_that_names_its_schema(tmp_path: Path) -> None:
    found = Compiler(rb.Registry.of(leaky), rb.Library(())).loaded(load(TEXT.replace("HOW", "reading"), "leaky.yaml"))
    assert found.plan is not None
    trace = rb.run(found.plan, inputs={"dsn": "x" * 9, "url": "https://h"}, environ={"APP_TOKEN": "y" * 9})
    lines = rb.record(trace, tmp_path / "run.jsonl").file.read_text().splitlines()
    assert json.loads(lines[0]) == {"schema": "runbook.recording/v1"}
    assert json.loads(lines[1])["event"] == "run_started"
