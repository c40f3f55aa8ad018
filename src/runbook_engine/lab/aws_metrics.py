"""GetMetricStatistics as CloudWatch gives it, over moto's store.

moto matches a part of the dimensions, mixes units, knows no percentiles and gives datapoints in order. CloudWatch does not,
and each difference would hide a mistake:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Datapoint = dict[str, object]

PLAIN = frozenset({"Average", "Maximum", "Minimum", "Sum", "SampleCount"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One published value."""

    at: dt.datetime
    value: float
    unit: str


def put_metric(
    account: str,
    region: str,
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    values: Sequence[float],
    unit: str,
    last_at: float,
    every: float,
) -> None:
    """Into the store itself: moto's API would take the values one by one."""
    from moto.backends import get_backend

    first_at = last_at - every * (len(values) - 1)
    get_backend("cloudwatch")[account][region].put_metric_data(
        namespace,
        [
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                "Value": value,
                "Unit": unit,
                "Timestamp": dt.datetime.fromtimestamp(first_at + every * index, dt.UTC).replace(tzinfo=None),
            }
            for index, value in enumerate(values)
        ],
    )


def correct_moto() -> None:
    """Have moto's CloudWatch answer GetMetricStatistics with ``datapoints``."""
    from moto.cloudwatch.exceptions import InvalidParameterCombination
    from moto.cloudwatch.models import MetricDatum
    from moto.cloudwatch.responses import CloudWatchResponse
    from moto.core.responses import ActionResult

    def get_metric_statistics(self: CloudWatchResponse) -> ActionResult:
        asked = {each["Name"]: each["Value"] for each in self._get_param("Dimensions", [])}
        namespace, name, unit = (self._get_param(key) for key in ("Namespace", "MetricName", "Unit"))
        samples = [
            Sample(_naive(each.timestamp), each.value, each.unit or "None")
            for each in self.cloudwatch_backend.metric_data
            if isinstance(each, MetricDatum)
            and each.namespace == namespace
            and each.name == name
            and {one.name: one.value for one in each.dimensions} == asked
            and unit in (None, each.unit)
        ]
        start, end = (_naive(self._get_param(key)) for key in ("StartTime", "EndTime"))
        period = self._get_int_param("Period")
        plain, extended = (self._get_param(key, []) for key in ("Statistics", "ExtendedStatistics"))
        if set(plain) - PLAIN or set(extended) & PLAIN:
            raise InvalidParameterCombination("Percentiles belong to ExtendedStatistics, all else to Statistics")
        statistics = [*plain, *extended]
        most = math.ceil((end - start).total_seconds() / period)
        if not statistics or most > 1440:
            raise InvalidParameterCombination(
                f"You have requested up to {most} datapoints, and {len(statistics)} statistics"
            )
        found = datapoints(samples, start, end, dt.timedelta(seconds=period), statistics)
        return ActionResult({"Label": name, "Datapoints": list(found)})

    CloudWatchResponse.get_metric_statistics = get_metric_statistics  # type: ignore[method-assign] # moto has no other door


def _naive(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC).replace(tzinfo=None) if at.tzinfo else at


def datapoints(
    samples: Iterable[Sample], start: dt.datetime, end: dt.datetime, period: dt.timedelta, statistics: Sequence[str]
) -> Iterator[Datapoint]:
    """One for each period and unit, latest first; periods begin at the whole minute at or before ``start``."""
    begin = start.replace(second=0, microsecond=0)
    bins: dict[tuple[int, str], list[float]] = {}
    for sample in samples:
        if begin <= sample.at < end:
            bins.setdefault(((sample.at - begin) // period, sample.unit), []).append(sample.value)
    for (index, unit), values in sorted(bins.items(), reverse=True):
        figures = {name: _statistic(name, sorted(values)) for name in statistics}
        plain = {name: value for name, value in figures.items() if name in PLAIN}
        extended = {name: value for name, value in figures.items() if name not in PLAIN}
        more = {"ExtendedStatistics": extended} if extended else {}
        yield {"Timestamp": begin + index * period, "Unit": unit, **plain, **more}


def _statistic(name: str, ordered: Sequence[float]) -> float:
    match name:
        case "Average":
            return sum(ordered) / len(ordered)
        case "Sum":
            return sum(ordered)
        case "Minimum":
            return ordered[0]
        case "Maximum":
            return ordered[-1]
        case "SampleCount":
            return float(len(ordered))
    rank = math.ceil(float(name.removeprefix("p")) / 100 * len(ordered))
    return ordered[max(0, rank - 1)]
