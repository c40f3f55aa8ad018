"""What a query of CloudWatch Logs Insights finds: started, waited for, and stopped when nobody waits any more."""

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar

import anyio
from pydantic import Field, JsonValue

from runbook_engine.hostile import one_line
from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Count, Document, DocumentReading, ErrorKind, ProbeContext, ProbeError, cut_at, probe
from runbook_engine.quantity import Dimension, show
from runbook_probes.aws.client import Client, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.log_group import LogGroupParams, Span, ago, no_such_group
from runbook_probes.network import allowance

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 2.0
WAIT_GROWTH = 1.6
LAST_S = 0.25
"""What the last question before the deadline needs."""
STOP_S = 2.0
STOP_SHARE = 0.25
MOST_THROTTLED = 3
MOST_ROWS = 10_000
MOST_SHOWN = 20
MOST_VALUE = 10_000
MOST_FIELDS = 500
SYNTAX = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html"


class InsightsParams(LogGroupParams):
    query: Annotated[str, Field(min_length=1, max_length=10_000)] = Field(
        description="In the language of Logs Insights, for example "
        "filter @message like /ERROR/ | stats count() as errors by status_code"
    )
    limit: int = Field(1000, ge=1, le=MOST_ROWS, description="How many rows to take at most")


class InsightsReading(DocumentReading):
    DOCUMENT = Document(
        "The `rows` as the query gives them, each an object of texts, numbers too, by the name of the field",
        shape={"rows": [dict[str, str]]},
        example={"rows": [{"status_code": "200", "requests": "940"}, {"status_code": "500", "requests": "60"}]},
    )
    LOGS = ("rows",)

    PARTIAL: ClassVar = {"rows": "limit"}

    rows: Count | None = Field(description="How many rows the query gives; missing where they are more than limit")
    matched: Count = Field(description="How many log events match the query")
    scanned: Count = Field(description="How many log events were looked at")


def _command(params: InsightsParams) -> str:
    by_arn = params.log_group.startswith("arn:")
    group = ["--log-group-identifiers" if by_arn else "--log-group-name", params.log_group]
    start = pasteable("aws", "logs", "start-query", *group)
    # The shell fills in the times, so they stand outside of what is quoted.
    times = f'--start-time "$(date -d \'{ago(params.window)}\' +%s)" --end-time "$(date +%s)"'
    query = pasteable("--query-string", params.query, "--limit", str(params.limit), *params.placed().options())
    results = pasteable(*params.placed().options())
    return (
        f"query=$({start} {times} {query} --query queryId --output text) && sleep 5 && "
        f'aws logs get-query-results --query-id "$query" {results}'
    ).rstrip()


@probe("aws.logs_insights", command=_command, reads_only=True)
async def logs_insights(params: InsightsParams, ctx: ProbeContext) -> InsightsReading:
    """Runs a query of CloudWatch Logs Insights (logs:StartQuery, logs:GetQueryResults, logs:StopQuery).

    Queries cost by what they scan. One is started, once, and asked for its results until it is complete; when the deadline
    comes first, or the run is cancelled, the query is stopped.
    """
    params = params.placed()
    span = Span.until_now(params.window)
    query = _Query(params, ctx)
    async with query.stopped_when_left():
        await query.start(span)
        answer = await query.results()
    return _reading(params, query, answer)


