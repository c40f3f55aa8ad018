"""What does CloudWatch know of a metric?"""

import datetime as dt
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from runbook_engine.errors import closest, did_you_mean
from runbook_engine.pasteable import pasteable
from runbook_engine.probe import (
    Count,
    Dimension,
    Duration,
    ErrorKind,
    Number,
    Percent,
    ProbeContext,
    ProbeError,
    Reading,
    bounded,
    probe,
)
from runbook_engine.quantity import show
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.quantities import Seconds

STATISTICS = ("Average", "Maximum", "Minimum", "Sum", "SampleCount")
UNITS = (
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits",
    "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second",
    "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second",
    "Gigabits/Second", "Terabits/Second", "Count/Second", "None",
)  # fmt: skip
MOST_DATAPOINTS = 1440
MOST_SHOWN = 60
MOST_HINTS = 3
FEWEST_OF_A_TREND = 3
SHORT_PERIODS = (1, 5, 10, 20, 30)
# How long datapoints of which period are kept, longest first:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
_KEPT = ((63 * 86400, 3600), (15 * 86400, 300), (3 * 3600, 60))
_PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)\Z")
_PLAIN = re.compile(r"[\w./:@+-]+\Z", re.ASCII)


def _period(seconds: float) -> float:
    if seconds not in SHORT_PERIODS and (seconds < 60 or seconds % 60):
        raise ValueError(
            f"{show(seconds, Dimension.DURATION)} is no period of CloudWatch; "
            "these are 1 s, 5 s, 10 s, 20 s, 30 s and whole minutes"
        )
    return seconds


def _statistic(name: str) -> str:
    if name in STATISTICS or _PERCENTILE.match(name):
        return name
    known = ", ".join(STATISTICS)
    raise ValueError(
        f"{name!r} is not a statistic; these are {known} and percentiles such as p95{did_you_mean(name, STATISTICS)}"
    )


def _unit(name: str) -> str:
    if name and name not in UNITS:
        raise ValueError(
            f"{name!r} is not a unit of CloudWatch{did_you_mean(name, UNITS)}; these are {', '.join(UNITS)}"
        )
    return name


Named = Annotated[str, Field(min_length=1, max_length=1024)]


