"""The parts of the lab's system that live in AWS: load balancer, ECS service, database instance, certificate."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from runbook_engine.lab.aws_shim import SEED_KEY

TARGETS = ("10.0.1.10", "10.0.2.10", "10.0.3.10")


def seed(
    url: str,
    *,
    region: str,
    cluster: str,
    service: str,
    desired: int,
    running: int,
    database: str,
    domain: str,
) -> dict[str, str]:
    """Create everything through the API at ``url``; gives the ARNs of what has one."""
    import boto3
    from botocore.config import Config

    # One session each: creating clients of a shared one is not thread-safe.
    def client(name: str) -> Any:
        session = boto3.session.Session(aws_access_key_id=SEED_KEY, aws_secret_access_key=SEED_KEY, region_name=region)
        return session.client(name, endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))

    def balancer() -> dict[str, str]:
        return _balancer(client("elbv2"), region, service)

    def ecs() -> dict[str, str]:
        return _ecs(client("ecs"), cluster, service, desired, running)

    def rds() -> dict[str, str]:
        return _database(client("rds"), database)

    def acm() -> dict[str, str]:
        return {"certificate": str(client("acm").request_certificate(DomainName=domain)["CertificateArn"])}

    parts: tuple[Callable[[], dict[str, str]], ...] = (balancer, ecs, rds, acm)
    with ThreadPoolExecutor(len(parts)) as threads:
        made = [each.result() for each in [threads.submit(part) for part in parts]]
    return {name: arn for part in made for name, arn in part.items()}


def _balancer(elbv2: Any, region: str, service: str) -> dict[str, str]:
    from moto.backends import get_backend

    # Asked through its API, EC2 alone would take as long as everything else.
    ec2: Any = get_backend("ec2")[os.environ["MOTO_ACCOUNT_ID"]][region]
    subnets = [each.id for each in ec2.describe_subnets()][:2]
    (network,) = ec2.vpcs
    balancer = elbv2.create_load_balancer(Name=service, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elbv2.create_target_group(
        Name=service, Protocol="HTTP", Port=8000, VpcId=network, TargetType="ip", HealthCheckPath="/health"
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": 8000} for address in TARGETS])
    return {"load_balancer": str(balancer), "target_group": str(group)}


def _ecs(ecs: Any, cluster: str, service: str, desired: int, running: int) -> dict[str, str]:
    ecs.create_cluster(clusterName=cluster)
    task = ecs.register_task_definition(
        family=service,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="512",
        memory="1024",
        containerDefinitions=[{"name": "api", "image": f"{service}:1.0.0", "portMappings": [{"containerPort": 8000}]}],
    )["taskDefinition"]["taskDefinitionArn"]
    # How moto is told that tasks of a new service are running.
    os.environ["MOTO_ECS_SERVICE_RUNNING"] = str(running)
    made = ecs.create_service(
        cluster=cluster, serviceName=service, taskDefinition=task, desiredCount=desired, launchType="FARGATE"
    )
    return {"service": str(made["service"]["serviceArn"])}


def _database(rds: Any, name: str) -> dict[str, str]:
    made = rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.m6g.large",
        Engine="postgres",
        MasterUsername="postgres",
        MasterUserPassword="lab-password",
        AllocatedStorage=100,
        MultiAZ=True,
    )
    return {"database": str(made["DBInstance"]["DBInstanceArn"])}
