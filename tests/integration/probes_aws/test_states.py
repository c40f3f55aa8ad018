"""The lab's AWS endpoint: the states that its system can be told to be in, as any client sees them."""

from collections.abc import Callable
from typing import Any

import pytest

from runbook_engine.errors import RunbookError
from runbook_engine.lab.aws import AwsEndpoint
from runbook_probes.aws import call


def open_events(client: Any) -> list[Any]:
    """AWS Health, as a status page asks it."""
    found: list[Any] = client("health").describe_events(filter={"eventStatusCodes": ["open"]})["events"]
    return found


def test_aws_has_no_incidents_until_it_is_told(aws: AwsEndpoint, client: Any) -> None:
    assert open_events(client) == []
    aws.set_health_events([{"service": "ECS", "code": "AWS_ECS_OPERATIONAL_ISSUE", "region": "us-east-1"}])
    (event,) = open_events(client)
    assert (event["service"], event["eventTypeCode"]) == ("ECS", "AWS_ECS_OPERATIONAL_ISSUE")
    assert (event["statusCode"], event["eventTypeCategory"]) == ("open", "issue")


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 3),
        ({"services": ["ECS"]}, 1),
        ({"regions": ["us-east-1"]}, 2),
        ({"regions": ["us-east-1"], "services": ["RDS", "ECS"]}, 1),
        ({"eventStatusCodes": ["closed"]}, 0),
        ({"eventTypeCategories": ["issue"]}, 3),
    ],
)
def test_incidents_are_filtered_as_asked(aws: AwsEndpoint, client: Any, asked: Any, count: int) -> None:
    aws.set_health_events(
        [
            {"service": "ECS", "region": "us-east-1"},
            {"service": "EC2", "region": "us-east-1"},
            {"service": "RDS", "region": "eu-west-1"},
        ]
    )
    assert len(client("health").describe_events(filter=asked)["events"]) == count


def test_incidents_come_in_pages(aws: AwsEndpoint, client: Any) -> None:
    aws.set_health_events([{"service": f"S{number}"} for number in range(25)])
    pages = list(client("health").get_paginator("describe_events").paginate(PaginationConfig={"PageSize": 10}))
    assert [len(each["events"]) for each in pages] == [10, 10, 5]


@pytest.mark.anyio
async def test_incidents_are_read_by_a_probe(aws: AwsEndpoint, ask: Any) -> None:
    aws.set_health_events([{"service": "ECS"}])
    reading = await ask(call, service="health", operation="DescribeEvents")
    assert reading.document["events"][0]["service"] == "ECS"


def test_the_tasks_of_another_cluster_are_not_those_of_the_service(aws: AwsEndpoint, client: Any) -> None:
    from botocore.exceptions import ClientError

    ecs = client("ecs")
    ecs.create_cluster(clusterName="another")
    assert len(ecs.list_tasks(cluster=aws.cluster, serviceName=aws.service)["taskArns"]) == 3
    assert ecs.list_tasks(cluster="another")["taskArns"] == []
    with pytest.raises(ClientError, match="ServiceNotFound"):
        ecs.list_tasks(cluster="another", serviceName=aws.service)
    with pytest.raises(ClientError, match="ClusterNotFound"):
        ecs.list_tasks(cluster="nope")
    ecs.delete_cluster(cluster="another")


def test_tasks_that_are_gone_are_failures(aws: AwsEndpoint, client: Any) -> None:
    from botocore.exceptions import ClientError

    ecs = client("ecs")
    assert ecs.describe_tasks(cluster=aws.cluster, tasks=["gone"])["failures"] == [{"arn": "gone", "reason": "MISSING"}]
    with pytest.raises(ClientError, match="between 1 and 100"):
        ecs.describe_tasks(cluster=aws.cluster, tasks=["x"] * 101)


def test_recovering_makes_the_system_what_it_was(aws: AwsEndpoint, client: Any) -> None:
    def told() -> list[Any]:
        ecs, rds = client("ecs"), client("rds")
        (service,) = ecs.describe_services(cluster=aws.cluster, services=[aws.service])["services"]
        scaling = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        health = client("elbv2").describe_target_health(TargetGroupArn=aws.arns["target_group"])
        return [
            (service["desiredCount"], service["runningCount"], len(service["deployments"])),
            len(ecs.list_tasks(cluster=aws.cluster, desiredStatus="STOPPED")["taskArns"]),
            [(each["MinCapacity"], each["MaxCapacity"]) for each in scaling],
            rds.describe_db_instances(DBInstanceIdentifier=aws.database)["DBInstances"][0]["DBInstanceStatus"],
            len(rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"]),
            [each["TargetHealth"]["State"] for each in health["TargetHealthDescriptions"]],
            len(open_events(client)),
        ]

    usual = told()
    aws.set_service(desired=9, running=1, rollout="failed", stopped=[{"exit_code": 1}])
    aws.set_scaling(1, 1, True)
    aws.set_database(status="failed", storage_percent=99.0)
    aws.set_maintenance([{"apply_in_days": 1}])
    aws.set_targets([{"state": "unhealthy"}])
    aws.set_health_events([{}])
    assert told() == [(9, 1, 2), 1, [(1, 1)], "failed", 1, ["unhealthy"], 1]
    aws.recover()
    assert told() == usual == [(3, 3, 1), 0, [(2, 10)], "available", 0, ["healthy"] * 3, 0]


SETTERS: list[Callable[[AwsEndpoint], None]] = [
    lambda aws: aws.set_service(desired=1, running=1),
    lambda aws: aws.set_scaling(1, 2, False),
    lambda aws: aws.set_database(status="failed"),
    lambda aws: aws.set_maintenance([]),
    lambda aws: aws.set_targets([]),
    lambda aws: aws.set_health_events([]),
]


def test_an_account_without_the_system_can_be_told_nothing_of_it() -> None:
    with AwsEndpoint(seeded=False) as empty:
        for tell in SETTERS:
            with pytest.raises(RunbookError, match="its account is empty"):
                tell(empty)
        empty.recover()
