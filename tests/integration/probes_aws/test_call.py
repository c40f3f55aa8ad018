"""The probe aws.call against a real endpoint."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from tests.integration.documents import extracted

from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.probe import ErrorKind
from runbook_probes.aws import call
from runbook_probes.aws.secret_members import is_secret

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
    assert extracted(reading, "services[0].runningCount", "count") == 3
    assert extracted(reading, "services[0].desiredCount", "count") == 3


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
    assert extracted(healthy, path, "count") == 0
    assert extracted(unhealthy, path, "count") == 3
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
    reading = await ask(call, service=service, operation=operation, arguments=arguments, pages=100)
    assert extracted(reading, path, "string") == expected


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


async def test_environment_variables_that_no_service_marks_are_hidden_by_their_name(ask: Any, client: Any) -> None:
    client("codebuild").create_project(
        name="with-secret",
        source={"type": "S3", "location": "sources/api.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "build:1",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [{"name": "DATABASE_URL", "value": "Planted0123"}],
        },
        serviceRole="arn:aws:iam::123456789012:role/build",
    )
    reading = await ask(call, service="codebuild", operation="BatchGetProjects", arguments={"names": ["with-secret"]})
    environment = reading.document["projects"][0]["environment"]
    assert (environment["image"], environment["environmentVariables"]) == ("build:1", "***")
    assert "Planted0123" not in repr(reading)


STRING, LIST, MAP, STRUCTURE = (SimpleNamespace(type_name=each) for each in ("string", "list", "map", "structure"))


@pytest.mark.parametrize(
    ("name", "value", "shape"),
    [
        ("Password", "Planted0123", STRING),
        ("masterUserPassword", "Planted0123", STRING),
        ("clientSecret", "Planted0123", STRING),
        ("SecretString", "Planted0123", STRING),
        ("SecretBinary", b"Planted0123", STRING),
        ("secretAccessKey", "Planted0123", STRING),
        ("PreSharedKey", "Planted0123", STRING),
        ("apiKey", "Planted0123", STRING),
        ("AccessToken", "Planted0123", STRING),
        ("sessionToken", "Planted0123", STRING),
        ("UserData", "Planted0123", STRING),
        ("Environment", {"A": "Planted0123"}, MAP),
        ("RuntimeEnvironmentVariables", {"A": "Planted0123"}, MAP),
        ("environment", [{"name": "A", "value": "Planted0123"}], LIST),
        ("env", [{"name": "A", "value": "Planted0123"}], LIST),
        ("Variables", {"A": "Planted0123"}, MAP),
    ],
)
def test_a_member_that_is_named_like_a_secret_is_one(name: str, value: object, shape: Any) -> None:
    assert is_secret(name, value, shape)


@pytest.mark.parametrize(
    ("name", "value", "shape"),
    [
        ("SecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:a", STRING),
        ("secrets", [{"name": "A", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/a"}], LIST),
        ("MasterUserSecret", {"SecretStatus": "active"}, STRUCTURE),
        ("PasswordLastUsed", "2026-03-01T12:00:00Z", STRING),
        ("AuthTokenEnabled", True, None),
        ("environment", {"image": "build:1"}, STRUCTURE),
        ("Key", "team", STRING),
        ("Environment", "production", STRING),
    ],
)
def test_a_member_that_only_speaks_of_a_secret_is_shown(name: str, value: object, shape: Any) -> None:
    assert not is_secret(name, value, shape)


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
        assert reading.cut == (
            "the answer has more pages, of which one page was read; raise pages up to 100, or ask for less, with a filter in arguments"
        )

    async def test_as_many_as_allowed_are_read(self, ask: Any) -> None:
        reading = await ask(call, **self.asked(pages=2))
        assert [each["logGroupName"] for each in reading.document["logGroups"]] == [
            f"/pages/{index:02}" for index in range(10)
        ]
        assert (reading.pages, reading.complete) == (2, False)

    async def test_no_more_are_read_than_there_are(self, ask: Any) -> None:
        reading = await ask(call, **self.asked(pages=50))
        assert len(reading.document["logGroups"]) == self.GROUPS
        assert (reading.pages, reading.complete, reading.cut) == (3, True, "")


def refused(service: str, operation: str) -> str:
    with pytest.raises(ValidationError) as caught:
        call.params(service=service, operation=operation)
    return str(caught.value.errors()[0]["msg"]).removeprefix("Value error, ")


def test_an_unknown_operation_is_told_with_the_one_that_was_meant() -> None:
    assert refused("ecs", "describe_service") == (
        "aws.call does not call describe_service of ecs: it is not on the list of what changes nothing and gives no "
        'secrets or signed URLs; did you mean "DescribeServices"?'
    )


def test_an_unknown_service_is_told_with_the_one_that_was_meant() -> None:
    assert refused("elb2", "DescribeLoadBalancers") == (
        "aws.call has no operation of the service 'elb2'; did you mean \"elbv2\"?"
    )


async def test_an_unknown_argument_is_told_with_those_that_exist(aws: AwsEndpoint, fail: Any) -> None:
    before = len(aws.calls())
    error = await fail(call, service="ecs", operation="DescribeServices", arguments={"Cluster": "a", "services": ["b"]})
    assert error.kind is ErrorKind.MALFORMED
    assert 'Unknown parameter in input: "Cluster", must be one of: cluster, services, include' in error.message
    assert len(aws.calls()) == before


@pytest.mark.parametrize(
    "operation",
    [
        "DeleteService",
        "update_service",
        "run-task",
        "ExecuteCommand",
        "Discover",
        "StartTask",
        "BatchDelete",
        "deletedescribe",
        "PutMetricData",
    ],
)
def test_an_operation_that_may_change_something_is_refused_before_anything_runs(operation: str) -> None:
    assert refused("ecs", operation) == (
        f"aws.call does not call {operation} of ecs: it may change something, and only what describes, gets or lists is "
        "called; the AWS CLI can be run by shell.run, which needs to be allowed: --allow shell"
    )


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("secretsmanager", "GetSecretValue"),
        ("secretsmanager", "batch_get_secret_value"),
        ("sts", "GetSessionToken"),
        ("sts", "get-federation-token"),
        ("ecr", "GetAuthorizationToken"),
        ("codeartifact", "GetAuthorizationToken"),
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
        ("transcribe", "GetTranscriptionJob"),
        ("amplify", "GetArtifactUrl"),
        ("cognito-identity", "GetId"),
        ("stepfunctions", "GetActivityTask"),
        ("s3", "GetObject"),
    ],
)
def test_an_operation_that_gives_secrets_or_signed_urls_or_acts_is_refused(service: str, operation: str) -> None:
    assert refused(service, operation).startswith(
        f"aws.call does not call {operation} of {service}: it is not on the list of what changes nothing and gives no "
        "secrets or signed URLs; "
    )


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudtrail", "StartQuery"),
        ("athena", "StartQueryExecution"),
        ("kms", "GenerateDataKey"),
        ("kms", "Decrypt"),
        ("sts", "AssumeRole"),
        ("signin", "CreateOAuth2Token"),
    ],
)
def test_an_operation_that_sounds_like_neither_is_refused(service: str, operation: str) -> None:
    assert "it may change something" in refused(service, operation)


@pytest.mark.parametrize(
    ("service", "operation", "told"),
    [("lambda", "GetFunction", "take GetFunctionConfiguration"), ("logs", "StartQuery", "take the probe aws.logs_insights")],
)  # fmt: skip
def test_what_to_take_instead_is_told(service: str, operation: str, told: str) -> None:
    assert refused(service, operation) == f"aws.call does not call {operation} of {service}: {told}"


def test_parameters_are_read_without_decrypting_them() -> None:
    asked = {"service": "ssm", "operation": "get_parameter"}
    assert call.params(**asked, arguments={"Name": "a", "WithDecryption": False})
    with pytest.raises(ValueError, match="decrypts secrets with WithDecryption; leave it out"):
        call.params(**asked, arguments={"Name": "a", "WithDecryption": True})


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("logs", "FilterLogEvents"),
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


async def test_signed_urls_are_hidden_wherever_they_stand_in_an_answer(aws: AwsEndpoint, ask: Any, client: Any) -> None:
    signed = client("s3").generate_presigned_url("get_object", {"Bucket": "backups", "Key": "shop.dump"})
    client("ecs").create_cluster(clusterName="signed", tags=[{"key": "dump", "value": signed}])
    arguments = {"clusters": ["signed"], "include": ["TAGS"]}
    reading = await ask(call, service="ecs", operation="DescribeClusters", arguments=arguments)
    assert reading.document["clusters"][0]["tags"] == [{"key": "dump", "value": "***"}]
    assert "Signature" not in repr(reading)
