"""Environments in a run: chosen by name, held against the inputs, handed to called runbooks, told in the trace."""

import json
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.engine.environments import check_environment_file, choose
from runbook_engine.engine.explanation import explain
from runbook_engine.engine.inputs import Around
from runbook_engine.errors import InvalidDocumentError, UsageError
from runbook_engine.probe.fake import FakeProbe

CALLER = """runbook: caller
title: Calls another
inputs:
  api: {type: string, default: default-api}
start: one
steps:
  one: {call: called, with: {given: by the step}}
  two: {ask: "{{ inputs.api }}?"}
"""
CALLED = """runbook: called
title: Is called
inputs:
  api: {type: string, default: other-default}
  slow: {type: duration, default: 500ms}
  given: {type: string}
  dsn: {type: secret, env: DATABASE_URL, optional: true}
start: measure
steps:
  measure:
    probe: fake.value
    with: {api: "{{ inputs.api }}", slow: "{{ inputs.slow }}", given: "{{ inputs.given }}", dsn: "{{ inputs.dsn | default('none') }}"}
"""
STAGING = """environment: staging
title: Staging
values:
  api: staging-api
  slow: 2s
  given: by the environment
  dsn: {env: STAGING_URL}
"""


@pytest.fixture
def library(tmp_path: Path) -> rb.Library:
    (tmp_path / "environments").mkdir()
    (tmp_path / "caller.yaml").write_text(CALLER.replace("start: one", "start: [one, two]"))
    (tmp_path / "called.yaml").write_text(CALLED)
    (tmp_path / "environments" / "staging.yaml").write_text(STAGING)
    return rb.Library((tmp_path,))


def write(library: rb.Library, text: str, name: str = "staging") -> Path:
    file = library.directories[0] / "environments" / f"{name}.yaml"
    file.write_text(text)
    return file


def test_a_called_runbook_takes_from_the_environment_what_its_caller_lacks(library: rb.Library) -> None:
    probe = FakeProbe("fake.value", {})
    rb.run(
        "caller",
        library=library,
        probes=rb.Registry.of(probe.probe),
        environment="staging",
        environ={"STAGING_URL": "hush"},
    )
    seen = probe.calls[0].model_dump()
    assert seen["slow"] == 2.0
    assert seen["api"] == "staging-api"
    assert seen["given"] == "by the step"
    assert seen["dsn"].reveal() == "hush"


def test_the_trace_and_the_report_say_that_a_value_came_from_the_environment(library: rb.Library) -> None:
    probe = FakeProbe("fake.value", {})
    trace = rb.run(
        "called",
        library=library,
        probes=rb.Registry.of(probe.probe),
        environment="staging",
        environ={"STAGING_URL": "hush-hush"},
        inputs={"given": "here"},
    )
    assert {name: each.source for name, each in trace.inputs.items()} == {
        "api": "environment staging",
        "slow": "environment staging",
        "given": "given",
        "dsn": "environment staging",
    }
    assert trace.inputs["dsn"].shown == "$STAGING_URL"
    report = rb.render(trace, rb.ReportFormat.JSON)
    assert "environment staging" in report
    assert "hush" not in report


def test_an_environment_can_be_a_file_of_ones_own(library: rb.Library, tmp_path: Path) -> None:
    probe = FakeProbe("fake.value", {})
    file = tmp_path / "mine.yaml"
    file.write_text("environment: mine\ntitle: M\nvalues: {given: mine}\n")
    for which in (file, str(file)):
        trace = rb.run("called", library=library, probes=rb.Registry.of(probe.probe), environment=which)
        assert trace.inputs["given"].source == "environment mine"


def test_an_environment_that_does_not_exist_is_told_with_those_that_do(library: rb.Library) -> None:
    for which in ("stagin", "no/such.yaml"):
        with pytest.raises(UsageError, match="there is no environment") as caught:
            rb.run(
                "called", library=library, probes=rb.Registry.of(FakeProbe("fake.value", {}).probe), environment=which
            )
        assert ('did you mean "staging"' in str(caught.value)) == (which == "stagin")


def test_a_value_that_does_not_fit_an_input_of_a_called_runbook_ends_it_before_it_begins(library: rb.Library) -> None:
    write(library, STAGING.replace("2s", "80%"))
    probe = FakeProbe("fake.value", {})
    with pytest.raises(InvalidDocumentError) as caught:
        rb.run("caller", library=library, probes=rb.Registry.of(probe.probe), environment="staging")
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.line, found.span.column) == ("RB701", 5, 9)
    assert caught.value.exit_code == 78
    assert probe.calls == []


