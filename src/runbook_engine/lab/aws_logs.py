"""CloudWatch Logs as AWS answers: patterns of every form, pages that may be empty, and queries that take their time.

moto matches everything with patterns that it does not know, gives no statistics of queries, and cannot stop one.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runbook_engine.lab.aws_log_patterns import PatternError, matcher

USUAL_STREAM = "ecs/api/0123456789abcdef"
SEARCHED_PER_PAGE = 1_000
"""So many events are searched for one page, whether they match or not."""
PAGE_BYTES = 1_048_576
PAGE_EVENTS = 10_000
RETENTION_DAYS = 30
ENDED = ("Complete", "Failed", "Cancelled", "Timeout")
COMMANDS = (
    "anomaly", "dedup", "diff", "display", "expand", "fields", "fieldsAsJson", "filter", "filterIndex", "join", "limit",
    "lookup", "parse", "pattern", "sort", "SOURCE", "stats", "unmask", "unnest",
)  # fmt: skip
PLAIN = ("fields", "display", "sort", "limit")


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What every query of a group gives. It passes through the statuses, one for each question, and keeps the last."""

    rows: tuple[Mapping[str, str], ...]
    matched: int
    scanned: int
    statuses: tuple[str, ...]


class LogsState:
    """The log groups of the lab. ``begin`` has moto answer for them."""

    def __init__(self) -> None:
        self._region = ""
        self._group = ""
        self._put: set[str] = set()
        self._results: dict[str, QueryResult] = {}
        self._queries: dict[str, QueryResult] = {}

    @property
    def orders(self) -> Mapping[str, Callable[..., object]]:
        return {each.__name__: each for each in (self.put_log_events, self.set_insights_result)}

    def begin(self, region: str, service: str) -> None:
        from moto.logs.responses import LogsResponse

        self._region, self._group = region, f"/ecs/{service}"
        self._ensured(self._group)

        def filter_log_events(asked: LogsResponse) -> str:
            return json.dumps(_filtered(asked))

        def start_query(asked: LogsResponse) -> str:
            return json.dumps({"queryId": self._started(asked)})

        def get_query_results(asked: LogsResponse) -> str:
            return json.dumps(self._answered(asked._get_param("queryId")))  # noqa: SLF001 - as moto itself

        def stop_query(asked: LogsResponse) -> str:
            return json.dumps({"success": self._stopped(asked._get_param("queryId"))})  # noqa: SLF001 - as moto itself

        for answer in (filter_log_events, start_query, get_query_results, stop_query):
            setattr(LogsResponse, answer.__name__, answer)

    def recover(self) -> None:
        """Without what was put and set since the beginning."""
        self._results.clear()
        for name in self._put:
            self._backend.groups.pop(name, None)
        self._put.clear()
        if self._group:
            self._ensured(self._group)

    def put_log_events(self, group: str, messages: Sequence[str], ages: Sequence[float], stream: str) -> None:
        """Into the store itself: the API takes no events of long ago, and few at a time."""
        from moto.logs.models import LogEvent

        if len(messages) != len(ages):
            raise ValueError(f"{len(messages)} messages have {len(ages)} ages")
        self._ensured(group)
        self._put.add(group)
        self._backend.ensure_log_stream(group, stream)
        now = time.time()
        given = sorted(zip(ages, messages, strict=True), key=lambda each: -each[0])
        kept = self._backend.groups[group].streams[stream]
        kept.events += [
            LogEvent(int(now * 1000), {"timestamp": int((now - age) * 1000), "message": message})
            for age, message in given
        ]
        kept.stored_bytes += sum(len(message.encode("utf-8", "replace")) for message in messages)

    def set_insights_result(
        self,
        group: str,
        rows: Sequence[Mapping[str, str]],
        matched: int | None,
        scanned: int | None,
        statuses: Sequence[str],
    ) -> None:
        self._ensured(group)
        found = len(rows) if matched is None else matched
        self._results[group] = QueryResult(
            tuple(rows), found, found if scanned is None else scanned, tuple(statuses) or ("Complete",)
        )

    @property
    def _backend(self) -> Any:
        from moto.backends import get_backend

        return get_backend("logs")[os.environ["MOTO_ACCOUNT_ID"]][self._region]

    def _ensured(self, group: str) -> None:
        if group not in self._backend.groups:
            self._backend.create_log_group(group, {})
            self._backend.put_retention_policy(group, RETENTION_DAYS)

    def _started(self, asked: Any) -> str:
        from moto.logs.exceptions import InvalidParameterException

        name, names, identifiers = (
            _param(asked, key) for key in ("logGroupName", "logGroupNames", "logGroupIdentifiers")
        )
        groups = [_named(each) for each in [*([name] if name else ()), *(names or ()), *(identifiers or ())]]
        if not groups or (name and (names or identifiers)):
            raise InvalidParameterException("Specify log groups in exactly one way")
        query, start, end = (_param(asked, key) for key in ("queryString", "startTime", "endTime"))
        commands = _commands(query)
        identity = str(asked.logs_backend.start_query(groups, start, end, query))
        given = next((self._results[each] for each in groups if each in self._results), None)
        if given is None:
            rows = asked.logs_backend.queries[identity].results if set(commands) <= set(PLAIN) else []
            scanned = sum(
                start * 1000 <= event.timestamp <= end * 1000
                for each in groups
                for stream in asked.logs_backend.groups[each].streams.values()
                for event in stream.events
            )
            given = QueryResult(tuple(rows), len(rows), scanned, ("Complete",))
        most = _param(asked, "limit") or 10_000
        self._queries[identity] = replace(given, rows=given.rows[:most])
        return identity

    def _answered(self, identity: str) -> Mapping[str, Any]:
        query = self._known(identity)
        status, *later = query.statuses
        if later:
            self._queries[identity] = replace(query, statuses=tuple(later))
        rows = query.rows if status == "Complete" else ()
        figures = {
            "recordsMatched": query.matched,
            "recordsScanned": query.scanned,
            "bytesScanned": query.scanned * 100,
        }
        return {
            "queryLanguage": "CWLI",
            "status": status,
            "results": [[{"field": name, "value": str(value)} for name, value in row.items()] for row in rows],
            "statistics": {name: float(value) for name, value in figures.items()},
        }

    def _stopped(self, identity: str) -> bool:
        from moto.logs.exceptions import InvalidParameterException

        query = self._known(identity)
        if query.statuses[0] in ENDED:
            raise InvalidParameterException(f"Query is not currently running: {identity}")
        self._queries[identity] = replace(query, statuses=("Cancelled",))
        return True

    def _known(self, identity: str) -> QueryResult:
        from moto.logs.exceptions import ResourceNotFoundException

        if identity not in self._queries:
            raise ResourceNotFoundException(f"Query {identity} does not exist.")
        return self._queries[identity]


