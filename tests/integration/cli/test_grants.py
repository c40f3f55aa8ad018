"""What is refused by default, granted by a flag, a variable or an environment; and what to do where inputs are missing."""

import json
from typing import Any

import pytest

RUNBOOK = """runbook: program
title: Does the program run?
inputs: {word: {help: What it says}}
start: one
steps:
  one:
    probe: shell.run
    with: {argv: [echo, "{{ inputs.word }}"]}
    branches: [{when: not succeeded, finding: failed}, {else: end}]
findings: {failed: {level: warning, title: It fails}}
"""


@pytest.fixture
def here(shell: Any) -> Any:
    (shell.folder / "runbooks" / "environments").mkdir(parents=True)
    shell.write("runbooks/program.yaml", RUNBOOK)
    shell.write(
        "runbooks/environments/ours.yaml", "environment: ours\ntitle: Ours\nallow: [shell]\nvalues: {word: hello}\n"
    )
    return shell


@pytest.mark.parametrize(
    ("arguments", "variable", "by"),
    [
        (("-s", "word=x", "--allow", "shell"), "", "--allow"),
        (("-s", "word=x"), "shell, shell-string", "variable RUNBOOK_ALLOW"),
        (("-e", "ours"), "", "environment ours"),
        (("-e", "ours", "--allow", "shell"), "shell", "--allow"),
    ],
)
def test_a_report_says_what_was_allowed_and_by_what(
    here: Any, arguments: tuple[str, ...], variable: str, by: str
) -> None:
    done = here("run", "program", "--format", "json", *arguments, RUNBOOK_ALLOW=variable)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["grants"]["shell"] == by
    told = " ".join(here("run", "program", *arguments, RUNBOOK_ALLOW=variable).stdout.split())
    assert f"allowed: shell ({by})" in told


def test_without_a_grant_it_is_refused_with_every_way_to_give_one(here: Any) -> None:
    done = here("run", "program", "-s", "word=x", "--format", "json")

    assert done.returncode == 3
    (spot,) = json.loads(done.stdout)["blind_spots"]
    assert spot["remedy"] == "run with --allow shell, or let an environment (allow: [shell]) or RUNBOOK_ALLOW grant it"


def test_a_grant_that_there_is_not_is_refused_where_it_stands(here: Any) -> None:
    done = here("run", "program", "-s", "word=x", RUNBOOK_ALLOW="shel")
    assert done.returncode == 2
    assert "RUNBOOK_ALLOW grants 'shel', which there is not; did you mean \"shell\"?" in done.stderr

    here.write("runbooks/environments/ours.yaml", "environment: ours\ntitle: Ours\nallow: [shel]\n")
    done = here("run", "program", "-s", "word=x", "-e", "ours")
    assert done.returncode == 78
    assert "runbooks/environments/ours.yaml:3:" in done.stderr


def test_missing_inputs_come_with_how_to_keep_them_and_with_a_lab_to_see_it(shell: Any) -> None:
    done = shell("run", "high-latency", "--no-input")

    assert done.returncode == 2
    assert "input 'api_url' (url) is missing: give -s api_url=VALUE or set API_URL" in done.stderr
    assert "to keep them: runbook new environment ours, fill it in, and runbook run high-latency -e ours" in done.stderr
    assert "only to see it: runbook run high-latency --lab slow_queries" in done.stderr


def test_a_runbook_of_ones_own_has_no_lab(here: Any) -> None:
    done = here("run", "program", "--no-input")

    assert "input 'word' (string) is missing" in done.stderr
    assert "--lab" not in done.stderr


@pytest.mark.parametrize("command", [("run", "redis-cache"), ("triage",)])
def test_a_shipped_environment_is_not_taken_without_a_word(shell: Any, command: tuple[str, ...]) -> None:
    told = "environment production: the shipped file "

    assert told in shell(*command, "-e", "production", "--no-input").stderr

    (shell.folder / "runbooks" / "environments").mkdir(parents=True)
    shell.write("runbooks/environments/production.yaml", "environment: production\ntitle: Ours\n")
    done = shell(*command, "-e", "production", "--no-input")
    assert told not in done.stderr
    assert "environment production: runbooks/environments/production.yaml\n" in done.stderr


def test_the_explanation_of_inputs_names_the_file_too(shell: Any) -> None:
    done = shell("run", "redis-cache", "-e", "production", "--explain-inputs", REDIS_URL="redis://cache")

    assert "The environment is the shipped file " in done.stdout
    assert "as no own production.yaml lies in " in done.stdout


def test_a_shipped_policy_is_not_taken_without_a_word(shell: Any) -> None:
    assert "policy metrics: the shipped file " in shell("triage", "--no-input").stderr

    (shell.folder / "runbooks" / "policy").mkdir(parents=True)
    policy = "policy: metrics\ntitle: Ours\nmetrics: {}\n"
    shell.write("runbooks/policy/metrics.yaml", policy)
    assert "the shipped file" not in shell("triage", "--no-input").stderr