class _Query:
    """One query, from its start to its end.

    A part of the time is kept back, so that there is some to stop the query in when it has not ended by then.
    """

    def __init__(self, params: InsightsParams, ctx: ProbeContext) -> None:
        self._params = params
        self._whole = ctx
        self._began = anyio.current_time()
        self._ctx = ctx.until(ctx.deadline - min(STOP_S, STOP_SHARE * ctx.remaining()))
        self._start = _Start()
        self._aim = Aim("logs", "StartQuery")
        self._identity = ""
        self._over = False
        self.polls = 0

    @property
    def region(self) -> str:
        return self._aim.region

    async def start(self, span: Span) -> None:
        params, arguments = self._params, _asked(self._params, span)
        asks = f"the start of a query of log group {params.log_group}"
        try:
            self._identity = await ask(
                "logs", params, self._ctx, self._aim, lambda client: self._start.of(client, arguments), asks=asks
            )
        except ProbeError as error:
            raise await no_such_group(params, self._whole, _bad_query(error), self.region) from error.__cause__

    async def results(self) -> Mapping[str, Any]:
        """The answer of a query that is complete. Raises ProbeError where it ends in another way."""
        wait, throttled = FIRST_WAIT_S, 0
        status = ""
        while True:
            left = self._ctx.deadline - anyio.current_time() - LAST_S
            if left <= 0:
                raise self._too_slow(status)
            await anyio.sleep(min(wait, left))
            wait = min(LONGEST_WAIT_S, wait * WAIT_GROWTH)
            try:
                answer = await self._poll()
            except ProbeError as error:
                if error.kind is ErrorKind.TIMEOUT and status:
                    raise self._too_slow(status) from error.__cause__
                throttled += 1
                if error.kind is not ErrorKind.THROTTLED or throttled > MOST_THROTTLED:
                    raise
                continue
            throttled = 0
            status = str(answer.get("status"))
            self._over = status in _ENDED
            if status == "Complete":
                return answer
            if status in _FAILED:
                kind, told, remedy = _FAILED[status]
                raise ProbeError(kind, f"the query of log group {self._params.log_group} {told}", remedy=remedy)

    async def _poll(self) -> Mapping[str, Any]:
        aim = Aim("logs", "GetQueryResults")
        asks = f"the query of log group {self._params.log_group}"
        self.polls += 1
        identity = self._identity
        answer: Mapping[str, Any] = await ask(
            "logs", self._params, self._ctx, aim, lambda client: client.get_query_results(queryId=identity), asks=asks
        )
        return answer

    def _too_slow(self, status: str) -> ProbeError:
        waited = show(anyio.current_time() - self._began, Dimension.DURATION)
        return ProbeError(
            ErrorKind.TIMEOUT,
            f"the query of log group {self._params.log_group} was still {_UNDER_WAY.get(status, 'going on')} after {waited}",
            remedy="give the step a longer timeout, or a shorter window: a query takes as long as it has to scan",
        )

    @asynccontextmanager
    async def stopped_when_left(self) -> AsyncIterator[None]:
        """Whatever ends the block, the query does not go on: neither one that runs nor one that is just being started."""
        try:
            yield
        except ProbeError as error:
            trouble = await self._stop(min(STOP_S, allowance(self._whole)))
            if not trouble:
                raise
            raise ProbeError(error.kind, f"{error.message}; {trouble}", remedy=error.remedy) from error.__cause__
        except BaseException:
            await self._stop(STOP_S)
            raise

    async def _stop(self, seconds: float) -> str:
        """What went wrong with it, or nothing. Shielded: the run may be cancelled, and this still has to be done."""
        if self._over:
            return ""
        trouble = "whether the query was stopped is not known"
        with anyio.move_on_after(seconds, shield=True):
            identity = await self._start.left_running(seconds * (1 - STOP_SHARE))
            aim = Aim("logs", "StopQuery")
            soon = self._whole.until(anyio.current_time() + seconds)
            try:
                if identity:
                    await ask(
                        "logs", self._params, soon, aim, lambda client: client.stop_query(queryId=identity), asks=""
                    )
                trouble = ""
            except ProbeError as error:
                if error.kind in (ErrorKind.MALFORMED, ErrorKind.MISSING):  # it has ended by itself
                    return ""
                if error.kind is not ErrorKind.TIMEOUT:
                    trouble = f"the query could not be stopped and goes on ({error.remedy or error.message})"
        return trouble


class _Start:
    """The start of a query in a thread, which may be given up before it is known whether the query runs."""

    def __init__(self) -> None:
        self._started: Future[str] = Future()
        self._abandoned = threading.Event()

    def of(self, client: Client, arguments: Mapping[str, object]) -> str:
        """Called in the thread, once."""
        identity = ""
        if not self._started.set_running_or_notify_cancel():
            return identity
        try:
            identity = str(client.start_query(**arguments)["queryId"])
        finally:
            self._started.set_result(identity)
        if self._abandoned.is_set():
            client.stop_query(queryId=identity)
        return identity

    async def left_running(self, seconds: float) -> str:
        """The query that has to be stopped; empty where there is none.

        A start that is under way is waited for. Where it takes longer, its thread stops what it has started.
        """
        if self._started.cancel():
            return ""
        with anyio.move_on_after(seconds):
            return await asyncio.wrap_future(self._started)
        self._abandoned.set()
        return self._started.result() if self._started.done() else ""


