"""``runbook measure``: one probe by hand."""

import json
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

BODIES = {
    "/json": b'{"status": "ok", "queue": {"waiting": 3, "p-95": 1.5}, "hosts": [{"up": true}], "code": "x"}',
    "/text": b"lag: 17\nload average: 0.52\n",
    "/large": b'{"items": [' + b"1," * 2000 + b"1]}",
}


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(dict(self.headers))
        body = BODIES[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Seen", self.headers.get("Authorization", ""))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    asked: list[dict[str, str]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Answers) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


def test_metrics_document_evidence_and_the_lines_of_a_runbook_are_shown(shell: Any, server: Server) -> None:
    done = shell("measure", "http.get", f"url={server.url}/json")
    assert (done.returncode, done.stderr) == (0, "")
    page = done.stdout
    assert "  status      200\n" in page
    assert "  tls         missing (the URL is plain http)\n" in page
    assert '\n  {"status": "ok", "queue": {"waiting": 3, "p-95": 1.5}, "hosts": [{"up": true}], "code": "x"}\n' in page
    assert '  address: "127.0.0.1"' in page or "  address: 127.0.0.1" in page
    assert "waiting: {path: queue.waiting, type: count}" in page
    assert "- {when: waiting > 3, finding: something}" in page
    assert "/json" in page.splitlines()[1]


def in_a_runbook(lines: str) -> str:
    """The lines that were shown, in a runbook that has the rest."""
    return (
        "runbook: shown\ntitle: What was shown\nstart: {}\n{}\n"
        "findings: {{something: {{level: warning, title: Something, resolution: look}}}}\n"
        "resolutions: {{look: {{title: Look, steps: [Look at it]}}}}\n"
    ).format(next(iter(yaml.safe_load(lines)["steps"])), lines)


@pytest.mark.parametrize("page", ["json", "text"])
def test_the_lines_that_are_shown_are_a_sound_step_which_measures_the_same(
    shell: Any, server: Server, page: str
) -> None:
    measured = json.loads(shell("measure", "http.get", f"url={server.url}/{page}", "--format", "json").stdout)
    file = shell.write("shown.yaml", in_a_runbook(measured["yaml"]))

    checked = shell("check", file)
    ran = json.loads(shell("run", file, "--no-input", "--no-journal", "-q", "--format", "json").stdout)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    reading = ran["steps"][0]["reading"]
    taken = yaml.safe_load(measured["yaml"])["steps"]["get"]["extract"]
    assert taken
    assert [reading[name]["value"] for name in taken if reading[name]["value"] is None] == []
    assert (ran["outcome"], ran["blind_spots"]) == ("healthy", [])


def test_programs_get_everything_in_base_units(shell: Any, server: Server) -> None:
    measured = json.loads(shell("measure", "http.get", f"url={server.url}/json", "--format", "json").stdout)
    assert measured["schema"] == "runbook.measure/v1"
    assert measured["metrics"]["status"] == {"value": 200, "unit": "", "shown": "200", "missing": ""}
    assert measured["metrics"]["total"]["unit"] == "s"
    assert measured["metrics"]["tls"] == {
        "value": None, "unit": "s", "shown": "missing", "missing": "the URL is plain http"
    }  # fmt: skip
    assert measured["document"]["queue"] == {"waiting": 3, "p-95": 1.5}
    assert measured["evidence"]["address"]
    assert measured["error"] is None


def test_a_document_that_was_cut_says_so_and_nothing_is_suggested_of_it(shell: Any, server: Server) -> None:
    done = shell("measure", "http.get", f"url={server.url}/large", "max_body=1KiB")
    assert "Nothing is taken out of it: the body is longer than 1 KiB" in done.stdout
    assert "raise max_body up to 16 MiB" in done.stdout
    assert "extract: {" not in done.stdout
    assert done.returncode == 0


def test_a_secret_comes_from_a_variable_and_is_shown_nowhere(shell: Any, server: Server) -> None:
    for format_ in ("text", "json"):
        done = shell(
            "measure", "http.get", f"url={server.url}/json", "headers={Authorization: $API_TOKEN}", "--format", format_,
            API_TOKEN="hunter2-and-more",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "hunter2" not in done.stdout + done.stderr
    assert server.asked[-1]["Authorization"] == "hunter2-and-more"
    written = yaml.safe_load(json.loads(done.stdout)["yaml"])
    assert written["inputs"] == {"api_token": {"type": "secret", "env": "API_TOKEN"}}
    assert written["steps"]["get"]["with"]["headers"] == {"Authorization": "{{ inputs.api_token }}"}


@pytest.mark.parametrize("given", ["dsn=postgresql://app:hunter2@127.0.0.1:1/app", "dsn=$DATABASE_URL"])
def test_a_password_is_hidden_however_it_was_given(shell: Any, given: str) -> None:
    for format_ in ("text", "json"):
        done = shell(
            "measure", "postgres.ping", given, "--format", format_,
            DATABASE_URL="postgresql://app:hunter2@127.0.0.1:1/app",
        )  # fmt: skip
        assert done.returncode == 3
        assert "hunter2" not in done.stdout + done.stderr
        assert "refuse" in done.stdout


def test_where_nothing_is_measured_the_kind_says_why_and_the_exit_code_is_3(shell: Any, closed: int) -> None:
    done = shell("measure", "tcp.connect", "host=127.0.0.1", f"port={closed}")
    assert done.returncode == 3
    assert done.stdout.splitlines()[0].startswith("tcp.connect measured nothing")
    assert f"refused: 127.0.0.1:{closed} refuses connections" in done.stdout
    error = json.loads(shell("measure", "tcp.connect", "host=127.0.0.1", f"port={closed}", "--format", "json").stdout)
    assert (error["error"]["kind"], error["metrics"]) == ("refused", {})


def test_a_server_that_says_nothing_is_given_up_at_the_deadline(shell: Any, listening: int) -> None:
    done = shell("measure", "http.get", f"url=http://127.0.0.1:{listening}/", "--deadline", "200ms")
    assert done.returncode == 3
    assert "timeout: " in done.stdout


def test_a_probe_that_needs_to_be_allowed_is_not_run_without(shell: Any, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    done = shell("measure", "shell.run", f"argv=[touch, {mark}]")
    assert (done.returncode, mark.exists()) == (3, False)
    assert "forbidden: shell.run needs to be allowed: shell\nwhat to do: add --allow shell\n" in done.stdout
    assert shell("measure", "shell.run", f"argv=[touch, {mark}]", "--allow", "shell").returncode == 0
    assert mark.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tcp.conect"], "no installed package provides the probe 'tcp.conect'; did you mean \"tcp.connect\"?"),
        (["tcp.connect", "port=1"], "the probe tcp.connect needs host; write host=VALUE"),
        (["tcp.connect", "hots=a"], "the probe tcp.connect has no parameter 'hots'; did you mean \"host\"?"),
        (["tcp.connect", "host=a", "port=many"], "port of tcp.connect: Input should be a valid integer"),
        (["tcp.connect", "host"], "'host' should be name=value"),
        (["postgres.ping", "dsn=$NOT_SET"], "the environment variable NOT_SET is not set"),
        (["postgres.query", "dsn=$D", "sql=DROP TABLE x"], "sql of postgres.query: "),
        (["shell.run", "argv={a: b}"], "argv of shell.run: "),
    ],
)
def test_what_cannot_be_asked_ends_with_2_and_the_reason(shell: Any, arguments: list[str], message: str) -> None:
    done = shell("measure", *arguments, D="postgresql://127.0.0.1:1/x")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_dollar_that_is_meant_is_written_twice(shell: Any) -> None:
    done = shell("measure", "shell.run", "argv=[echo, $$HOME]", "--allow", "shell", "--format", "json")
    assert json.loads(done.stdout)["document"] == {"text": "$HOME\n"}


