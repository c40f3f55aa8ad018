"""An alert whose label would choose who gets a token: no run, no request, and an incident that somebody is called for."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.integration.incidents.conftest import Desk, Endpoint

PAGER = "R0123456789ABCDEF0123456789ABCDE"
TOKEN = "token-7f3a9c51d2e8"
RUNBOOK = """runbook: shop
title: Is it well?
triggers: [{alert: "Shop*", with: {place: instance}, allowed_hosts: [127.0.0.1]}]
inputs:
  place: {help: The node}
  token: {type: secret, env: NODE_TOKEN}
start: status
steps:
  status:
    probe: http.get
    with: {url: "http://{{ inputs.place }}/status", headers: {Authorization: "Bearer {{ inputs.token }}"}}
    branches: [{when: status != 200, finding: sick}, {else: end}]
    on_error: [{else: end}]
findings: {sick: {level: critical, title: It is sick, resolution: up}}
resolutions: {up: {title: Start it, steps: [Start it]}}
"""


@pytest.fixture
def node() -> Iterator[tuple[int, list[str]]]:
    """The port of a node, and the tokens that it was shown."""
    tokens: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(self.headers["Authorization"])
            self.send_response(500)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.server_address[1], tokens
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def pager(desk: Desk, endpoint: Endpoint) -> Endpoint:
    desk.patch.setenv("RUNBOOK_PAGERDUTY_KEY", f"http://{PAGER}@127.0.0.1:{endpoint.port}/v2/enqueue")
    desk.patch.setenv("NODE_TOKEN", TOKEN)
    Path("runbooks").mkdir(exist_ok=True)
    Path("runbooks/shop.yaml").write_text(RUNBOOK)
    return endpoint


def send(desk: Desk, instance: str, *options: str, code: int) -> Any:
    alert = {
        "status": "firing",
        "labels": {"alertname": "ShopDown", "instance": instance},
        "startsAt": "2026-11-18T14:00:00Z",
        "fingerprint": "f",
    }
    Path("body.json").write_text(json.dumps({"version": "4", "groupKey": "g", "alerts": [alert]}))
    return json.loads(
        desk.minutes(0, "alert", "body.json", "--open", "-p", "P0", "--send", "--format", "json", *options, code=code)
    )


def test_a_host_that_the_trigger_does_not_allow_gets_no_token_and_somebody_is_called(
    desk: Desk, pager: Endpoint, node: tuple[int, list[str]]
) -> None:
    port, tokens = node
    told = send(desk, f"localhost:{port}", code=2)
    (run,) = told["runs"]
    assert run["report"] is None
    says = 'the label "instance" would send the secret inputs.token of step "status" to "localhost"'
    assert says in run["problem"]
    assert f"error: shop was not run: {says}" in desk.err
    assert tokens == []
    assert [each["what"] for each in told["incidents"]] == ["opened"]
    assert [each["event_action"] for each in pager.bodies] == ["trigger"]
    assert f"shop was not run: {says}" in desk("incident", "show")
    again = send(desk, f"localhost:{port}", code=2)
    assert [each["what"] for each in again["incidents"]] == ["unchanged"]
    assert desk("incident", "show").count("shop was not run") == 1


def test_a_host_that_the_trigger_allows_is_asked_with_the_token(
    desk: Desk, pager: Endpoint, node: tuple[int, list[str]]
) -> None:
    port, tokens = node
    told = send(desk, f"127.0.0.1:{port}", code=1)
    assert [each["id"] for each in told["runs"][0]["report"]["findings"]] == ["sick"]
    assert tokens == [f"Bearer {TOKEN}"]
    assert [each["event_action"] for each in pager.bodies] == ["trigger"]


def test_what_a_person_gives_counts_before_the_label_and_needs_no_list(
    desk: Desk, pager: Endpoint, node: tuple[int, list[str]]
) -> None:
    port, tokens = node
    send(desk, "evil.example", "-s", f"place=localhost:{port}", code=1)
    assert tokens == [f"Bearer {TOKEN}"]
    assert len(pager.bodies) == 1
