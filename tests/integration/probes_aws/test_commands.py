"""The commands that a person may paste, and that showing them costs nothing."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runbook_probes.aws import call, cloudwatch
from runbook_probes.aws.operation import hyphenated


@pytest.fixture
def pasted(tmp_path: Path) -> Any:
    """``pasted(command)``: the arguments that reach ``aws`` when a shell is given the command."""
    script = tmp_path / "aws"
    script.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    script.chmod(0o755)

    def paste(command: str) -> list[str]:
        environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = subprocess.run(["/bin/sh", "-c", command], env=environ, capture_output=True, text=True, check=True)
        arguments: list[str] = json.loads(done.stdout)
        return arguments

    return paste


def statistics(**params: Any) -> str:
    return cloudwatch.command(cloudwatch.params(namespace="AWS/ECS", metric="CPUUtilization", **params))


def test_the_command_of_a_metric_is_that_of_the_aws_cli() -> None:
    assert statistics(dimensions={"ClusterName": "production-cluster", "ServiceName": "pixelated-empathy-api"}) == (
        "aws cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name CPUUtilization "
        "--dimensions Name=ClusterName,Value=production-cluster Name=ServiceName,Value=pixelated-empathy-api "
        "--period 300 --statistics Average "
        '--start-time "$(date -u -d \'1 hour ago\' +%Y-%m-%dT%H:%M:%SZ)" --end-time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"'
    )


@pytest.mark.parametrize(
    ("window", "told"),
    [("2h", "2 hours"), ("1d", "1 day"), ("90min", "90 minutes"), ("310s", "310 seconds"), (330.5, "331 seconds")],
)
def test_the_window_is_told_as_a_person_would(window: object, told: str) -> None:
    assert f"-d '{told} ago'" in statistics(window=window)


def test_the_command_of_a_metric_survives_the_shell(pasted: Any) -> None:
    arguments = pasted(
        statistics(
            dimensions={"Disk": 'C:\\ "system", $HOME'},
            statistic="p99.9",
            period="1min",
            unit="Percent",
            region="eu-west-1",
            endpoint_url="http://127.0.0.1:4566",
            profile="on call",
        )
    )
    options = dict(zip(arguments[2::2], arguments[3::2], strict=True))
    began, ended = (
        dt.datetime.strptime(options.pop(name), "%Y-%m-%dT%H:%M:%S%z") for name in ("--start-time", "--end-time")
    )
    assert dt.timedelta(minutes=60) <= ended - began < dt.timedelta(minutes=61)
    assert abs(dt.datetime.now(dt.UTC) - ended) < dt.timedelta(minutes=1)
    assert arguments[:2] == ["cloudwatch", "get-metric-statistics"]
    assert options == {
        "--namespace": "AWS/ECS",
        "--metric-name": "CPUUtilization",
        "--dimensions": 'Name=Disk,Value="C:\\\\ \\"system\\", $HOME"',
        "--period": "60",
        "--extended-statistics": "p99.9",
        "--unit": "Percent",
        "--region": "eu-west-1",
        "--endpoint-url": "http://127.0.0.1:4566",
        "--profile": "on call",
    }


@pytest.mark.parametrize(
    ("params", "command"),
    [
        (
            {
                "service": "ecs",
                "operation": "DescribeServices",
                "arguments": {"cluster": "production-cluster", "services": ["pixelated-empathy-api", "worker"]},
            },
            "aws ecs describe-services --cluster production-cluster --services pixelated-empathy-api worker",
        ),
        (
            {
                "service": "rds",
                "operation": "describe_db_instances",
                "arguments": {"DBInstanceIdentifier": "production-db", "MaxRecords": 20, "IncludeShared": True},
                "region": "us-east-1",
            },
            "aws rds describe-db-instances --db-instance-identifier production-db --max-records 20 --include-shared "
            "--region us-east-1",
        ),
        (
            {"service": "ssm", "operation": "GetParameter", "arguments": {"Name": "/a b", "WithDecryption": False}},
            "aws ssm get-parameter --name '/a b' --no-with-decryption",
        ),
        ({"service": "s3", "operation": "ListBuckets", "endpoint_url": "http://127.0.0.1:1"},
         "aws s3api list-buckets --endpoint-url http://127.0.0.1:1"),
        ({"service": "config", "operation": "DescribeConfigRules"}, "aws configservice describe-config-rules"),
    ],
)  # fmt: skip
def test_the_command_of_a_call_is_that_of_the_aws_cli(params: Any, command: str) -> None:
    assert call.command(call.params(**params)) == command


@pytest.mark.parametrize(
    "arguments",
    [
        {"filters": [{"Name": "a", "Values": ["b"]}]},
        {"filterPattern": '?ERROR "it\'s" $HOME'},
        {"filterPattern": "file://secrets"},
        {"filterPattern": "-x"},
        {"logGroupName": ""},
        {"names": []},
        {"limit": None},
    ],
)
def test_arguments_that_options_cannot_say_are_given_as_json(pasted: Any, arguments: dict[str, Any]) -> None:
    command = call.command(call.params(service="logs", operation="FilterLogEvents", arguments=arguments))
    *start, given = pasted(command)
    assert start == ["logs", "filter-log-events", "--cli-input-json"]
    assert json.loads(given) == arguments


@pytest.mark.parametrize(
    "service", ["ecs", "elbv2", "rds", "logs", "cloudwatch", "acm", "ec2", "autoscaling", "s3", "iam"]
)
def test_names_are_hyphenated_as_the_aws_cli_does(service: str) -> None:
    import botocore.session
    from botocore import xform_name

    model = botocore.session.get_session().get_service_model(service)
    names = set(model.operation_names)
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        names |= set(shape.members) if shape else set()
    assert {name: hyphenated(name) for name in names} == {name: xform_name(name, "-") for name in names}


def test_no_client_is_loaded_before_a_probe_runs() -> None:
    program = """
import sys
from runbook_probes.aws import call, cloudwatch
cloudwatch.command(cloudwatch.params(namespace="a", metric="b"))
call.command(call.params(service="ecs", operation="ListClusters"))
print([name for name in ("boto3", "botocore", "urllib3", "jmespath") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
