"""The probe aws.autoscaling against a real endpoint."""

from typing import Any

import pytest

from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import ErrorKind
from runbook_probes.aws.scaling import autoscaling

pytestmark = pytest.mark.anyio


def of_service(aws: AwsEndpoint) -> str:
    return f"service/{aws.cluster}/{aws.service}"


async def test_the_limits_of_a_service_are_read(aws: AwsEndpoint, ask: Any) -> None:
    reading = await ask(autoscaling, resource_id=of_service(aws))
    assert (reading.targets, reading.minimum, reading.maximum, reading.suspended) == (1, 2, 10, False)
    (row,) = reading.evidence["targets"]
    assert (row["resource"], row["dimension"]) == (of_service(aws), "ecs:service:DesiredCount")
    assert "truncated" not in reading.evidence


async def test_without_a_resource_all_of_the_namespace_are_read(aws: AwsEndpoint, ask: Any) -> None:
    aws.set_scaling(1, 3, False)
    before = len(aws.calls())
    reading = await ask(autoscaling)
    assert (reading.targets, reading.minimum, reading.maximum) == (1, 1, 3)
    assert [each.operation for each in aws.calls()[before:]] == ["DescribeScalableTargets"]


async def test_suspended_scaling_is_seen(aws: AwsEndpoint, ask: Any) -> None:
    aws.set_scaling(2, 10, True)
    reading = await ask(autoscaling, resource_id=of_service(aws))
    assert reading.suspended is True
    assert "DynamicScalingOutSuspended" in reading.evidence["targets"][0]["suspended"]


async def test_scaling_that_is_suspended_in_one_direction_is_suspended(aws: AwsEndpoint, ask: Any, client: Any) -> None:
    client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=of_service(aws),
        ScalableDimension="ecs:service:DesiredCount",
        SuspendedState={"DynamicScalingOutSuspended": True, "DynamicScalingInSuspended": False},
    )
    reading = await ask(autoscaling, resource_id=of_service(aws))
    assert reading.suspended is True
    assert reading.evidence["targets"][0]["suspended"] == ["DynamicScalingOutSuspended"]


async def test_what_does_not_scale_by_itself_has_no_limits(aws: AwsEndpoint, ask: Any) -> None:
    reading = await ask(autoscaling, resource_id="service/production-cluster/nope")
    assert (reading.targets, reading.minimum, reading.maximum, reading.suspended) == (0, None, None, False)
    assert set(reading.missing) == {"minimum", "maximum"}
    assert reading.missing["maximum"].startswith(
        "Application Auto Scaling knows no scalable target of service/production-cluster/nope:"
    )


async def test_targets_are_read_from_all_pages(aws: AwsEndpoint, ask: Any, client: Any) -> None:
    scaling = client("application-autoscaling")
    for number in range(60):
        scaling.register_scalable_target(
            ServiceNamespace="dynamodb",
            ResourceId=f"table/t{number:02d}",
            ScalableDimension="dynamodb:table:ReadCapacityUnits",
            MinCapacity=number,
            MaxCapacity=100 + number,
        )
    reading = await ask(autoscaling, service_namespace="dynamodb")
    assert (reading.targets, reading.minimum, reading.maximum) == (60, 0, 100)
    assert len(reading.evidence["targets"]) == 50
    assert reading.evidence["truncated"] is True
    assert "note" not in reading.evidence


async def test_an_endless_list_of_targets_is_cut_and_says_so(ask: Any, scripted: Any) -> None:
    target = {"ResourceId": "service/a/b", "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1}
    pages = [{"ScalableTargets": [target], "NextToken": f"page-{number}"} for number in range(30)]
    server = scripted({"DescribeScalableTargets": pages})
    reading = await ask(autoscaling, endpoint_url=server.url)
    assert reading.cut == "there are more than the 20 pages that were read; give the step a resource_id"


async def test_an_unknown_namespace_is_malformed(aws: AwsEndpoint, fail: Any) -> None:
    error = await fail(autoscaling, service_namespace="nope")
    assert error.kind is ErrorKind.MALFORMED


async def test_half_an_answer_is_no_service_that_does_not_scale(fail: Any, answering: Any) -> None:
    error = await fail(autoscaling, endpoint_url=answering("{}"))
    assert error.kind is ErrorKind.MALFORMED


async def test_a_denial_names_the_action(aws: AwsEndpoint, fail: Any) -> None:
    aws.disturb(Disturbance("denied", "application-autoscaling"))
    error = await fail(autoscaling)
    assert error.kind is ErrorKind.FORBIDDEN
    assert (
        error.remedy == "allow application-autoscaling:DescribeScalableTargets in the IAM policy of these credentials"
    )


async def test_the_deadline_holds(aws: AwsEndpoint, fail: Any) -> None:
    aws.disturb(Disturbance("dripping"))
    error = await fail(autoscaling, within=1.5)
    assert (error.kind, error.message[:42]) == (ErrorKind.TIMEOUT, "what scales by itself was not answered by ")


@pytest.mark.parametrize(
    ("params", "command"),
    [
        ({}, "aws application-autoscaling describe-scalable-targets --service-namespace ecs"),
        (
            {"resource_id": "service/production-cluster/pixelated-empathy-api", "region": "us-east-1"},
            "aws application-autoscaling describe-scalable-targets --service-namespace ecs "
            "--resource-ids service/production-cluster/pixelated-empathy-api --region us-east-1",
        ),
    ],
)
def test_the_command_is_that_of_the_guide(params: Any, command: str) -> None:
    assert autoscaling.command(autoscaling.params(**params)) == command