class StatisticsParams(AwsParams):
    namespace: Annotated[str, Field(min_length=1, max_length=255)] = Field(description="For example AWS/ECS")
    metric: Annotated[str, Field(min_length=1, max_length=255)] = Field(description="For example CPUUtilization")
    dimensions: Annotated[dict[Named, Named], Field(max_length=30)] = Field(
        default_factory=dict,
        description="All dimensions under which the metric is published: a part of them finds nothing",
    )
    statistic: Annotated[str, AfterValidator(_statistic)] = Field(
        "Average", description="Average, Maximum, Minimum, Sum, SampleCount, or a percentile such as p95"
    )
    period: Annotated[Seconds, AfterValidator(_period)] = Field(300.0, description="What one datapoint covers")
    window: Annotated[Seconds, Field(gt=0, le=455 * 86400)] = Field(3600.0, description="How far back to look")
    unit: Annotated[str, AfterValidator(_unit)] = Field(
        "", description="Only datapoints of this unit; needed where a metric is published in several"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        window, period = (show(each, Dimension.DURATION) for each in (self.window, self.period))
        if self.window < self.period:
            raise ValueError(f"a window of {window} is shorter than a period of {period}")
        if self.window / self.period > MOST_DATAPOINTS:
            raise ValueError(
                f"a window of {window} in periods of {period} has more than the {MOST_DATAPOINTS} datapoints "
                "that CloudWatch gives; choose a longer period"
            )
        for age, coarsest in _KEPT:
            if self.window > age and self.period % coarsest:
                raise ValueError(
                    f"of what is older than {show(age, Dimension.DURATION)}, CloudWatch keeps periods of "
                    f"{show(coarsest, Dimension.DURATION)} only; give a period of so many, or a shorter window"
                )
        return self

    @property
    def described(self) -> str:
        """``AWS/ECS CPUUtilization (ClusterName=production-cluster)``."""
        return f"{self.namespace} {self.metric}" + (f" ({_written(self.dimensions)})" if self.dimensions else "")


Share = Annotated[float, bounded(Dimension.PERCENT, lower=0)]
"""Percentage points; CPU utilization may exceed 100 %."""
Change = Annotated[float, bounded(Dimension.PERCENT)]
"""Percentage points; below zero where there are fewer of them."""


class StatisticsReading(Reading):
    """What the datapoints of the window say. Those that end in ``_percent`` are there where the metric's unit is Percent."""

    latest: Number = Field(description="The latest datapoint")
    average: Number = Field(description="The average of the datapoints")
    maximum: Number = Field(description="The highest datapoint")
    minimum: Number = Field(description="The lowest datapoint")
    latest_percent: Share | None = Field(None, description="The latest datapoint, in percent")
    average_percent: Share | None = Field(None, description="The average of the datapoints, in percent")
    maximum_percent: Share | None = Field(None, description="The highest datapoint, in percent")
    minimum_percent: Share | None = Field(None, description="The lowest datapoint, in percent")
    rise_percent: Change | None = Field(
        None, description="The latest datapoint less the earliest, in percentage points"
    )
    rising_share: Percent | None = Field(
        None, description="Datapoints higher than the one before them, of all but the first"
    )
    datapoints: Count = Field(description="How many datapoints there are")
    age: Duration = Field(description="Time since the end of the period of the latest datapoint")


def _command(params: StatisticsParams) -> str:
    percentile = params.statistic not in STATISTICS
    words = ["aws", "cloudwatch", "get-metric-statistics", "--namespace", params.namespace]
    words += ["--metric-name", params.metric]
    if params.dimensions:
        words += ["--dimensions", *(_dimension(name, value) for name, value in params.dimensions.items())]
    words += ["--period", f"{params.period:.0f}"]
    words += ["--extended-statistics" if percentile else "--statistics", params.statistic]
    words += ["--unit", params.unit] if params.unit else []
    # The shell fills in the times, so they stand outside of what is quoted.
    times = f"--start-time {_ago(params.window)} --end-time {_at('')}"
    return f"{pasteable(*words)} {times} {pasteable(*params.options())}".rstrip()


def _dimension(name: str, value: str) -> str:
    """In the shorthand of the AWS CLI, where a comma or a quote would end the value."""
    quoted = value if _PLAIN.match(value) else '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    return f"Name={name},Value={quoted}"


def _ago(seconds: float) -> str:
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = int(seconds // size)
            return _at(f"-d '{count} {word}{'s' if count != 1 else ''} ago' ")
    return _at(f"-d '{math.ceil(seconds)} seconds ago' ")


def _at(when: str) -> str:
    return f'"$(date -u {when}+%Y-%m-%dT%H:%M:%SZ)"'


@probe("aws.cloudwatch", command=_command, reads_only=True)
async def cloudwatch(params: StatisticsParams, ctx: ProbeContext) -> StatisticsReading:
    """Asks CloudWatch for the datapoints of one metric (cloudwatch:GetMetricStatistics)."""
    now = dt.datetime.now(dt.UTC)
    aim = Aim("cloudwatch", "GetMetricStatistics")
    asks = f"CloudWatch's metric {params.described}"
    series = await ask(
        "cloudwatch", params, ctx, aim, lambda client: _series(client, params, _whole(now, params.period)), asks=asks
    )
    if not series.points:
        raise await _nothing(params, ctx, aim.region)
    return _reading(params, series, now)


@dataclass(frozen=True, slots=True)
class _Series:
    """``(start of the period, value)``, oldest first, and the units in which CloudWatch gives them."""

    points: Sequence[tuple[dt.datetime, float]]
    units: Sequence[str]


def _whole(now: dt.datetime, period: float) -> dt.datetime:
    """Windows end at a whole minute, so that the latest datapoint covers its period and not just the beginning of it."""
    step = min(60.0, period)
    return dt.datetime.fromtimestamp(now.timestamp() // step * step, dt.UTC)


def _series(client: Client, params: StatisticsParams, end: dt.datetime) -> _Series:
    periods = math.ceil(params.window / params.period)
    percentile = params.statistic not in STATISTICS
    answer: Mapping[str, Any] = client.get_metric_statistics(
        Namespace=params.namespace,
        MetricName=params.metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in params.dimensions.items()],
        StartTime=end - dt.timedelta(seconds=periods * params.period),
        EndTime=end,
        Period=int(params.period),
        **{"ExtendedStatistics" if percentile else "Statistics": [params.statistic]},
        **({"Unit": params.unit} if params.unit else {}),
    )
    given = [(each, each.get("ExtendedStatistics", {}) if percentile else each) for each in answer["Datapoints"]]
    points = [
        (each["Timestamp"], float(values[params.statistic])) for each, values in given if params.statistic in values
    ]
    return _Series(sorted(points), sorted({str(each.get("Unit", "None")) for each in answer["Datapoints"]}))


def _reading(params: StatisticsParams, series: _Series, now: dt.datetime) -> StatisticsReading:
    if len(series.units) > 1:
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"{params.described} is published in several units, which cannot be compared: {', '.join(series.units)}",
            remedy=f"choose one of them with unit: {series.units[0]}",
        )
    (unit,) = series.units
    values = [value for _, value in series.points]
    figures = {
        "latest": values[-1],
        "average": math.fsum(values) / len(values),
        "maximum": max(values),
        "minimum": min(values),
    }
    in_percent = unit == "Percent" and params.statistic != "SampleCount"
    rises = [later > earlier for earlier, later in itertools.pairwise(values)]
    told_not = {} if in_percent else {f"{name}_percent": _no_percent(params, unit, name) for name in figures}
    if not in_percent:
        told_not["rise_percent"] = _no_percent(params, unit, "rising_share")
    elif not rises:
        told_not["rise_percent"] = "there is one datapoint alone; choose a longer window or a shorter period"
    if len(values) < FEWEST_OF_A_TREND:
        told_not["rising_share"] = (
            f"a trend takes {FEWEST_OF_A_TREND} datapoints, and there are {len(values)}; "
            "choose a longer window or a shorter period"
        )
    ended = series.points[-1][0] + dt.timedelta(seconds=params.period)
    return StatisticsReading(
        **figures,
        **{f"{name}_percent": value if in_percent else None for name, value in figures.items()},
        rise_percent=None if "rise_percent" in told_not else values[-1] - values[0],
        rising_share=None if "rising_share" in told_not else 100.0 * sum(rises) / len(rises),
        datapoints=len(values),
        age=max(0.0, (now - ended).total_seconds()),
        missing=told_not,
        evidence=_evidence(params, series, unit),
    )


def _no_percent(params: StatisticsParams, unit: str, name: str) -> str:
    if params.statistic == "SampleCount":
        return f"SampleCount counts samples; use {name}"
    told = "without a unit" if unit == "None" else f"in {unit}"
    return f"{params.metric} is published {told}, not in percent; use {name}"


def _evidence(params: StatisticsParams, series: _Series, unit: str) -> dict[str, JsonValue]:
    shown: list[JsonValue] = [
        {"at": at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "value": value}
        for at, value in series.points[-MOST_SHOWN:]
    ]
    more: dict[str, JsonValue] = {"truncated": True} if len(series.points) > MOST_SHOWN else {}
    return {"statistic": params.statistic, "unit": unit, "period_s": params.period, "datapoints": shown, **more}


async def _nothing(params: StatisticsParams, ctx: ProbeContext, region: str) -> ProbeError:
    """No datapoints. The commonest reason is a dimension too many or too few, so CloudWatch is asked which there are."""
    window = show(params.window, Dimension.DURATION)
    message = f"CloudWatch has no datapoints for {params.described} in the last {window} in {region}"
    try:
        known = await ask(
            "cloudwatch", params, ctx, Aim("cloudwatch", "ListMetrics"), lambda client: _known(client, params), asks=""
        )
    except ProbeError:
        known = None
    return ProbeError(ErrorKind.MISSING, message, remedy=_look_for(params, known))


Dimensions = Mapping[str, str]


def _known(client: Client, params: StatisticsParams) -> Sequence[Dimensions]:
    found = client.list_metrics(Namespace=params.namespace, MetricName=params.metric)["Metrics"]
    return [{each["Name"]: each["Value"] for each in metric["Dimensions"]} for metric in found]


def _look_for(params: StatisticsParams, known: Sequence[Dimensions] | None) -> str:
    publishes = "that the service runs and that CloudWatch agent or Container Insights publishes the metric"
    if known is None:
        listed = pasteable("aws", "cloudwatch", "list-metrics", "--namespace", params.namespace)
        return (
            f"check the dimensions, all of which must be given ({listed} shows them; it needs cloudwatch:ListMetrics), "
            f"the region, {publishes}"
        )
    if not known:
        return (
            f"CloudWatch knows no metric {params.metric} in {params.namespace} here; check names, region, {publishes}"
        )
    if params.dimensions in known:
        return (
            f"the metric exists, but nothing was published{' in this unit' if params.unit else ''}; check {publishes}"
        )
    sets = sorted({", ".join(sorted(each)) or "no dimensions" for each in known})
    if ", ".join(sorted(params.dimensions)) not in sets:
        told = f"the dimensions {' or '.join(sets[:MOST_HINTS])}"
    else:
        others = sorted({_written(each) for each in known if sorted(each) == sorted(params.dimensions)})
        likely = closest(_written(params.dimensions), others)
        told = " or ".join([likely] if likely else others[:MOST_HINTS])
    return f"CloudWatch knows this metric with {told}; give all dimensions exactly as it is published with"


def _written(dimensions: Dimensions) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(dimensions.items()))
