"""The probe aws.cloudwatch against a real endpoint."""

import time
from typing import Any

import pytest

from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import Dimension, ErrorKind
from runbook_probes.aws import cloudwatch

pytestmark = pytest.mark.anyio

CPU = {"namespace": "AWS/ECS", "metric": "CPUUtilization"}
FIGURES = ("latest", "average", "maximum", "minimum")


def minute(now: float | None = None) -> float:
    return (time.time() if now is None else now) // 60 * 60


def of_service(aws: AwsEndpoint) -> dict[str, Any]:
    return {**CPU, "dimensions": aws.service_dimensions}


async def test_reads_the_utilization_of_a_service_in_percent(aws: AwsEndpoint, ask: Any) -> None:
    reading = await ask(cloudwatch, **of_service(aws))
    assert [getattr(reading, name) for name in FIGURES] == [93.0] * 4
    assert [getattr(reading, f"{name}_percent") for name in FIGURES] == [93.0] * 4
    assert reading.missing == {}
    assert reading.datapoints == 12
    assert reading.evidence["unit"] == "Percent"
    assert len(reading.evidence["datapoints"]) == 12


async def test_one_reading_costs_one_request(aws: AwsEndpoint, ask: Any) -> None:
    before = len(aws.calls())
    await ask(cloudwatch, **of_service(aws))
    (request,) = aws.calls()[before:]
    assert (request.service, request.operation) == ("monitoring", "GetMetricStatistics")


async def test_the_latest_datapoint_is_the_newest_one_in_whatever_order_they_come(aws: AwsEndpoint, ask: Any) -> None:
    aws.put_metric("App", "Queue", {"Name": "rising"}, [10.0, 30.0, 20.0], last_at=minute() - 30)
    reading = await ask(cloudwatch, namespace="App", metric="Queue", dimensions={"Name": "rising"}, period="1min")
    assert (reading.latest, reading.average, reading.maximum, reading.minimum) == (20.0, 20.0, 30.0, 10.0)
    assert reading.datapoints == 3
    times = [each["at"] for each in reading.evidence["datapoints"]]
    assert times == sorted(times)


async def test_the_latest_datapoint_covers_a_whole_period(aws: AwsEndpoint, ask: Any) -> None:
    """A period that has just begun would show a sum that is always too low."""
    aws.put_metric("App", "Requests", {}, [1.0] * 90, last_at=minute() + 600.5)
    reading = await ask(cloudwatch, namespace="App", metric="Requests", statistic="Sum")
    assert (reading.latest, reading.minimum) == (5.0, 5.0)


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("Average", 50.5), ("Maximum", 100.0), ("Minimum", 1.0), ("Sum", 5050.0), ("SampleCount", 100.0), ("p95", 95.0)],
)
async def test_every_statistic_is_the_one_that_was_asked_for(
    aws: AwsEndpoint, ask: Any, statistic: str, expected: float
) -> None:
    values = [float(each) for each in range(1, 101)]
    began = minute() - 3600
    name = f"Latency{statistic}"
    aws.put_metric("App", name, {}, values, last_at=began + 30, every=0.01)
    reading = await ask(cloudwatch, namespace="App", metric=name, statistic=statistic, period="1min", window="2h")
    assert reading.latest == expected
    assert reading.evidence["statistic"] == statistic


async def test_a_metric_in_another_unit_is_a_number_and_no_percentage(aws: AwsEndpoint, ask: Any) -> None:
    aws.put_metric("App", "Depth", {}, [7.0], unit="Count")
    reading = await ask(cloudwatch, namespace="App", metric="Depth")
    assert reading.latest == 7.0
    assert all(getattr(reading, f"{name}_percent") is None for name in FIGURES)
    assert reading.missing["latest_percent"] == "Depth is published in Count, not in percent; use latest"


async def test_a_metric_without_unit_says_so(aws: AwsEndpoint, ask: Any) -> None:
    aws.put_metric("App", "Unitless", {}, [7.0])
    reading = await ask(cloudwatch, namespace="App", metric="Unitless")
    assert reading.missing["average_percent"] == "Unitless is published without a unit, not in percent; use average"


async def test_a_count_of_samples_is_no_percentage_even_of_a_metric_in_percent(aws: AwsEndpoint, ask: Any) -> None:
    reading = await ask(cloudwatch, **of_service(aws), statistic="SampleCount")
    assert reading.latest == 5.0
    assert reading.latest_percent is None
    assert reading.missing["latest_percent"] == "SampleCount counts samples; use latest"


