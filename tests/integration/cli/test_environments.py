"""``-e`` and ``--explain-inputs``, as people type them."""

import json
from typing import Any

import pytest

RUNBOOK = """runbook: port
title: Does the port answer?
inputs:
  host: {type: string, env: PORT_HOST, default: default.example}
  port: {type: int}
  dsn: {type: secret, env: DATABASE_URL, optional: true}
  slow: {type: duration, default: 500ms}
start: one
steps:
  one:
    probe: tcp.connect
    with: {host: "{{ inputs.host }}", port: "{{ inputs.port }}"}
    branches:
      - {when: connect > inputs.slow, finding: slow}
      - {else: end}
findings:
  slow: {level: warning, title: "It is slow, {{ inputs.dsn | default('-') }}"}
"""
HERE = "environment: here\ntitle: This machine\nvalues:\n  host: 127.0.0.1\n  port: 1\n  slow: 2s\n  dsn: {env: HERE_URL}\n"


@pytest.fixture
def at_home(shell: Any) -> Any:
    """A folder with a runbook and an environment of one's own."""
    (shell.folder / "runbooks" / "environments").mkdir(parents=True)
    shell.write("runbooks/port.yaml", RUNBOOK)
    shell.write("runbooks/environments/here.yaml", HERE)
    return shell


def sources(done: Any) -> dict[str, str]:
    found: dict[str, str] = {each["name"]: each["source"] for each in json.loads(done.stdout)}
    return found


def test_a_run_takes_its_inputs_from_the_environment_and_the_report_says_so(at_home: Any) -> None:
    done = at_home("run", "port", "-e", "here", "--format", "json", "-q")
    assert done.returncode == 3
    report = json.loads(done.stdout)
    assert {name: each["source"] for name, each in report["inputs"].items()} == dict.fromkeys(
        ("host", "port", "slow"), "environment here"
    ) | {"dsn": "not given"}
    assert "127.0.0.1:1 refuses connections" in done.stdout


def test_flag_then_environment_then_variable_then_default(at_home: Any) -> None:
    explain = ("run", "port", "--explain-inputs", "--format", "json")
    assert sources(at_home(*explain, "-s", "port=2"))["host"] == "default"
    assert sources(at_home(*explain, "-e", "here"))["host"] == "environment here"
    assert sources(at_home(*explain, "-e", "here", PORT_HOST="elsewhere"))["host"] == "environment here"
    assert sources(at_home(*explain, "-s", "port=2", PORT_HOST="elsewhere"))["host"] == "variable PORT_HOST"
    assert sources(at_home(*explain, "-e", "here", "-s", "host=me", PORT_HOST="elsewhere"))["host"] == "command line"


def test_the_explanation_is_a_table_that_shows_no_secret_and_runs_nothing(at_home: Any) -> None:
    done = at_home(
        "run",
        "port",
        "-e",
        "here",
        "--explain-inputs",
        "-s",
        "slow=3s",
        HERE_URL="redis://:hush@h",
        DATABASE_URL="pg://u:hush@h",
    )
    assert done.returncode == 0
    assert done.stderr == ""
    *table, between, file = done.stdout.splitlines()
    assert [line.split("  ")[0] for line in table] == ["Input", "host", "port", "dsn", "slow"]
    assert (between, file) == ("", "The environment is runbooks/environments/here.yaml")
    lines = {line.split()[0]: " ".join(line.split()) for line in table}
    assert lines["host"] == "host 127.0.0.1 environment here default: default.example"
    assert lines["port"] == "port 1 environment here"
    assert lines["dsn"] == "dsn $HERE_URL environment here variable DATABASE_URL: $DATABASE_URL"
    assert lines["slow"] == "slow 3 s command line environment here: 2 s, then default: 500 ms"
    assert not (at_home.folder / "home").exists()  # no history


def test_the_explanation_tells_what_is_missing_and_ends_as_the_run_would(at_home: Any) -> None:
    done = at_home("run", "port", "--explain-inputs")
    assert done.returncode == 2
    assert "port   give -s port=VALUE  missing" in done.stdout
    assert "input 'port' (int) is missing: give -s port=VALUE" in done.stderr


def test_a_value_of_the_wrong_type_ends_the_run_with_its_place(at_home: Any) -> None:
    at_home.write("runbooks/environments/here.yaml", HERE.replace("port: 1", "port: many"))
    done = at_home("run", "port", "-e", "here")
    assert done.returncode == 78
    assert done.stdout == ""
    assert 'error[RB701]: the value of "port" is "many", which is not a whole number' in done.stderr
    assert "--> runbooks/environments/here.yaml:5:9" in done.stderr


def test_a_literal_secret_is_refused_and_not_shown(at_home: Any) -> None:
    at_home.write("runbooks/environments/here.yaml", HERE.replace("{env: HERE_URL}", "pg://u:hush@h/x"))
    for command in (("run", "port", "-e", "here"), ("check", "runbooks")):
        done = at_home(*command)
        assert done.returncode == 78
        assert "RB123" in done.stdout + done.stderr
        assert "hush" not in done.stdout + done.stderr


def test_a_misspelled_name_is_a_warning_and_the_run_goes_on(at_home: Any) -> None:
    at_home.write("runbooks/environments/here.yaml", f"{HERE}  prot: 1\n")
    done = at_home("run", "port", "-e", "here", "--no-input")
    assert done.returncode == 3
    assert 'warning[RB702]: no runbook has an input "prot"' in done.stderr
    assert 'did you mean "port"?' in done.stderr
    assert "RB702" not in at_home("run", "port", "-e", "here", "-q").stderr
    assert at_home("check", "runbooks").returncode == 0


def test_an_environment_that_does_not_exist_is_told_with_those_that_do(at_home: Any) -> None:
    done = at_home("run", "port", "-e", "hre")
    assert done.returncode == 2
    assert (
        "there is no environment 'hre'; did you mean \"here\"? (known: guide, here, lab, production, staging)"
        in done.stderr
    )


def test_a_file_is_an_environment_too(at_home: Any) -> None:
    at_home.write("mine.yaml", HERE.replace("here", "mine"))
    done = at_home("run", "port", "-e", "mine.yaml", "--explain-inputs")
    assert "environment mine" in done.stdout


def test_a_triage_takes_its_thresholds_from_the_environment(at_home: Any) -> None:
    done = at_home("triage", "-e", "staging", "--explain-inputs", "--format", "json", "-q")
    rows = {each["name"]: each for each in json.loads(done.stdout)}
    assert (rows["slow"]["value"], rows["slow"]["source"]) == ("1 s", "environment staging")


@pytest.mark.parametrize("option", [("-e", "here"), ("--explain-inputs",)])
def test_a_recording_has_its_values_already(at_home: Any, option: tuple[str, ...]) -> None:
    at_home("run", "port", "-e", "here", "-q", "--record", "run.jsonl")
    done = at_home("run", "--replay", "run.jsonl", *option)
    assert done.returncode == 2
    assert "cannot change what was recorded" in done.stderr
    assert "environment here" in at_home("run", "--replay", "run.jsonl", "--format", "json").stdout


def test_the_lab_cannot_be_explained_before_it_runs(at_home: Any) -> None:
    done = at_home("run", "port", "--explain-inputs", "--lab", "none")
    assert done.returncode == 2
    assert "--explain-inputs runs nothing" in done.stderr


def test_the_schema_of_environments_is_printed(at_home: Any) -> None:
    schema = json.loads(at_home("schema", "environment").stdout)
    assert set(schema["properties"]) == {"environment", "title", "description", "allow", "values"}
