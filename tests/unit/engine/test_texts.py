"""Names in the texts that people read: checked where they stand, filled wherever they are read."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.cli.show_command import page
from runbook_engine.document import load
from runbook_engine.document.models import Runbook
from runbook_engine.document.playbook_load import load_playbook
from runbook_engine.document.told import Told, texts
from runbook_engine.engine.asking import Question
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.drawing import mermaid
from runbook_engine.graph.playbook import check_playbook
from runbook_engine.probe.fake import FakeProbe
from runbook_engine.report import ReportFormat, render

RUNBOOK = """runbook: example
title: Why {{ inputs.service }} is slow
description: For {{ inputs.service }}, from {{ inputs.slow }} on.
symptoms: ["{{ inputs.service }} takes more than {{ inputs.slow }}"]
references: [{title: "Board of {{ inputs.service }}", url: "https://wiki.example.com/{{ inputs.service | urlencode }}"}]
inputs:
  service: {default: the shop}
  slow: {type: duration, default: 500ms}
  token: {type: secret, env: TOKEN, optional: true}
start: look
steps:
  look:
    title: How slow is {{ inputs.service }}?
    description: Slow is more than {{ inputs.slow }}, {{ inputs.token | default('by the way') }}.
    probe: fake.value
    branches: [{when: p95 > inputs.slow, finding: slow, goto: deployed}, {else: end}]
  deployed:
    title: Was there a deployment, at {{ look.p95 }}?
    description: "{{ look.used }} is in use, and {{ inputs.service }} is slow."
    ask: Was {{ inputs.service }} deployed, now that it takes {{ look.p95 }}?
    branches: [{when: answer, finding: deployment}, {else: end}]
findings:
  slow: {kind: symptom, level: warning, title: "{{ inputs.service }} takes {{ look.p95 }}", resolution: fix}
  deployment: {level: warning, title: A deployment, resolution: fix}
resolutions:
  fix:
    title: Make {{ inputs.service }} fast
    steps:
      - "Bring {{ look.p95 }} below {{ inputs.slow }}"
      - "Ask whoever said {{ deployed.answer }}; {{ look.state | default('nothing') }} is known of it"
      - "{% raw %}docker ps --format '{{.Names}}'{% endraw %}"
