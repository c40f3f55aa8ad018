"""http.get goes where browsers go: addresses beyond ASCII and with blanks, cookies, and answers before the answer."""

import asyncio
import shlex
from typing import Any

import anyio
import pytest

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.http import get, latency
from runbook_probes.http_params import read_url
from runbook_probes.http_redirect import redirected
from runbook_probes.prometheus import query

pytestmark = pytest.mark.anyio

BASE = "http://user:pw@api.test/a/b?c=d"


@pytest.mark.parametrize(
    ("location", "host", "path"),
    [
        ("/caf\u00e9".encode(), "api.test", "/caf%C3%A9"),
        ("/caf\u00e9".encode("latin-1"), "api.test", "/caf%E9"),
        (b"/caf%C3%A9", "api.test", "/caf%C3%A9"),
        ("https://b\u00fccher.test/\u00fc?q=\u00fc".encode(), "xn--bcher-kva.test", "/%C3%BC?q=%C3%BC"),
        (b"/new place", "api.test", "/new%20place"),
        (b" /new\t", "api.test", "/new"),
        (b"/ne\tw", "api.test", "/new"),
        (b"/a?q=1 2", "api.test", "/a?q=1%202"),
        (b"\\new", "api.test", "/new"),
        (b"//other.test\\new?a\\b", "other.test", "/new?a%5Cb"),
        (b"new", "api.test", "/a/new"),
        (b"?q", "api.test", "/a/b?q"),
        (b"../new#part", "api.test", "/new"),
        (b"/\x01x", "api.test", "/%01x"),
    ],
)
def test_a_location_is_read_as_browsers_read_it(location: bytes, host: str, path: str) -> None:
    target = read_url(redirected(BASE, location))
    assert (target.host, target.path) == (host, path)


@pytest.mark.parametrize("location", ["/new/caf\u00e9", "/new/a place", " /new/ "])
async def test_a_redirect_with_letters_that_no_url_has_is_followed_to_where_it_leads(
    servers: Any, response: Any, measure: Any, location: str
) -> None:
    def answer(request: Any) -> Any:
        return response() if request.path.startswith("/new") else response(status=302, headers={"Location": location})

    server = await servers.http(answer)
    assert (await measure(get, url=server.url, follow_redirects=True)).status == 200
    await measure(latency, url=server.url, follow_redirects=True, samples=1)
    expected = {"/new/caf\u00e9": "/new/caf%C3%A9", "/new/a place": "/new/a%20place", " /new/ ": "/new/"}[location]
    assert [each.path for each in server.requests] == ["/health", expected] * 2


def gate(response: Any, *cookies: str) -> Any:
    """Sets cookies and sends back; lets in who has them, as logins and load balancers do."""

    def answer(request: Any) -> Any:
        if "let=in" in request.headers.get("cookie", ""):
            return response()
        head = "\r\nSet-Cookie: ".join(cookies)
        return response(status=302, headers={"Location": request.path, "Set-Cookie": head})

    return answer


async def test_a_cookie_that_a_redirect_sets_is_sent_to_where_it_leads(
    servers: Any, response: Any, measure: Any
) -> None:
    server = await servers.http(gate(response, "let=in; Path=/; HttpOnly", "other=1"))
    reading = await measure(get, url=server.url, follow_redirects=True)
    assert (reading.status, reading.redirects) == (200, 1)
    assert set(server.requests[1].headers["cookie"].split("; ")) == {"let=in", "other=1"}
    again = await measure(get, url=server.url, follow_redirects=True)
    assert again.redirects == 1, "each measurement begins without any"
    assert "cookie" not in server.requests[2].headers


