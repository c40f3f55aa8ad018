"""What goes wrong around a diagnosis does not take the diagnosis with it."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Port = Callable[..., str]

SLOW = """runbook: slow
title: One refuses, one says nothing
inputs:
  limit: {{type: duration, default: 5s}}
start: [closed, silent]
steps:
  closed:
    probe: tcp.connect
    with: {{host: 127.0.0.1, port: {closed}}}
    on_error: [{{kind: refused, finding: shut}}]
  silent:
    probe: http.get
    with: {{url: "http://127.0.0.1:{listening}/"}}
    timeout: 60s
    branches: [{{when: total > inputs.limit, finding: shut}}, {{else: end}}]
findings: {{shut: {{level: critical, title: It is shut, resolution: fix}}}}
resolutions: {{fix: {{title: Fix, steps: [Fix it]}}}}
"""
ASKING = """runbook: asking
title: Asks
start: deployed
steps:
  deployed:
    ask: Was there a deployment?
    branches: [{when: answer, finding: fresh}, {else: called}]
  called: {call: beneath}
findings: {fresh: {level: warning, title: Freshly deployed, resolution: fix}}
resolutions: {fix: {title: Fix, steps: [Fix it]}}
"""
BENEATH = (
    "runbook: beneath\ntitle: B\nstart: size\nsteps: {size: {ask: How large?, type: enum, values: [small, big]}}\n"
)


def test_a_termination_reports_as_ctrl_c_does(shell: Any, closed: int, listening: int) -> None:
    running = shell.start("run", shell.write("slow.yaml", SLOW.format(closed=closed, listening=listening)))
    for line in running.stderr:
        if "It is shut" in line:
            break
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130, err
    assert "It is shut" in out


def test_a_journal_that_breaks_during_the_run_is_a_warning_and_the_run_goes_on(
    shell: Any, closed: int, listening: int
) -> None:
    file = shell.write("slow.yaml", SLOW.format(closed=closed, listening=listening))
    running = shell.start("run", file, "--deadline", "2s", RUNBOOK_STATE=str(shell.folder / "state"))
    told = []
    for line in running.stderr:
        told.append(line)
        if "It is shut" in line:
            break
    for each in (shell.folder / "state").iterdir():
        each.write_bytes(b"spoilt" * 1_000)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 1, err
    assert "It is shut" in out
    assert err.count("this run will not be whole in the history") == 1


def test_a_recording_that_cannot_be_written_does_not_take_the_report_with_it(
    shell: Any, port_runbook: Port, closed: int
) -> None:
    done = shell("run", port_runbook(closed), "-q", "--record", "no/such/folder/run.jsonl")
    assert done.returncode == 2
    assert "the recording cannot be written to no/such/folder/run.jsonl" in done.stderr
    assert f"Port {closed} is closed" in done.stdout


def test_a_template_with_a_mistake_does_not_take_the_report_with_it(
    shell: Any, port_runbook: Port, closed: int
) -> None:
    shell.write("own.txt", "fine\n{{ report.nonsense.deeper }}\n")
    done = shell("run", port_runbook(closed), "-q", "--template", "own.txt", "-o", "report.txt")
    assert done.returncode == 2
    assert "own.txt:2" in done.stderr
    assert f"Port {closed} is closed" in done.stdout
    assert not (shell.folder / "report.txt").exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("deployed=perhaps", "--answer deployed: answer yes or no"),
        ("deployd=yes", 'no step "deployd" asks anything; did you mean "deployed"?'),
        ("called/size=medium", "--answer called/size: answer one of small, big"),
    ],
)
def test_answers_that_do_not_fit_are_told_before_anything_runs(shell: Any, answer: str, message: str) -> None:
    shell.write("beneath.yaml", BENEATH)
    done = shell("run", shell.write("asking.yaml", ASKING), "--answer", answer)
    assert done.returncode == 2
    assert message in done.stderr
    assert "started" not in done.stderr
    assert done.stdout == ""


def test_an_answer_for_a_called_runbook_is_taken(shell: Any) -> None:
    shell.write("beneath.yaml", BENEATH)
    answers = ("--answer", "deployed=no", "--answer", "called/size=big")
    done = shell("run", shell.write("asking.yaml", ASKING), *answers, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["blind_spots"] == []


@pytest.mark.parametrize(
    "option", [("-s", "port=1"), ("--answer", "a=b"), ("--lab", "none"), ("--allow", "shell"), ("--deadline", "5s")]
)
def test_a_replay_refuses_what_could_not_change_it(
    shell: Any, port_runbook: Port, closed: int, option: tuple[str, str]
) -> None:
    shell("run", port_runbook(closed), "--record", "run.jsonl", "-q")
    done = shell("run", "--replay", "run.jsonl", *option)
    assert done.returncode == 2
    assert f"{option[0]} cannot change what was recorded" in done.stderr


def test_each_input_says_where_it_came_from(shell: Any, port_runbook: Port, closed: int) -> None:
    file = port_runbook(closed)
    for given, environ, source in ((("-s", f"port={closed}"), {}, "command line"), ((), {}, "default")):
        report = json.loads(shell("run", file, *given, "--format", "json", **environ).stdout)
        assert report["inputs"]["port"]["source"] == source


def test_a_typed_input_says_so_and_wrong_ones_are_told_before_anything_is_asked(
    shell: Any, terminal: Any, port_runbook: Port, closed: int
) -> None:
    file = port_runbook()
    screen = terminal("run", file, "-s", "prot=1")
    assert screen.end() == 2
    assert 'did you mean "port"?' in screen.seen
    screen = terminal("run", file, "-o", "report.json")
    screen.until("port")
    screen.type(f"{closed}\n")
    assert screen.end() == 1
    report = json.loads(Path(shell.folder / "report.json").read_text())
    assert report["inputs"]["port"]["source"] == "typed"


def test_a_typed_secret_is_in_no_traceback_of_ours(shell: Any, terminal: Any) -> None:
    shell.write(
        "secret.yaml",
        "runbook: secret\ntitle: S\ninputs: {token: {type: secret}}\nstart: a\n"
        "steps: {a: {probe: http.get, with: {url: 'http://127.0.0.1:1/{{ inputs.token }}'}}}\n",
    )
    shell.write(
        "sitecustomize.py",
        "import runbook_engine.engine.runner as runner\n"
        "def broken(self): raise RuntimeError('it holds ' + self._inputs['token'].filled.value.reveal())\n"
        "runner.Runner.run = broken\n",
    )
    paths = [str(shell.folder), *filter(None, [shell.environ.get("PYTHONPATH")])]
    screen = terminal("run", "secret.yaml", PYTHONPATH=":".join(paths), RUNBOOK_DEBUG="1")
    screen.until("token")
    screen.type("typed-s3cret\n")
    assert screen.end() == 70
    assert "RuntimeError" in screen.seen
    assert "typed-s3cret" not in screen.seen
