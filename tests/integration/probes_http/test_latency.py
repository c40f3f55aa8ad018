"""What http.latency makes of many answers."""

import asyncio
import time
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from pydantic import ValidationError

import runbook_engine as rb
from runbook_engine.engine.events import Outcome
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.http import latency

pytestmark = pytest.mark.anyio


async def test_percentiles_are_measured_times_of_the_nearest_rank(servers: Any, response: Any, measure: Any) -> None:
    slow = {4: 0.05, 9: 0.1, 14: 0.15, 19: 0.2}
    server = await servers.http(lambda request: response(delay=slow.get(request.number, 0.0)))
    reading = await measure(latency, url=server.url, samples=20, concurrency=1)
    assert len(server.requests) == 20
    assert reading.p50 < 0.05
    assert 0.15 <= reading.p95 < 0.2  # rank 19 of 20: the second slowest
    assert reading.p99 == reading.max >= 0.2
    assert reading.p50 < reading.mean < reading.max
    assert (reading.samples, reading.ok, reading.client_errors, reading.error_rate) == (20, 20, 0, 0.0)
    assert reading.evidence["outcomes"] == {"200": 20}
    assert reading.evidence["slowest"][0]["outcome"] == "200"
    assert "cut_off" not in reading.evidence


async def test_no_more_requests_are_under_way_at_once_than_asked_for(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(delay=0.02))
    begun = time.monotonic()
    await measure(latency, url=server.url, samples=12, concurrency=3)
    assert time.monotonic() - begun >= 4 * 0.02
    assert server.connections == 3
    assert len(server.requests) == 12
    await server.everybody_left()


async def test_making_a_connection_is_timed_apart_from_the_answers(servers: Any, response: Any, measure: Any) -> None:
    context = servers.tls("localhost")
    context.sni_callback = lambda *_greeting: time.sleep(0.2)
    server = await servers.http(response(), tls=context)
    reading = await measure(latency, url=server.named("localhost"), ca_file=servers.ca_file, samples=6, concurrency=1)
    assert reading.max < 0.15
    assert reading.connect >= 0.2
    assert server.connections == 1


async def test_server_errors_are_the_error_rate_and_client_errors_are_not(
    servers: Any, response: Any, measure: Any
) -> None:
    statuses = [200, 200, 200, 200, 200, 200, 404, 429, 500, 503]
    server = await servers.http(lambda request: response(status=statuses[request.number]))
    reading = await measure(latency, url=server.url, samples=10)
    assert reading.error_rate == 20.0
    assert (reading.samples, reading.ok, reading.client_errors) == (10, 6, 2)
    assert reading.evidence["outcomes"] == {"200": 6, "404": 1, "429": 1, "500": 1, "503": 1}


