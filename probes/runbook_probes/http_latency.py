"""How fast does a URL answer, and how often not at all?"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import anyio
from pydantic import Field, JsonValue

from runbook_engine.probe import (
    Count,
    Duration,
    ErrorKind,
    Percent,
    ProbeContext,
    ProbeError,
    Reading,
    cut_at,
    probe,
)
from runbook_engine.quantity import Dimension, show
from runbook_probes.http_params import HttpParams, Seconds, Size, curl
from runbook_probes.http_timeline import Timeline
from runbook_probes.network import allowance

if TYPE_CHECKING:
    from runbook_probes.http_client import Client

ENOUGH = 5
"""Samples that have to be there for a reading when time runs out before the last one."""
MOST_BODY = 16 * 1024 * 1024
SERVER_ERRORS = range(500, 600)
CLIENT_ERRORS = range(400, 500)
BESIDE_THE_POINT = range(300, 500)
"""Statuses that answer quickly and say nothing of how fast the service works: redirects, and errors of the caller."""
LEAST_SHARE = 0.5
"""Of the requests, those that have to tell a response time, so that what they tell is of the service and not of a few."""
MOST_SHOWN = 5
_KIND_OF_STATUS = {
    401: ErrorKind.AUTH,
    403: ErrorKind.FORBIDDEN,
    404: ErrorKind.MISSING,
    410: ErrorKind.MISSING,
    429: ErrorKind.THROTTLED,
}


class LatencyParams(HttpParams):
    samples: int = Field(20, ge=1, le=1000, description="Requests to send")
    concurrency: int = Field(4, ge=1, le=50, description="Requests under way at once, each on its own connection")
    sample_timeout: Seconds = Field(
        5.0, gt=0, le=600, description="A request that takes longer counts as failed; write for example 2s"
    )
    max_body: Size = Field(
        1024 * 1024,
        ge=0,
        le=MOST_BODY,
        description="Each body is read up to here; of a longer one the end is not known",
    )


class LatencyReading(Reading):
    """Response times run from the request being sent to the end of its body, over connections that are kept.

    What it took to make the connections is ``connect``, apart from them. They are of the requests that were answered well,
    with a status of ``expect_status``, and of those that timed out, with the time that was waited: so a server cannot look
    fast because it fails fast, nor because it hangs. Where these are fewer than half of the requests, or than five, response
    times are missing. Percentiles are of the nearest rank: p95 is the smallest response time that at least 95 % of those
    requests do not exceed.
    """

    LATENCIES = ("p50", "p95", "p99", "max", "mean")
    FAILURES = ("error_rate", "ok")
    LOGS = ("errors",)
    PARTIAL: ClassVar = dict.fromkeys(LATENCIES, "")

    p50: Duration | None
    p95: Duration | None
    p99: Duration | None
    max: Duration | None
    mean: Duration | None
    connect: Duration = Field(description="Time to make the slowest of the connections: name, TCP and TLS")
    error_rate: Percent = Field(
        description="Share of the samples with no answer, a status of 500 to 599, or another one than expect_status"
    )
    samples: Count = Field(description="Requests that count here")
    ok: Count = Field(
        description="Requests that were answered well: with a status of expect_status; without it, of 200 to 299"
    )
    client_errors: Count = Field(description="Answers with a status of 400 to 499; no part of error_rate")


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: its response time (None where there is none), what its connection took, and how it ended.

    ``cut``: its body went on beyond what was read.
    """

    time: float | None
    setup: float
    status: int | None = None
    failure: ProbeError | None = None
    cut: bool = False

    def counts(self, params: LatencyParams) -> bool:
        """Whether its response time is one of the service: it was answered well, or waited for in vain."""
        return self.time is not None and (self.status is None or params.expects(self.status))


@dataclass(slots=True)
class Load:
    """What came out so far; ``under_way`` has the start of every request that is not answered yet."""

    finished: list[Sample] = field(default_factory=list)
    under_way: dict[int, Timeline] = field(default_factory=dict)


