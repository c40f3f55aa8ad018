"""What goes wrong with AWS, and which of the closed kinds it is."""

import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.loaders import Loader

from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import ErrorKind
from runbook_probes.aws import call, cloudwatch

pytestmark = pytest.mark.anyio

# One service for each form in which AWS writes its errors.
FORMS = [
    ("ecs", "ListClusters", "ecs:ListClusters"),
    ("logs", "DescribeLogGroups", "logs:DescribeLogGroups"),
    ("cloudwatch", "ListMetrics", "cloudwatch:ListMetrics"),
    ("ec2", "DescribeVpcs", "ec2:DescribeVpcs"),
    ("elbv2", "DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancers"),
    ("lambda", "ListFunctions", "lambda:ListFunctions"),
    ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
]


@pytest.mark.parametrize(("service", "operation", "action"), FORMS)
async def test_a_denial_names_the_iam_action_that_is_lacking(
    aws: AwsEndpoint, fail: Any, service: str, operation: str, action: str
) -> None:
    aws.disturb(Disturbance("denied"))
    error = await fail(call, service=service, operation=operation)
    assert error.kind is ErrorKind.FORBIDDEN
    assert error.message.startswith(f"AWS denies {action} (")
    assert "user/responder is not authorized to perform" in error.message
    assert error.remedy == f"allow {action} in the IAM policy of these credentials"


@pytest.mark.parametrize(("service", "operation", "action"), FORMS)
async def test_a_bare_403_is_a_denial_too(
    aws: AwsEndpoint, fail: Any, service: str, operation: str, action: str
) -> None:
    aws.disturb(Disturbance("bare_denied"))
    error = await fail(call, service=service, operation=operation)
    assert (error.kind, error.message) == (ErrorKind.FORBIDDEN, f"AWS denies {action} (403)")


@pytest.mark.parametrize(("service", "operation"), [each[:2] for each in FORMS])
async def test_throttling_is_told_and_not_tried_again(
    aws: AwsEndpoint, fail: Any, service: str, operation: str
) -> None:
    aws.disturb(Disturbance("throttled"))
    before = len(aws.calls())
    error = await fail(call, service=service, operation=operation)
    assert error.kind is ErrorKind.THROTTLED
    assert error.message.startswith(f"AWS throttles {service} {operation} for this account (")
    assert len(aws.calls()) == before + 1


async def test_cloudwatch_names_its_action_though_it_signs_as_monitoring(aws: AwsEndpoint, fail: Any) -> None:
    aws.disturb(Disturbance("denied", "monitoring"))
    error = await fail(cloudwatch, namespace="AWS/ECS", metric="CPUUtilization")
    assert error.kind is ErrorKind.FORBIDDEN
    assert error.remedy == "allow cloudwatch:GetMetricStatistics in the IAM policy of these credentials"


async def test_another_action_that_aws_names_is_the_one_to_allow(aws: AwsEndpoint, fail: Any) -> None:
    message = "User: arn:aws:iam::1:user/u is not authorized to perform: kms:Decrypt on resource: k"
    aws.disturb(Disturbance("error", code="AccessDeniedException", message=message))
    error = await fail(call, service="logs", operation="DescribeLogGroups")
    assert error.remedy == "allow kms:Decrypt in the IAM policy of these credentials"