async def test_units_are_never_mixed(aws: AwsEndpoint, ask: Any, fail: Any) -> None:
    aws.put_metric("App", "Mixed", {}, [0.5], unit="Seconds")
    aws.put_metric("App", "Mixed", {}, [500.0], unit="Milliseconds")
    error = await fail(cloudwatch, namespace="App", metric="Mixed")
    assert error.kind is ErrorKind.MALFORMED
    assert "in several units, which cannot be compared: Milliseconds, Seconds" in error.message
    assert error.remedy == "choose one of them with unit: Milliseconds"
    reading = await ask(cloudwatch, namespace="App", metric="Mixed", unit="Seconds")
    assert reading.latest == 0.5


async def test_the_age_tells_old_data_from_new(aws: AwsEndpoint, ask: Any) -> None:
    aws.put_metric("App", "Stale", {}, [1.0], last_at=minute() - 1800)
    stale = await ask(cloudwatch, namespace="App", metric="Stale", period="1min")
    fresh = await ask(cloudwatch, **of_service(aws))
    assert 1700 < stale.age < 1900
    assert fresh.age < 130


async def test_times_may_be_given_in_words_or_in_seconds(aws: AwsEndpoint, ask: Any) -> None:
    words = await ask(cloudwatch, **of_service(aws), period="5min", window="30min")
    seconds = await ask(cloudwatch, **of_service(aws), period=300, window=1800)
    assert words.datapoints == seconds.datapoints == 6


async def test_a_window_of_which_little_can_be_shown_says_that_it_is_cut(aws: AwsEndpoint, ask: Any) -> None:
    aws.put_metric("App", "Long", {}, [1.0] * 100)
    reading = await ask(cloudwatch, namespace="App", metric="Long", period="1min", window="3h")
    assert reading.datapoints == 100
    assert len(reading.evidence["datapoints"]) == 60
    assert reading.evidence["truncated"] is True