prevention: ["Keep {{ inputs.service }} below {{ inputs.slow }}; it was {{ look.p95 }} at {{ look.used }}"]
"""
FILLED = {
    "title": "Why the cart is slow",
    "description": "For the cart, from 500 ms on.",
    "symptom": "the cart takes more than 500 ms",
    "reference": "Board of the cart",
    "url": "https://wiki.example.com/the%20cart",
    "look": "How slow is the cart?",
    "look description": "Slow is more than 500 ms, by the way.",
    "deployed": "Was there a deployment, at 1.24 s?",
    "deployed description": "unknown is in use, and the cart is slow.",
    "ask": "Was the cart deployed, now that it takes 1.24 s?",
    "resolution": "Make the cart fast",
    "first": "Bring 1.24 s below 500 ms",
    "second": "Ask whoever said yes; nothing is known of it",
    "third": "docker ps --format '{{.Names}}'",
    "prevention": "Keep the cart below 500 ms; it was 1.24 s at unknown",
}


@pytest.fixture
def trace(plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe]) -> rb.Trace:
    slow = fake({"p95": 1.24})
    return rb.run(
        plan(RUNBOOK, slow),
        inputs={"service": "the cart"},
        answers={"deployed": True},
        probes=rb.Registry.of(slow.probe),
    )


def test_every_text_of_a_report_is_filled(trace: rb.Trace) -> None:
    report = json.loads(render(trace, ReportFormat.JSON))
    steps = {each["id"]: each for each in report["steps"]}
    resolution = report["findings"][0]["resolution"]
    assert {
        "title": report["runbook"]["title"],
        "description": report["runbook"]["description"],
        "symptom": report["runbook"]["symptoms"][0],
        "reference": report["runbook"]["references"][0]["title"],
        "url": report["runbook"]["references"][0]["url"],
        "look": steps["look"]["title"],
        "look description": steps["look"]["description"],
        "deployed": steps["deployed"]["title"],
        "deployed description": steps["deployed"]["description"],
        "ask": steps["deployed"]["question"],
        "resolution": resolution["title"],
        "first": resolution["steps"][0],
        "second": resolution["steps"][1],
        "third": resolution["steps"][2],
        "prevention": report["prevention"][0],
    } == FILLED


@pytest.mark.parametrize("format_", [ReportFormat.TEXT, ReportFormat.MARKDOWN, ReportFormat.HTML, ReportFormat.JUNIT])
def test_no_format_shows_a_name_in_braces(trace: rb.Trace, format_: ReportFormat) -> None:
    shown = render(trace, format_)
    assert re.findall(r"\{\{ ?[a-z]", shown) == []
    assert "Make the cart fast" in shown


def test_a_replay_reads_as_the_run_did(trace: rb.Trace, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    rb.record(trace, file)
    again = rb.Recording(file).replay()
    assert render(again, ReportFormat.MARKDOWN) == render(trace, ReportFormat.MARKDOWN)


def test_a_person_is_asked_the_question_with_its_values(
    plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe]
) -> None:
    asked: list[Question] = []

    async def answer(question: Question) -> bool:
        asked.append(question)
        return True

    slow = fake({"p95": 1.24})
    rb.run(plan(RUNBOOK, slow), inputs={"service": "the cart"}, ask=answer, probes=rb.Registry.of(slow.probe))
    assert [(each.title, each.text) for each in asked] == [(FILLED["deployed"], FILLED["ask"])]


def test_a_question_that_nobody_answered_is_told_with_its_values(
    plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe]
) -> None:
    slow = fake({"p95": 1.24})
    trace = rb.run(plan(RUNBOOK, slow), inputs={"service": "the cart"}, probes=rb.Registry.of(slow.probe))
    assert trace.blind_spots[0].message == f"nobody answered: {FILLED['ask']}"


def test_a_secret_shows_itself_as_its_variable(plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe]) -> None:
    slow = fake({"p95": 1.24})
    text = RUNBOOK.replace("How slow is {{ inputs.service }}?", "With {{ inputs.token }}")
    trace = rb.run(plan(text, slow), environ={"TOKEN": "hunter2-long"}, probes=rb.Registry.of(slow.probe))
    assert trace.step("look").title == "With $TOKEN"
    assert "hunter2" not in render(trace, ReportFormat.JSON)


def test_before_a_run_a_name_is_read_as_what_it_stands_for(
    plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe]
) -> None:
    shown = "\n".join(page(plan(RUNBOOK, fake({"p95": 1.24}))))
    assert "{{ inputs" not in shown
    assert "{{ look" not in shown
    for each in (
        "Why <service> is slow",
        "<service> takes more than <slow>",
        "Was <service> deployed, now that it takes <look.p95>?",
        "<service> takes <look.p95>",
        "docker ps --format '{{.Names}}'",
    ):
        assert each in shown


def test_a_drawing_before_a_run_has_names_and_one_of_a_run_has_values(
    trace: rb.Trace, plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe]
) -> None:
    before = mermaid(plan(RUNBOOK, fake({"p95": 1.24})).runbook)
    assert "How slow is #lt;service#gt;?" in before
    assert "{{ " not in before
    assert "How slow is the cart?" in mermaid(trace.document)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title: Why {{ inputs.service }} is slow", 'title: "{{ look.p95 }}"', "RB404 look.p95 is not known in this text"),
        ("description: For {{ inputs.service }}", "description: For {{ inputs.servce }}", 'RB404 there is no input named "servce"; did you mean "service"?'),
        ("{{ inputs.service }} takes more", "{{ service }} takes more", 'RB404 "service" is not known in this text'),
        ('url: "https://wiki.example.com/{{ inputs.service | urlencode }}"', 'url: "{{ 9 ** 9 }}"', "RB403 pow is not allowed in a template"),
        ("How slow is {{ inputs.service }}?", "How slow is {{ p95 }}?", 'RB404 "p95" is not known in this text'),
        ("How slow is {{ inputs.service }}?", "How slow is {{ look.p95 }}?", 'RB404 "look.p95" is not known in this text'),
        ("Slow is more than {{ inputs.slow }}, ", "After {{ deployed.answer }}", 'RB404 step "deployed" does not come before step "look", so its metrics are not known here'),
        ("now that it takes {{ look.p95 }}?", "now that it takes {{ look.p59 }}?", 'RB404 there is no metric of step "look" named "p59"; did you mean "p95"?'),
        ("title: Make {{ inputs.service }} fast", 'title: "{{ lok.p95 }}"', 'RB404 there is no step "lok"; did you mean "look"?'),
        ("service: {default: the shop}", "service: {default: the shop, help: 'Of {{ inputs.slow }}'}", "RB404 {{ inputs.slow }} stands for nothing: this text is read before the inputs have values"),
        ("Bring {{ look.p95 }} below", "Bring {{ look.p95 below", "RB403 this is not a template: "),
        ("it was {{ look.p95 }} at", "it was {{ p95 }} at", 'RB404 "p95" is not known in this text'),
    ],
)  # fmt: skip
def test_a_name_that_a_text_cannot_know_is_a_mistake_at_its_place(
    old: str, new: str, expected: str, fake: Callable[..., FakeProbe]
) -> None:
    assert old in RUNBOOK
    text = RUNBOOK.replace(old, new, 1)
    found = Compiler(rb.Registry.of(fake({"p95": 1}).probe), rb.Library(())).loaded(load(text, "example.yaml"))
    (mistake,) = found.diagnostics
    assert f"{mistake.code} {mistake.message}".startswith(expected)
    assert new.split("{{", maxsplit=1)[0][:20] in text.splitlines()[mistake.span.line - 1]


def test_what_a_step_measures_is_not_known_to_its_own_parameters(
    plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe]
) -> None:
    for name in ("p95", "look.p95"):
        text = RUNBOOK.replace("probe: fake.value", f'probe: fake.value\n    with: {{url: "{{{{ {name} }}}}"}}')
        found = Compiler(rb.Registry.of(fake({"p95": 1}).probe), rb.Library(())).loaded(load(text, "example.yaml"))
        assert [f"{each.code} {each.message}" for each in found.diagnostics] == [
            f'RB404 "{name}" is not known in this text'
        ]


def test_a_recording_whose_texts_are_no_templates_is_read_as_it_was_written(trace: rb.Trace, tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    rb.record(trace, file)
    text = file.read_text("utf-8").replace("How slow is {{ inputs.service }}?", "How slow is {{.Service}}?")
    file.write_text(text, "utf-8")
    assert rb.Recording(file).replay().step("look").title == "How slow is {{.Service}}?"


def test_a_called_runbook_is_told_with_its_own_inputs(tmp_path: Path, fake: Callable[..., FakeProbe]) -> None:
    (tmp_path / "inner.yaml").write_text(RUNBOOK.replace("runbook: example", "runbook: inner"))
    (tmp_path / "outer.yaml").write_text(
        "runbook: outer\ntitle: Outer\nstart: call_it\nsteps:\n  call_it: {call: inner, with: {service: the mail}}\n"
    )
    slow = fake({"p95": 1.24})
    trace = rb.run(
        tmp_path / "outer.yaml",
        probes=rb.Registry.of(slow.probe),
        library=rb.Library((tmp_path,)),
        answers={"call_it/deployed": False},
    )
    assert trace.step("look", "call_it").title == "How slow is the mail?"
    assert trace.runbooks["call_it"].prevention[0].startswith("Keep the mail below 500 ms; it was 1.24 s")


def test_a_value_that_looks_like_a_template_is_a_text(
    plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe]
) -> None:
    slow = fake({"p95": 1.24})
    trace = rb.run(
        plan(RUNBOOK, slow),
        inputs={"service": "{{ inputs.slow }} <blink>"},
        answers={"deployed": False},
        probes=rb.Registry.of(slow.probe),
    )
    assert trace.step("look").title == "How slow is {{ inputs.slow }} <blink>?"
    assert "<blink>" not in render(trace, ReportFormat.HTML)


def test_every_text_of_a_runbook_that_people_read_is_marked() -> None:
    """Whoever adds a text says what it may name; these are what nobody fills."""
    found = load(RUNBOOK, "example.yaml").runbook
    assert isinstance(found, Runbook)
    marked = {".".join(str(each) for each in path if not isinstance(each, int)) for path, _, _ in texts(found)}
    assert marked == {
        "title", "description", "symptoms", "references.title", "references.url", "prevention",
        "steps.look.title", "steps.look.description", "steps.deployed.title", "steps.deployed.description",
        "steps.deployed.ask", "findings.slow.title", "findings.deployment.title", "resolutions.fix.title",
        "resolutions.fix.steps",
    }  # fmt: skip
    assert {mark for _, _, mark in texts(found)} == set(Told) - {Told.PLAIN}


def test_a_playbook_fills_nothing_in_and_says_so() -> None:
    text = """
playbook: example
title: Lead the {{ inputs.service }} incident
phases:
  first:
    title: At once
    begin: 0min
    groups:
      calls:
        title: Calls
        tasks:
          call: {title: Call them, owner: incident_commander, instructions: ["docker ps --format '{{.ID}}'", "Say {{ severity }}"]}
"""
    found = [
        f"{each.span.line} {each.code} {each.message}"
        for each in check_playbook(load_playbook(text, "example.yaml"), rb.Library(()))
        if each.code == "RB404"
    ]
    told = "stands for nothing: the texts of a playbook are read as they are written"
    assert found == [f'3 RB404 "{{{{ inputs.service }}}}" {told}', f'12 RB404 "{{{{ severity }}}}" {told}']
