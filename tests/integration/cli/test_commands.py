"""Exit codes, streams, and what is said when something is wrong."""

import json
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

Port = Callable[..., str]

WAITING = """runbook: waiting
title: Waits for a server that says nothing
start: [first, silent]
steps:
  first:
    probe: tcp.connect
    with: {{host: 127.0.0.1, port: {closed}}}
    on_error: [{{kind: refused, finding: closed}}]
  silent:
    probe: http.get
    with: {{url: "http://127.0.0.1:{listening}/"}}
    timeout: 60s
findings:
  closed: {{level: warning, title: The port is closed, resolution: open_it}}
resolutions:
  open_it: {{title: Open it, steps: [Start the server]}}
"""


def test_a_healthy_run_ends_with_0_and_only_the_report_on_standard_output(
    shell: Any, port_runbook: Port, listening: int
) -> None:
    done = shell("run", port_runbook(listening), "--no-input")
    assert done.returncode == 0, done.stderr
    assert "HEALTHY" in done.stdout
    assert "started" not in done.stdout
    assert "port  started" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_problem_ends_with_1_and_quiet_says_nothing_besides(shell: Any, port_runbook: Port, closed: int) -> None:
    done = shell("run", port_runbook(closed), "--no-input", "-q")
    assert done.returncode == 1
    assert f"Port {closed} is closed" in done.stdout
    assert done.stderr == ""


def test_an_inconclusive_run_ends_with_3(shell: Any, listening: int) -> None:
    file = shell.write("w.yaml", WAITING.format(closed=listening, listening=listening).replace("60s", "200ms"))
    done = shell("run", file, "--no-input")
    assert done.returncode == 3
    assert "This does not mean that it is healthy" in done.stdout


def test_missing_inputs_are_listed_with_flag_and_variable(shell: Any, port_runbook: Port) -> None:
    done = shell("run", port_runbook())
    assert done.returncode == 2
    assert "input 'port' (int) is missing: give -s port=VALUE or set THE_PORT" in done.stderr


def test_an_input_is_taken_from_its_variable(shell: Any, port_runbook: Port, listening: int) -> None:
    assert shell("run", port_runbook(), THE_PORT=str(listening)).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], 'Did you mean "run"?'),
        (["run", "high-latncy"], 'did you mean "high-latency"?'),
        (["run"], "name a runbook"),
        (["run", "high-latency", "-s", "slwo=1s"], 'did you mean "slow"?'),
        (["run", "high-latency", "-s", "slow=1"], "'1' is not a duration; write for example 500ms"),
        (["run", "high-latency", "-s", "slow"], "'slow' should be name=value"),
        (["run", "high-latency", "--deadline", "soon"], "not a number with a unit"),
        (["run", "high-latency", "--lab", "slow_querys"], 'did you mean "slow_queries"?'),
        (["show", "nothing"], "searched"),
        (["probes", "http.gett"], 'did you mean "http.get"?'),
        (["history", "ffff"], "nothing has been run yet"),
        (["--nonsense"], "No such option"),
    ],
)
def test_what_cannot_be_understood_is_answered_with_the_next_step(
    shell: Any, arguments: list[str], message: str
) -> None:
    done = shell(*arguments)
    assert message in done.stderr + done.stdout
    assert done.returncode == (0 if arguments[0] == "history" else 2)
    assert "Traceback" not in done.stderr


def test_a_runbook_with_mistakes_ends_with_78_and_shows_each_at_its_place(shell: Any, port_runbook: Port) -> None:
    file = port_runbook(1)
    text = (
        (shell.folder / file)
        .read_text()
        .replace("connect > 5s", "connect > 5")
        .replace("finding: closed", "finding: clsed")
    )
    shell.write(file, text)
    for arguments in (("run", file), ("check", file)):
        done = shell(*arguments)
        assert done.returncode == 78
        told = done.stderr if arguments[0] == "run" else done.stdout
        assert "error[RB303]: connect is a duration, and 5 has no unit" in told
        assert 'did you mean "closed"?' in told
        assert f"--> {file}:" in told.replace(f"{shell.folder}/", "")