def test_a_hostile_document_cannot_act_on_a_terminal(shell: Any) -> None:
    argv = json.dumps(["printf", r"\033]0;title\007 \342\200\256 lag: 1\n"])
    done = shell("measure", "shell.run", f"argv={argv}", "--allow", "shell")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_a_probe_of_another_package_shows_its_document(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "queue_probe.py").write_text(
        textwrap.dedent('''
            from typing import Any
            from runbook_engine.probe import Document, DocumentReading, Params, ProbeContext, probe

            class Look(DocumentReading):
                DOCUMENT = Document("The queues by name", shape={"queues": [{"name": str, "depth": int}]},
                                    example={"queues": [{"name": "mail", "depth": 4}]})

            @probe("queue.look", command=lambda _params: "queuectl ls")
            async def look(params: Params, ctx: ProbeContext) -> Look:
                """Looks at queues."""
                return Look(document={"queues": [{"name": "mail", "depth": 12}]})
        ''')
    )
    place = tmp_path / "queue_probe-1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: queue-probe\nVersion: 1.0\n")
    (place / "entry_points.txt").write_text("[runbook_engine.probes]\nqueue.look = queue_probe:look\n")
    told = shell("probes", "queue.look", PYTHONPATH=str(tmp_path)).stdout
    assert 'The queues by name\n\n  {"queues": [{"name": "mail", "depth": 4}]}' in told
    measured = shell("measure", "queue.look", PYTHONPATH=str(tmp_path)).stdout
    assert 'depth: {path: "queues[0].depth", type: count}' in measured
    shell.write(
        "q.yaml",
        "runbook: q\ntitle: Q\nstart: a\nsteps:\n  a:\n    probe: queue.look\n"
        "    extract: {depth: {path: 'queue[0].depth', type: count}}\n",
    )
    checked = shell("check", "q.yaml", PYTHONPATH=str(tmp_path))
    assert 'queue[0].depth leads nowhere: "queue" is asked of an object with queues' in checked.stdout + checked.stderr


def test_a_new_runbook_takes_a_number_out_of_the_document_that_a_probe_shows(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "queue_probe.py").write_text(
        textwrap.dedent('''
            from runbook_engine.probe import Document, DocumentReading, Params, ProbeContext, probe

            class Look(DocumentReading):
                DOCUMENT = Document("The queues by name", shape={"queues": [{"name": str, "depth": int}]},
                                    example={"queues": [{"name": "mail", "depth": 4}]})

            @probe("queue.look", command=lambda _params: "queuectl ls")
            async def look(params: Params, ctx: ProbeContext) -> Look:
                """Looks at queues."""
                return Look()
        ''')
    )
    place = tmp_path / "queue_probe-1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: queue-probe\nVersion: 1.0\n")
    (place / "entry_points.txt").write_text("[runbook_engine.probes]\nqueue.look = queue_probe:look\n")
    made = shell(
        "new",
        "queues",
        "--title",
        "Queues",
        "--from-probe",
        "queue.look",
        "--no-input",
        "-o",
        "queues.yaml",
        PYTHONPATH=str(tmp_path),
    )
    checked = shell("check", "queues.yaml", PYTHONPATH=str(tmp_path))
    assert made.returncode == 0, made.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr
    step = next(iter(yaml.safe_load((shell.folder / "queues.yaml").read_text())["steps"].values()))
    assert step["extract"] == {"depth": {"path": "queues[0].depth", "type": "count"}}
