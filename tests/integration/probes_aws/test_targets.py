"""The probe aws.target_health against a real endpoint."""

import subprocess
import sys
from typing import Any

import pytest

from runbook_engine.engine.border import Border
from runbook_engine.lab.aws import AwsEndpoint, Disturbance, TargetState
from runbook_engine.probe import Dimension, ErrorKind
from runbook_probes.aws.targets import target_health

pytestmark = pytest.mark.anyio

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/api/0123456789abcdef"


async def test_all_targets_of_a_healthy_system_are_healthy(aws: AwsEndpoint, ask: Any) -> None:
    reading = await ask(target_health, target_group_arn=aws.arns["target_group"])
    assert (reading.targets, reading.healthy, reading.healthy_share) == (3, 3, 100.0)
    assert (reading.unhealthy, reading.draining, reading.initial) == (0, 0, 0)
    assert [each["id"] for each in reading.evidence["targets"]] == ["10.0.1.10", "10.0.2.10", "10.0.3.10"]
    assert reading.missing == {}


async def test_one_reading_costs_one_request(aws: AwsEndpoint, ask: Any) -> None:
    before = len(aws.calls())
    await ask(target_health, target_group_arn=aws.arns["target_group"])
    assert [each.operation for each in aws.calls()[before:]] == ["DescribeTargetHealth"]


async def test_targets_are_counted_by_their_states(aws: AwsEndpoint, ask: Any) -> None:
    aws.set_targets(
        [
            {"state": "healthy"},
            {"state": "healthy"},
            {"state": "unhealthy", "reason": "Target.Timeout", "description": "Request timed out"},
            {"state": "draining", "reason": "Target.DeregistrationInProgress"},
            {"state": "unhealthy.draining"},
            {"state": "initial", "reason": "Elb.RegistrationInProgress"},
            {"state": "unused", "reason": "Target.NotInUse"},
            {"state": "healthy"},
        ]
    )
    reading = await ask(target_health, target_group_arn=aws.arns["target_group"])
    assert (reading.targets, reading.healthy, reading.unhealthy) == (8, 3, 1)
    assert (reading.draining, reading.initial) == (2, 1)
    assert reading.healthy_share == 37.5


async def test_what_is_wrong_stands_first_in_the_evidence_with_its_reason(aws: AwsEndpoint, ask: Any) -> None:
    healthy: TargetState = {"state": "healthy"}
    aws.set_targets([*[healthy] * 60, {"state": "unhealthy", "reason": "Target.Timeout"}])
    reading = await ask(target_health, target_group_arn=aws.arns["target_group"])
    first, *others = reading.evidence["targets"]
    assert (first["state"], first["reason"], first["zone"], first["port"]) == (
        "unhealthy",
        "Target.Timeout",
        "us-east-1a",
        8000,
    )
    assert len(others) == 49
    assert reading.evidence["truncated"] is True


async def test_without_a_target_there_is_no_share_of_healthy_ones(aws: AwsEndpoint, ask: Any) -> None:
    aws.set_targets([])
    reading = await ask(target_health, target_group_arn=aws.arns["target_group"])
    assert (reading.targets, reading.healthy, reading.healthy_share) == (0, 0, None)
    assert reading.missing == {"healthy_share": "no target is registered in the target group"}


async def test_a_target_that_nobody_checks_is_neither_healthy_nor_unhealthy(aws: AwsEndpoint, ask: Any) -> None:
    aws.set_targets([{"state": "unavailable", "reason": "Target.HealthCheckDisabled"}])
    reading = await ask(target_health, target_group_arn=aws.arns["target_group"])
    assert (reading.targets, reading.healthy, reading.unhealthy, reading.healthy_share) == (1, 0, 0, None)
    assert "health of the targets is not checked" in reading.missing["healthy_share"]


