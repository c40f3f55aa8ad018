"""The http probes: what does a URL answer, and how fast is it?"""

import zlib
from typing import TYPE_CHECKING, Annotated, ClassVar

import anyio
from pydantic import Field, JsonValue

from runbook_engine.hostile import one_line, opening
from runbook_engine.probe import (
    Bytes,
    Count,
    Dimension,
    Document,
    DocumentReading,
    Duration,
    NoCertainValueError,
    ProbeContext,
    bounded,
    cut_at,
    in_thread_if_large,
    probe,
    read_json,
)
from runbook_engine.quantity import show
from runbook_engine.secret import HIDDEN
from runbook_probes.http_latency import latency
from runbook_probes.http_params import HttpParams, Size, curl
from runbook_probes.http_timeline import Timeline
from runbook_probes.network import within

if TYPE_CHECKING:
    from runbook_probes.http_client import Answer

__all__ = ["GetParams", "GetReading", "get", "latency"]

MOST_BODY = 16 * 1024 * 1024
MOST_HEADERS = 40
IDENTITY = "identity"
HIDDEN_HEADERS = frozenset({"set-cookie", "authorization", "www-authenticate", "authentication-info"})
"""Headers of an answer that may hold what is nobody's business."""


class GetParams(HttpParams):
    max_body: Size = Field(
        1024 * 1024,
        ge=0,
        le=MOST_BODY,
        description="The body is read up to here; what comes after is not waited for",
    )


class GetReading(DocumentReading):
    DOCUMENT = Document(
        'The body where it is JSON, and `{"text": "…"}` where it is not',
        example={"status": "ok", "version": "2.4.1", "queue": {"waiting": 3}},
    )
    LOGS = ("body",)
    PARTIAL: ClassVar = {"body_size": "max_body", "total": ""}

    status: Annotated[int, bounded(Dimension.NUMBER, lower=100, upper=999)] = Field(description="HTTP status")
    ok: bool = Field(description="Whether the status is one of expect_status; without it, one of 200 to 299")
    total: Duration | None = Field(
        description="Time from the start to the end of the body, redirects included; missing where the answer is not ok"
    )
    first_byte: Duration | None = Field(
        description="Time from the request being sent to the first byte of its answer; one such as 103, before it, is none; "
        "missing where the answer is not ok"
    )
    dns: Duration | None = Field(None, description="Time to look up the name")
    connect: Duration | None = Field(None, description="Time to make the TCP connection")
    tls: Duration | None = Field(None, description="Time for the TLS handshake")
    body_size: Bytes | None = Field(description="Size of the body; missing where that is more than max_body")
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
    size = len(answer.body) if _encoding(answer) == IDENTITY else params.max_body
    text, document, incomplete = await in_thread_if_large(size, lambda: _content(answer, params))
    return GetReading(
        status=answer.status,
        ok=ok,
        total=total if ok else None,
        first_byte=timeline.first_byte if ok else None,
        dns=timeline.dns,
        connect=timeline.connect,
        tls=timeline.tls,
        body_size=len(answer.body),
        redirects=timeline.hops,
        document=document,
        cut=_more(params) if answer.truncated else "",
        incomplete=incomplete,
        evidence=_evidence(answer, timeline, text, ok=ok),
        missing=_missing(
            timeline, "" if ok else f"the answer has status {answer.status}, which is not what was expected"
        ),
    )


def _missing(timeline: Timeline, failed: str) -> dict[str, str]:
    """Why values are missing. How fast an error came says nothing of how fast the service works."""
    reasons = dict.fromkeys(("total", "first_byte"), failed) if failed else {}
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
            name: HIDDEN if name.lower() in HIDDEN_HEADERS else value for name, value in answer.headers[:MOST_HEADERS]
        },
        "truncated": answer.truncated,
    }
    if timeline.interim:
        evidence["interim"] = list(timeline.interim[:MOST_HEADERS])
    if not ok and text:
        evidence["body"] = opening(text)
    return evidence


def _more(params: GetParams) -> str:
    """Why the body is not whole, and how to get more of it."""
    why = f"the body is longer than {show(params.max_body, Dimension.BYTES)}, and was read up to there"
    return cut_at(params, "max_body", why, shown=show(MOST_BODY, Dimension.BYTES), instead="ask for less")


def _encoding(answer: "Answer") -> str:
    return (answer.header("content-encoding") or IDENTITY).strip().lower()


def _content(answer: "Answer", params: GetParams) -> tuple[str, JsonValue, str]:
    """The body as text and as a document, and why nothing can be taken out of this."""
    text, incomplete = _text(answer, params)
    document, uncertain = _document(text)
    return text, document, incomplete or uncertain


def _text(answer: "Answer", params: GetParams) -> tuple[str, str]:
    """The body as text, and why it is not the whole. Only UTF-8 and Latin-1 are read, and compressed bodies, which nobody
    has asked for, are unfolded up to ``max_body``.
    """
    body, incomplete, encoding = answer.body, "", _encoding(answer)
    if encoding in ("gzip", "x-gzip", "deflate"):
        unfolding = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            body = unfolding.decompress(body, max(1, params.max_body))
        except zlib.error:
            return "", f"the body is said to be {encoding}, and cannot be unfolded"
        if unfolding.unconsumed_tail or not (unfolding.eof or len(body) < params.max_body):
            most = show(params.max_body, Dimension.BYTES)
            why = f"the body unfolds to more than {most}, and was unfolded up to there"
            incomplete = cut_at(params, "max_body", why, shown=show(MOST_BODY, Dimension.BYTES), instead="ask for less")
        elif not unfolding.eof:
            incomplete = f"the body is {encoding}, and ends too early"
    elif encoding != IDENTITY:
        return "", f"the body is {one_line(encoding)}, which is not read"
    kind = (answer.header("content-type") or "").lower()
    latin = any(name in kind for name in ("iso-8859-1", "latin-1", "windows-1252"))
    return body.decode("cp1252" if latin else "utf-8-sig", "replace"), incomplete


def _document(text: str) -> tuple[JsonValue, str]:
    """JSON where it is, and not nested beyond what the rest of the program can take; text where not. And why nothing can be
    taken out of it.
    """
    try:
        return read_json(text), ""
    except NoCertainValueError as error:
        return {"text": text}, f"the body is JSON that cannot be taken for certain: {error}"
    except ValueError:
        return {"text": text}, ""
