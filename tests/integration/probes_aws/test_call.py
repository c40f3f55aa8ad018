"""The probe aws.call against a real endpoint."""

import json
from typing import Any

import pytest

from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.probe import ErrorKind
from runbook_engine.probe.extract import extract
from runbook_probes.aws import call

pytestmark = pytest.mark.anyio


def service_of(aws: AwsEndpoint) -> dict[str, Any]:
    return {"service": "ecs", "arguments": {"cluster": aws.cluster, "services": [aws.service]}}


@pytest.mark.parametrize(
    "operation", ["DescribeServices", "describe_services", "describe-services", "describeServices", "DESCRIBE_SERVICES"]
)
async def test_an_operation_may_be_written_as_in_the_api_in_python_or_in_the_shell(
    aws: AwsEndpoint, ask: Any, operation: str
) -> None:
    reading = await ask(call, operation=operation, **service_of(aws))
    assert aws.calls()[-1].operation == "DescribeServices"
    assert extract(reading.document, "services[0].runningCount", "count", None) == 3
    assert extract(reading.document, "services[0].desiredCount", "count", None) == 3


async def test_the_document_is_json_without_the_metadata_of_the_answer(aws: AwsEndpoint, ask: Any) -> None:
    reading = await ask(call, operation="DescribeServices", **service_of(aws))
    assert json.loads(json.dumps(reading.document)) == reading.document
    assert "ResponseMetadata" not in reading.document
    assert reading.document["services"][0]["deployments"][0]["createdAt"].endswith("Z")
    assert reading.evidence == {"response": reading.document}
    assert 0 < reading.time < 30
    assert (reading.pages, reading.complete) == (1, True)


async def test_a_target_that_fails_its_checks_is_seen(aws: AwsEndpoint, ask: Any) -> None:
    asked = {
        "service": "elbv2",
        "operation": "describe-target-health",
        "arguments": {"TargetGroupArn": aws.arns["target_group"]},
    }
    path = "length(TargetHealthDescriptions[?TargetHealth.State != 'healthy'])"
    healthy = await ask(call, **asked)
    aws.set_target_health("unhealthy", "Target.Timeout", "Request timed out")
    unhealthy = await ask(call, **asked)
    assert extract(healthy.document, path, "count", None) == 0
    assert extract(unhealthy.document, path, "count", None) == 3
    assert unhealthy.document["TargetHealthDescriptions"][0]["TargetHealth"] == {
        "State": "unhealthy",
        "Reason": "Target.Timeout",
        "Description": "Request timed out",
    }


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "path", "expected"),
    [
        ("rds", "DescribeDBInstances", {}, "DBInstances[0].DBInstanceIdentifier", "production-db"),
        ("acm", "ListCertificates", {}, "CertificateSummaryList[0].DomainName", "api.pixelatedempathy.com"),
        ("elbv2", "DescribeLoadBalancers", {}, "LoadBalancers[0].LoadBalancerName", "pixelated-empathy-api"),
        ("cloudwatch", "ListMetrics", {"Namespace": "AWS/ECS"}, "Metrics[0].Namespace", "AWS/ECS"),
        ("sts", "GetCallerIdentity", {}, "Account", "123456789012"),
    ],
)
async def test_any_service_is_asked_in_the_same_way(
    ask: Any, service: str, operation: str, arguments: Any, path: str, expected: str
) -> None:
    reading = await ask(call, service=service, operation=operation, arguments=arguments)
    assert extract(reading.document, path, "string", None) == expected


async def test_what_the_service_marks_as_sensitive_is_hidden(aws: AwsEndpoint, ask: Any, client: Any) -> None:
    client("ecs").register_task_definition(
        family="with-secret",
        containerDefinitions=[
            {"name": "a", "image": "a", "memory": 64, "environment": [{"name": "DATABASE_URL", "value": "Planted0123"}]}
        ],
    )
    reading = await ask(
        call, service="ecs", operation="DescribeTaskDefinition", arguments={"taskDefinition": "with-secret"}
    )
    assert reading.document["taskDefinition"]["family"] == "with-secret"
    assert reading.document["taskDefinition"]["containerDefinitions"][0]["environment"] == "***"
    assert "Planted0123" not in repr(reading)


class TestPages:
    GROUPS = 12

    @pytest.fixture(autouse=True)
    def _log_groups(self, endpoint: AwsEndpoint, client: Any) -> None:
        logs = client("logs")
        known = {each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]}
        for index in range(self.GROUPS):
            if f"/pages/{index:02}" not in known:
                logs.create_log_group(logGroupName=f"/pages/{index:02}")

    def asked(self, **more: object) -> dict[str, Any]:
        arguments = {"logGroupNamePrefix": "/pages/", "limit": 5}
        return {"service": "logs", "operation": "DescribeLogGroups", "arguments": arguments, **more}

    async def test_the_first_alone_is_read_and_said_to_be_a_part(self, ask: Any) -> None:
        reading = await ask(call, **self.asked())
        assert len(reading.document["logGroups"]) == 5
        assert (reading.pages, reading.complete) == (1, False)
        assert reading.evidence["truncated"] is True

    async def test_as_many_as_allowed_are_read(self, ask: Any) -> None:
        reading = await ask(call, **self.asked(pages=2))
        assert [each["logGroupName"] for each in reading.document["logGroups"]] == [
            f"/pages/{index:02}" for index in range(10)
        ]
        assert (reading.pages, reading.complete) == (2, False)

    async def test_no_more_are_read_than_there_are(self, ask: Any) -> None:
        reading = await ask(call, **self.asked(pages=50))
        assert len(reading.document["logGroups"]) == self.GROUPS
        assert (reading.pages, reading.complete) == (3, True)