async def test_a_cookie_is_sent_beside_those_that_were_given(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(gate(response, "let=in"))
    await measure(get, url=server.url, follow_redirects=True, headers={"cookie": "mine=1"})
    assert [each.headers["cookie"] for each in server.requests] == ["mine=1", "mine=1; let=in"]


@pytest.mark.parametrize(
    "cookie",
    ["let=in; Path=/elsewhere", "let=in; Max-Age=0", "let=in; Domain=other.test", "let=in\x01"],
)
async def test_a_cookie_that_is_not_for_the_address_is_not_sent_there(
    servers: Any, response: Any, measure: Any, cookie: str
) -> None:
    server = await servers.http(gate(response, cookie))
    with pytest.raises(ProbeError, match="redirects more than 10 times"):
        await measure(get, url=server.url, follow_redirects=True)
    assert not any("cookie" in each.headers for each in server.requests)


async def test_a_cookie_marked_secure_is_sent_over_plain_http_to_this_machine_alone(
    servers: Any, response: Any, measure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await servers.http(gate(response, "let=in; Secure"))
    for url in (server.url, server.named("localhost"), server.named("api.localhost")):
        assert (await measure(get, url=url, follow_redirects=True)).redirects == 1

    async def here(_host: str) -> tuple[str, ...]:
        return ("127.0.0.1",)

    monkeypatch.setattr("runbook_probes.network.lookup", here)
    with pytest.raises(ProbeError, match="redirects more than 10 times"):
        await measure(get, url=server.named("api.test"), follow_redirects=True)


async def test_another_host_does_not_get_the_cookies_of_the_first(servers: Any, response: Any, measure: Any) -> None:
    other = await servers.http(response())
    there = {"Location": other.named("localhost"), "Set-Cookie": "session=s3cret"}
    server = await servers.http(response(status=302, headers=there))
    reading = await measure(get, url=server.url, follow_redirects=True)
    assert reading.ok
    assert "cookie" not in other.requests[0].headers
    assert "s3cret" not in str(reading.evidence)


def test_the_command_keeps_cookies_too() -> None:
    params = get.params.model_validate({"url": "http://api.test/", "follow_redirects": True})
    words = shlex.split(get.command(params))
    assert words[words.index("-L") + 1 :][:2] == ["-b", ""]


def hinting(before: bytes, wait: float, after: bytes) -> Any:
    """Sends what comes before the answer at once, and the answer after a while."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(before)
        await writer.drain()
        await anyio.sleep(wait)
        writer.write(after)
        await writer.drain()

    return handler


HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
BODY = b'{"status": "success", "data": {"resultType": "vector", "result": []}}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


@pytest.mark.parametrize(
    ("before", "statuses"),
    [(HINTS, [103]), (HINTS * 2, [103, 103]), (b"HTTP/1.1 100 Continue\r\n\r\n" + HINTS, [100, 103])],
)
async def test_the_first_byte_is_that_of_the_answer_and_not_of_the_hints_before_it(
    servers: Any, measure: Any, before: bytes, statuses: list[int]
) -> None:
    server = await servers.start(hinting(before, 0.3, OK))
    reading = await measure(get, url=server.url)
    assert (reading.status, reading.body_size) == (200, len(BODY))
    assert reading.first_byte >= 0.3
    assert reading.evidence["interim"] == statuses
    assert (await measure(query, url=f"http://127.0.0.1:{server.port}", query="up")).series == 0


async def test_hints_in_pieces_are_passed_over_too(servers: Any, measure: Any) -> None:
    for cut in (1, 10, 13, len(HINTS) - 1, len(HINTS) + 5):
        whole = HINTS + OK
        server = await servers.start(hinting(whole[:cut], 0.05, whole[cut:]))
        reading = await measure(get, url=server.url)
        assert (reading.status, reading.evidence["interim"]) == (200, [103])
        assert (reading.first_byte >= 0.05) == (cut <= len(HINTS)), cut


async def test_an_answer_that_never_comes_after_its_hints_is_a_timeout_that_says_so(servers: Any, measure: Any) -> None:
    server = await servers.start(hinting(HINTS, 30, b""))
    with pytest.raises(ProbeError, match="sent status 103, but no answer after it within") as caught:
        await measure(get, timeout=0.5, url=server.url)
    assert caught.value.kind is ErrorKind.TIMEOUT


async def test_an_answer_without_hints_shows_none(servers: Any, response: Any, measure: Any) -> None:
    server = await servers.http(response())
    assert "interim" not in (await measure(get, url=server.url)).evidence
