"""The lab's AWS endpoint: what it can be told, and that it ends with whoever started it."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import pytest

from runbook_engine.errors import RunbookError
from runbook_engine.lab.aws import AwsEndpoint, Disturbance

START = """
import sys
import time
from runbook_engine.lab.aws import AwsEndpoint
with AwsEndpoint(seeded=False) as aws:
    print(aws.url, flush=True)
    sys.stdin.read()
"""


def test_the_server_ends_with_a_process_that_is_killed() -> None:
    owner = subprocess.Popen([sys.executable, "-c", START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline().rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as open_connection:
            os.kill(owner.pid, signal.SIGKILL)
            open_connection.settimeout(20)
            with suppress(ConnectionResetError):  # where it was not accepted yet
                assert open_connection.recv(1) == b""
    assert refuses(port)


def refuses(port: int) -> bool:
    """A process that ends closes its sockets one by one, so the first attempts may still meet the listening one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            return True
    return False


def test_the_server_ends_with_its_context_even_where_requests_hang() -> None:
    with AwsEndpoint(seeded=False) as aws:
        aws.disturb(Disturbance("silent"))
        port = int(aws.url.rpartition(":")[2])
        hanging = socket.create_connection(("127.0.0.1", port))
        hanging.sendall(b"GET / HTTP/1.0\r\n\r\n")
    hanging.close()
    assert refuses(port)


def test_two_endpoints_know_nothing_of_each_other(endpoint: AwsEndpoint, client: Any) -> None:
    client("logs").create_log_group(logGroupName="/only/here")
    with AwsEndpoint(seeded=False) as other:
        assert other.url != endpoint.url
        assert other.calls() == []
        import boto3

        logs = boto3.session.Session("a", "b", region_name=other.region).client("logs", endpoint_url=other.url)
        assert logs.describe_log_groups()["logGroups"] == []
        logs.close()


def test_a_system_without_tasks_or_datapoints_can_be_asked_for() -> None:
    with AwsEndpoint(cpu_percent=None, memory_percent=12.0, desired=4, running=1) as aws:
        import boto3

        session = boto3.session.Session("a", "b", region_name=aws.region)
        ecs, metrics = (session.client(name, endpoint_url=aws.url) for name in ("ecs", "cloudwatch"))
        (service,) = ecs.describe_services(cluster=aws.cluster, services=[aws.service])["services"]
        assert (service["desiredCount"], service["runningCount"]) == (4, 1)
        listed = {each["MetricName"] for each in metrics.list_metrics(Namespace="AWS/ECS")["Metrics"]}
        assert listed == {"MemoryUtilization"}
        ecs.close()
        metrics.close()


def test_the_parts_of_the_system_have_the_names_that_are_told(aws: AwsEndpoint) -> None:
    assert sorted(aws.arns) == ["certificate", "database", "load_balancer", "service", "target_group"]
    assert aws.arns["service"].endswith(f"{aws.account}:service/{aws.cluster}/{aws.service}")


def test_a_disturbance_is_for_the_operation_that_it_names(aws: AwsEndpoint, client: Any) -> None:
    from botocore.exceptions import ClientError

    aws.disturb(Disturbance("denied", "ecs", "ListClusters"))
    ecs = client("ecs")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ecs.list_clusters()
    assert ecs.list_task_definitions()["taskDefinitionArns"]
    aws.recover()
    assert ecs.list_clusters()["clusterArns"]


def test_an_order_that_cannot_be_carried_out_says_why(aws: AwsEndpoint) -> None:
    with pytest.raises(RunbookError, match="cannot put metric: "):
        aws.put_metric("a", "b", {}, [1.0], last_at=float("1e30"))


def test_an_endpoint_that_is_not_running_takes_no_orders() -> None:
    with pytest.raises(RunbookError, match="the AWS endpoint is not running"):
        AwsEndpoint().recover()


def test_it_listens_on_this_machine_alone(aws: AwsEndpoint) -> None:
    assert aws.url.startswith("http://127.0.0.1:")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", int(aws.url.rpartition(":")[2])))