async def test_texts_of_others_are_shown_on_one_line_and_bounded(aws: AwsEndpoint, ask: Any) -> None:
    aws.set_targets([{"state": "unhealthy", "description": "\u202e<b>x</b>\nsecond " + "y" * 10_000}])
    reading = await ask(target_health, target_group_arn=aws.arns["target_group"])
    kept: Any = Border().evidence(reading.evidence)
    (row,) = kept["targets"]
    assert row["description"].startswith("⟨U+202E⟩<b>x</b> second yyy")
    assert len(row["description"]) < 4_100
    assert "truncated" in row["description"]


class TestAWrongArn:
    async def test_is_missing_and_shows_where_target_groups_are_listed(self, aws: AwsEndpoint, fail: Any) -> None:
        error = await fail(target_health, target_group_arn=ARN, region="us-east-1")
        assert error.kind is ErrorKind.MISSING
        assert error.remedy == "aws elbv2 describe-target-groups --region us-east-1 shows those that exist"

    async def test_of_another_region_is_told_apart(self, aws: AwsEndpoint, fail: Any) -> None:
        error = await fail(target_health, target_group_arn=ARN.replace("us-east-1", "eu-west-1"))
        assert error.kind is ErrorKind.MISSING
        assert error.remedy == (
            "the ARN is of the region eu-west-1, but us-east-1 was asked: give the step region: eu-west-1"
        )

    @pytest.mark.parametrize(
        "arn",
        [
            "",
            "api",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/api/0123456789abcdef",
            "targetgroup/api/0123456789abcdef",
            "arn:aws:ecs:us-east-1:1:service/" + "x" * 2000,
        ],
    )
    def test_that_is_none_of_a_target_group_is_refused(self, arn: str) -> None:
        with pytest.raises(ValueError) as caught:
            target_health.params(target_group_arn=arn)
        assert "this is not the ARN of a target group; it looks like arn:aws:" in str(caught.value) or len(arn) > 1024


async def test_half_an_answer_is_no_group_without_targets(fail: Any, answering: Any) -> None:
    body = "<DescribeTargetHealthResponse><DescribeTargetHealthResult/></DescribeTargetHealthResponse>"
    error = await fail(target_health, target_group_arn=ARN, endpoint_url=answering(body))
    assert error.kind is ErrorKind.MALFORMED


async def test_a_denial_names_the_action(aws: AwsEndpoint, fail: Any) -> None:
    aws.disturb(Disturbance("denied", "elasticloadbalancing"))
    error = await fail(target_health, target_group_arn=ARN)
    assert error.kind is ErrorKind.FORBIDDEN
    assert error.remedy == "allow elasticloadbalancing:DescribeTargetHealth in the IAM policy of these credentials"


@pytest.mark.parametrize("kind", ["silent", "dripping"])
async def test_the_deadline_holds(aws: AwsEndpoint, fail: Any, kind: Any) -> None:
    aws.disturb(Disturbance(kind))
    error = await fail(target_health, target_group_arn=ARN, within=1.5)
    assert error.kind is ErrorKind.TIMEOUT
    assert error.message.startswith("the health of the load balancer's targets was not answered by 127.0.0.1:")


def test_the_command_is_that_of_the_aws_cli() -> None:
    params = target_health.params(target_group_arn=ARN, profile="on call")
    assert target_health.command(params) == (
        f"aws elbv2 describe-target-health --target-group-arn {ARN} --profile 'on call'"
    )


def test_the_share_is_a_percentage_that_may_be_missing() -> None:
    share = target_health.metrics["healthy_share"]
    assert (share.dimension, share.optional, share.upper) == (Dimension.PERCENT, True, 100)


def test_no_client_is_loaded_before_a_probe_runs() -> None:
    program = f"""
import sys
from runbook_probes.aws.ecs import ecs_service
from runbook_probes.aws.rds import rds_instance, rds_maintenance
from runbook_probes.aws.scaling import autoscaling
from runbook_probes.aws.targets import target_health
target_health.command(target_health.params(target_group_arn={ARN!r}))
ecs_service.command(ecs_service.params(cluster="a", service="b"))
print([name for name in ("boto3", "botocore", "urllib3", "jmespath") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
