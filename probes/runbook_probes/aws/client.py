"""A client of boto3 for one call: whose credentials, which region, how long it may take."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Annotated, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from runbook_engine.errors import did_you_mean
from runbook_engine.probe import ErrorKind, Params, ProbeContext, ProbeError, in_thread
from runbook_engine.quantity import Dimension, show
from runbook_probes.aws.credentials import helper_failed, resolve
from runbook_probes.aws.failure import Aim, broken_off, drop_traces, explain, scrubbed, senseless
from runbook_probes.aws.helpers import Helpers
from runbook_probes.aws.models import models
from runbook_probes.network import allowance, within

T = TypeVar("T")

METADATA_TIMEOUT_S = 1
"""For how long, in whole seconds, the metadata service of EC2 is waited for where no other credentials are found.

Outside of EC2 its address often leads nowhere, and nobody refuses.
"""


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("this is not an http or https URL; write for example http://127.0.0.1:4566")
    if "@" in parts.netloc or parts.query:
        raise ValueError("credentials have no place in the URL of an endpoint; give AWS_ACCESS_KEY_ID or a profile")
    return url


class AwsParams(Params):
    """Where a call goes, and as whom. What is left empty is taken from the usual variables and files."""

    CONNECTS_TO = ("endpoint_url",)
    OWN_CREDENTIALS = "the credentials of AWS"

    region: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = Field(
        "", description="For example us-east-1; by default AWS_REGION, AWS_DEFAULT_REGION or the profile's"
    )
    endpoint_url: Annotated[str, AfterValidator(_endpoint)] = Field(
        "", description="Another endpoint than the public one; by default AWS_ENDPOINT_URL"
    )
    profile: str = Field("", description="A profile of the AWS configuration; by default AWS_PROFILE")

    def options(self) -> list[str]:
        """These, as options of the AWS CLI."""
        given = {"--region": self.region, "--endpoint-url": self.endpoint_url, "--profile": self.profile}
        return [word for option, value in given.items() if value for word in (option, value)]


class Client(Protocol):
    """What the probes use of a boto3 client, beside its operations."""

    @property
    def meta(self) -> Any: ...
    def get_paginator(self, operation_name: str) -> Any: ...
    def close(self) -> None: ...
    def __getattr__(self, operation: str) -> Any: ...


async def ask(
    service: str, params: AwsParams, ctx: ProbeContext, aim: Aim, work: Callable[[Client], T], *, asks: str
) -> T:
    """What ``work`` gives, called in a thread with a client for ``service``; it may use the client until it returns.

    ``aim`` says what is asked, for messages, and is completed with what the client knows. Raises ProbeError, a moment before
    the deadline at the latest, with the time-out in words: "{asks} was not answered within 5 s".
    """

    def gave_up(seconds: float) -> ProbeError:
        waited = f"within {show(seconds, Dimension.DURATION)}"
        if profile := helpers.running:
            return helper_failed(profile, f"it did not end {waited}")
        return aim.timed_out(waited, asks)

    seconds, helpers = allowance(ctx), Helpers()
    try:
        with within(ctx, gave_up):
            return await in_thread(lambda: _asked(service, params, ctx.environ, aim, work, seconds, helpers))
    finally:
        helpers.end()


def _asked(
    service: str,
    params: AwsParams,
    environ: Mapping[str, str],
    aim: Aim,
    work: Callable[[Client], T],
    seconds: float,
    helpers: Helpers,
) -> T:
    try:
        import boto3
        import botocore.session
        from botocore.config import Config
    except ImportError as error:
        raise ProbeError(
            ErrorKind.UNAVAILABLE, "AWS is asked with boto3, which is not installed", remedy="pip install boto3"
        ) from error
    wire = _Wire(aim)
    try:
        core = botocore.session.get_session()
        for name, value in _configuration(environ).items():
            core.set_config_variable(name, value)
        core.register_component("data_loader", models(core.get_config_variable("data_path")))
        session = boto3.session.Session(**_identity(params, environ), botocore_session=core)
        _check(service, session.get_available_services())
        resolve(core, helpers, seconds)
        client = session.client(
            service,
            endpoint_url=_endpoint_url(params, environ),
            verify=environ.get("AWS_CA_BUNDLE") or None,
            config=Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1}),
        )
        with closing(client):
            client.meta.events.register("before-send", wire.sends)
            client.meta.events.register("before-parse", wire.receives)
            aim.learn(client.meta.region_name, client.meta.endpoint_url, client.meta.service_model.signing_name)
            return work(client)
    except ProbeError as error:
        drop_traces(error)
        raise
    except Exception as error:
        drop_traces(error)
        secrets = {value for name, value in environ.items() if name in _SECRET_VARIABLES} | wire.secrets
        raise scrubbed(explain(error, aim, wire.status), secrets) from error


_SECRET_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SIGNATURE = re.compile(r"(?:Credential|Signature)=([^/,\s]+)")


class _Wire:
    """What goes over it: credentials that must not be repeated, and answers in which boto3 would see nothing wrong."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self.secrets: set[str] = set()
        self.status: int | None = None

    def sends(self, request: Any, **_: object) -> None:
        signature, token = (_text(request.headers.get(name, "")) for name in ("Authorization", "X-Amz-Security-Token"))
        self.secrets |= {token, *_SIGNATURE.findall(signature)}

    def receives(self, response_dict: Mapping[str, Any], operation_model: Any, **_: object) -> None:
        """Of half an answer, and of JSON that is none, botocore makes an empty answer, which would read as healthy."""
        self.status = response_dict["status_code"]
        body, headers = response_dict["body"], response_dict["headers"]
        if not isinstance(body, bytes):
            return
        length = headers.get("Content-Length", "")
        if length.isdigit() and len(body) < int(length) and "Content-Encoding" not in headers:
            raise broken_off(self._aim)
        protocol = (
            getattr(operation_model.service_model, "resolved_protocol", None) or operation_model.service_model.protocol
        )
        if body and response_dict["status_code"] < 300 and protocol in ("json", "rest-json"):
            try:
                json.loads(body)
            except ValueError:
                raise senseless(self._aim, self.status) from None