async def test_an_unknown_operation_is_told_with_the_one_that_was_meant(fail: Any) -> None:
    error = await fail(call, service="ecs", operation="describe_service")
    assert error.kind is ErrorKind.MALFORMED
    assert error.message == "ecs has no operation 'describe_service'; did you mean \"DescribeServices\"?"


async def test_an_unknown_service_is_told_with_the_one_that_was_meant(fail: Any) -> None:
    error = await fail(call, service="elb2", operation="DescribeLoadBalancers")
    assert error.kind is ErrorKind.MALFORMED
    assert error.message == "boto3 knows no service 'elb2'; did you mean \"elbv2\"?"


async def test_an_unknown_argument_is_told_with_those_that_exist(aws: AwsEndpoint, fail: Any) -> None:
    before = len(aws.calls())
    error = await fail(call, service="ecs", operation="DescribeServices", arguments={"Cluster": "a", "services": ["b"]})
    assert error.kind is ErrorKind.MALFORMED
    assert 'Unknown parameter in input: "Cluster", must be one of: cluster, services, include' in error.message
    assert len(aws.calls()) == before


async def test_an_answer_that_is_a_stream_is_refused(aws: AwsEndpoint, fail: Any) -> None:
    before = len(aws.calls())
    error = await fail(call, service="s3", operation="GetObject", arguments={"Bucket": "a", "Key": "b"})
    assert (error.kind, error.message) == (
        ErrorKind.FORBIDDEN,
        "aws.call refuses GetObject: it answers with a stream",
    )
    assert len(aws.calls()) == before


@pytest.mark.parametrize(
    "operation",
    [
        "DeleteService",
        "update_service",
        "run-task",
        "ExecuteCommand",
        "ListenForEvents",
        "getaway_plan",
        "Describer",
        "StartTask",
        "BatchDelete",
        "deletedescribe",
        "PutMetricData",
    ],
)
def test_an_operation_that_may_change_something_is_refused_before_anything_runs(operation: str) -> None:
    with pytest.raises(ValueError) as caught:
        call.params(service="ecs", operation=operation)
    assert (
        f"{operation} may change something: aws.call takes operations that begin with "
        "Describe, Get, List, Filter, BatchGet or StartQuery"
    ) in str(caught.value)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("secretsmanager", "GetSecretValue"),
        ("secretsmanager", "batch_get_secret_value"),
        ("sts", "GetSessionToken"),
        ("sts", "get-federation-token"),
        ("ecr", "GetAuthorizationToken"),
        ("ec2", "GetPasswordData"),
        ("redshift", "GetClusterCredentialsWithIAM"),
        ("lightsail", "GetInstanceAccessDetails"),
        ("cognito-identity", "GetOpenIdTokenForDeveloperIdentity"),
        ("s3control", "GetDataAccess"),
        ("apigateway", "GetApiKeys"),
        ("quicksight", "GetDashboardEmbedUrl"),
        ("ecr", "GetDownloadUrlForLayer"),
        ("kms", "GetParametersForImport"),
        ("appsync", "ListApiKeys"),
    ],
)
def test_an_operation_that_gives_secrets_away_is_refused(service: str, operation: str) -> None:
    with pytest.raises(ValueError) as caught:
        call.params(service=service, operation=operation)
    assert f"aws.call refuses {operation}: it gives credentials, secrets or signed URLs" in str(caught.value)


@pytest.mark.parametrize(
    ("service", "operation", "told"),
    [
        ("athena", "StartQueryExecution", "it runs any SQL"),
        ("cognito-identity", "GetId", "it creates an identity"),
        ("lambda", "GetFunction", "call GetFunctionConfiguration"),
    ],
)
def test_an_operation_that_only_sounds_harmless_is_refused(service: str, operation: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        call.params(service=service, operation=operation)
    assert told in str(caught.value)


def test_parameters_are_read_without_decrypting_them() -> None:
    asked = {"service": "ssm", "operation": "get_parameter"}
    assert call.params(**asked, arguments={"Name": "a", "WithDecryption": False})
    with pytest.raises(ValueError, match="decrypts secrets with WithDecryption; leave it out"):
        call.params(**asked, arguments={"Name": "a", "WithDecryption": True})


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("logs", "FilterLogEvents"),
        ("logs", "StartQuery"),
        ("logs", "GetQueryResults"),
        ("ecr", "BatchGetImage"),
        ("sqs", "GetQueueUrl"),
        ("iam", "GetAccountPasswordPolicy"),
        ("lambda", "GetFunctionConfiguration"),
        ("secretsmanager", "ListSecrets"),
        ("application-autoscaling", "describe_scalable_targets"),
    ],
)
def test_operations_that_read_are_taken(service: str, operation: str) -> None:
    assert call.params(service=service, operation=operation).operation == operation