def _command(params: LatencyParams) -> str:
    one = curl(params, write=r"%{http_code} %{time_total} s\n", discard=True)
    return f"for i in $(seq {params.samples}); do {one}; done"


@probe("http.latency", command=_command, reads_only=True)
async def latency(params: LatencyParams, ctx: ProbeContext) -> LatencyReading:
    """Asks a URL several times and tells how fast the answers came.

    When time runs out early, the reading is of the samples so far where these are at least five; a request that hangs at that
    moment counts as failed. Raises ProbeError where no request was answered, or where all answers are redirects or have a
    status of 400 to 499, because their speed says nothing. The machine's proxy settings are not used.
    """
    from runbook_probes.http_client import Client, trust

    load = Load()
    queue = iter(range(params.samples))
    seconds = allowance(ctx)
    with anyio.move_on_after(seconds) as scope:
        context = await trust(params)
        async with anyio.create_task_group() as group:
            for _ in range(min(params.concurrency, params.samples)):
                group.start_soon(_work, Client(params, context), params, queue, load)
    samples = load.finished
    if scope.cancelled_caught:
        samples = [*samples, *_unanswered(load, anyio.current_time())]
        if len(load.finished) < ENOUGH:
            raise _too_few(params, load, seconds)
    _hold_against(params, samples)
    return _reading(params, samples, finished=len(load.finished), cut=scope.cancelled_caught)


async def _work(client: "Client", params: LatencyParams, queue: Iterator[int], load: Load) -> None:
    async with client:
        for number in queue:
            timeline = load.under_way[number] = Timeline(params.target)
            load.finished.append(await _sample(client, timeline, params))
            del load.under_way[number]


async def _sample(client: "Client", timeline: Timeline, params: LatencyParams) -> Sample:
    begun = anyio.current_time()
    with anyio.move_on_after(params.sample_timeout):
        try:
            answer = await client.fetch(timeline, params.max_body)
        except ProbeError as failure:
            return Sample(None, timeline.setup, failure=failure)
        time = anyio.current_time() - begun - timeline.setup
        return Sample(time, timeline.setup, answer.status, cut=answer.truncated)
    return Sample(params.sample_timeout, timeline.setup, failure=timeline.timed_out(params.sample_timeout))


def _too_few(params: LatencyParams, load: Load, seconds: float) -> ProbeError:
    missed = next((timeline.missed for timeline in load.under_way.values()), "")
    because = f": {missed}".replace(params.target.where, "it") if missed else ""
    return ProbeError(
        ErrorKind.TIMEOUT,
        f"{len(load.finished)} of {params.samples} requests to {params.target.where} were finished "
        f"within {show(seconds, Dimension.DURATION)}, too few to judge by{because}",
        remedy="give the step more time, or ask for fewer samples",
    )


def _unanswered(load: Load, now: float) -> Iterator[Sample]:
    """Of the requests under way when time ran out, those that had waited longer than any answer took.

    One that had waited more than twice as long has failed; one that had waited less is only known to be that slow.
    """
    slowest = max((sample.time or 0.0 for sample in load.finished), default=0.0)
    for timeline in load.under_way.values():
        waited = now - timeline.started
        if waited > slowest:
            failure = timeline.timed_out(waited) if waited > 2 * slowest else None
            yield Sample(waited, timeline.setup, failure=failure)


def _hold_against(params: LatencyParams, samples: Sequence[Sample]) -> None:
    """Raises ProbeError where the samples say nothing of how fast the service does what it was asked to do."""
    where = params.target.where
    failures = [sample.failure for sample in samples if sample.failure]
    statuses = [sample.status for sample in samples if sample.status is not None]
    if not statuses and failures:
        kind = Counter(failure.kind for failure in failures).most_common(1)[0][0]
        first = next(failure for failure in failures if failure.kind is kind)
        raise ProbeError(
            kind, f"none of {len(samples)} requests was answered: {first.message}", remedy=first.remedy
        ) from (first.__cause__ or first)
    if statuses and not params.expect_status and all(status in BESIDE_THE_POINT for status in statuses):
        status = Counter(statuses).most_common(1)[0][0]
        redirect = status < CLIENT_ERRORS.start
        raise ProbeError(
            _KIND_OF_STATUS.get(status, ErrorKind.OTHER),
            f"{where} answers with status {status}, which is not what was to be measured",
            remedy="set follow_redirects, or give the URL that it redirects to"
            if redirect
            else f"check the URL and its headers, or give expect_status where {status} is as it should be",
        )


