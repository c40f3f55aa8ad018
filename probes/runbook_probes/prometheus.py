"""What does Prometheus, or a server that speaks its API, answer to a query?

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import time
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode, urlsplit

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, field_validator

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import (
    Count,
    Document,
    DocumentReading,
    Number,
    Params,
    ProbeContext,
    Secret,
    in_thread_if_large,
    probe,
)
from runbook_probes.http_params import HttpParams, read_url
from runbook_probes.http_timeline import Timeline
from runbook_probes.network import allowance, within
from runbook_probes.prometheus_answer import Answered, Series, not_answered, read_answer, too_large
from runbook_probes.quantities import SecondsOrNone
from runbook_probes.trust import CA_FILE

if TYPE_CHECKING:
    from runbook_probes.http_client import Answer

MOST_BODY = 8 * 1024 * 1024
MOST_QUERY = 4_000
MOST_SHOWN = 20
POINTS = 60
LONGEST = 366 * 86_400.0
FEWEST_SECONDS = 1.0


def _server(secret: Secret) -> Secret:
    url = secret.reveal()
    read_url(url)
    if urlsplit(url).query or urlsplit(url).fragment:
        raise ValueError("the URL of the server alone is needed; write for example http://prometheus:9090")
    return Secret(url.rstrip("/"), secret.display.rstrip("/"))


def _query(text: str) -> str:
    if not text.strip():
        raise ValueError("the query is empty; write for example up == 0")
    return text.strip()


Time = Annotated[SecondsOrNone, Field(ge=0, le=LONGEST, allow_inf_nan=False)]


class QueryParams(Params):
    CONNECTS_TO = ("url",)

    model_config = ConfigDict(hide_input_in_errors=True)

    url: Annotated[Secret, AfterValidator(_server)] = Field(
        description="The server, with its path prefix where it has one, for example http://prometheus:9090"
    )
    query: Annotated[str, Field(max_length=MOST_QUERY), AfterValidator(_query)] = Field(description="In PromQL")
    window: Time = Field(0.0, description="How far back to look; without it, the query is evaluated for now alone")
    step: Time = Field(0.0, description="The time between two values of the window; without it, a 60th of it")
    token: Secret | None = Field(None, description="A bearer token")
    accept_partial: bool = Field(
        False,
        description="Take the answer of some stores for the whole, where Thanos or VictoriaMetrics could not ask all",
    )
    ca_file: str = Field("", description=CA_FILE)

    @field_validator("token")
    @classmethod
    def _sendable(cls, token: Secret | None) -> Secret | None:
        if token is not None and not (token.reveal().isascii() and token.reveal().isprintable()):
            raise ValueError("a bearer token has neither line breaks nor letters beyond ASCII")
        return token

    @property
    def resolution(self) -> float:
        return self.step or max(FEWEST_SECONDS, self.window / POINTS)

    def request(self, path: str) -> HttpParams:
        """What is sent, where ``path`` is the API's, with its query."""
        headers = {}
        if self.token:
            headers["Authorization"] = Secret(f"Bearer {self.token.reveal()}", f"Bearer {self.token.display}")
        url = Secret(f"{self.url.reveal()}{path}", f"{self.url.display}{path}")
        return HttpParams(url=url, headers=headers, ca_file=self.ca_file)


class QueryReading(DocumentReading):
    DOCUMENT = Document(
        "`value` is that of the first series now; `values` are those of the first series over the window, or of all series "
        "now; `result` is as Prometheus gives it, with numbers as texts",
        shape={"value": float | None, "values": [float | None], "result": [Any]},
        example={
            "value": 0.93,
            "values": [0.93, 0.41],
            "result": [
                {"metric": {"instance": "10.0.0.1:9100"}, "value": [1767225600.0, "0.93"]},
                {"metric": {"instance": "10.0.0.2:9100"}, "value": [1767225600.0, "0.41"]},
            ],
        },
    )

    series: Count | None = Field(
        None,
        description="How many series the query gives; 0 is what a query for trouble should give. Missing in a partial answer",
    )
    value: Number | None = Field(None, description="The value now, of the first series")
    maximum: Number | None = Field(
        None, description="The highest value of all series, over the window where one is given"
    )
    minimum: Number | None = Field(
        None, description="The lowest value of all series, over the window where one is given"
    )