def test_a_value_that_only_other_runbooks_have_is_ignored_and_an_unknown_one_is_warned_of(library: rb.Library) -> None:
    plan = rb.load("called", library=library, probes=rb.Registry.of(FakeProbe("fake.value", {}).probe))
    (library.directories[0] / "third.yaml").write_text(
        "runbook: third\ntitle: T\ninputs: {elsewhere: {type: int}}\nstart: a\nsteps: {a: {ask: '{{ inputs.elsewhere }}'}}\n"
    )
    write(library, f"{STAGING}  elsewhere: not a number\n  slwo: 1s\n")
    chosen = choose("staging", plan, library)
    assert [(each.code, each.span.line, each.label) for each in chosen.warnings] == [
        ("RB702", 9, 'did you mean "slow"?')
    ]


def test_a_check_holds_values_against_every_runbook(library: rb.Library) -> None:
    (library.directories[0] / "third.yaml").write_text(
        "runbook: third\ntitle: T\ninputs: {elsewhere: {type: int}}\nstart: a\nsteps: {a: {ask: '{{ inputs.elsewhere }}'}}\n"
    )
    file = write(library, f"{STAGING}  elsewhere: not a number\n")
    for known in (library, rb.Library(())):  # the runbooks beside it count in any case
        found = check_environment_file(file, known).diagnostics
        assert [(each.code, each.span.line) for each in found] == [("RB701", 8)]


def test_the_shipped_environments_fit_every_shipped_runbook() -> None:
    library = rb.Library.default({})
    assert set(library.environments()) >= {"production", "staging", "lab"}
    for name, file in library.environments().items():
        found = check_environment_file(file, library)
        assert found.environment is not None, [str(each) for each in found.diagnostics]
        assert found.environment.environment == name


def test_production_says_what_the_runbooks_say_without_an_environment() -> None:
    library = rb.Library.default({})
    production = check_environment_file(library.environments()["production"], library).environment
    assert production is not None
    for name in library.files():
        runbook = library.load(name).runbook
        assert runbook is not None
        for spec_name, spec in runbook.inputs.items():
            value = production.values.get(spec_name)
            if isinstance(value, str | int | float) and spec.default is not None:
                assert value == spec.default, f"{name}: {spec_name}"


def test_an_explanation_has_every_giver_in_order_and_no_secret(library: rb.Library) -> None:
    plan = rb.load("caller", library=library, probes=rb.Registry.of(FakeProbe("fake.value", {}).probe))
    environment = choose("staging", plan, library).environment
    environ = {"DATABASE_URL": "postgresql://u:hush@db/x", "STAGING_URL": "hush-hush"}
    rows = {each.name: each for each in explain(plan, Around({"api": "a"}, environ, {}, "command line", environment))}
    assert rows["api"].value == "a"
    assert rows["api"].otherwise == (("environment staging", "staging-api"), ("default", "default-api"))
    assert (rows["slow"].runbook, rows["slow"].value, rows["slow"].source) == ("called", "2 s", "environment staging")
    assert (rows["given"].value, rows["given"].source) == ("set by the call", "step one")
    assert rows["given"].otherwise == (("environment staging", "by the environment"),)
    assert (rows["dsn"].value, rows["dsn"].source) == ("$STAGING_URL", "environment staging")
    assert rows["dsn"].otherwise == (("variable DATABASE_URL", "$DATABASE_URL"),)
    assert "hush" not in str(rows)


def test_an_explanation_says_why_a_variable_that_is_set_does_not_count(library: rb.Library) -> None:
    plan = rb.load("called", library=library, probes=rb.Registry.of(FakeProbe("fake.value", {}).probe))
    environment = choose("staging", plan, library).environment
    around = Around({}, {"DATABASE_URL": "postgresql://u:hush@db/x"}, {}, "command line", environment)
    rows = {each.name: each for each in explain(plan, around)}
    assert (rows["dsn"].value, rows["dsn"].source) == ("missing", "not given")
    assert rows["dsn"].otherwise == (
        ("environment staging", "$STAGING_URL, which is not set"),
        ("variable DATABASE_URL", "does not count, because the environment names another"),
    )


def staged(library: rb.Library, environ: dict[str, str], **inputs: str) -> tuple[rb.Trace, FakeProbe]:
    """A run of the called runbook in staging."""
    probe = FakeProbe("fake.value", {})
    trace = rb.run(
        "called",
        library=library,
        probes=rb.Registry.of(probe.probe),
        environment="staging",
        environ=environ,
        inputs=inputs,
    )
    return trace, probe


