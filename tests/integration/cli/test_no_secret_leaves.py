"""What the command prints, writes, keeps and starts holds none of sixty secrets, whatever a program repeats of them."""

import json
import stat
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.property.planted import Planted, leaked, planted

SECRETS = tuple(planted())
ENVIRON = {each.variable: each.text for each in SECRETS}

RUNBOOK = """runbook: leaky
title: Repeats what it is told
inputs:
  address: {{type: url}}
  store: {{type: secret, env: STORE}}
start: [printed, failed, moved, listed]
steps:
  printed:
    probe: shell.run
    with: {{argv: [cat, said.txt], most_output: 1MiB}}
    branches: [{{when: lines > 0, finding: said}}, {{else: end}}]
  failed:
    probe: shell.run
    with: {{argv: [sh, fail.sh]}}
    branches: [{{when: exit_code > 0, finding: said}}, {{else: end}}]
  moved:
    probe: http.get
    with: {{url: "{{{{ inputs.address }}}}/moved", follow_redirects: true}}
    branches: [{{when: not ok, finding: said}}, {{else: end}}]
  listed:
    probe: shell.run
    with: {{argv: [sh, list.sh], variables: {{STORE: "{{{{ inputs.store }}}}"}}}}
    branches: [{{when: lines > 0, finding: started}}, {{else: end}}]
findings:
  said: {{level: critical, title: "It said {{{{ printed.output }}}}", resolution: fix}}
  started: {{level: critical, title: "{{{{ listed.output }}}}", resolution: fix}}
resolutions: {{fix: {{title: Fix it, steps: [Fix it]}}}}
"""
LIST = """for each in /proc/[0-9]*; do
  tr '\\0' ' ' < $each/cmdline >> commands.txt 2> /dev/null
done
echo "it has $STORE"
"""


class Moving(BaseHTTPRequestHandler):
    """Moves whoever asks to an address with a signature and with the next secret, and has nothing there."""

    def do_GET(self) -> None:  # the name is the base class's
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"/gone?sig=signed-{SECRETS[0].cores[0]}")
        else:
            self.send_response(500)
            self.send_header("X-Api-Key", SECRETS[1].cores[0])
        self.send_header("Set-Cookie", f"sid={SECRETS[2].cores[0]}")
        self.end_headers()
        self.wfile.write("\n".join(each.text for each in SECRETS).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Moving)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def found(where: str, text: str) -> list[str]:
    return [f"{each.variable} in {where}" for each in SECRETS if leaked(text, each)]


def test_none_of_sixty_secrets_leaves_the_command(shell: Any, address: str) -> None:
    shell.write("said.txt", "\n".join(each.text for each in SECRETS))
    shell.write("fail.sh", "cat said.txt >&2; exit 3\n")
    shell.write("list.sh", LIST)
    file = shell.write("leaky.yaml", RUNBOOK.format())
    store = Planted("STORE", f"redis://:{SECRETS[5].cores[0]}-store@cache", (f"{SECRETS[5].cores[0]}-store",))
    environ = {**ENVIRON, "STORE": store.text, "RUNBOOK_STATE": str(shell.folder / "state")}
    given = ("-s", f"address={address}", "--allow", "shell", "--record", "run.jsonl")
    texts: dict[str, str] = {}
    leaks: list[str] = []

    def run(*arguments: str, code: int = 1) -> None:
        done = shell(*arguments, **environ)
        assert done.returncode == code, done.stderr
        for stream, text in (("output", done.stdout), ("errors", done.stderr)):
            texts[f"{stream} of {' '.join(arguments[:3])}"] = text

    run("run", file, *given)
    for format_ in ("markdown", "html", "json", "junit"):
        run("run", file, *given, "-o", f"report.{format_}", "--format", format_)
    run("measure", "shell.run", "argv=[cat, said.txt]", "--allow", "shell", code=0)
    run("incident", "open", "It is down", "--priority", "P1", code=0)
    run("incident", "run", file, *given[:4])
    run("incident", "update", f"it said {SECRETS[3].text}", code=0)
    run("incident", "messages", "--format", "json", code=0)
    run("incident", "show", "--format", "html", "-o", "report.page", code=0)
    run("incident", "resolve", f"with {SECRETS[4].text}", code=0)
    run("incident", "postmortem", "-o", "report.postmortem", code=0)
    run("history", code=0)
    for kept in (*shell.folder.glob("report.*"), shell.folder / "run.jsonl", *(shell.folder / "state").rglob("*")):
        if kept.is_file():
            texts[f"the file {kept.name}"] = kept.read_bytes().decode("utf-8", "replace")
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600, kept
    texts["the commands that were started"] = (shell.folder / "commands.txt").read_text()
    for where, text in texts.items():
        leaks += found(where, text)
        assert not leaked(text, store), where
    assert leaks == []


def test_a_mistake_of_ours_shows_no_secret_of_the_run_nor_of_what_caused_it(shell: Any) -> None:
    shell.write(
        "sitecustomize.py",
        "import os\n"
        "import runbook_engine.engine.runner as runner\n"
        "def broken(self):\n"
        "    said = os.environ['STORE'] + chr(10).join(os.environ.values())\n"
        "    raise RuntimeError(said) from ValueError(said[:2000])\n"
        "runner.Runner.run = broken\n",
    )
    file = shell.write("leaky.yaml", RUNBOOK.format())
    store = Planted("STORE", "Qabcdefghijklm7", ("Qabcdefghijklm7",))
    environ = {**ENVIRON, "STORE": store.text, "PYTHONPATH": str(shell.folder), "RUNBOOK_DEBUG": "1"}
    done = shell("run", file, "-s", "address=http://127.0.0.1:9", "--allow", "shell", **environ)
    assert done.returncode == 70
    assert "RuntimeError" in done.stderr
    assert found("the crash", done.stdout + done.stderr) == []
    assert not leaked(done.stderr, store)


def test_a_program_is_not_started_with_a_secret_among_its_arguments(shell: Any) -> None:
    text = RUNBOOK.format().replace("argv: [cat, said.txt]", 'argv: [echo, "{{ inputs.store }}"]')
    done = shell("check", shell.write("leaky.yaml", text), "--format", "json")
    told = json.dumps(json.loads(done.stdout))
    done = shell("run", "leaky.yaml", "-s", "address=http://127.0.0.1:9", "--allow", "shell", STORE="s3cr3t-value")
    assert done.returncode == 1 or "secret cannot be an argument" in told
    assert "a secret cannot be an argument" in done.stdout + told


def test_a_report_over_one_that_others_may_read_keeps_its_mode(shell: Any, tmp_path: Path) -> None:
    file = shell.write(
        "port.yaml", "runbook: port\ntitle: P\nstart: a\nsteps: {a: {ask: Is it?, branches: [{else: end}]}}\n"
    )
    (tmp_path / "report.md").write_text("before")
    (tmp_path / "report.md").chmod(0o640)
    done = shell("run", file, "--no-input", "-o", str(tmp_path / "report.md"))
    assert "report written" in done.stderr
    assert stat.S_IMODE((tmp_path / "report.md").stat().st_mode) == 0o640
