"""Whose credentials are used, and that none of them is ever repeated."""

import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import ErrorKind
from runbook_probes.aws import call, cloudwatch

pytestmark = pytest.mark.anyio

LIST = {"service": "ecs", "operation": "ListClusters"}
TOKEN = "IQoJb3JpZ2luX2VjEPlantedSessionToken0123456789"


@pytest.fixture
def profiles(tmp_path: Path) -> None:
    """Where the variables of the tests say that the configuration is."""
    (tmp_path / "config").write_text("[profile night]\nregion = eu-west-1\n[profile day]\nregion = eu-west-2\n")
    (tmp_path / "credentials").write_text(
        "[night]\naws_access_key_id = NIGHTKEY\naws_secret_access_key = s\n"
        "[day]\naws_access_key_id = DAYKEY\naws_secret_access_key = s\n"
    )


def caller(aws: AwsEndpoint) -> tuple[str, str]:
    last = aws.calls()[-1]
    return last.access_key, last.region


async def test_come_from_the_environment_of_the_run(aws: AwsEndpoint, ask: Any) -> None:
    environ = {**aws.environ, "AWS_ACCESS_KEY_ID": "RUNKEY", "AWS_DEFAULT_REGION": "eu-north-1"}
    await ask(call, environ=environ, **LIST)
    assert caller(aws) == ("RUNKEY", "eu-north-1")


async def test_a_region_of_the_step_comes_before_that_of_the_environment(aws: AwsEndpoint, ask: Any) -> None:
    environ = {**aws.environ, "AWS_REGION": "eu-north-1"}
    await ask(call, environ=environ, **LIST)
    assert caller(aws)[1] == "eu-north-1"
    await ask(call, environ=environ, region="ap-south-1", **LIST)
    assert caller(aws)[1] == "ap-south-1"


@pytest.mark.usefixtures("profiles")
async def test_a_profile_of_the_step_comes_before_keys_in_the_environment(aws: AwsEndpoint, ask: Any) -> None:
    environ = {name: value for name, value in aws.environ.items() if name != "AWS_DEFAULT_REGION"}
    await ask(call, environ=environ, profile="night", **LIST)
    assert caller(aws) == ("NIGHTKEY", "eu-west-1")


@pytest.mark.usefixtures("profiles")
async def test_a_profile_of_the_environment_is_used_where_there_are_no_keys(aws: AwsEndpoint, ask: Any) -> None:
    await ask(call, environ={"AWS_PROFILE": "day", "AWS_ENDPOINT_URL": aws.url}, **LIST)
    assert caller(aws) == ("DAYKEY", "eu-west-2")


async def test_files_are_those_that_the_environment_of_the_run_names(
    aws: AwsEndpoint, ask: Any, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("[default]\naws_access_key_id = FILEKEY\naws_secret_access_key = s\n")
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(elsewhere), "AWS_ENDPOINT_URL": aws.url}
    await ask(call, environ=environ, region="us-east-1", **LIST)
    assert caller(aws)[0] == "FILEKEY"


async def test_an_endpoint_of_a_single_service_comes_before_the_general_one(
    aws: AwsEndpoint, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_ECS": aws.url}
    for name, url in endpoints.items():
        monkeypatch.setenv(name, url)
    assert (await ask(call, environ={**aws.environ, **endpoints}, **LIST)).document


async def test_an_unknown_profile_is_a_matter_of_credentials(fail: Any) -> None:
    error = await fail(call, profile="nobody", **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message == "The config profile (nobody) could not be found"


async def test_none_at_all_is_told_with_how_to_get_some(aws: AwsEndpoint, fail: Any) -> None:
    environ = {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "us-east-1"}
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message == "there are no credentials for AWS: Unable to locate credentials"
    assert "aws sso login" in error.remedy


@pytest.mark.parametrize(
    ("given", "absent"),
    [("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")],
)
async def test_half_of_them_is_told_by_the_name_of_the_other_half(fail: Any, given: str, absent: str) -> None:
    error = await fail(call, environ={given: "PlantedHalf0123"}, **LIST)
    assert (error.kind, error.message) == (ErrorKind.AUTH, f"{given} is set, but {absent} is not")


async def test_no_region_is_told_with_where_to_set_it(aws: AwsEndpoint, fail: Any) -> None:
    environ = {name: value for name, value in aws.environ.items() if name != "AWS_DEFAULT_REGION"}
    error = await fail(cloudwatch, environ=environ, namespace="AWS/ECS", metric="CPUUtilization")
    assert (error.kind, error.message) == (ErrorKind.MISSING, "no region is known for cloudwatch")
    assert error.remedy == "give the step a region, or set AWS_REGION"


async def test_a_metadata_service_that_never_answers_does_not_hold_the_probe(
    aws: AwsEndpoint, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that is not in EC2 its address leads nowhere."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", address)
        environ = {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "us-east-1"}
        began = time.perf_counter()
        patient = await fail(call, environ=environ, **LIST)
        assert time.perf_counter() - began < 15.0
        hasty = await fail(call, environ=environ, within=0.5, **LIST)
    assert patient.kind is ErrorKind.AUTH
    assert hasty.kind is ErrorKind.TIMEOUT
    assert re.fullmatch(
        r"no client for AWS was ready within \d\d\d ms: credentials were still looked for", hasty.message
    )


async def test_are_in_no_message_even_where_aws_repeats_them(aws: AwsEndpoint, fail: Any) -> None:
    environ = {**aws.environ, "AWS_SESSION_TOKEN": TOKEN}
    message = (
        f"refused X-Amz-Security-Token={TOKEN}&X-Amz-Signature=0badc0de&a=b for {environ['AWS_ACCESS_KEY_ID']} "
        f"with {environ['AWS_SECRET_ACCESS_KEY']}"
    )
    for code in ("ValidationException", "AccessDeniedException", "InternalFailure"):
        aws.recover()
        aws.disturb(Disturbance("error", code=code, message=message))
        error = await fail(call, environ=environ, **LIST)
        told = f"{error.message} {error.remedy}"
        for planted in (TOKEN, "0badc0de", environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]):
            assert planted not in told
        assert "a=b" in told


@pytest.mark.usefixtures("profiles")
async def test_of_a_file_are_in_no_message_either(aws: AwsEndpoint, fail: Any, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        f"[default]\naws_access_key_id = FILEKEY012345\naws_secret_access_key = s\naws_session_token = {TOKEN}\n"
    )
    aws.disturb(Disturbance("error", code="ValidationException", message=f"token {TOKEN} of FILEKEY012345"))
    error = await fail(call, environ={"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "us-east-1"}, **LIST)
    assert "(ValidationException: token *** of ***" in error.message


async def test_a_rejected_signature_does_not_repeat_the_signed_request(aws: AwsEndpoint, fail: Any) -> None:
    message = (
        "The request signature we calculated does not match.\n\nThe Canonical String was\n'POST\n/\nx-amz-token:abc'"
    )
    aws.disturb(Disturbance("error", code="SignatureDoesNotMatch", message=message, status=403))
    error = await fail(call, **LIST)
    assert (error.kind, error.message) == (
        ErrorKind.AUTH,
        "AWS does not accept the credentials (SignatureDoesNotMatch)",
    )