def test_a_variable_that_is_set_does_not_lead_a_run_out_of_its_environment(library: rb.Library) -> None:
    trace, probe = staged(library, {"DATABASE_URL": "production-db", "STAGING_URL": "staging-db"})
    assert probe.calls[0].model_dump()["dsn"].reveal() == "staging-db"
    assert (trace.inputs["dsn"].source, trace.inputs["dsn"].overruled) == ("environment staging", "DATABASE_URL")
    for format_ in rb.ReportFormat:
        assert "DATABASE_URL" in rb.render(trace, format_), format_
    assert "set, but overruled: DATABASE_URL (by environment staging)" in " ".join(
        rb.render(trace, rb.ReportFormat.TEXT).split()
    )
    assert json.loads(rb.render(trace, rb.ReportFormat.JSON))["overruled"] == {"DATABASE_URL": "environment staging"}


def test_no_variable_stands_in_for_one_that_the_environment_names_and_that_is_not_set(library: rb.Library) -> None:
    trace, probe = staged(library, {"DATABASE_URL": "production-db"})
    assert probe.calls[0].model_dump()["dsn"] == "none"
    assert trace.inputs["dsn"].source == "not given"
    report = json.loads(rb.render(trace, rb.ReportFormat.JSON))
    assert report["overruled"] == {"DATABASE_URL": "STAGING_URL, which is not set"}
    assert "production-db" not in rb.render(trace, rb.ReportFormat.JSON)


def test_an_input_without_a_value_is_told_with_the_variable_that_the_environment_names(library: rb.Library) -> None:
    file = library.directories[0] / "called.yaml"
    file.write_text(CALLED.replace("DATABASE_URL, optional: true", "DATABASE_URL"))
    with pytest.raises(rb.InputsError) as caught:
        staged(library, {"DATABASE_URL": "production-db"})
    assert caught.value.problems == (
        "input 'dsn' (secret) is missing: give -s dsn=VALUE or set STAGING_URL; DATABASE_URL, which is set, does not count, "
        "because environment staging names another variable",
    )


def test_a_step_that_was_not_asked_is_told_with_the_variable_that_the_environment_names(library: rb.Library) -> None:
    file = library.directories[0] / "called.yaml"
    file.write_text(CALLED.replace(" | default('none')", ""))
    trace, probe = staged(library, {"DATABASE_URL": "production-db"})
    assert probe.calls == []
    (unasked,) = json.loads(rb.render(trace, rb.ReportFormat.JSON))["not_asked"]
    assert unasked["remedy"] == "give -s dsn=VALUE or set STAGING_URL"


def test_nothing_is_overruled_by_what_is_typed_or_by_the_same_value(library: rb.Library) -> None:
    same = {"DATABASE_URL": "one-db", "STAGING_URL": "one-db"}
    assert staged(library, same)[0].inputs["dsn"].overruled == ""
    typed, _ = staged(library, {"DATABASE_URL": "production-db", "STAGING_URL": "staging-db"}, dsn="typed-db")
    assert (typed.inputs["dsn"].source, typed.inputs["dsn"].overruled) == ("given", "")


def test_the_variable_of_an_input_counts_where_the_environment_says_nothing_of_it(library: rb.Library) -> None:
    write(library, STAGING.replace("  dsn: {env: STAGING_URL}\n", ""))
    trace, probe = staged(library, {"DATABASE_URL": "some-db"})
    assert probe.calls[0].model_dump()["dsn"].reveal() == "some-db"
    assert (trace.inputs["dsn"].source, trace.inputs["dsn"].overruled) == ("variable DATABASE_URL", "")


def test_an_explanation_says_what_is_missing_unreadable_or_not_set(library: rb.Library) -> None:
    plan = rb.load("called", library=library, probes=rb.Registry.of(FakeProbe("fake.value", {}).probe))
    environment = choose("staging", plan, library).environment
    rows = {each.name: each for each in explain(plan, Around({"slow": "much"}, {}, {}, "command line", environment))}
    assert rows["slow"].value.startswith("unreadable: ")
    assert rows["dsn"].otherwise == (("environment staging", "$STAGING_URL, which is not set"),)
    rows = {each.name: each for each in explain(plan, Around({}, {}, {}, "command line"))}
    assert (rows["given"].source, rows["given"].value) == ("missing", "give -s given=VALUE")
