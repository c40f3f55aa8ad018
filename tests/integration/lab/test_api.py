"""The lab's API as its clients see it."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import pytest

from runbook_engine.errors import RunbookError
from runbook_engine.lab import Lab
from runbook_engine.lab.api.settings import ApiSettings
from runbook_engine.lab.api_process import ApiProcess

Until = Callable[[Callable[[], bool]], bool]
Start = Callable[..., Any]


class Sight(Protocol):
    lab: Lab

    def get(self, path: str) -> httpx.Response: ...
    def cache(self, section: str) -> dict[str, float]: ...


class Process(Protocol):
    @property
    def arguments(self) -> str: ...


def port_of(sight: Sight) -> int:
    port = urlsplit(sight.lab.inputs["api_url"]).port
    assert port is not None
    return port


def test_health_is_a_short_answer_in_json(sight: Sight) -> None:
    response = sight.get("/health")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"status": "ok"}


def test_the_detailed_health_gives_every_component_its_own_measured_time(sight: Sight) -> None:
    components = sight.get("/health/detailed").json()["components"]
    assert set(components) == {"database", "cache", "application"}
    for component in components.values():
        assert component["status"] == "ok"
        assert component["last_ms"] >= 0
        assert component["latency_ms"] >= 0
    assert components["database"]["last_ms"] > 0
    assert components["cache"]["last_ms"] > 0
    assert components["database"]["calls"] == 1
    assert components["cache"]["calls"] == 2


def test_the_times_of_the_components_are_no_more_than_what_the_client_waited(sight: Sight) -> None:
    begun = time.perf_counter()
    components = sight.get("/health/detailed").json()["components"]
    waited_ms = (time.perf_counter() - begun) * 1000
    assert sum(component["last_ms"] for component in components.values()) <= waited_ms


def test_a_session_is_read_from_the_database_once_and_from_the_cache_after(sight: Sight, until: Until) -> None:
    with_misses = sight.cache("stats")["keyspace_misses"]
    first, second = sight.get("/api/sessions/4321"), sight.get("/api/sessions/4321")
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["member"] == "member-4321"
    assert sight.cache("stats")["keyspace_misses"] == with_misses + 1


@pytest.mark.parametrize("path", ["/", "/api/sessions/99999999", "/api/sessions/one", "/api/sessions/1%27", "/healthy"])
def test_what_does_not_exist_is_not_found_and_said_so_in_json(sight: Sight, path: str) -> None:
    response = sight.get(path)
    assert response.status_code == 404
    assert "there is no" in response.json()["error"]


def test_one_connection_serves_many_requests(sight: Sight) -> None:
    trust = ssl.create_default_context(cafile=sight.lab.inputs["ca_file"])
    connection = http.client.HTTPSConnection("127.0.0.1", port_of(sight), context=trust, timeout=10)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/health")
        response = connection.getresponse()
        assert response.version == 11
        response.read()
        assert connection.sock is first
    connection.close()


def test_its_certificate_holds_for_localhost_too(sight: Sight) -> None:
    trust = ssl.create_default_context(cafile=sight.lab.inputs["ca_file"])
    assert httpx.get(f"https://localhost:{port_of(sight)}/health", verify=trust, timeout=10).status_code == 200


def test_its_certificate_is_trusted_only_with_the_labs_authority(sight: Sight) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"https://127.0.0.1:{port_of(sight)}/health", timeout=10)


def test_a_client_that_connects_and_says_nothing_holds_nobody_up(sight: Sight) -> None:
    silent = [socket.create_connection(("127.0.0.1", port_of(sight))) for _ in range(20)]
    assert sight.get("/health").status_code == 200
    for each in silent:
        each.close()


def test_no_password_stands_in_a_process_list(sight: Sight, processes: Callable[[], Sequence[Process]]) -> None:
    listed = " ".join(each.arguments for each in processes())
    assert "runbook_engine.lab.api" in listed
    for name in ("database_url", "redis_url"):
        password = urlsplit(sight.lab.inputs[name]).password
        assert password
        assert password not in listed


def test_it_ends_when_its_input_ends(start: Start) -> None:
    process = start(
        [sys.executable, "-P", "-m", "runbook_engine.lab.api"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    process.stdin.close()
    assert process.wait(20) == 0


def test_an_api_that_cannot_serve_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    settings = ApiSettings("postgresql://127.0.0.1:1/", "redis://127.0.0.1:1/", str(tmp_path / "no-certificate.pem"))
    with ApiProcess(tmp_path) as api, pytest.raises(RunbookError, match="ended before it served") as raised:
        api.serve(settings)
    assert "FileNotFoundError" in str(raised.value)


def test_an_api_that_has_ended_before_it_was_told_anything_is_an_error_too(tmp_path: Path) -> None:
    settings = ApiSettings("postgresql://127.0.0.1:1/", "redis://127.0.0.1:1/", str(tmp_path / "no-certificate.pem"))

    def serve_once_gone() -> None:
        with ApiProcess(tmp_path) as api:
            os.kill(api.pid, signal.SIGKILL)
            os.waitid(os.P_PID, api.pid, os.WEXITED | os.WNOWAIT)
            api.serve(settings)

    with pytest.raises(RunbookError, match="ended before it served"):
        serve_once_gone()


def test_settings_survive_the_line_that_carries_them() -> None:
    settings = ApiSettings("postgresql://a:b@c/d", "redis://", "/file", cache_ttl_ms=1, upstream_wait_s=0.5)
    assert ApiSettings.from_line(settings.to_line()) == settings
    assert json.loads(settings.to_line())["cache_ttl_ms"] == 1