def test_check_reads_whole_directories_and_speaks_json(shell: Any, port_runbook: Port) -> None:
    port_runbook(1)
    shell.write("bad.yaml", "runbook: bad\ntitle: T\nstart: a\nsteps: {a: {prob: x}}\n")
    done = shell("check", ".", "--format", "json")
    assert done.returncode == 78
    assert {Path(each["file"]).name for each in json.loads(done.stdout)} == {"bad.yaml"}


def test_ctrl_c_still_reports_what_was_seen_and_ends_with_130(shell: Any, closed: int, listening: int) -> None:
    file = shell.write("w.yaml", WAITING.format(closed=closed, listening=listening))
    running = shell.start("run", file, "--no-input", "--record", "run.jsonl")
    assert running.stderr is not None
    for line in running.stderr:
        if "The port is closed" in line:
            break
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130, err
    assert "The port is closed" in out
    assert "interrupted" in out
    assert "Traceback" not in err
    again = shell("run", "--replay", "run.jsonl", "--format", "json")
    assert json.loads(again.stdout)["ending"] == "interrupted"


def test_a_run_stops_at_its_deadline_with_a_report(shell: Any, closed: int, listening: int) -> None:
    file = shell.write("w.yaml", WAITING.format(closed=closed, listening=listening))
    done = shell("run", file, "--no-input", "--deadline", "300ms")
    assert done.returncode == 1
    assert "deadline" in done.stdout


def test_a_replay_gives_the_identical_report(shell: Any, port_runbook: Port, closed: int) -> None:
    file = port_runbook(closed)
    for format_ in ("json", "text", "markdown", "html", "junit"):
        first = shell("run", file, "--no-input", "--record", "run.jsonl", "--format", format_)
        again = shell("run", "--replay", "run.jsonl", "--format", format_)
        assert again.stdout == first.stdout
        assert again.returncode == first.returncode == 1


def test_a_replay_of_another_runbook_is_refused(shell: Any, port_runbook: Port, closed: int) -> None:
    shell("run", port_runbook(closed), "--record", "run.jsonl")
    done = shell("run", "high-latency", "--replay", "run.jsonl")
    assert done.returncode == 2
    assert "is a recording of 'port', not of 'high-latency'" in done.stderr


def test_the_report_goes_to_a_file_in_the_format_of_its_name(shell: Any, port_runbook: Port, closed: int) -> None:
    done = shell("run", port_runbook(closed), "-o", "report.html", "-q")
    assert done.returncode == 1
    assert (shell.folder / "report.html").read_text().startswith("<!doctype html>")
    assert done.stdout == ""
    assert "report written to report.html" in done.stderr


def test_a_report_that_cannot_be_written_is_not_lost(shell: Any, port_runbook: Port, closed: int) -> None:
    done = shell("run", port_runbook(closed), "-o", "no/such/folder/report.txt", "-q")
    assert done.returncode == 2
    assert "cannot be written to no/such/folder/report.txt" in done.stderr
    assert f"Port {closed} is closed" in done.stdout


def test_a_json_report_fits_the_published_schema(shell: Any, port_runbook: Port, closed: int) -> None:
    report = json.loads(shell("run", port_runbook(closed), "--format", "json").stdout)
    schema = json.loads(shell("schema", "report").stdout)
    jsonschema.Draft202012Validator(schema).validate(report)
    assert report["schema"] == "runbook.report/v1"