_FAILED: Mapping[str, tuple[ErrorKind, str, str]] = {
    "Failed": (ErrorKind.OTHER, "failed", "try it in the console of Logs Insights, which tells more of the reason"),
    "Cancelled": (ErrorKind.OTHER, "was cancelled by somebody else", "run it again"),
    "Timeout": (
        ErrorKind.TIMEOUT,
        "was ended by CloudWatch, which lets none run for longer than an hour",
        "give a shorter window",
    ),
}
_ENDED = {"Complete", *_FAILED}
_UNDER_WAY = {"Scheduled": "scheduled", "Running": "running"}


def _asked(params: InsightsParams, span: Span) -> dict[str, object]:
    by_arn = params.log_group.startswith("arn:")
    group = {"logGroupIdentifiers": [params.log_group]} if by_arn else {"logGroupName": params.log_group}
    times = {"startTime": math.floor(span.start), "endTime": math.ceil(span.end)}
    return {**group, **times, "queryString": params.query, "limit": _wanted(params)}


def _wanted(params: InsightsParams) -> int:
    """A row more than is taken, so that it shows whether there are more."""
    return min(params.limit + 1, MOST_ROWS)


def _more(params: InsightsParams, found: int) -> str:
    """Why the rows are not all, or need not be."""
    if found > params.limit:
        why = f"the query gives more than {params.limit} rows"
        return cut_at(params, "limit", why, instead="let the query aggregate")
    if found == MOST_ROWS:
        return f"the query gives {MOST_ROWS} rows, and CloudWatch gives no more; let the query aggregate"
    return ""


def _too_wide(results: Sequence[Sequence[Mapping[str, object]]]) -> str:
    """Why rows are not whole."""
    if any(
        len(row) > MOST_FIELDS or any(len(str(each.get("value", ""))) > MOST_VALUE for each in row) for row in results
    ):
        return f"a row has more than {MOST_FIELDS} fields or {MOST_VALUE} characters in one; let the query take what it needs"
    return ""


def _bad_query(error: ProbeError) -> ProbeError:
    if error.kind is not ErrorKind.MALFORMED or "MalformedQuery" not in error.message:
        return error
    return ProbeError(error.kind, error.message, remedy=f"see {SYNTAX} for how queries are written")


def _reading(params: InsightsParams, query: _Query, answer: Mapping[str, Any]) -> InsightsReading:
    statistics = answer.get("statistics") or {}
    if not {"recordsMatched", "recordsScanned"} <= set(statistics):
        raise ProbeError(
            ErrorKind.MALFORMED,
            "CloudWatch Logs gives the results of the query without its statistics",
            remedy="check that this is an endpoint of AWS, and whether a proxy answers in its place",
        )
    rows = [
        {
            one_line(str(each.get("field", ""))): str(each.get("value", ""))[:MOST_VALUE]
            for each in row[:MOST_FIELDS]
            if each.get("field") != "@ptr"
        }
        for row in answer.get("results", ())[: params.limit]
    ]
    shown: list[JsonValue] = [{name: one_line(value) for name, value in row.items()} for row in rows[:MOST_SHOWN]]
    return InsightsReading(
        rows=len(rows),
        matched=int(statistics["recordsMatched"]),
        scanned=int(statistics["recordsScanned"]),
        document={"rows": [*rows]},
        cut=_more(params, len(answer.get("results", ()))),
        incomplete=_too_wide(answer.get("results", ())),
        evidence={
            "log_group": params.log_group,
            "query": params.query,
            "rows": shown,
            "polls": query.polls,
            **({"truncated": True} if len(rows) > len(shown) else {}),
        },
    )
