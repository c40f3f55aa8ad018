"""The http probes: what does a URL answer, and how fast is it?"""

import zlib
from typing import TYPE_CHECKING, Annotated

import anyio
from pydantic import Field, JsonValue

from runbook_engine.probe import (
    Bytes,
    Count,
    Dimension,
    DocumentReading,
    Duration,
    ProbeContext,
    bounded,
    probe,
)
from runbook_engine.secret import HIDDEN
from runbook_probes.http_latency import latency
from runbook_probes.http_params import HttpParams, Size, curl
from runbook_probes.http_timeline import Timeline
from runbook_probes.json_text import read_json
from runbook_probes.network import within

if TYPE_CHECKING:
    from runbook_probes.http_client import Answer

__all__ = ["GetParams", "GetReading", "get", "latency"]

MOST_TEXT = 10_000
MOST_EXCERPT = 500
MOST_HEADERS = 40
MOST_UNFOLDED = 16 * 1024 * 1024
HIDDEN_HEADERS = frozenset({"set-cookie", "authorization", "www-authenticate", "authentication-info"})
"""Headers of an answer that may hold what is nobody's business."""


class GetParams(HttpParams):
    max_body: Size = Field(
        1024 * 1024,
        ge=0,
        le=16 * 1024 * 1024,
        description="The body is read up to here; what comes after is not waited for",
    )


class GetReading(DocumentReading):
    """``document`` is the body where it is JSON, and ``{"text": ...}`` with its first 10,000 characters where it is not."""

    LOGS = ("body",)

    status: Annotated[int, bounded(Dimension.NUMBER, lower=100, upper=999)] = Field(description="HTTP status")
    ok: bool = Field(description="Whether the status is one of expect_status; without it, one of 200 to 299")
    total: Duration = Field(description="Time from the start to the end of the body, redirects included")
    first_byte: Duration = Field(description="Time from the request being sent to the first byte of its answer")
    dns: Duration | None = Field(None, description="Time to look up the name")
    connect: Duration | None = Field(None, description="Time to make the TCP connection")
    tls: Duration | None = Field(None, description="Time for the TLS handshake")
    body_size: Bytes = Field(description="Size of the body, as far as it was read")
    redirects: Count = Field(0, description="Redirects that were followed")


_WRITE = (
    r"\nstatus %{http_code}, since the start: name %{time_namelookup} s, connect %{time_connect} s, "
    r"TLS %{time_appconnect} s, first byte %{time_starttransfer} s, total %{time_total} s\n"
)


def _command(params: GetParams) -> str:
    return curl(params, write=_WRITE, discard=False)


@probe("http.get", command=_command, reads_only=True)
async def get(params: GetParams, ctx: ProbeContext) -> GetReading:
    """Asks a URL once. Any answer is a reading, one of status 500 too; no answer is an error.

    The machine's proxy settings are not used.
    """
    from runbook_probes.http_client import Client, trust

    timeline = Timeline(params.target)
    with within(ctx, timeline.timed_out):
        async with Client(params, await trust(params)) as client:
            answer = await client.fetch(timeline, params.max_body)
            total = anyio.current_time() - timeline.started
    ok = params.expects(answer.status)
    text = _text(answer)
    return GetReading(
        status=answer.status,
        ok=ok,
        total=total,
        first_byte=timeline.first_byte,
        dns=timeline.dns,
        connect=timeline.connect,
        tls=timeline.tls,
        body_size=len(answer.body),
        redirects=timeline.hops,
        document=_document(text),
        evidence=_evidence(answer, timeline, text, ok=ok),
        missing=_missing(timeline),
    )


def _missing(timeline: Timeline) -> dict[str, str]:
    reasons = {}
    if timeline.dns is None:
        reasons["dns"] = "the URL holds an address, nothing was looked up"
    if timeline.tls is None:
        reasons["tls"] = "the URL is plain http"
    return reasons


def _evidence(answer: "Answer", timeline: Timeline, text: str, *, ok: bool) -> dict[str, JsonValue]:
    evidence: dict[str, JsonValue] = {
        "address": timeline.address,
        "protocol": answer.version,
        "headers": {
            name: HIDDEN if name.lower() in HIDDEN_HEADERS else value[:MOST_EXCERPT]
            for name, value in answer.headers[:MOST_HEADERS]
        },
        "truncated": answer.truncated,
    }
    if not ok and text:
        evidence["body"] = text[:MOST_EXCERPT]
    return evidence


def _text(answer: "Answer") -> str:
    """The body as text. Only UTF-8 and Latin-1 are read, and compressed bodies are unfolded up to a bound."""
    body = answer.body
    encoding = (answer.header("content-encoding") or "identity").strip().lower()
    if encoding in ("gzip", "x-gzip", "deflate"):
        try:
            body = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MOST_UNFOLDED)
        except zlib.error:
            return ""
    elif encoding != "identity":
        return ""
    kind = (answer.header("content-type") or "").lower()
    latin = any(name in kind for name in ("iso-8859-1", "latin-1", "windows-1252"))
    return body.decode("cp1252" if latin else "utf-8-sig", "replace")


def _document(text: str) -> JsonValue:
    """JSON where it is, and not nested beyond what the rest of the program can take; text where not."""
    try:
        return read_json(text)
    except ValueError:
        return {"text": text[:MOST_TEXT]}
