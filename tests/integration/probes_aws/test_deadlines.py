"""A server that never answers, or drips, holds no probe beyond its deadline."""

import re
import subprocess
import sys
from typing import Any

import pytest

from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import ErrorKind
from runbook_probes.aws import call, cloudwatch

pytestmark = pytest.mark.anyio

DEADLINE_S = 0.9


@pytest.fixture(autouse=True)
def _loaded() -> None:
    """What is measured here is waiting, not the import of the client."""
    import boto3

    assert boto3


@pytest.mark.parametrize("kind", ["silent", "dripping"])
@pytest.mark.parametrize("service", ["ecs", "elbv2", "ec2", "lambda"])
async def test_of_a_call_holds(aws: AwsEndpoint, fail: Any, kind: Any, service: str) -> None:
    aws.disturb(Disturbance(kind))
    operations = {
        "ecs": "ListClusters",
        "elbv2": "DescribeLoadBalancers",
        "ec2": "DescribeVpcs",
        "lambda": "ListFunctions",
    }
    # The description of EC2 alone has some megabytes, which are read before the call begins.
    within = 3.0 if service == "ec2" else DEADLINE_S
    error = await fail(call, service=service, operation=operations[service], within=within)
    assert error.kind is ErrorKind.TIMEOUT
    where = aws.url.removeprefix("http://")
    assert error.message.startswith(f"{service} {operations[service]} was not answered by {where} within ")
    assert waited_s(error.message) < within


@pytest.mark.parametrize("kind", ["silent", "dripping"])
async def test_of_cloudwatch_holds(aws: AwsEndpoint, fail: Any, kind: Any) -> None:
    aws.disturb(Disturbance(kind))
    error = await fail(cloudwatch, namespace="AWS/ECS", metric="CPUUtilization", within=DEADLINE_S)
    assert error.kind is ErrorKind.TIMEOUT
    assert error.message.startswith("CloudWatch's metric AWS/ECS CPUUtilization was not answered by 127.0.0.1:")
    assert waited_s(error.message) < DEADLINE_S


def waited_s(message: str) -> float:
    """The time that a message says was given: less than the deadline, so that the probe is the first to give up."""
    found = re.search(r"within ([\d.]+) (ms|s)", message)
    assert found, message
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


ABANDON = """
import sys, anyio
from runbook_engine.probe import ProbeContext, ProbeError
from runbook_probes.aws import call

async def main():
    import boto3
    ctx = ProbeContext(deadline=anyio.current_time() + 0.9)
    try:
        with anyio.fail_after(0.9):
            await call(call.params(service="ecs", operation="ListClusters"), ctx)
    except ProbeError as error:
        print(error.kind)

anyio.run(main)
"""


def test_an_abandoned_call_does_not_hold_the_process_at_its_end(aws: AwsEndpoint) -> None:
    aws.disturb(Disturbance("dripping"))
    ended = subprocess.run(
        [sys.executable, "-c", ABANDON], env=aws.environ, capture_output=True, text=True, timeout=20, check=True
    )
    assert ended.stdout == "timeout\n"
