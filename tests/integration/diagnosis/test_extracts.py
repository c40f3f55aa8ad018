"""Metrics that are taken out of documents of real probes: what is not there is missing, with what is there instead."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.servers import NGINX

import runbook_engine as rb
from runbook_engine.kinds import ErrorKind

# As nginx's stub_status writes it: https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
STUB_STATUS = (
    "Active connections: 291 \nserver accepts handled requests\n 16630948 16630948 31070465 \n"
    "Reading: 6 Writing: 179 Waiting: 106 \n"
)
BODIES = {
    "/status": STUB_STATUS,
    "/json": '{"status": "ok", "components": {"database": {"latency_ms": 12}}}',
    "/html": "<!DOCTYPE html>\n<title>Sign in</title>",
    "/large": '{"items": [' + ",".join(["1"] * 1000) + "]}",
}


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = BODIES[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run(tmp_path: Path, step: str, condition: str, *, allow: frozenset[str] = frozenset()) -> rb.Trace:
    file = tmp_path / "taken.yaml"
    file.write_text(
        f"runbook: taken\ntitle: Taken out\nstart: look\nsteps:\n  look:\n    {step}\n"
        f"    branches: [{{when: {condition}, finding: found}}, {{else: end}}]\n"
        "findings: {found: {level: warning, title: Found, resolution: fix}}\n"
        "resolutions: {fix: {title: Fix, steps: [Fix it]}}\n"
    )
    return rb.run(file, allow=allow)


def blind_spot(trace: rb.Trace) -> tuple[str, str]:
    (found,) = trace.blind_spots
    assert found.kind is ErrorKind.MISSING
    return found.message, found.remedy


def test_a_number_is_taken_out_of_a_text(tmp_path: Path, url: str) -> None:
    step = (
        f'probe: http.get\n    with: {{url: "{url}/status"}}\n    extract:\n'
        "      active: {match: 'Active connections: (\\d+)', type: count}\n"
        "      requests: {match: '\\n \\d+ \\d+ (\\d+)', type: count}"
    )
    look = run(tmp_path, step, "active > 200").step("look")
    assert (look.metrics["active"], look.metrics["requests"]) == (291, 31_070_465)
    assert look.status == "flagged"


def test_a_number_is_taken_out_of_what_a_program_prints(tmp_path: Path) -> None:
    step = "probe: shell.run\n    with: {argv: [echo, 'lag: 17']}\n    extract: {lag: {match: 'lag: (\\d+)', type: duration, unit: s}}"
    look = run(tmp_path, step, "lag > 10s", allow=frozenset({"shell"})).step("look")
    assert (look.metrics["lag"], look.status) == (17.0, "flagged")


@pytest.mark.parametrize(
    ("page", "extract", "reason"),
    [
        (
            "json",
            "{path: components.application.latency_ms, type: duration, unit: ms}",
            "components.application.latency_ms leads nowhere: components is an object with database",
        ),
        ("json", "{path: components, type: duration}", "components gives an object with database, not a duration"),
        (
            "html",
            "{path: latency, type: duration}",
            'latency leads nowhere: the document is the text "<!DOCTYPE html>"',
        ),
        ("html", "{match: 'took (.*)', type: duration}", 'took (.*) does not match the text "<!DOCTYPE html>"'),
    ],
)
def test_a_metric_that_is_not_there_is_missing_and_what_is_there_is_told(
    tmp_path: Path, url: str, page: str, extract: str, reason: str
) -> None:
    step = f'probe: http.get\n    with: {{url: "{url}/{page}"}}\n    extract: {{took: {extract}}}'
    trace = run(tmp_path, step, "took > 1s")
    assert blind_spot(trace) == (
        f'"took > 1s" cannot be decided: took is missing ({reason})',
        "see what the document holds, with: runbook measure http.get",
    )
    assert trace.step("look").metrics["status"] == 200


def test_what_is_measured_beside_a_missing_metric_decides_all_the_same(tmp_path: Path, url: str) -> None:
    step = (
        f'probe: http.get\n    with: {{url: "{url}/json"}}\n    extract: {{took: {{path: components, type: duration}}}}'
    )
    assert run(tmp_path, step, "status == 200").step("look").status == "flagged"


def test_nothing_is_taken_out_of_a_body_that_was_cut(tmp_path: Path, url: str) -> None:
    step = (
        f'probe: http.get\n    with: {{url: "{url}/large", max_body: 1KiB}}\n'
        "    extract: {items: {path: 'length(items)', type: count}}"
    )
    why = "the body is longer than 1 KiB, and was read up to there; raise max_body up to 16 MiB, or ask for less"
    assert blind_spot(run(tmp_path, step, "items > 3")) == (
        f'"items > 3" cannot be decided: items is missing (nothing is taken out of the document: {why})',
        why,
    )


def test_nothing_is_taken_out_of_output_that_was_cut(tmp_path: Path) -> None:
    (tmp_path / "items.json").write_text(BODIES["/large"])
    step = (
        f"probe: shell.run\n    with: {{argv: [cat, '{tmp_path}/items.json'], most_output: 1KiB}}\n"
        "    extract: {items: {path: 'length(items)', type: count}}"
    )
    why = "the program printed 1.96 KiB, of which 1 KiB were kept; raise most_output up to 4 MiB, or let it print less"
    assert blind_spot(run(tmp_path, step, "items > 3", allow=frozenset({"shell"}))) == (
        f'"items > 3" cannot be decided: items is missing (nothing is taken out of the document: {why})',
        why,
    )


def test_a_replay_gives_the_same_remedy(tmp_path: Path, url: str) -> None:
    step = f'probe: http.get\n    with: {{url: "{url}/json"}}\n    extract: {{took: {{path: took, type: duration}}}}'
    trace = run(tmp_path, step, "took > 1s")
    file = tmp_path / "run.jsonl"
    rb.record(trace, file)
    assert rb.Recording(file).replay().blind_spots == trace.blind_spots


def test_a_secret_in_a_document_is_hidden_where_a_metric_is_missing(tmp_path: Path, url: str) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text(
        "runbook: secret\ntitle: Secret\ninputs: {word: {type: secret, env: WORD}}\nstart: look\nsteps:\n  look:\n"
        "    probe: shell.run\n    with: {argv: [sh, -c, 'echo token $WORD'], variables: {WORD: '{{ inputs.word }}'}}\n"
        "    extract: {took: {match: 'took (.*)', type: duration}}\n"
        "    branches: [{when: took > 1s, finding: found}, {else: end}]\n"
        "findings: {found: {level: warning, title: Found, resolution: fix}}\n"
        "resolutions: {fix: {title: Fix, steps: [Fix it]}}\n"
    )
    secret = "hunter2-" * 12
    (found,) = rb.run(file, allow=frozenset({"shell"}), environ={"WORD": secret, "PATH": "/usr/bin:/bin"}).blind_spots
    assert 'does not match the text "token ' in found.message
    assert "hunter2" not in found.message


@pytest.fixture
def nginx(tmp_path: Path, start: Callable[..., Any]) -> str:
    """The address of a server whose stub_status is to be read."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    places = "".join(
        f"{each}_temp_path {tmp_path}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{places}server {{ listen 127.0.0.1:{port}; location /status {{ stub_status; }} }}\n}}\n"
    )
    start([program, "-e", "stderr", "-c", tmp_path / "nginx.conf", "-p", tmp_path], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return f"http://127.0.0.1:{port}"
    raise AssertionError("nginx does not listen")


@pytest.mark.needs(NGINX)
def test_the_status_of_nginx_is_read(tmp_path: Path, nginx: str) -> None:
    step = (
        f'probe: http.get\n    with: {{url: "{nginx}/status"}}\n    extract:\n'
        "      active: {match: 'Active connections: (\\d+)', type: count}\n"
        "      waiting: {match: 'Waiting: (\\d+)', type: count}"
    )
    look = run(tmp_path, step, "active > 0").step("look")
    assert (look.metrics["active"], look.metrics["waiting"], look.status) == (1, 0, "flagged")
