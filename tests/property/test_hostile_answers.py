"""Whatever a server sends as JSON: the run ends with a report, and what cannot be taken for certain is never healthy."""

import json
import math
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.engine.events import Outcome
from runbook_engine.graph.compile import Compiler
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import ProbeError, read_json
from runbook_probes.prometheus_answer import read_answer

TEXT = """
runbook: example
title: An example
inputs: {{url: {{type: url}}}}
start: [asked, known]
steps:
  asked:
    probe: http.get
    with: {{url: "{{{{ inputs.url }}}}"}}
    extract:
      value: {{path: value, type: {type}}}
    branches:
      - {{when: {good}, goto: end}}
      - {{else: end, finding: bad}}
  known:
    probe: http.get
    with: {{url: "{{{{ inputs.url }}}}"}}
    branches: [{{when: status == 200, finding: found}}, {{else: end}}]
findings:
  bad: {{level: critical, title: "It says {{{{ asked.value }}}}"}}
  found: {{level: warning, title: "It answers"}}
"""
GOOD = {
    "number": "value < 5",
    "count": "value < 5",
    "bytes": "value < 5B",
    "duration": "value < 5s",
    "percent": "value < 5%",
    "string": 'value == "up"',
    "bool": "value",
}

_scalars = st.sampled_from(
    [
        "9" * 400, "-" + "9" * 400, "1" * 5000, "1e999", "-1e999", "1E400", "-0", "-0.0", "NaN", "Infinity", "-Infinity", "null",
        "true", "false", "7", "1e308", '"up"', '"\\ud800"', '"\\udfff up"', '"\\u0000"', '"\\u2028"', f'"{"9" * 5000}"', '"9e400"',
        "[]", "{}", "[" * 60 + "]" * 60, "[" * 5000 + "]" * 5000, '{"value": {"value": 1}}', "01", "1.", "'up'", '"',
    ]
)  # fmt: skip
_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("value"), inner, max_size=3)
    ),
    max_leaves=8,
).map(json.dumps)
_members = st.lists(
    st.tuples(st.sampled_from(["value", "other", "\\ud800"]), _scalars | _plain), min_size=1, max_size=3
)
_bodies = st.one_of(
    _members.map(lambda pairs: "{" + ", ".join(f'"{key}": {value}' for key, value in pairs) + "}"),
    _scalars,
    _plain,
    st.text(),
)


class Server(ThreadingHTTPServer):
    body = b""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def _value(body: str) -> tuple[bool, object]:
    """Whether the text is JSON, without a key twice, with a ``value`` at its top; and that value."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(found)) < len(found):
            raise ValueError("twice")
        return dict(found)

    try:
        document = json.loads(body, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return False, None
    return (True, document["value"]) if isinstance(document, dict) and "value" in document else (False, None)


def _is_good(kind: str, value: object) -> bool:
    """Whether the value is one that the runbook calls good, read leniently: a number may stand in a text."""
    if kind == "string":
        return value == "up"
    if kind == "bool":
        return value is True or (isinstance(value, str) and value.strip().lower() == "true")
    if isinstance(value, str):
        return value.strip().strip("%Bs")[:1] in "+-.0123456789"
    return isinstance(value, int | float) and not isinstance(value, bool) and float("-inf") < value < 5


_points = st.tuples(_scalars | _plain, _scalars | _plain).map(lambda pair: f"[{pair[0]}, {pair[1]}]")
_results = st.one_of(
    st.lists(_points, max_size=3).map(lambda each: f'[{{"metric": {{"job": "a"}}, "values": [{", ".join(each)}]}}]'),
    _points.map(lambda each: f'[{{"metric": {{}}, "value": {each}}}]'),
    _points,
    _scalars,
    _plain,
)


@settings(max_examples=200, deadline=None)
@given(result=_results, kind=st.sampled_from(["vector", "matrix", "scalar", "string", "odd"]))
@example(result=f'[{{"metric": {{}}, "value": [{"9" * 400}, "1"]}}]', kind="vector")
@example(result=f'[{{"metric": {{}}, "value": [1, "{"9" * 5000}"]}}]', kind="vector")
def test_whatever_prometheus_answers_its_values_are_numbers_or_missing(result: str, kind: str) -> None:
    body = f'{{"status": "success", "data": {{"resultType": "{kind}", "result": {result}}}}}'
    kind_of_error, values = ErrorKind.MALFORMED, []
    try:
        values = [each for series in read_answer(body, "prometheus:9090").series for each in series.values]
    except ProbeError as error:
        kind_of_error = error.kind
    assert kind_of_error is ErrorKind.MALFORMED
    assert all(each is None or math.isfinite(each) for each in values)


@settings(max_examples=200, deadline=None)
@given(body=_bodies)
def test_json_is_read_as_the_standard_reads_it_or_not_at_all(body: str) -> None:
    """Against Python's reader, which takes more than the standard has: what both take is the same."""
    try:
        found = read_json(body)
    except ValueError:
        return
    standard = json.loads(body, parse_constant=lambda _name: None)
    assert json.dumps(found) == json.dumps(standard)
    assert "Infinity" not in json.dumps(found)


@pytest.fixture(scope="module")
def plans() -> dict[str, rb.Plan]:
    found = {}
    for kind, good in GOOD.items():
        text = TEXT.format(type=kind, good=json.dumps(good))
        compiled = Compiler(rb.Registry(), rb.Library(())).loaded(load(text, "example.yaml"))
        assert compiled.plan is not None, [str(each) for each in compiled.diagnostics]
        found[kind] = compiled.plan
    return found


@settings(max_examples=60, deadline=None)
@example(body='{"value": "\\ud800"}', kind="string")
@example(body='{"value": ' + "9" * 400 + "}", kind="string")
@example(body='{"value": ' + "9" * 400 + "}", kind="count")
@example(body='{"value": 1e999}', kind="string")
@example(body='{"value": 9, "value": 1}', kind="number")
@given(body=_bodies, kind=st.sampled_from(sorted(GOOD)))
def test_whatever_is_sent_as_json_the_run_reports_and_what_is_not_certain_is_not_good(
    server: Server, plans: dict[str, rb.Plan], body: str, kind: str
) -> None:
    server.body = body.encode("utf-8", "replace")
    trace = rb.run(plans[kind], inputs={"url": f"http://127.0.0.1:{server.server_port}/"}, environ={})
    assert "found" in [each.finding for each in trace.findings]
    known, value = _value(server.body.decode())
    passed = trace.step("asked").status == "passed"
    assert not passed or (known and _is_good(kind, value))
    for spot in trace.blind_spots:
        assert "a fault in runbook" not in spot.message
    with tempfile.TemporaryDirectory() as folder:
        assert rb.record(trace, Path(folder) / "run.jsonl").replay().events == trace.events
    for each in rb.ReportFormat:
        assert rb.render(trace, each)
    assert trace.outcome in (Outcome.WARNING, Outcome.CRITICAL)
