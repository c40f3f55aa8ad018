"""Anything that can be read from AWS, by the name of its operation."""

import base64
import datetime as dt
import itertools
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, JsonValue, model_validator

from runbook_engine.errors import did_you_mean
from runbook_engine.pasteable import pasteable
from runbook_engine.probe import (
    Count,
    Document,
    DocumentReading,
    Duration,
    ErrorKind,
    ProbeContext,
    ProbeError,
    cut_at,
    probe,
)
from runbook_engine.secret import HIDDEN
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.reads import folded, refusal
from runbook_probes.aws.secret_members import is_secret

MOST_PAGES = 100


class CallParams(AwsParams):
    service: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] = Field(
        description="As the AWS CLI and boto3 call it, for example ecs, elbv2, rds, logs"
    )
    operation: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")] = Field(
        description="DescribeServices, describe_services or describe-services; one that reads and gives no secrets"
    )
    arguments: dict[str, JsonValue] = Field(
        default_factory=dict, description="The request's parameters, named and written as in the API's reference"
    )
    pages: int = Field(1, ge=1, le=MOST_PAGES, description="How many pages of a long answer to read at most")

    @model_validator(mode="after")
    def _reads(self) -> Self:
        reason = refusal(self.service, self.operation, self.arguments)
        if reason:
            raise ValueError(reason)
        return self


class CallReading(DocumentReading):
    DOCUMENT = Document(
        "The answer, as the API's reference writes it; in it, passwords, tokens,"
        " environment variables and what else AWS marks as sensitive are hidden",
        shape=dict[str, Any],
        example={
            "CacheClusters": [{"CacheClusterId": "sessions", "CacheClusterStatus": "available", "NumCacheNodes": 2}]
        },
    )

    PARTIAL: ClassVar = {"time": "", "pages": "pages"}

    time: Duration | None = Field(description="Time until the whole answer was there")
    pages: Count | None = Field(
        description="How many pages the answer has; missing where there are more than were read"
    )
    complete: bool = Field(description="Whether all pages were read")


# Where the AWS CLI has a name of its own for a service.
_CLI_NAMES = {"s3": "s3api", "config": "configservice", "codedeploy": "deploy", "opsworkscm": "opsworks-cm"}


def _command(params: CallParams) -> str:
    words = ["aws", _CLI_NAMES.get(params.service, params.service), hyphenated(params.operation)]
    options = [_option(name, value) for name, value in params.arguments.items()]
    if any(option is None for option in options):
        words += ["--cli-input-json", json.dumps(params.arguments, ensure_ascii=False)]
    else:
        words += [word for option in options for word in option or ()]
    return pasteable(*words, *params.options())


_SIMPLE = re.compile(r"(?!file:|fileb:|https?:)[\w./:@*+][\w./:@*+, -]*\Z", re.ASCII)


def _option(name: str, value: JsonValue) -> list[str] | None:
    """An argument as the AWS CLI takes it; None where only JSON can say it."""
    option = f"--{hyphenated(name)}"
    match value:
        case True:
            return [option]
        case False:
            return [f"--no-{hyphenated(name)}"]
        case int():
            return [option, str(value)]
        case str() if _SIMPLE.match(value):
            return [option, value]
        case [*items] if items and all(isinstance(each, str) and _SIMPLE.match(each) for each in items):
            return [option, *map(str, items)]
    return None


# Names whose capitals do not begin words.
_ODD = (("OTel", "Otel"), ("WhatsApp", "Whatsapp"), ("PartiQL", "Partiql"), ("iSCSI", "Iscsi"), ("HITs", "Hits"))


def hyphenated(name: str) -> str:
    """``DBInstanceIdentifier`` -> ``db-instance-identifier``, as the AWS CLI names operations and options."""
    for odd, plain in _ODD:
        name = name.replace(odd, plain)
    words = re.sub(r"([A-Z]{2,}s)\Z", lambda found: "_" + found.group().lower(), name).removeprefix("_")
    words = re.sub(r"([^_-])([A-Z][a-z]+)", r"\1-\2", words)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", words).replace("_", "-").lower()


@probe("aws.call", command=_command, reads_only=True)
async def call(params: CallParams, ctx: ProbeContext) -> CallReading:
    """Calls one operation of any service of AWS that only reads and gives no secrets; needs the IAM action of its name."""
    aim = Aim(params.service, params.operation)
    asks = f"{params.service} {params.operation}"
    answer = await ask(params.service, params, ctx, aim, lambda client: _answer(client, params, aim), asks=asks)
    return CallReading(
        document=answer.document,
        cut="" if answer.complete else _more(answer.pages, params),
        time=answer.seconds,
        pages=answer.pages,
        complete=answer.complete,
        evidence={"response": answer.document, **({} if answer.complete else {"truncated": True})},
    )