def _reading(params: LatencyParams, samples: Sequence[Sample], *, finished: int, cut: bool) -> LatencyReading:
    counting = [sample for sample in samples if sample.counts(params)]
    times = sorted(sample.time for sample in counting if sample.time is not None)
    failed = sum(_is_error(sample, params) for sample in samples)
    good = sum(sample.status is not None and params.expects(sample.status) for sample in samples)
    reason = (
        "" if len(times) >= max(LEAST_SHARE * len(samples), min(ENOUGH, len(samples))) else _too_few_good(samples, good)
    )
    return LatencyReading(
        **(dict.fromkeys(LatencyReading.LATENCIES) if reason else _figures(times)),
        connect=max(sample.setup for sample in samples),
        error_rate=100.0 * failed / len(samples),
        samples=len(samples),
        ok=good,
        client_errors=sum(sample.status in CLIENT_ERRORS for sample in samples),
        cut=_longer(params) if any(sample.cut for sample in counting) else "",
        missing=dict.fromkeys(LatencyReading.LATENCIES, reason) if reason else {},
        evidence=_evidence(params, samples, finished=finished, cut=cut),
    )


def _figures(times: Sequence[float]) -> dict[str, float]:
    percentiles = {f"p{percent}": _percentile(times, percent) for percent in (50, 95, 99)}
    return {**percentiles, "max": times[-1], "mean": sum(times) / len(times)}


def _too_few_good(samples: Sequence[Sample], good: int) -> str:
    outcomes = Counter(_outcome(sample) for sample in samples).most_common(MOST_SHOWN)
    told = ", ".join(f"{outcome} {times} times" if times > 1 else f"{outcome} once" for outcome, times in outcomes)
    return f"{good} of {len(samples)} requests were answered well, too few to tell how fast the service is ({told})"


def _longer(params: LatencyParams) -> str:
    size, most = (show(each, Dimension.BYTES) for each in (params.max_body, MOST_BODY))
    why = f"a body is longer than {size}, and was read up to there, so that its end is not known"
    return cut_at(params, "max_body", why, shown=most, instead="ask for less")


def _is_error(sample: Sample, params: LatencyParams) -> bool:
    if sample.status is None:
        return sample.failure is not None
    return sample.status in SERVER_ERRORS or bool(params.expect_status and not params.expects(sample.status))


def _evidence(params: LatencyParams, samples: Sequence[Sample], *, finished: int, cut: bool) -> dict[str, JsonValue]:
    outcomes = Counter(_outcome(sample) for sample in samples)
    slowest = sorted(samples, key=lambda sample: -(sample.time or 0.0))[:MOST_SHOWN]
    errors: list[JsonValue] = list(dict.fromkeys(sample.failure.message for sample in samples if sample.failure))
    evidence: dict[str, JsonValue] = {
        "outcomes": dict(outcomes.most_common()),
        "slowest": [
            {"time": show(sample.time, Dimension.DURATION), "outcome": _outcome(sample)}
            for sample in slowest
            if sample.time is not None
        ],
    }
    if errors:
        evidence["errors"] = errors[:MOST_SHOWN]
    if cut:
        evidence["cut_off"] = f"time ran out when {finished} of {params.samples} requests were finished"
    return evidence


def _outcome(sample: Sample) -> str:
    if sample.failure:
        return str(sample.failure.kind)
    return str(sample.status) if sample.status is not None else "unanswered"


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """By nearest rank, so that it is always a time that was measured."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
