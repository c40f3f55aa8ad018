"""What http.get reads from servers that answer."""

import asyncio
import gzip
import json
import subprocess
import sys
import threading
import tracemalloc
import zlib
from typing import Any

import anyio
import pytest

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.probe.json_text import MOST_VALUES
from runbook_probes.http import get

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}


async def test_a_json_body_is_the_document_and_every_phase_is_timed(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(body=b'{"status": "ok", "queue": {"depth": 7}}', headers=JSON, delay=0.1))
    reading = await measure(get, url=server.named("localhost"))
    assert reading.document == {"status": "ok", "queue": {"depth": 7}}
    assert (reading.status, reading.ok, reading.body_size, reading.redirects) == (200, True, 39, 0)
    assert reading.first_byte >= 0.1
    assert reading.total >= reading.dns + reading.connect + reading.first_byte
    assert 0 < reading.connect < 0.1
    assert 0 < reading.dns < 0.1
    assert reading.tls is None
    assert reading.missing == {"tls": "the URL is plain http"}
    assert reading.evidence["address"] == f"127.0.0.1:{server.port}"
    assert reading.evidence["truncated"] is False


async def test_the_first_byte_is_timed_from_the_request_and_not_to_the_end_of_the_body(
    servers: Any, measure: Any
) -> None:
    async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        await anyio.sleep(0.2)
        writer.write(b"cd")
        await writer.drain()

    server = await servers.start(slow_body)
    reading = await measure(get, url=server.url)
    assert reading.first_byte < 0.15
    assert reading.total >= 0.2


async def test_an_address_in_the_url_leaves_the_look_up_missing_with_a_reason(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(response())
    reading = await measure(get, url=server.url)
    assert reading.dns is None
    assert reading.missing["dns"] == "the URL holds an address, nothing was looked up"


async def test_tls_is_timed_and_its_certificate_is_held_against_the_given_authority(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(response(), tls=servers.tls("localhost"))
    reading = await measure(get, url=server.named("localhost"), ca_file=servers.ca_file)
    assert reading.ok
    assert 0 < reading.tls < 1


async def test_a_dot_at_the_end_of_the_host_is_no_part_of_the_certificates_name(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(response(), tls=servers.tls("localhost"))
    reading = await measure(get, url=server.named("localhost."), ca_file=servers.ca_file)
    assert reading.ok
    assert server.requests[0].headers["host"] == f"localhost.:{server.port}"


async def test_an_error_of_the_server_is_a_reading_with_the_start_of_its_body(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(response(status=503, body=b"the pool is exhausted"))
    reading = await measure(get, url=server.url)
    assert (reading.status, reading.ok) == (503, False)
    assert reading.document == {"text": "the pool is exhausted"}
    assert reading.evidence["body"] == "the pool is exhausted"


@pytest.mark.parametrize(
    ("status", "expected", "ok"), [(204, (), True), (301, (), False), (401, [401], True), (200, 401, False)]
)
async def test_which_status_is_good_can_be_told(
    servers: Any, response: Any, measure: Any, status: int, expected: object, ok: bool
) -> None:
    server = await servers.http(response(status=status, body=b""))
    reading = await measure(get, url=server.url, expect_status=expected)
    assert (reading.status, reading.ok) == (status, ok)


async def test_how_fast_an_error_came_is_not_how_fast_the_service_is(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(status=503))
    reading = await measure(get, url=server.url)
    assert (reading.status, reading.ok, reading.total, reading.first_byte) == (503, False, None, None)
    assert reading.connect > 0
    assert reading.missing["total"] == "the answer has status 503, which is not what was expected"


async def test_a_body_of_50_mb_is_cut_and_the_rest_is_not_waited_for(servers: Any, measure: Any) -> None:
    server = await servers.pourer(50 * 1024 * 1024)
    reading = await measure(get, url=server.url)
    assert reading.body_size == 1024 * 1024
    assert reading.evidence["truncated"] is True
    assert reading.cut == (
        "the body is longer than 1 MiB, and was read up to there; raise max_body up to 16 MiB, or ask for less"
    )
    await server.everybody_left()
    assert server.poured < 20 * 1024 * 1024


async def test_a_body_of_exactly_the_bound_is_whole(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(body=b"12345"))
    whole = await measure(get, url=server.url, max_body="5B")
    cut = await measure(get, url=server.url, max_body=4)
    assert (whole.body_size, whole.evidence["truncated"]) == (5, False)
    assert (cut.body_size, cut.evidence["truncated"]) == (4, True)
    assert (bool(whole.cut), bool(cut.cut)) == (False, True)


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("br", b"\x0b\x02\x80ok\x03", "the body is br, which is not read"),
        ("gzip", b"not gzip", "the body is said to be gzip, and cannot be unfolded"),
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)[:-9], "the body is gzip, and ends too early"),
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0), ""),
    ],
)
async def test_a_body_that_cannot_be_unfolded_says_so(
    servers: Any, response: Any, measure: Any, encoding: str, body: bytes, reason: str
) -> None:
    server = await servers.http(response(body=body, headers={"Content-Encoding": encoding}))
    reading = await measure(get, url=server.url)
    assert reading.incomplete == reason
    assert reason or reading.document == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"{broken",
        b"[" * 5000 + b"]" * 5000,
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000,
        b"1" * 5000,
        "naïve".encode("utf-16"),
    ],
    ids=["broken", "deep", "rather deep", "unclosed", "long number", "utf-16"],
)
async def test_a_body_that_is_not_usable_json_is_text(servers: Any, response: Any, measure: Any, body: bytes) -> None:
    server = await servers.http(response(body=body, headers=JSON))
    reading = await measure(get, url=server.url)
    assert reading.document == {"text": body.decode("utf-8", "replace")}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"state": "down", "state": "ok"}', 'it has the key "state" twice in one object'),
        (f'{{"depth": {"9" * 400}}}', "it has an integer of 400 digits, which is too large"),
        ('{"depth": 1e999}', "it has a number that is too large"),
    ],
    ids=["twice", "integer", "exponent"],
)
async def test_json_whose_values_are_not_certain_is_a_text_out_of_which_nothing_is_taken(
    servers: Any, response: Any, measure: Any, body: str, reason: str
) -> None:
    server = await servers.http(response(body=body.encode(), headers=JSON))
    reading = await measure(get, url=server.url)
    assert reading.document == {"text": body}
    assert reading.incomplete == f"the body is JSON that cannot be taken for certain: {reason}"