def _more(pages: int, params: CallParams) -> str:
    read = "one page was" if pages == 1 else f"{pages} pages were"
    why = f"the answer has more pages, of which {read} read"
    return cut_at(params, "pages", why, instead="ask for less, with a filter in arguments")


@dataclass(frozen=True, slots=True)
class _Answer:
    document: JsonValue
    seconds: float
    pages: int
    complete: bool


def _answer(client: Client, params: CallParams, aim: Aim) -> _Answer:
    model = client.meta.service_model
    aim.operation = _named(params, model.operation_names)
    operation = model.operation_model(aim.operation)
    reason = refusal(params.service, aim.operation, params.arguments)
    if reason or operation.has_streaming_output or operation.has_event_stream_output:
        raise ProbeError(ErrorKind.FORBIDDEN, reason or f"aws.call refuses {aim.operation}: it answers with a stream")
    method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == aim.operation)
    began = time.perf_counter()
    if client.can_paginate(method):
        pages, document, complete = _pages(client.get_paginator(method), params)
    else:
        document = getattr(client, method)(**params.arguments)
        pages, complete = 1, not any(document.get(name) for name in _MORE)
    seconds = time.perf_counter() - began
    document.pop("ResponseMetadata", None)
    return _Answer(_plain(document, operation.output_shape), seconds, pages, complete)


_MORE = ("NextToken", "nextToken", "NextMarker", "Marker", "nextPageToken", "NextPageToken")


def _named(params: CallParams, known: list[str]) -> str:
    names = {folded(name): name for name in known}
    found = names.get(folded(params.operation))
    if found is None:
        meant = did_you_mean(folded(params.operation), names)
        guess = next((name for low, name in names.items() if f'"{low}"' in meant), None)
        raise ProbeError(
            ErrorKind.MALFORMED,
            f"{params.service} has no operation {params.operation!r}" + (f'; did you mean "{guess}"?' if guess else ""),
            remedy="see the API reference of the service for its operations; or update boto3",
        )
    return found


def _pages(paginator: Any, params: CallParams) -> tuple[int, dict[str, Any], bool]:
    """The first page, with the lists of the following ones appended to its own."""
    from botocore.utils import set_value_from_jmespath

    pages = paginator.paginate(**params.arguments)
    read = list(itertools.islice(pages, params.pages))
    whole: dict[str, Any] = read[0]
    for key in pages.result_keys:
        parts = [key.search(page) for page in read]
        if len(read) > 1 and isinstance(parts[0], list):
            set_value_from_jmespath(whole, key.expression, [each for part in parts for each in part or ()])
    return len(read), whole, not _has_more(paginator, read[-1])


def _has_more(paginator: Any, page: Mapping[str, Any]) -> bool:
    pagination = paginator._pagination_cfg  # noqa: SLF001 - botocore tells in no other way whether a page is the last
    import jmespath

    if "more_results" in pagination:
        return bool(jmespath.search(pagination["more_results"], page))
    tokens = pagination["output_token"]
    return any(jmespath.search(each, page) for each in ([tokens] if isinstance(tokens, str) else tokens))


def _plain(value: Any, shape: Any) -> JsonValue:
    """As JSON, without what the service's model marks as sensitive and what is named like a secret."""
    if value is not None and shape is not None and shape.metadata.get("sensitive"):
        return HIDDEN
    match value:
        case dict():
            members = getattr(shape, "members", {})
            inner = getattr(shape, "value", None)
            return {str(name): _member(str(name), each, members.get(name, inner)) for name, each in value.items()}
        case list():
            return [_plain(each, getattr(shape, "member", None)) for each in value]
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case bytes():
            return base64.b64encode(value).decode()
        case str():
            return HIDDEN if _SIGNED.search(value) else value
        case None | bool() | int() | float():
            return value
    return str(value)


def _member(name: str, value: Any, shape: Any) -> JsonValue:
    return HIDDEN if is_secret(name, value, shape) else _plain(value, shape)


_SIGNED = re.compile(r"[?&](X-Amz-Signature|X-Amz-Security-Token|Signature|AWSAccessKeyId)=", re.IGNORECASE)
"""In a URL that lets in whoever has it: of services (AWS Signature Version 4 and 2) and of CloudFront."""
