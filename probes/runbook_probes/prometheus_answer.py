"""The answers of Prometheus' API: values, and the many ways to say that there are none.

https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from runbook_engine.hostile import one_line, opening
from runbook_engine.probe import ErrorKind, ProbeError, TooManyValuesError, read_json
from runbook_engine.probe.json_text import MOST_VALUES

MOST_WARNINGS = 10
LATEST_TIME = 253_402_300_799.0  # the end of the year 9999, in seconds: what a calendar can show


@dataclass(frozen=True, slots=True)
class Series:
    """``values`` are None where they are NaN or infinite. ``latest_text`` is the last one as it was written."""

    name: str
    times: tuple[float, ...]
    values: tuple[float | None, ...]
    latest_text: str

    @property
    def numbers(self) -> list[float]:
        return [each for each in self.values if each is not None]


@dataclass(frozen=True, slots=True)
class Answered:
    """``result`` is as Prometheus gave it. ``partial`` is empty, or says why a part of the data may lack in it.

    Of stores that did not answer, Thanos tells in ``warnings``, as Prometheus does of those that it reads from remotely;
    VictoriaMetrics says ``isPartial``. What Prometheus remarks about the query itself begins with ``PromQL``.
    https://thanos.io/tip/components/query.md/#partial-response,
    https://docs.victoriametrics.com/victoriametrics/cluster-victoriametrics/#cluster-availability
    """

    series: tuple[Series, ...]
    result: JsonValue
    warnings: tuple[str, ...]
    partial: str = ""


def read_answer(body: str, where: str) -> Answered:
    """Raises ProbeError where this is not an answer of the API, or one that says no."""
    document = _document(body, where)
    if document is None:
        raise _foreign(where)
    if document.get("status") == "error":
        raise _refused(document, where)
    data = document.get("data")
    if document.get("status") != "success" or not isinstance(data, dict):
        raise _foreign(where)
    result = data.get("result")
    warnings = document.get("warnings")
    told = [_told(each) for each in warnings] if isinstance(warnings, list) else []
    try:
        series = tuple(_series(data.get("resultType"), result))
    except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise ProbeError(ErrorKind.MALFORMED, f"the values in the answer of {where} cannot be read") from error
    return Answered(series, result, tuple(told[:MOST_WARNINGS]), _partial(document, told, any_series=bool(series)))


def _partial(document: Mapping[str, JsonValue], warnings: Sequence[str], *, any_series: bool) -> str:
    """A remark about the query matters only where it may be why there is no series: what does not fit is left out."""
    remarks = ("PromQL info",) if not any_series else ("PromQL",)
    telling = next((each for each in warnings if not each.startswith(remarks)), "")
    if telling:
        return f"the answer may lack a part of the data: {telling}"
    if document.get("isPartial") is True:
        return "the answer lacks a part of the data: not all stores have answered (isPartial)"
    return ""


def not_answered(status: int, body: str, where: str) -> ProbeError:
    """What an HTTP status that is not a success means. The API's own words count more, where there are any."""
    match status:
        case 401:
            return ProbeError(
                ErrorKind.AUTH, f"{where} does not accept the credentials", remedy="check the token, or give one"
            )
        case 403:
            return ProbeError(ErrorKind.FORBIDDEN, f"{where} does not let this token or account query")
        case 429:
            return ProbeError(ErrorKind.THROTTLED, f"{where} has too many queries to do", remedy="ask again later")
    document = _document(body, where)
    if document is not None and document.get("status") == "error":
        return _refused(document, where)
    match status:
        case 404 | 405:
            return ProbeError(
                ErrorKind.MISSING,
                f"{where} has no query API at this URL",
                remedy="give the URL before /api/v1, with the prefix of the server where it has one",
            )
        case 502 | 503 | 504:
            return ProbeError(
                ErrorKind.OTHER,
                f"{where} is not ready to answer queries (HTTP status {status})",
                remedy="see whether it is starting, or replaying its log: ask /-/ready",
            )
    return ProbeError(ErrorKind.OTHER, f"{where} answered the query with HTTP status {status}")


def _refused(document: Mapping[str, JsonValue], where: str) -> ProbeError:
    kind, said = document.get("errorType"), _told(document.get("error"))
    match kind:
        case "bad_data":
            return ProbeError(
                ErrorKind.MALFORMED,
                f"{where} does not understand the query: {said}",
                remedy="mend the query or the step",
            )
        case "timeout":
            return ProbeError(
                ErrorKind.TIMEOUT, f"{where} gave the query up: {said}", remedy="ask for less, or give a longer timeout"
            )
        case "not_found":
            return ProbeError(ErrorKind.MISSING, f"{where} did not find it: {said}")
        case "too_many_requests":
            return ProbeError(ErrorKind.THROTTLED, f"{where} has too many queries to do: {said}")
    return ProbeError(ErrorKind.OTHER, f"{where} could not answer the query ({_told(kind) or 'no reason'}): {said}")


def _foreign(where: str) -> ProbeError:
    return ProbeError(
        ErrorKind.MALFORMED,
        f"{where} does not answer as Prometheus does",
        remedy="check the URL: it is the server's, such as http://prometheus:9090, and not that of a page in front of it",
    )


def too_large(where: str, size: str) -> ProbeError:
    """``size``: "more than 8 MiB"."""
    return ProbeError(
        ErrorKind.MALFORMED,
        f"the answer of {where} has {size}",
        remedy="let the query aggregate, for example with sum by (job) (…), or ask for fewer points",
    )


def _document(body: str, where: str) -> Mapping[str, JsonValue] | None:
    try:
        found = read_json(body)
    except TooManyValuesError as error:
        raise too_large(where, f"more than {MOST_VALUES:,} values") from error
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _series(kind: JsonValue, result: JsonValue) -> Sequence[Series]:
    match kind, result:
        case "scalar", [at, value]:
            return [_of("", [[at, value]])]
        case "vector" | "matrix", list():
            return [_one(each) for each in result]
        case "string", _:
            raise ProbeError(
                ErrorKind.MALFORMED,
                "the query gives a text, not numbers",
                remedy="write an expression that gives numbers",
            )
    raise ValueError(f"result of type {kind!r}")


def _one(each: JsonValue) -> Series:
    if not isinstance(each, dict):
        raise TypeError("a series is an object")
    labels = each.get("metric")
    if "values" in each:
        return _of(_name(labels), each["values"])
    return _of(_name(labels), [each["value"]] if "value" in each else [])


def _of(name: str, points: JsonValue) -> Series:
    if not isinstance(points, list):
        raise TypeError("values are a list")
    times, values, text = [], [], ""
    for point in points:
        if not (isinstance(point, list) and len(point) == 2):
            raise TypeError("a value is a pair of time and text")
        at, text = point[0], str(point[1])
        if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= LATEST_TIME:
            raise TypeError("a time is a number of seconds")
        number = float(text)
        times.append(float(at))
        values.append(number if math.isfinite(number) else None)
    return Series(name, tuple(times), tuple(values), opening(text))


def _name(labels: JsonValue) -> str:
    """``up{job="api"}``, as PromQL writes it."""
    if not isinstance(labels, dict):
        return ""
    pairs = ", ".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
    name = str(labels.get("__name__", ""))
    return _told(f"{name}{{{pairs}}}" if pairs or not name else name)


def _told(text: object) -> str:
    return one_line(opening(str(text))) if text else ""
