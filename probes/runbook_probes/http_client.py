"""One HTTP request at a time, with every moment of its way noted.

Built on httpcore. Importing this module loads it; probes do so when they run.
"""

import base64
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, cast

import httpcore

from runbook_engine.probe import ErrorKind, ProbeError, Secret, in_thread
from runbook_probes.http_failure import FAILURES, explained
from runbook_probes.http_network import Network
from runbook_probes.http_params import HttpParams, Target, read_url
from runbook_probes.http_redirect import Cookies, redirected
from runbook_probes.http_timeline import Timeline
from runbook_probes.trust import client_context

MOST_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is cut where ``truncated``."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    version: str

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


async def trust(params: HttpParams) -> ssl.SSLContext | None:
    """What certificates are held against; None where no TLS can come up.

    Reading the system's authorities takes some 50 ms, so it is done once for a probe, and in a thread. Raises ProbeError for
    a ca_file that cannot be used.
    """
    if params.target.scheme == "http" and not params.follow_redirects:
        return None
    return await in_thread(lambda: client_context(params.ca_file))


class Client:
    """Sends one request at a time and keeps its connection for the next one."""

    def __init__(self, params: HttpParams, context: ssl.SSLContext | None) -> None:
        self._params = params
        self.timeline = Timeline(params.target)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=1, network_backend=Network(lambda: self.timeline), retries=0
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.aclose()

    async def fetch(self, timeline: Timeline, most: int) -> Answer:
        """The answer to the request that the parameters describe, with at most ``most`` bytes of its body.

        ``timeline`` is written as things happen. Cookies that a redirect sets are sent to where it leads. Raises ProbeError
        where there is no answer.
        """
        url, headers, cookies = self._params.url.reveal(), self._params.headers, Cookies()
        first = target = read_url(url)
        self.timeline = timeline
        for hop in range(MOST_REDIRECTS + 1):
            timeline.hops = hop
            try:
                answer = await self._ask(target, headers, cookies.header(target), most)
            except FAILURES as error:
                raise explained(error, timeline) from error
            location = answer.header("location")
            if not (self._params.follow_redirects and answer.status in REDIRECTS and location):
                return answer
            cookies.keep(target, answer.headers)
            try:
                url = redirected(url, location.encode("latin-1"))
                target = read_url(url)
            except ValueError as error:
                raise ProbeError(
                    ErrorKind.MALFORMED, f"{target.where} redirects to something that is not an http or https URL"
                ) from error
            if target.origin == first.origin:
                target = replace(target, account=target.account or first.account)
            else:
                headers = {}
        raise ProbeError(ErrorKind.OTHER, f"{first.where} redirects more than {MOST_REDIRECTS} times")

    async def _ask(self, target: Target, headers: Mapping[str, Secret], cookies: str, most: int) -> Answer:
        self.timeline.begin(target)
        url = httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        )
        body = bytearray()
        async with self._pool.stream(self._params.method, url, headers=_headers(target, headers, cookies)) as response:
            if self.timeline.answered is not None:
                self.timeline.missed = f"{target.where} did not finish sending its answer"
            stream = cast("AsyncGenerator[bytes]", response.aiter_stream())  # closed, where the body is cut
            async with aclosing(stream) as pieces:
                async for piece in pieces:
                    body += piece[: most + 1 - len(body)]
                    if len(body) > most:
                        break
        return Answer(
            response.status,
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers),
            bytes(body[:most]),
            len(body) > most,
            response.extensions["http_version"].decode("latin-1"),
        )


def _headers(target: Target, given: Mapping[str, Secret], cookies: str) -> list[tuple[bytes, bytes]]:
    """Bodies are asked for uncompressed, so that a small answer cannot unfold into a large one."""
    headers = {
        "Host": target.host_header,
        "User-Agent": "runbook-engine",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    if target.account is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(target.account.encode()).decode("ascii")
    for name, value in given.items():
        for known in [each for each in headers if each.lower() == name.lower()]:
            del headers[known]
        headers[name] = value.reveal()
    sent = [(name.encode("ascii"), value.encode()) for name, value in headers.items()]
    # Several headers of that name are one, in parts: https://www.rfc-editor.org/rfc/rfc6265#section-5.4 allows but one.
    own = [value for name, value in sent if name.lower() == b"cookie"]
    if cookies:
        sent = [each for each in sent if each[0].lower() != b"cookie"]
        sent.append((b"Cookie", b"; ".join([*own, cookies.encode("latin-1")])))
    return sent