def test_history_lists_runs_and_shows_one_again(shell: Any, port_runbook: Port, closed: int) -> None:
    first = shell("run", port_runbook(closed), "--format", "json")
    (line,) = json.loads(shell("history", "--format", "json").stdout)
    assert (line["runbook"], line["outcome"]) == ("port", "critical")
    assert shell("history", line["run_id"][:8], "--format", "json").stdout == first.stdout
    file = next((shell.folder / "home").rglob("journal.sqlite3"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_history_that_cannot_be_kept_is_a_warning_and_the_run_goes_on(
    shell: Any, port_runbook: Port, listening: int
) -> None:
    shell.write("state", "a file where a folder should be")
    done = shell("run", port_runbook(listening), RUNBOOK_STATE=str(shell.folder / "state"))
    assert done.returncode == 0
    assert "this run will not be in the history" in done.stderr


def test_a_reader_who_has_seen_enough_is_no_error(shell: Any) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{_runbook()} show high-latency | head -n 1"],
        capture_output=True,
        text=True,
        check=False,
        env=shell.environ,
        cwd=shell.folder,
    )
    assert done.stdout.strip() == "High response times (>500ms)"
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def _runbook() -> str:
    import sys

    return str(Path(sys.executable).with_name("runbook"))


def test_show_gives_every_step_with_a_command_to_paste(shell: Any) -> None:
    page = shell("show", "high-latency").stdout
    for expected in (
        "CloudWatch alarms triggered",
        'psql "$DATABASE_URL" -c',
        "aws cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name CPUUtilization",
        "Consider read replica routing",
        "Implement circuit breakers for external services",
    ):
        assert expected in page


@pytest.mark.parametrize(("format_", "begins"), [("mermaid", "---"), ("dot", "digraph"), ("svg", "<svg")])
def test_graph_draws_in_each_format(shell: Any, format_: str, begins: str) -> None:
    assert shell("graph", "high-latency", "--format", format_).stdout.startswith(begins)


def test_probes_are_listed_and_described(shell: Any) -> None:
    assert "postgres.activity" in shell("probes").stdout
    page = shell("probes", "postgres.activity").stdout
    assert "utilization" in page
    assert "from runbook-engine" in page
    assert "postgres.ping" in shell("probes", "postgres").stdout


def test_lab_faults_are_explained(shell: Any) -> None:
    page = shell("lab", "faults").stdout
    assert "runbook run database-connections --lab disk_86" in page
    for name in ("none", "slow_queries", "two_faults"):
        assert name in page


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: Any, name: str) -> None:
    assert "_RUNBOOK_COMPLETE" in shell("completion", name).stdout


def test_completion_knows_runbooks_probes_and_faults(shell: Any) -> None:
    def completed(words: str, count: int) -> str:
        found = shell("", _RUNBOOK_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count))
        assert isinstance(found.stdout, str)
        return found.stdout

    assert "high-latency" in completed("runbook run hi", 2)
    assert "postgres.activity" in completed("runbook probes post", 2)
    assert "slow_queries" in completed("runbook run high-latency --lab slow", 4)


def test_an_own_template_is_used(shell: Any, port_runbook: Port, closed: int) -> None:
    shell.write("own.txt", "{{ report.outcome }}: {{ report.findings[0].title }}")
    done = shell("run", port_runbook(closed), "--template", "own.txt", "-q")
    assert done.stdout.strip() == f"critical: Port {closed} is closed"


def test_a_template_with_a_mistake_names_file_and_line(shell: Any, port_runbook: Port, closed: int) -> None:
    shell.write("own.txt", "fine\n{{ report.nonsense.deeper }}\n")
    done = shell("run", port_runbook(closed), "--template", "own.txt", "-q")
    assert done.returncode == 2
    assert "own.txt:2" in done.stderr


def test_a_mistake_of_ours_is_70_without_any_secret(shell: Any, port_runbook: Port) -> None:
    shell.write(
        "sitecustomize.py",
        "import runbook_engine.api as api\n"
        "def broken(*a, **k): raise RuntimeError('it holds s3cret-in-flag and s3cret-in-env')\n"
        "api.load = broken\n",
    )
    done = shell(
        "run",
        port_runbook(1),
        "-s",
        "port=s3cret-in-flag",
        PYTHONPATH=str(shell.folder),
        APP_TOKEN="s3cret-in-env",
        RUNBOOK_DEBUG="1",
    )
    assert done.returncode == 70
    assert "RuntimeError" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


def test_colours_appear_only_on_terminals_that_want_them(shell: Any) -> None:
    assert "\x1b" not in shell("show", "high-latency").stdout
    assert "\x1b" not in shell("show", "high-latency", NO_COLOR="1").stdout


def test_version(shell: Any) -> None:
    assert shell("--version").stdout.startswith("runbook 0.")


def test_the_process_is_not_held_by_a_probe_that_hangs(shell: Any, listening: int) -> None:
    file = shell.write("w.yaml", WAITING.format(closed=listening, listening=listening).replace("60s", "100ms"))
    begun = os.times().elapsed
    shell("run", file, "--no-input")
    assert os.times().elapsed - begun < 10