async def test_an_explicit_deny_is_not_to_be_outweighed(aws: AwsEndpoint, fail: Any) -> None:
    message = "not authorized to perform: ecs:ListClusters with an explicit deny in a service control policy"
    aws.disturb(Disturbance("error", code="AccessDeniedException", message=message))
    error = await fail(call, service="ecs", operation="ListClusters")
    assert error.remedy.startswith("an explicit deny of ecs:ListClusters has to go")


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("ExpiredTokenException", "The security token included in the request is expired", 400, ErrorKind.AUTH),
        ("UnrecognizedClientException", "The security token is invalid", 400, ErrorKind.AUTH),
        ("InvalidClientTokenId", "The security token is invalid", 403, ErrorKind.AUTH),
        ("AuthFailure", "AWS was not able to validate the provided access credentials", 401, ErrorKind.AUTH),
        ("RequestLimitExceeded", "", 503, ErrorKind.THROTTLED),
        (
            "LimitExceededException",
            "Account maximum query concurrency limit of [30] reached.",
            400,
            ErrorKind.THROTTLED,
        ),
        ("SomethingNew", "", 429, ErrorKind.THROTTLED),
        ("UnauthorizedOperation", "", 403, ErrorKind.FORBIDDEN),
        ("SomethingNew", "", 403, ErrorKind.FORBIDDEN),
        ("ResourceNotFoundException", "The specified log group does not exist.", 400, ErrorKind.MISSING),
        ("InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist", 400, ErrorKind.MISSING),
        ("NoSuchBucket", "The specified bucket does not exist", 404, ErrorKind.MISSING),
        ("ValidationError", "Stack with id web does not exist", 400, ErrorKind.MISSING),
        ("ValidationException", "1 validation error detected", 400, ErrorKind.MALFORMED),
        ("InvalidParameterValue", "Value (x) is invalid", 400, ErrorKind.MALFORMED),
        ("InternalFailure", "", 500, ErrorKind.OTHER),
    ],
)
async def test_every_code_is_one_of_the_closed_kinds(
    aws: AwsEndpoint, fail: Any, code: str, message: str, status: int, kind: ErrorKind
) -> None:
    aws.disturb(Disturbance("error", code=code, message=message, status=status))
    error = await fail(call, service="ecs", operation="ListClusters")
    assert error.kind is kind
    assert code in error.message


async def test_what_does_not_exist_is_missing(aws: AwsEndpoint, fail: Any) -> None:
    error = await fail(call, service="rds", operation="DescribeDBInstances", arguments={"DBInstanceIdentifier": "nope"})
    assert error.kind is ErrorKind.MISSING
    assert error.message == (
        "rds DescribeDBInstances does not find what was asked for (DBInstanceNotFound: DBInstance nope not found)"
    )


PROTOCOLS = Loader().load_service_model("cloudwatch", "service-2")["metadata"]["protocols"]


@pytest.fixture(params=sorted(PROTOCOLS))
def protocol(request: pytest.FixtureRequest, change_model: Any) -> str:
    """CloudWatch speaks three protocols; early releases of boto3 know one of them, and later ones choose."""
    chosen = {"protocol": request.param, "protocols": [request.param]}
    change_model("cloudwatch", lambda model: model["metadata"].update(chosen))
    return str(request.param)


async def test_cloudwatch_is_understood_in_each_of_its_protocols(
    aws: AwsEndpoint, ask: Any, fail: Any, protocol: str
) -> None:
    params = {"namespace": "AWS/ECS", "metric": "CPUUtilization", "dimensions": aws.service_dimensions}
    aws.disturb(Disturbance("denied"))
    denied = await fail(cloudwatch, **params)
    assert aws.calls()[-1].form == {"smithy-rpc-v2-cbor": "cbor"}.get(protocol, protocol)
    assert denied.kind is ErrorKind.FORBIDDEN
    assert "AccessDenied: User: " in denied.message
    aws.recover()
    aws.disturb(Disturbance("throttled"))
    assert (await fail(cloudwatch, **params)).kind is ErrorKind.THROTTLED
    aws.recover()
    if protocol != "smithy-rpc-v2-cbor":  # moto does not speak it
        assert (await ask(cloudwatch, **params)).latest_percent == 93.0