async def test_a_number_that_json_does_not_know_is_missing(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(body=b'{"p95": NaN}'))
    assert (await measure(get, url=server.url)).document == {"p95": None}


async def test_a_small_body_that_unfolds_into_a_huge_one_stays_bounded(
    servers: Any, response: Any, measure: Any
) -> None:
    bomb = zlib.compress(b"\0" * 200_000_000)
    server = await servers.http(response(body=bomb, headers={"Content-Encoding": "deflate"}))
    tracemalloc.start()
    try:
        reading = await measure(get, url=server.url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reading.body_size == len(bomb)
    assert reading.incomplete == (
        "the body unfolds to more than 1 MiB, and was unfolded up to there; raise max_body up to 16 MiB, or ask for less"
    )
    assert peak < 100_000_000


async def test_a_body_that_unfolds_to_exactly_what_may_be_read_is_whole(
    servers: Any, response: Any, measure: Any
) -> None:
    body = b'{"up": true, "more": "' + b"a" * 976 + b'"}'
    server = await servers.http(response(body=zlib.compress(body), headers={"Content-Encoding": "deflate"}))
    assert (await measure(get, url=server.url, max_body=1000)).incomplete == ""
    assert (await measure(get, url=server.url, max_body=999)).incomplete.startswith("the body unfolds to more than")
    assert (await measure(get, url=server.url, max_body=0)).cut != ""


async def test_a_body_of_too_many_values_is_measured_and_nothing_is_taken_out_of_it(
    servers: Any, response: Any, measure: Any
) -> None:
    body = b"[" + b"7," * MOST_VALUES + b"7]"
    server = await servers.http(response(body=body, headers=JSON))
    reading = await measure(get, url=server.url, max_body=16 * 1024 * 1024)
    assert (reading.status, reading.body_size) == (200, len(body))
    assert reading.incomplete == (
        "the body is JSON that cannot be taken for certain: it has more than 1,000,000 values, which are not read; "
        "ask for a part of it"
    )


async def test_a_large_body_is_read_where_it_holds_up_nobody(
    servers: Any, response: Any, measure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[str] = []

    def reading_json(text: str) -> object:
        readers.append(threading.current_thread().name)
        return json.loads(text)

    monkeypatch.setattr("runbook_probes.http.read_json", reading_json)
    small, large = b'{"up": true}', json.dumps({"up": True, "more": ["text"] * 100_000}).encode()
    folded = response(body=zlib.compress(large), headers={"Content-Encoding": "deflate"})
    for answer in (response(body=small), response(body=large), folded):
        server = await servers.http(answer)
        assert (await measure(get, url=server.url)).document["up"] is True
    assert readers == ["MainThread", "probe", "probe"]


async def test_a_head_request_has_no_body(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(body=b"never sent"))
    reading = await measure(get, url=server.url, method="HEAD")
    assert server.requests[0].method == "HEAD"
    assert reading.body_size == 0


async def test_headers_and_the_account_in_the_url_are_sent(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response())
    url = f"http://us%20er:p%40ss@127.0.0.1:{server.port}/a b".replace(" ", "%20") + "?q=ü&r=[1]"
    await measure(get, url=url, headers={"X-Api-Key": "k3y", "user-agent": "mine", "X-Name": "Zoë"})
    sent = server.requests[0]
    assert sent.path == "/a%20b?q=%C3%BC&r=[1]"
    assert sent.headers["authorization"] == "Basic dXMgZXI6cEBzcw=="
    assert sent.headers["host"] == f"127.0.0.1:{server.port}"
    assert (sent.headers["x-api-key"], sent.headers["user-agent"]) == ("k3y", "mine")
    assert sent.headers["x-name"].encode("latin-1").decode() == "Zoë"


async def test_redirects_are_followed_when_asked_for(servers: Any, response: Any, measure: Any) -> None:
    def answer(request: Any) -> Any:
        return (
            response(status=302, headers={"Location": "/new"}) if request.path == "/health" else response(body=b"there")
        )

    server = await servers.http(answer)
    stayed = await measure(get, url=server.url)
    followed = await measure(get, url=server.url, follow_redirects=True)
    assert (stayed.status, stayed.redirects) == (302, 0)
    assert (followed.status, followed.redirects, followed.document) == (200, 1, {"text": "there"})


async def test_another_server_that_is_redirected_to_gets_neither_headers_nor_password(
    servers: Any, response: Any, measure: Any
) -> None:
    other = await servers.http(response())
    server = await servers.http(response(status=307, headers={"Location": other.url}))
    url = server.url.replace("://", "://user:password@")
    await measure(get, url=url, headers={"X-Api-Key": "k3y"}, follow_redirects=True)
    assert "x-api-key" in server.requests[0].headers
    assert "authorization" in server.requests[0].headers
    assert not {"x-api-key", "authorization"} & set(other.requests[0].headers)


async def test_the_same_server_that_is_redirected_to_gets_them_again(servers: Any, response: Any, measure: Any) -> None:
    def to_a_full_url(request: Any) -> Any:
        location = {"Location": f"http://{request.headers['host']}/new"}
        return response(status=302, headers=location) if request.number == 0 else response()

    server = await servers.http(to_a_full_url)
    url = server.url.replace("://", "://user:password@")
    await measure(get, url=url, headers={"X-Api-Key": "k3y"}, follow_redirects=True)
    assert server.requests[1].headers["authorization"] == server.requests[0].headers["authorization"]
    assert server.requests[1].headers["x-api-key"] == "k3y"


async def test_redirects_in_a_circle_end(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(status=302, headers={"Location": "/health"}))
    with pytest.raises(ProbeError, match="redirects more than 10 times") as caught:
        await measure(get, url=server.url, follow_redirects=True)
    assert caught.value.kind is ErrorKind.OTHER
    assert len(server.requests) == 11


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://:80/", "http://[::1", "gopher://x/"])
async def test_a_redirect_to_what_is_not_http_is_malformed(
    servers: Any, response: Any, measure: Any, location: str
) -> None:
    server = await servers.http(response(status=302, headers={"Location": location}))
    with pytest.raises(ProbeError, match="redirects to something that is not an http or https URL") as caught:
        await measure(get, url=server.url, follow_redirects=True)
    assert caught.value.kind is ErrorKind.MALFORMED


async def test_cookies_of_an_answer_are_not_shown(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response(headers={"Set-Cookie": "session=s3cret", "X-Version": "1.2"}))
    headers = (await measure(get, url=server.url)).evidence["headers"]
    assert headers["Set-Cookie"] == "***"
    assert headers["X-Version"] == "1.2"


async def test_nothing_stays_open_after_an_answer(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response())
    await measure(get, url=server.url)
    await server.everybody_left()
    assert server.connections == 1


async def test_the_proxies_of_the_environment_are_not_used(
    servers: Any, response: Any, measure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{servers.refusing_port()}")
    server = await servers.http(response())
    assert (await measure(get, url=server.url)).ok


@pytest.mark.parametrize("module", ["http", "tcp", "dns"])
def test_importing_the_probes_loads_no_client(module: str) -> None:
    code = f"import sys, runbook_probes.{module}; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"httpx", "httpcore", "h11", "dns", "certifi"} & set(loaded)