def _command(params: QueryParams) -> str:
    words: list[str | Secret] = ["curl", "-sS", "-G"]
    words += ["--cacert", params.ca_file] if params.ca_file else []
    if params.token:
        shown = f"Authorization: Bearer {params.token.display}"
        words += ["-H", Secret(f"Authorization: Bearer {params.token.reveal()}", shown)]
    words += ["--data-urlencode", f"query={params.query}"]
    path, times = "/api/v1/query", ""
    if params.window:
        path = "/api/v1/query_range"
        times = f' -d start="$(($(date +%s) - {params.window:.0f}))" -d end="$(date +%s)" -d step={params.resolution:g}'
    url = Secret(f"{params.url.reveal()}{path}", f"{params.url.display}{path}")
    return f"{pasteable(*words)}{times} {pasteable(url)}"


@probe("prometheus.query", command=_command, reads_only=True)
async def query(params: QueryParams, ctx: ProbeContext) -> QueryReading:
    """Asks a query in PromQL. An empty result has no value: it is missing, not 0.

    A value that is not a number, or infinite, is missing too: it comes of dividing by nothing. Where the server could not ask
    all of its stores, everything is missing, with what it says of them.
    """
    from runbook_probes.http_client import Client, trust

    now = time.time()
    given = params.request(_path(params, now, allowance(ctx)))
    timeline = Timeline(given.target)
    with within(ctx, timeline.timed_out):
        async with Client(given, await trust(given)) as client:
            answer = await client.fetch(timeline, MOST_BODY)
    return await in_thread_if_large(len(answer.body), lambda: _reading(params, _answered(answer, timeline.where), now))


def _path(params: QueryParams, now: float, seconds: float) -> str:
    """``timeout`` lets the server give the query up when nobody waits for it any more. "Now" is by the server's clock."""
    about = {"query": params.query, "timeout": f"{max(1, round(seconds * 1000))}ms"}
    if not params.window:
        return f"/api/v1/query?{urlencode(about)}"
    step = f"{params.resolution:.3f}"
    times = {"start": f"{now - params.window:.3f}", "end": f"{now:.3f}", "step": step}
    return f"/api/v1/query_range?{urlencode({**about, **times})}"


def _answered(answer: "Answer", where: str) -> Answered:
    if answer.truncated:
        raise too_large(where, f"more than {MOST_BODY // 1024 // 1024} MiB")
    body = answer.body.decode("utf-8", "replace")
    if not 200 <= answer.status <= 299:
        raise not_answered(answer.status, body, where)
    return read_answer(body, where)


def _reading(params: QueryParams, found: Answered, now: float) -> QueryReading:
    if found.partial and not (params.accept_partial and found.series):
        return _unknown(found)
    everything = [number for each in found.series for number in each.numbers]
    first = found.series[0] if found.series else None
    value, why = _latest(first, now - 1.5 * params.resolution if params.window else None)
    missing = {}
    if value is None:
        missing["value"] = why
    if not everything:
        missing["maximum"] = missing["minimum"] = why
    values: list[JsonValue] = []
    if params.window and first is not None:
        values.extend(first.values)
    else:
        values.extend(each.values[-1] for each in found.series if each.values)
    return QueryReading(
        series=len(found.series),
        value=value,
        maximum=max(everything, default=None),
        minimum=min(everything, default=None),
        document={"value": value, "values": values, "result": found.result},
        missing=missing,
        evidence=_evidence(found),
    )


def _unknown(found: Answered) -> QueryReading:
    """Of a part of the data neither a number nor the lack of one says anything about the whole."""
    more = "; accept_partial: true takes what there is" if found.series else ""
    why = f"{found.partial}{more}"
    return QueryReading(
        document={"value": None, "values": [], "result": found.result},
        incomplete=why,
        missing=dict.fromkeys(("series", "value", "maximum", "minimum"), why),
        evidence=_evidence(found),
    )


def _latest(first: Series | None, since: float | None) -> tuple[float | None, str]:
    """The value of a series now; or None, and why. One that has ended before ``since`` has no value now."""
    if first is None:
        return None, "the query gives no data"
    if not first.values:
        return None, "the series has native histograms, which are not one number; use histogram_quantile()"
    if since is not None and first.times[-1] < since:
        at = time.strftime("%H:%M:%S UTC", time.gmtime(first.times[-1]))
        return None, f"the series ended at {at}: it has no value now"
    value = first.values[-1]
    return (
        value,
        ""
        if value is not None
        else f"the value is {first.latest_text}, which comes of dividing by nothing, or of scalar() of no series",
    )


def _evidence(found: Answered) -> dict[str, JsonValue]:
    rows: list[JsonValue] = [
        {
            "series": each.name,
            "value": each.latest_text,
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.times[-1])) if each.times else None,
        }
        for each in found.series[:MOST_SHOWN]
    ]
    evidence: dict[str, JsonValue] = {"series": rows} if rows else {}
    if len(found.series) > MOST_SHOWN:
        evidence["truncated"] = True
    if found.warnings:
        evidence["warnings"] = list(found.warnings)
    return evidence
