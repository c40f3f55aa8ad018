"""What is written in CloudWatch Logs: which groups there are, and how many events match a pattern."""

import datetime as dt
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import Field, JsonValue

from runbook_engine.hostile import one_line, opening
from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Bytes, Count, Duration, ErrorKind, ProbeContext, ProbeError, Reading, cut_at, probe
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.log_group import LogGroupParams, Span, ago, no_such_group, soon
from runbook_probes.aws.pages import Pages, ask_pages

MOST_GROUPS = 20_000
MOST_SHOWN = 20
PAGE_OF_GROUPS = 50
PAGE_OF_EVENTS = 10_000
SYNTAX = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html"
# From when on the newest events can be had first:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
_NEWEST_FIRST_SINCE = dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp()


class LogGroupsParams(AwsParams):
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-/#]*$", max_length=512)] = Field(
        "/ecs/", description="With what their names begin; empty for all groups of the region"
    )


class LogGroupsReading(Reading):
    """The log groups whose names begin with the prefix."""

    groups: Count = Field(description="How many log groups there are")
    stored: Bytes = Field(description="What they store together; CloudWatch counts it with a delay")
    without_retention: Count = Field(description="How many of them never forget anything, and cost more each month")


def _groups_command(params: LogGroupsParams) -> str:
    prefix = ["--log-group-name-prefix", params.prefix] if params.prefix else []
    return pasteable("aws", "logs", "describe-log-groups", *prefix, *params.options())


@probe("aws.log_groups", command=_groups_command, reads_only=True)
async def log_groups(params: LogGroupsParams, ctx: ProbeContext) -> LogGroupsReading:
    """Counts the log groups whose names begin alike (logs:DescribeLogGroups)."""
    pages = Pages(Aim("logs", "DescribeLogGroups"), "log groups")
    asks = f"the list of log groups {params.prefix}*" if params.prefix else "the list of log groups"
    found = await ask_pages(params, ctx, pages, lambda client: _groups(client, params, pages), asks=asks)
    if len(found) > MOST_GROUPS:
        told = f"there are more than {MOST_GROUPS} log groups {params.prefix}*"
        raise ProbeError(ErrorKind.MALFORMED, told, remedy="give a longer prefix")
    largest: list[JsonValue] = [
        {"name": name, "stored": stored, "retention_days": days}
        for name, stored, days in heapq.nlargest(MOST_SHOWN, found, key=lambda each: each[1])
    ]
    return LogGroupsReading(
        groups=len(found),
        stored=sum(stored for _, stored, _ in found),
        without_retention=sum(days is None for _, _, days in found),
        evidence={
            "region": pages.aim.region,
            "prefix": params.prefix,
            "largest": largest,
            **({"truncated": True} if len(found) > MOST_SHOWN else {}),
        },
    )


def _groups(client: Client, params: LogGroupsParams, pages: Pages) -> list[tuple[str, int, int | None]]:
    """``(name, bytes, days that events are kept)``."""
    arguments = {"limit": PAGE_OF_GROUPS, **({"logGroupNamePrefix": params.prefix} if params.prefix else {})}
    found: list[tuple[str, int, int | None]] = []
    for page in pages.of(client.describe_log_groups, "nextToken", lambda: arguments):
        found += [
            (str(each["logGroupName"]), int(each.get("storedBytes", 0)), each.get("retentionInDays"))
            for each in page["logGroups"]
        ]
        pages.found = len(found)
        if len(found) > MOST_GROUPS:
            break
    return found


class LogsFilterParams(LogGroupParams):
    pattern: Annotated[str, Field(max_length=1024)] = Field(
        description='A filter pattern of CloudWatch Logs, for example ERROR, ?ERROR ?"task failed" or { $.status >= 500 }; '
        "empty for every event"
    )
    samples: int = Field(20, ge=0, le=100, description="How many of the newest matches to keep as evidence")
    most: int = Field(10_000, ge=1, le=1_000_000, description="Count no further than this")


class LogsFilterReading(Reading):
    """The events of a log group that match a pattern."""

    LOGS = ("samples",)
    PARTIAL: ClassVar = {"matches": "most", "streams": "most"}

    matches: Count | None = Field(description="How many events match; missing where they are more than most")
    streams: Count | None = Field(description="Into how many streams they were written; on ECS, a stream is a task's")
    truncated: bool = Field(description="Whether there are more matches than most")
    latest_age: Duration | None = Field(None, description="Time since the latest match")


def _filter_command(params: LogsFilterParams) -> str:
    words = ["aws", "logs", "filter-log-events", *params.options_of_group()]
    # What begins with a hyphen would be taken for an option of its own.
    pattern = (
        [f"--filter-pattern={params.pattern}"]
        if params.pattern.startswith("-")
        else ["--filter-pattern", params.pattern]
    )
    # The shell fills in the time, so it stands outside of what is quoted.
    start = f"--start-time \"$(date -d '{ago(params.window)}' +%s000)\""
    return " ".join(
        filter(
            None,
            (pasteable(*words), start, pasteable(*(pattern if params.pattern else ()), *params.placed().options())),
        )
    )