def _param(asked: Any, name: str) -> Any:
    return asked._get_param(name)  # noqa: SLF001 - as moto itself


def _named(group: str) -> str:
    return group.partition(":log-group:")[2].removesuffix(":*") or group


def _commands(query: str) -> list[str]:
    """The commands of a query. Raises the error of the API for one that does not exist."""
    from moto.logs.exceptions import LogsClientError

    plain = re.sub(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/|#[^\n]*', "x", query)
    found = [each.split()[0] if each.split() else "" for each in plain.split("|")]
    wrong = next((each for each in found if each not in COMMANDS), None)
    if wrong is not None:
        place = query.find(wrong) + 1
        raise LogsClientError(
            "MalformedQueryException", f"unexpected symbol found {wrong or '|'} at line 1 and position {place}"
        )
    return found


def _filtered(asked: Any) -> Mapping[str, Any]:
    """A page of events. Its token holds the direction and how many events were searched so far."""
    from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException

    group = asked.logs_backend.groups.get(_named(_param(asked, "logGroupName") or _param(asked, "logGroupIdentifier")))
    if group is None:
        raise ResourceNotFoundException
    try:
        matches = matcher(_param(asked, "filterPattern") or "")
    except PatternError as error:
        raise InvalidParameterException(str(error)) from error
    most, token = _param(asked, "limit") or PAGE_EVENTS, _param(asked, "nextToken")
    head = _param(asked, "startFromHead") is not False
    searched = 0
    if token:
        found = re.fullmatch(r"([fb])/(\d+)", token)
        if not found:
            raise InvalidParameterException("The specified nextToken is invalid.")
        head, searched = found[1] == "f", int(found[2])
    start, end = _param(asked, "startTime") or 0, _param(asked, "endTime")
    every = [
        (event, name)
        for name, stream in group.streams.items()
        for event in stream.events
        if start <= event.timestamp <= (event.timestamp if end is None else end)
    ]
    every.sort(key=lambda each: (each[0].timestamp, each[0].event_id), reverse=not head)
    page: list[dict[str, Any]] = []
    size, until = 0, min(len(every), searched + SEARCHED_PER_PAGE)
    while searched < until and len(page) < most and size < PAGE_BYTES:
        event, stream = every[searched]
        searched += 1
        if matches(event.message):
            page.append({**event.to_filter_dict(), "logStreamName": stream})
            size += len(event.message)
    more = {"nextToken": f"{'f' if head else 'b'}/{searched}"} if searched < len(every) else {}
    return {"events": page, "searchedLogStreams": [], **more}
