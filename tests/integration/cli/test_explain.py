"""``runbook explain``, and what is known in the reports of runs."""

import json
import re
import subprocess
from typing import Any

OURS = """knowledge: ours
title: Ours
entries:
  gateway:
    messages: the gateway is grumpy
    subject: Gateway
    cause: It was not fed
    solution: Feed it
    source: {title: Our wiki, url: "https://wiki.example.com/gateway"}
"""

RUNBOOK = """runbook: ports
title: Is the port open?
start: look
steps:
  look:
    probe: tcp.connect
    with: {host: 127.0.0.1, port: 1}
    branches: [{else: end}]
"""


def test_words_lead_to_cause_solution_and_source(shell: Any) -> None:
    done = shell("explain", "too many connections", "-n", "1")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "Too many connections to PostgreSQL  PostgreSQL"
    assert [line[2:10].strip() for line in lines[1:] if line[2:10].strip()] == [
        "Messages",
        "Cause",
        "Solution",
        "Find out",
        "Source",
    ]
    assert "runbook run database-connections" in done.stdout
    assert "https://www.postgresql.org/docs/current/runtime-config-connection.html" in done.stdout


def test_words_need_no_quotes(shell: Any) -> None:
    assert shell("explain", "too", "many", "connections").stdout == shell("explain", "too many connections").stdout


def test_a_log_is_read_from_standard_input(shell: Any) -> None:
    done = subprocess.run(
        [*shell.command, "explain", "--format", "json", "-n", "1"],
        input='10:00 INFO fine\n10:01 FATAL:  role "deploy" does not exist\n',
        capture_output=True,
        text=True,
        check=True,
        cwd=shell.folder,
        env=shell.environ,
        timeout=60,
    )
    (found,) = json.loads(done.stdout)
    assert found["id"] == "postgresql-no-role"
    assert found["pattern"] == 'role "*" does not exist'
    assert found["text"] == '10:01 FATAL: role "deploy" does not exist'


def test_a_secret_in_a_pasted_error_is_not_shown_again(shell: Any) -> None:
    done = shell("explain", "postgresql://app:hunter2secret@db:5432 Connection refused")
    assert "Connection refused" in done.stdout
    assert "hunter2secret" not in done.stdout


def test_nothing_known_is_said_with_the_next_step(shell: Any) -> None:
    done = shell("explain", "qwertz asdfgh")
    assert done.returncode == 1
    assert done.stdout == ""
    assert (
        "No known error matches. Paste the whole line, or list all that are known: runbook explain --all" in done.stderr
    )
    assert json.loads(shell("explain", "qwertz asdfgh", "--format", "json").stdout) == []


def test_one_word_in_common_explains_nothing(shell: Any) -> None:
    done = shell("explain", "no such thing blah")
    assert (done.returncode, done.stdout) == (1, "")


def test_no_words_at_all_is_a_mistake_with_an_example(shell: Any) -> None:
    done = shell("explain")
    assert done.returncode == 2
    assert 'for example: runbook explain "too many connections"' in done.stderr


def test_a_message_about_no_system_of_its_own_has_no_word_beside_it(shell: Any) -> None:
    assert shell("explain", "ECONNREFUSED", "-n", "1").stdout.splitlines()[0] == "Connection refused"


def test_all_that_is_known_can_be_listed(shell: Any) -> None:
    done = shell("explain", "--all")
    assert done.stdout.splitlines()[0] == "General"
    assert "  Connection refused  connection-refused" in done.stdout
    assert len(json.loads(shell("explain", "--all", "--format", "json").stdout)) >= 40


def test_a_teams_own_knowledge_comes_first_and_is_checked(shell: Any) -> None:
    (shell.folder / "runbooks").mkdir()
    shell.write("runbooks/knowledge.yaml", OURS)
    assert "Feed it" in shell("explain", "grumpy").stdout
    assert shell("check", "runbooks").returncode == 0
    assert "ours" not in shell("list").stdout
    assert "knowledge" not in shell("list").stdout


def test_broken_knowledge_is_said_and_does_not_stop_anything(shell: Any) -> None:
    (shell.folder / "runbooks").mkdir()
    shell.write("runbooks/knowledge.yaml", OURS.replace("cause", "caus"))
    shell.write("ports.yaml", RUNBOOK)
    done = shell("explain", "ECONNREFUSED")
    assert "Check service status" in done.stdout
    assert "runbooks/knowledge.yaml has mistakes" in done.stderr
    assert "runbook check runbooks/knowledge.yaml" in done.stderr
    ran = shell("run", "ports.yaml", "--no-input")
    assert "Cause: Service down or network issue" in ran.stdout
    assert "runbooks/knowledge.yaml has mistakes" in ran.stderr
    assert shell("check", "runbooks/knowledge.yaml").returncode == 78


def test_a_run_shows_what_is_known_of_its_errors_and_history_shows_it_again(shell: Any) -> None:
    shell.write("ports.yaml", RUNBOOK)
    done = shell("run", "ports.yaml", "--no-input")
    assert done.returncode == 3
    assert "≡ Known error: Connection refused" in done.stdout
    assert "Cause: Service down or network issue" in done.stdout
    assert "Solution: Check service status, network connectivity" in done.stdout
    run = re.findall(r"run (\w+-\w+),", done.stdout)[0]
    assert shell("history", run).stdout == done.stdout
    (known,) = json.loads(shell("history", run, "--format", "json").stdout)["knowledge"]
    assert known["id"] == "connection-refused"
    assert known["step"] == "look"


def test_the_schema_of_knowledge_is_printed(shell: Any) -> None:
    assert "entries" in json.loads(shell("schema", "knowledge").stdout)["properties"]