async def test_every_answer_being_an_error_of_the_server_is_a_reading(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(response(status=503))
    reading = await measure(latency, url=server.url)
    assert (reading.error_rate, reading.ok, reading.samples) == (100.0, 0, 20)
    assert {getattr(reading, name) for name in reading.LATENCIES} == {None}
    assert reading.missing == dict.fromkeys(
        reading.LATENCIES,
        "0 of 20 requests were answered well, too few to tell how fast the service is (503 20 times)",
    )


async def test_a_server_that_closes_nearly_every_connection_is_not_fast(servers: Any, measure: Any) -> None:
    async def rarely(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if server.connections == 7:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    server = await servers.start(rarely)
    reading = await measure(latency, url=server.url, samples=20, concurrency=1)
    assert (reading.error_rate, reading.ok, reading.p95, reading.mean) == (95.0, 1, None, None)
    assert reading.missing["p95"] == (
        "1 of 20 requests were answered well, too few to tell how fast the service is (refused 19 times, 200 once)"
    )


async def test_response_times_are_those_of_the_answers_that_were_good(
    servers: Any, response: Any, measure: Any
) -> None:
    def answer(request: Any) -> Any:
        return response(status=503) if request.number % 2 else response(delay=0.1)

    server = await servers.http(answer)
    reading = await measure(latency, url=server.url, samples=20, concurrency=1)
    assert (reading.ok, reading.error_rate) == (10, 50.0)
    assert reading.p50 >= 0.1  # the quick errors do not count
    assert reading.missing == {}


async def test_fewer_good_answers_than_half_tell_no_response_time(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(lambda request: response(status=200 if request.number < 9 else 429))
    reading = await measure(latency, url=server.url, samples=20)
    assert (reading.ok, reading.client_errors, reading.error_rate, reading.p95) == (9, 11, 0.0, None)


async def test_requests_that_are_waited_for_in_vain_are_slow_and_not_left_out(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(lambda request: response(hang=request.number >= 2))
    reading = await measure(latency, url=server.url, samples=8, concurrency=8, sample_timeout="300ms")
    assert (reading.ok, reading.error_rate, reading.p50, reading.p95) == (2, 75.0, 0.3, 0.3)


async def test_the_only_sample_that_was_asked_for_is_enough_where_it_is_good(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(response())
    reading = await measure(latency, url=server.url, samples=1)
    assert reading.p95 == reading.max > 0


@pytest.mark.parametrize("condition", ["p95 > 1s", "mean > 1s", "p50 < 1s"])
async def test_a_runbook_that_judges_the_speed_of_errors_alone_is_blind_and_not_healthy(
    servers: Any, response: Any, tmp_path: Path, condition: str
) -> None:
    server = await servers.http(response(status=503))
    file = tmp_path / "slow.yaml"
    file.write_text(
        "runbook: slow\ntitle: Slow\nstart: look\nsteps:\n  look:\n    probe: http.latency\n"
        f'    with: {{url: "{server.url}"}}\n'
        f"    branches: [{{when: {condition}, finding: slow}}, {{else: end}}]\n"
        "findings: {slow: {level: warning, title: Slow}}\n"
    )
    trace = await anyio.to_thread.run_sync(lambda: rb.run(file, environ={}))
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert "0 of 20 requests were answered well" in trace.blind_spots[0].remedy


async def test_what_counts_as_an_error_follows_the_expected_status(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(lambda request: response(status=404 if request.number % 2 else 401))
    reading = await measure(latency, url=server.url, samples=10, expect_status=401, concurrency=1)
    assert (reading.error_rate, reading.ok, reading.client_errors) == (50.0, 5, 10)


async def test_connections_that_break_count_as_errors_and_the_next_sample_connects_anew(
    servers: Any, measure: Any
) -> None:
    async def every_other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if server.connections % 2:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    server = await servers.start(every_other)
    reading = await measure(latency, url=server.url, samples=10, concurrency=1)
    assert (reading.error_rate, reading.ok) == (50.0, 5)
    assert reading.evidence["outcomes"] == {"200": 5, "refused": 5}
    assert "closed it without an answer" in reading.evidence["errors"][0]


async def test_a_connection_that_the_server_has_closed_meanwhile_is_not_used_again(servers: Any, measure: Any) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    server = await servers.start(once)
    reading = await measure(latency, url=server.url, samples=10, concurrency=1)
    assert (reading.ok, reading.error_rate) == (10, 0.0)
    assert server.connections == 10


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (401, ErrorKind.AUTH, "headers"),
        (403, ErrorKind.FORBIDDEN, "headers"),
        (404, ErrorKind.MISSING, "URL"),
        (429, ErrorKind.THROTTLED, "expect_status"),
        (301, ErrorKind.OTHER, "follow_redirects"),
    ],
)
async def test_answers_that_all_miss_the_point_are_no_measurement(
    servers: Any, response: Any, measure: Any, status: int, kind: ErrorKind, remedy: str
) -> None:
    server = await servers.http(response(status=status))
    with pytest.raises(ProbeError) as caught:
        await measure(latency, url=server.url)
    assert caught.value.kind is kind
    assert f"answers with status {status}" in caught.value.message
    assert remedy in caught.value.remedy


async def test_no_answer_at_all_is_an_error_of_the_kind_that_was_met_most(servers: Any, measure: Any) -> None:
    port = servers.refusing_port()
    with pytest.raises(ProbeError) as caught:
        await measure(latency, url=f"http://127.0.0.1:{port}/")
    assert str(caught.value) == (
        f"refused: none of 20 requests was answered: 127.0.0.1:{port} refuses connections: nothing listens there"
    )
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_a_certificate_that_is_not_trusted_is_a_tls_error(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(), tls=servers.tls("127.0.0.1"))
    with pytest.raises(ProbeError, match="was issued by an authority that is not trusted here") as caught:
        await measure(latency, url=server.url)
    assert caught.value.kind is ErrorKind.TLS


async def test_a_sample_that_hangs_counts_as_an_error_and_with_the_time_that_was_waited(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(lambda request: response(hang=request.number == 3))
    reading = await measure(latency, url=server.url, samples=10, sample_timeout="200ms")
    assert (reading.samples, reading.ok, reading.error_rate) == (10, 9, 10.0)
    assert reading.max == 0.2
    assert reading.p50 < 0.2
    assert reading.evidence["outcomes"] == {"200": 9, "timeout": 1}


async def test_a_sample_that_still_hangs_when_time_runs_out_is_not_forgotten(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(lambda request: response(hang=request.number == 3))
    reading = await measure(latency, timeout=0.6, url=server.url, samples=20)
    assert (reading.samples, reading.ok) == (20, 19)
    assert reading.error_rate == 5.0
    assert reading.max >= 0.3
    assert reading.evidence["outcomes"] == {"200": 19, "timeout": 1}
    assert reading.evidence["cut_off"] == "time ran out when 19 of 20 requests were finished"
    await server.everybody_left()


async def test_when_time_runs_out_the_samples_so_far_are_told_of_if_they_are_enough(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(response(delay=0.1))
    reading = await measure(latency, timeout=4.0, url=server.url, samples=1000, concurrency=1)
    assert 5 <= reading.samples < 40
    assert reading.error_rate == 0.0
    assert reading.evidence["cut_off"] == f"time ran out when {reading.samples} of 1000 requests were finished"


async def test_when_time_runs_out_too_few_samples_are_a_timeout(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(lambda request: response(hang=request.number >= 4))
    with pytest.raises(ProbeError) as caught:
        await measure(latency, timeout=0.5, url=server.url)
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert caught.value.message.startswith(f"4 of 20 requests to 127.0.0.1:{server.port} were finished within ")
    assert caught.value.message.endswith("too few to judge by: it accepted the connection, but sent no answer")
    assert caught.value.remedy == "give the step more time, or ask for fewer samples"


async def test_requests_that_have_waited_longer_than_any_answer_took_raise_the_percentiles(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(lambda request: response(delay=0.4 if request.number < 5 else 1.2))
    reading = await measure(latency, timeout=1.1, url=server.url, samples=10, concurrency=5)
    assert reading.samples == 10
    assert reading.ok == 5
    assert reading.p95 > 0.42
    assert reading.error_rate == 0.0
    assert reading.evidence["outcomes"] == {"200": 5, "unanswered": 5}


async def test_bodies_that_never_end_are_cut(servers: Any, measure: Any) -> None:
    server = await servers.pourer(50 * 1024 * 1024)
    reading = await measure(latency, url=server.url, samples=4, concurrency=2)
    assert reading.ok == 4
    assert reading.cut == (
        "a body is longer than 1 MiB, and was read up to there, so that its end is not known; "
        "raise max_body up to 16 MiB, or ask for less"
    )
    await server.everybody_left()
    assert server.poured < 50 * 1024 * 1024


async def test_headers_are_sent_with_every_sample(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response())
    await measure(latency, url=server.url, headers={"X-Api-Key": "k3y"}, method="HEAD", samples=3)
    assert [(sent.method, sent.headers["x-api-key"]) for sent in server.requests] == [("HEAD", "k3y")] * 3


@pytest.mark.parametrize(
    "wrong", [{"samples": 0}, {"samples": 1001}, {"concurrency": 0}, {"sample_timeout": "5MiB"}, {"sample_timeout": 0}]
)
def test_parameters_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        latency.params.model_validate({"url": "http://127.0.0.1/", **wrong})
