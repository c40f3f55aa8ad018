"""What is given or answered may be wrong, empty, huge or hostile: the result is clear, small, and harmless in every format."""

import os
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.kinds import ErrorKind
from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.lab.tls_servers import TlsServer
from runbook_engine.report import ReportFormat, render

MEGABYTE = 1 << 20
MOST_REPORT = 400_000
HOSTILE = "ERROR \x1b[31mred\x1b[0m \x1b]0;title\x07 <script>alert(1)</script> ![x](http://evil.example/) | \u202egnp.exe \x00"

RUNBOOK = """
runbook: bad-inputs
title: Bad inputs
inputs:
  endpoint: {type: string}
  body_url: {type: url}
  tls_port: {type: int}
  not_a_certificate: {type: string}
start: [target, empty_logs, metric, certificate, body, hostile_logs]
steps:
  target:
    probe: aws.target_health
    with:
      target_group_arn: arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/nobody/0123456789abcdef
      region: us-east-1
      endpoint_url: "{{ inputs.endpoint }}"
  empty_logs:
    probe: aws.logs_filter
    with: {log_group: /ecs/empty, pattern: ERROR, region: us-east-1, endpoint_url: "{{ inputs.endpoint }}"}
    branches: [{when: matches == 0, goto: end}, {else: end}]
  metric:
    probe: aws.cloudwatch
    with: {namespace: None/There, metric: Nothing, region: us-east-1, endpoint_url: "{{ inputs.endpoint }}"}
  certificate:
    probe: tls.certificate
    with: {host: 127.0.0.1, port: "{{ inputs.tls_port }}", ca_file: "{{ inputs.not_a_certificate }}"}
  body:
    probe: http.get
    with: {url: "{{ inputs.body_url }}"}
    timeout: 20s
    extract: {items: {path: "length(items)", type: count}}
    branches: [{when: items > 3, goto: end}, {else: end}]
  hostile_logs:
    probe: aws.logs_filter
    with: {log_group: /ecs/hostile, pattern: ERROR, region: us-east-1, endpoint_url: "{{ inputs.endpoint }}"}
    branches: [{when: matches > 0, finding: hostile}, {else: end}]
findings:
  hostile: {level: warning, title: "{{ hostile_logs.matches }} lines", resolution: read}
resolutions:
  read: {title: Read, steps: [Read them]}
"""


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rb.Trace]:
    folder = tmp_path_factory.mktemp("bad")
    file, not_a_certificate = folder / "bad-inputs.yaml", folder / "notes.txt"
    file.write_text(RUNBOOK)
    not_a_certificate.write_text("these are notes, and no certificate\n" * 100)
    with AwsEndpoint() as aws, TlsServer() as tls, ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        aws.put_log_events("/ecs/empty", ["a line of long ago"], ages=50_000.0)
        aws.put_log_events("/ecs/hostile", [HOSTILE] * 30)
        try:
            yield rb.run(
                file,
                inputs={
                    "endpoint": aws.url,
                    "body_url": f"http://127.0.0.1:{server.server_port}/",
                    "tls_port": tls.port,
                    "not_a_certificate": str(not_a_certificate),
                },
                environ={**os.environ, **aws.environ},
            )
        finally:
            server.shutdown()
            thread.join()


class Endless(BaseHTTPRequestHandler):
    """50 MB that begin like JSON."""

    timeout = 20

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(50 * MEGABYTE))
        self.end_headers()
        try:
            self.wfile.write(b'{"items": [')
            for _ in range(50):
                self.wfile.write(b"1," * (MEGABYTE // 2))
        except OSError:
            return

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


def kinds(trace: rb.Trace) -> dict[str, ErrorKind]:
    return {each.step: each.kind for each in trace.blind_spots}


def test_each_says_what_is_wrong_with_it(trace: rb.Trace) -> None:
    assert kinds(trace)["target"] is ErrorKind.MISSING
    assert kinds(trace)["metric"] is ErrorKind.MISSING
    told = next(each.message for each in trace.blind_spots if each.step == "certificate")
    assert "notes.txt cannot be used: it holds no certificates in PEM" in told
    assert kinds(trace)["body"] is ErrorKind.MISSING
    body = next(each for each in trace.blind_spots if each.step == "body")
    assert "items is missing (nothing is taken out of the document: the body is longer than 1 MiB" in body.message
    assert body.remedy.endswith("raise max_body up to 16 MiB, or ask for less")
    assert "empty_logs" not in kinds(trace)
    assert trace.step("empty_logs").metrics["matches"] == 0


def test_the_hostile_lines_are_counted_and_found(trace: rb.Trace) -> None:
    assert [each.finding for each in trace.findings] == ["hostile"]
    assert trace.step("hostile_logs").metrics["matches"] == 30


@pytest.mark.parametrize("format_", list(ReportFormat))
def test_no_report_is_large_or_holds_what_acts(format_: ReportFormat, trace: rb.Trace) -> None:
    text = render(trace, format_)
    assert len(text) < MOST_REPORT
    assert [letter for letter in text if letter in "\x1b\x07\x00\u202e"] == []
    if format_ is ReportFormat.HTML:
        assert "alert(1)" in text
        assert Scripts.of(text) == 0


class Scripts(HTMLParser):
    """Counts the scripts of others."""

    found = 0

    @classmethod
    def of(cls, text: str) -> int:
        parser = cls()
        parser.feed(text)
        return parser.found

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and "alert(1)" in data:
            self.found += 1


def test_what_was_recorded_is_small_too(trace: rb.Trace, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    assert rb.record(trace, file).replay().outcome is trace.outcome
    assert file.stat().st_size < MOST_REPORT