class TestNoDatapoints:
    async def test_are_missing_and_never_zero(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.put_metric("App", "Silent", {"Host": "a"}, [1.0], last_at=time.time() - 7200)
        error = await fail(cloudwatch, namespace="App", metric="Silent", dimensions={"Host": "a"})
        assert error.kind is ErrorKind.MISSING
        assert error.message == "CloudWatch has no datapoints for App Silent (Host=a) in the last 60 min in us-east-1"
        assert error.remedy.startswith("the metric exists, but nothing was published; check that the service runs")

    async def test_of_a_part_of_the_dimensions_are_explained_by_the_whole(self, aws: AwsEndpoint, fail: Any) -> None:
        error = await fail(cloudwatch, **CPU, dimensions={"ServiceName": aws.service})
        assert error.kind is ErrorKind.MISSING
        assert "CloudWatch knows this metric with the dimensions ClusterName, ServiceName;" in error.remedy

    async def test_of_a_misspelt_service_are_explained_by_the_one_that_exists(
        self, aws: AwsEndpoint, fail: Any
    ) -> None:
        aws.put_metric("AWS/ECS", "CPUUtilization", {"ClusterName": "x", "ServiceName": "y"}, [1.0], unit="Percent")
        error = await fail(cloudwatch, **CPU, dimensions={**aws.service_dimensions, "ServiceName": "empathy-api"})
        assert "with ClusterName=production-cluster, ServiceName=pixelated-empathy-api; give all" in error.remedy

    async def test_of_an_unknown_metric_are_explained_by_its_name(self, fail: Any) -> None:
        error = await fail(cloudwatch, namespace="AWS/ECS", metric="CPU")
        assert error.remedy.startswith("CloudWatch knows no metric CPU in AWS/ECS here; check names, region,")

    async def test_stay_missing_where_the_metrics_may_not_be_listed(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("denied", "monitoring", "ListMetrics"))
        error = await fail(cloudwatch, namespace="AWS/ECS", metric="CPU")
        assert error.kind is ErrorKind.MISSING
        assert (
            "aws cloudwatch list-metrics --namespace AWS/ECS shows them; it needs cloudwatch:ListMetrics"
            in error.remedy
        )

    async def test_stay_missing_where_the_list_hangs(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("silent", "monitoring", "ListMetrics"))
        error = await fail(cloudwatch, namespace="AWS/ECS", metric="CPU", within=1.5)
        assert error.kind is ErrorKind.MISSING


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"statistic": "average"}, 'did you mean "Average"?'),
        ({"statistic": "p101"}, "'p101' is not a statistic; these are Average, Maximum, Minimum, Sum, SampleCount and"),
        ({"period": "90s"}, "90 s is no period of CloudWatch; these are 1 s, 5 s, 10 s, 20 s, 30 s and whole minutes"),
        ({"period": "5MiB"}, "'5MiB' is not a duration; write for example 5s, 5min or 1h"),
        ({"period": "1h", "window": "30min"}, "a window of 30 min is shorter than a period of 60 min"),
        ({"period": "1min", "window": "2d"}, "more than the 1440 datapoints that CloudWatch gives"),
        ({"period": "10s", "window": "3.5h"}, "CloudWatch keeps periods of 60 s only"),
        ({"period": "21min", "window": "20d"}, "CloudWatch keeps periods of 5 min only"),
        ({"period": "100min", "window": "70d"}, "CloudWatch keeps periods of 60 min only"),
        ({"unit": "percent"}, "'percent' is not a unit of CloudWatch; did you mean \"Percent\"?"),
        ({"region": "us-east-1.evil.example/"}, "should match pattern"),
        ({"endpoint_url": "ftp://example.com"}, "this is not an http or https URL"),
        ({"endpoint_url": "http://key:secret@example.com"}, "credentials have no place in the URL of an endpoint"),
        ({"dimension": {}}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_parameters_are_refused_with_what_is_legal(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as caught:
        cloudwatch.params.model_validate({**CPU, **params})
    assert told in str(caught.value)


def test_metrics_are_declared_with_units_that_a_checker_can_prove_with() -> None:
    metrics = cloudwatch.metrics
    assert metrics["latest_percent"].dimension is Dimension.PERCENT
    assert metrics["latest_percent"].optional
    assert metrics["latest_percent"].upper is None
    assert metrics["latest"].dimension is Dimension.NUMBER
    assert metrics["age"].dimension is Dimension.DURATION


class TestTrend:
    async def points(self, aws: AwsEndpoint, ask: Any, values: list[float], unit: str = "Percent") -> Any:
        name = "Trend" + "".join(f"{each:.0f}x" for each in values) + unit
        aws.put_metric("App", name, {}, values, unit=unit, last_at=minute() - 30)
        return await ask(cloudwatch, namespace="App", metric=name, period="1min")

    async def test_of_a_leak_rises_from_point_to_point(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await self.points(aws, ask, [40.0, 52.5, 60.0, 77.0])
        assert (reading.rise_percent, reading.rising_share) == (37.0, 100.0)

    async def test_of_what_falls_is_below_zero(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await self.points(aws, ask, [90.0, 60.0, 65.0])
        assert (reading.rise_percent, reading.rising_share) == (-25.0, 50.0)

    async def test_of_a_flat_metric_is_none(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await ask(cloudwatch, **of_service(aws))
        assert (reading.rise_percent, reading.rising_share) == (0.0, 0.0)

    async def test_of_a_metric_in_another_unit_has_a_share_but_no_percentage(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await self.points(aws, ask, [1.0, 2.0, 3.0], "Count")
        assert (reading.rise_percent, reading.rising_share) == (None, 100.0)
        assert reading.missing["rise_percent"].endswith("is published in Count, not in percent; use rising_share")

    async def test_takes_two_datapoints_for_a_rise_and_three_for_a_share(self, aws: AwsEndpoint, ask: Any) -> None:
        one = await self.points(aws, ask, [50.0])
        two = await self.points(aws, ask, [50.0, 60.0])
        assert (one.rise_percent, one.rising_share) == (None, None)
        assert (two.rise_percent, two.rising_share) == (10.0, None)
        assert one.missing["rise_percent"].startswith("there is one datapoint alone;")
        assert two.missing["rising_share"].startswith("a trend takes 3 datapoints, and there are 2;")

    def test_may_fall_and_may_be_missing(self) -> None:
        rise, share = cloudwatch.metrics["rise_percent"], cloudwatch.metrics["rising_share"]
        assert (rise.dimension, rise.lower, rise.optional) == (Dimension.PERCENT, None, True)
        assert (share.dimension, share.lower, share.upper) == (Dimension.PERCENT, 0, 100)