@probe("aws.logs_filter", command=_filter_command, reads_only=True)
async def logs_filter(params: LogsFilterParams, ctx: ProbeContext) -> LogsFilterReading:
    """Counts the events of a log group that match a filter pattern (logs:FilterLogEvents).

    Reads all pages, up to ``most`` matches. Where the deadline or an error comes before the last page, that is an error
    which says how far the reading has got, and no reading: a part of a count would pass for a low count.
    """
    params = params.placed()
    span = Span.until_now(params.window)
    pages = Pages(Aim("logs", "FilterLogEvents"), "matches")
    asks = f"the search of log group {params.log_group}"
    try:
        found = await ask_pages(params, ctx, pages, lambda client: _search(client, params, span, pages), asks=asks)
    except ProbeError as error:
        raise await no_such_group(params, ctx, _bad_pattern(params, error), pages.aim.region) from error.__cause__
    note = "" if found.matches else await _why_none(params, ctx, span)
    return _reading(params, span, found, note)


@dataclass(slots=True)
class _Found:
    """The matches, as far as they were counted. ``samples`` are ``(milliseconds, order, stream, message)``."""

    most: int
    kept: int
    matches: int = 0
    truncated: bool = False
    first_ms: int | None = None
    latest_ms: int | None = None
    streams: set[str] = field(default_factory=set)
    samples: list[tuple[int, int, str, str]] = field(default_factory=list)

    def add(self, event: Mapping[str, Any]) -> None:
        if self.matches == self.most:
            self.truncated = True
            return
        at, stream = int(event.get("timestamp", 0)), str(event.get("logStreamName", ""))
        self.matches += 1
        self.first_ms = at if self.first_ms is None else self.first_ms
        self.latest_ms = at if self.latest_ms is None else max(at, self.latest_ms)
        self.streams.add(stream)
        if not self.kept:
            return
        sample = (at, self.matches, stream, str(event.get("message", "")))
        if len(self.samples) < self.kept:
            heapq.heappush(self.samples, sample)
        else:
            heapq.heappushpop(self.samples, sample)

    @property
    def knows_latest(self) -> bool:
        """What was cut off is newer than the rest, unless the newest came first."""
        return self.latest_ms is not None and (not self.truncated or self.first_ms == self.latest_ms)


def _search(client: Client, params: LogsFilterParams, span: Span, pages: Pages) -> _Found:
    found = _Found(params.most, params.samples)
    known = client.meta.service_model.operation_model("FilterLogEvents").input_shape.members
    fixed = _asked(params, span)
    if params.pattern:
        fixed["filterPattern"] = params.pattern
    if "startFromHead" in known and span.start >= _NEWEST_FIRST_SINCE:
        fixed["startFromHead"] = False

    def arguments() -> Mapping[str, object]:
        # One more than is counted tells whether there are more.
        return {**fixed, "limit": min(PAGE_OF_EVENTS, params.most + 1 - found.matches)}

    for page in pages.of(client.filter_log_events, "nextToken", arguments):
        for event in page.get("events", ()):
            found.add(event)
        pages.found = found.matches
        if found.truncated:
            break
    return found


def _asked(params: LogGroupParams, span: Span) -> dict[str, object]:
    group = "logGroupIdentifier" if params.log_group.startswith("arn:") else "logGroupName"
    return {group: params.log_group, "startTime": int(span.start * 1000), "endTime": int(span.end * 1000)}


def _bad_pattern(params: LogsFilterParams, error: ProbeError) -> ProbeError:
    if error.kind is not ErrorKind.MALFORMED or error.remedy or not params.pattern:
        return error
    told = f"check the pattern: terms with other signs than letters, digits and _ stand in double quotes; see {SYNTAX}"
    return ProbeError(error.kind, error.message, remedy=told)


async def _why_none(params: LogsFilterParams, ctx: ProbeContext, span: Span) -> str:
    """Whether there is anything that could have matched, which a count of 0 does not tell."""
    nothing = f"the log group holds no events of the last {params.lasts}"
    if not params.pattern:
        return nothing
    aim = Aim("logs", "FilterLogEvents")
    arguments = {**_asked(params, span), "limit": 1}
    try:
        page = await ask("logs", params, soon(ctx), aim, lambda client: client.filter_log_events(**arguments), asks="")
    except ProbeError:
        return f"no event of the last {params.lasts} matches"
    if page.get("events"):
        return f"there are events of the last {params.lasts}, and none matches"
    if page.get("nextToken"):
        return f"no event of the last {params.lasts} matches"
    return f"{nothing}: either nothing was logged, or it is logged elsewhere"


def _reading(params: LogsFilterParams, span: Span, found: _Found, note: str) -> LogsFilterReading:
    latest = found.latest_ms if found.knows_latest else None
    missing = (
        "no event matches, so there is no latest one"
        if not found.matches
        else f"only the first {found.matches} matches were counted, oldest first; give a shorter window or a higher most"
    )
    samples: list[JsonValue] = [
        {"time": _moment(at), "stream": one_line(stream), "message": one_line(opening(message))}
        for at, _, stream, message in sorted(found.samples, reverse=True)
    ]
    return LogsFilterReading(
        matches=found.matches,
        streams=len(found.streams),
        truncated=found.truncated,
        cut=_more(params) if found.truncated else "",
        latest_age=None if latest is None else max(0.0, span.end - latest / 1000),
        missing={} if latest is not None else {"latest_age": missing},
        evidence={
            "log_group": params.log_group,
            "pattern": params.pattern,
            "from": _moment(span.start * 1000),
            "until": _moment(span.end * 1000),
            "samples": samples,
            **({"note": note} if note else {}),
            **({"truncated": True} if found.matches > len(samples) else {}),
        },
    )


def _more(params: LogsFilterParams) -> str:
    why = f"more events match than the {params.most} that were counted"
    return cut_at(params, "most", why, instead="give a shorter window or a narrower pattern")


def _moment(milliseconds: float) -> str:
    """``2026-03-01T12:00:00.123Z``."""
    try:
        at = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds:.0f} ms"
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