class TestConnecting:
    async def test_to_a_closed_port_is_refused(self, aws: AwsEndpoint, fail: Any) -> None:
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
            error = await fail(call, service="ecs", operation="ListClusters", endpoint_url=f"http://127.0.0.1:{port}")
        assert error.kind is ErrorKind.REFUSED
        assert error.message == f"127.0.0.1:{port} refuses connections: nothing listens there"
        assert error.__cause__ is not None

    async def test_to_a_name_that_does_not_resolve_is_a_dns_error(self, aws: AwsEndpoint, fail: Any) -> None:
        error = await fail(call, service="ecs", operation="ListClusters", endpoint_url="http://nowhere.invalid")
        assert error.kind is ErrorKind.DNS
        assert "nowhere.invalid" in error.message

    async def test_with_tls_to_a_server_without_it_is_a_tls_error(self, aws: AwsEndpoint, fail: Any) -> None:
        secure = aws.url.replace("http:", "https:")
        error = await fail(call, service="ecs", operation="ListClusters", endpoint_url=secure)
        assert error.kind is ErrorKind.TLS
        assert error.message.startswith(f"no secure connection with {secure.removeprefix('https://')}")

    async def test_with_tls_trusts_the_authority_that_the_environment_names(
        self, aws: AwsEndpoint, ask: Any, fail: Any, talker: Any, tmp_path: Path
    ) -> None:
        authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        bundle = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(str(bundle))
        answer = b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"clusterArns": []} '
        asked = {"service": "ecs", "operation": "ListClusters"}
        stranger = await fail(call, endpoint_url=talker(answer, context), **asked)
        assert stranger.kind is ErrorKind.TLS
        trusted = {**aws.environ, "AWS_CA_BUNDLE": str(bundle)}
        reading = await ask(call, environ=trusted, endpoint_url=talker(answer, context), **asked)
        assert reading.document == {"clusterArns": []}

    async def test_to_a_server_that_hangs_up_is_refused(self, fail: Any, talker: Any) -> None:
        error = await fail(call, service="ecs", operation="ListClusters", endpoint_url=talker(b""))
        assert error.kind is ErrorKind.REFUSED
        assert "closed the connection without an answer" in error.message

    async def test_to_something_else_than_aws_is_malformed(self, fail: Any, talker: Any) -> None:
        page = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html>hello\r\n"
        error = await fail(call, service="elbv2", operation="DescribeLoadBalancers", endpoint_url=talker(page))
        assert error.kind is ErrorKind.MALFORMED
        assert "(200) cannot be understood as one of elbv2" in error.message

    @pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "502 Bad Gateway"])
    async def test_to_a_proxy_that_answers_in_its_place_is_no_reading(
        self, fail: Any, talker: Any, status: str
    ) -> None:
        page = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n<html>hello ".encode()
        error = await fail(call, service="ecs", operation="ListClusters", endpoint_url=talker(page))
        assert error.kind is ErrorKind.MALFORMED
        assert f"({status[:3]}) cannot be understood as one of ecs" in error.message

    @pytest.mark.parametrize(("service", "operation"), [("ecs", "ListClusters"), ("elbv2", "DescribeLoadBalancers")])
    async def test_to_a_server_that_breaks_off_is_malformed(
        self, fail: Any, talker: Any, service: str, operation: str
    ) -> None:
        """botocore takes what it has for the whole answer, and would tell of a cluster without services."""
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}"
        error = await fail(call, service=service, operation=operation, endpoint_url=talker(half))
        assert error.kind is ErrorKind.MALFORMED
        assert "broke off in the middle of its answer" in error.message


def talk(server: socket.socket, answer: bytes, context: ssl.SSLContext | None) -> None:
    accepted, _ = server.accept()
    accepted.settimeout(10)
    # A client that does not trust the certificate hangs up in the middle of the handshake.
    with (
        accepted,
        suppress(ssl.SSLError, TimeoutError),
        context.wrap_socket(accepted, server_side=True) if context else accepted as plain,
    ):
        received = b""
        while b"\r\n\r\n" not in received:
            piece = plain.recv(65536)
            if not piece:
                return
            received += piece
        plain.sendall(answer)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65536):
            pass


@pytest.fixture
def talker() -> Iterator[Any]:
    """``talker(answer)`` gives the URL of a server that reads a request, says this, and hangs up."""
    servers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(answer: bytes, context: ssl.SSLContext | None = None) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threads.append(threading.Thread(target=talk, args=(server, answer, context), daemon=True))
        threads[-1].start()
        return f"{'https' if context else 'http'}://127.0.0.1:{server.getsockname()[1]}"

    yield serve
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive(), "the probe has left its connection open"
    for server in servers:
        server.close()


async def test_an_absent_boto3_is_named_with_the_command_that_installs_it(
    fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    error = await fail(call, service="ecs", operation="ListClusters")
    assert (error.kind, error.remedy) == (ErrorKind.UNAVAILABLE, "pip install boto3")