def _text(header: object) -> str:
    return header.decode("latin-1") if isinstance(header, bytes) else str(header)


def _configuration(environ: Mapping[str, str]) -> dict[str, object]:
    files = {"config_file": "AWS_CONFIG_FILE", "credentials_file": "AWS_SHARED_CREDENTIALS_FILE"}
    given: dict[str, object] = {name: environ[variable] for name, variable in files.items() if environ.get(variable)}
    return {**given, "metadata_service_timeout": METADATA_TIMEOUT_S, "metadata_service_num_attempts": 1}


def _identity(params: AwsParams, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Whose credentials. A profile that the step names comes before keys in variables, as with the AWS CLI."""
    region = params.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None
    if params.profile:
        return {"profile_name": params.profile, "region_name": region}
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if bool(key) != bool(secret):
        there, absent = _SECRET_VARIABLES[:2] if key else _SECRET_VARIABLES[1::-1]
        raise ProbeError(ErrorKind.AUTH, f"{there} is set, but {absent} is not", remedy=f"set {absent} too")
    if key:
        token = environ.get("AWS_SESSION_TOKEN") or None
        return {
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            "aws_session_token": token,
            "region_name": region,
        }
    return {"profile_name": environ.get("AWS_PROFILE") or None, "region_name": region}


def _endpoint_url(params: AwsParams, environ: Mapping[str, str]) -> str | None:
    """None leaves the choice to boto3, which knows the variables for single services: AWS_ENDPOINT_URL_CLOUDWATCH."""
    if params.endpoint_url:
        return params.endpoint_url
    if any(name.startswith("AWS_ENDPOINT_URL_") for name in environ):
        return None
    return environ.get("AWS_ENDPOINT_URL") or None


def _check(service: str, known: list[str]) -> None:
    if service not in known:
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"boto3 knows no service {service!r}{did_you_mean(service, known)}",
            remedy="write the service as the AWS CLI does, for example ecs, elbv2, rds or logs; or update boto3",
        )
