"""The examples do what they say."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.testing import run_file

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
RUNBOOK = EXAMPLES / "own_runbook" / "website-down.yaml"


class Website(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]  # set by the fixture
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def website(request: pytest.FixtureRequest) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Website) as server:
        server.status = getattr(request, "param", 200)  # type: ignore[attr-defined]  # read by the handler
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def python(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ones_own_runbook_has_no_mistakes() -> None:
    told = [str(each) for each in rb.check(RUNBOOK).diagnostics if each.level != "note"]
    assert told == []


def test_ones_own_runbook_finds_a_website_healthy(website: str) -> None:
    port = int(website.rsplit(":", 1)[1])
    trace = rb.run(RUNBOOK, inputs={"url": website, "host": "127.0.0.1", "port": port}, environ={})
    assert trace.outcome is rb.Outcome.HEALTHY


@pytest.mark.parametrize("website", [500], indirect=True)
def test_ones_own_runbook_finds_a_failing_server_and_asks_about_deployments(website: str) -> None:
    trace = rb.run(
        RUNBOOK,
        inputs={"url": website, "host": "127.0.0.1", "port": 80},
        environ={},
        answers={"deployed": "yes"},
    )
    assert [each.finding for each in trace.findings] == ["fresh_deployment", "server_error"]


def test_ones_own_runbook_finds_that_nothing_listens(website: str) -> None:
    inputs = {"url": "http://127.0.0.1:1", "host": "127.0.0.1", "port": 1}
    trace = rb.run(RUNBOOK, inputs=inputs, environ={})
    assert "nothing_listens" in [each.finding for each in trace.findings]


def test_the_program_that_embeds_the_engine_prints_a_report(website: str) -> None:
    host, port = website.removeprefix("http://").split(":")
    assert "website" in python(str(EXAMPLES / "embed" / "sync.py"), website, host, port).lower()


def test_the_program_that_diagnoses_side_by_side_prints_each_outcome(website: str) -> None:
    out = python(str(EXAMPLES / "embed" / "side_by_side.py"), website, website)
    assert out.count("healthy") == 2


def test_ones_own_runbook_has_tests_that_pass_and_cover_all_of_it() -> None:
    result = run_file(RUNBOOK.with_name("website-down.test.yaml"))
    assert result.passed, result.told()
    assert [(each.plan.runbook.runbook, each.missed) for each in result.coverage] == [("website-down", ())]
