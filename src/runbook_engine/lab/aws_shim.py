"""What moto never does: deny, throttle, hang, drip, and call a target unhealthy. A WSGI application in front of it."""

import io
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

Kind = Literal["denied", "bare_denied", "throttled", "error", "silent", "dripping"]
Form = Literal["json", "cbor", "ec2", "query", "rest-xml", "rest-json"]
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

ANY = "*"
DRIP_EVERY_S = 0.05
CLOUDWATCH = "monitoring"
SEED_KEY = "seed-of-the-lab"
"""The access key of the requests that create the lab's system; they pass undisturbed."""
CALLER = "arn:aws:iam::123456789012:user/responder"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How some requests are answered instead of by moto.

    ``denied``: as by IAM, in the service's own form; ``bare_denied``: 403 and nothing else, as by a proxy; ``throttled``;
    ``error``: any ``code`` with any ``status``; ``silent``: accepted, never answered; ``dripping``: a byte now and then,
    without end. ``service`` is the name in the signature: ``ecs``, ``logs``, ``monitoring`` for CloudWatch,
    ``elasticloadbalancing``. ``operation`` is known for all but the REST services (Lambda, S3 ...).
    """

    kind: Kind
    service: str = ANY
    operation: str = ANY
    code: str = ""
    message: str = ""
    status: int = 400

    def meets(self, call: "Call") -> bool:
        return self.service in (ANY, call.service) and self.operation in (ANY, call.operation)


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks for, as whom, and in which form its errors are written."""

    service: str
    operation: str
    form: Form
    region: str
    access_key: str


class Shim:
    """Keeps account of what is asked, too: ``calls`` are all requests so far, but for those of the seed."""

    def __init__(self, behind: Application) -> None:
        self._behind = behind
        self._disturbances: tuple[Disturbance, ...] = ()
        self._calm = threading.Event()
        self._gate = threading.Event()
        self._gate.set()
        self._target_health: tuple[str, str, str] | None = None
        self.calls: list[Call] = []

    def disturb(self, disturbance: Disturbance) -> None:
        self._disturbances = (*self._disturbances, disturbance)

    def recover(self) -> None:
        """As before all disturbances; requests that hang are given moto's answer."""
        self._disturbances = ()
        self._target_health = None
        self._calm.set()
        self._calm = threading.Event()

    def set_target_health(self, state: str, reason: str, description: str) -> None:
        self._target_health = (state, reason, description)

    def close_gate(self) -> None:
        """Until it is open again, requests other than the seed's wait, but for those to CloudWatch."""
        self._gate.clear()

    def open_gate(self) -> None:
        self._gate.set()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        call = _call_of(environ)
        if call.access_key == SEED_KEY:
            return self._behind(environ, start_response)
        if call.service != CLOUDWATCH:
            self._gate.wait()
        self.calls.append(call)
        calm = self._calm
        found = next((each for each in self._disturbances if each.meets(call)), None)
        match found.kind if found else None:
            case "silent":
                calm.wait()
            case "dripping":
                start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", "1000000")])
                return _drip(calm)
            case "bare_denied":
                start_response("403 Forbidden", [("Content-Length", "0")])
                return [b""]
            case "denied" | "throttled" | "error" if found is not None:
                return _answer(_error(found, call), call, start_response)
        if self._target_health is not None and call.operation == "DescribeTargetHealth":
            return self._describe_target_health(environ, start_response, self._target_health)
        return self._behind(environ, start_response)

    def _describe_target_health(
        self, environ: Environ, start_response: StartResponse, health: tuple[str, str, str]
    ) -> Iterable[bytes]:
        kept: list[tuple[str, list[tuple[str, str]]]] = []
        answer = self._behind(environ, lambda status, headers, _error=None: kept.append((status, headers)))
        state, reason, description = (escape(each) for each in health)
        changed = (
            b"".join(answer)
            .decode()
            .replace(
                "<State>healthy</State>",
                f"<State>{state}</State><Reason>{reason}</Reason><Description>{description}</Description>",
            )
        )
        status, headers = kept[0]
        body = changed.encode()
        others = [each for each in headers if each[0].lower() != "content-length"]
        start_response(status, [*others, ("Content-Length", str(len(body)))])
        return [body]


_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]*)/(?P<service>[^/]+)/aws4_request")
_RPC = re.compile(r"/service/[^/]+/operation/(?P<operation>\w+)\Z")


def _call_of(environ: Environ) -> Call:
    signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    service, region, key = signed.group("service", "region", "key") if signed else ("", "", "")
    operation, form = _operation_of(environ, service)
    return Call(service, operation, form, region, key)


def _operation_of(environ: Environ, service: str) -> tuple[str, Form]:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2], "json"
    rpc = _RPC.search(environ.get("PATH_INFO", ""))
    if rpc:
        return rpc["operation"], "cbor"
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
        return action, "ec2" if service == "ec2" else "query"
    return "", "rest-xml" if service in ("s3", "route53", "cloudfront") else "rest-json"


@dataclass(frozen=True, slots=True)
class _Error:
    status: int
    code: str
    message: str


# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html for EC2; the others by their own API references.
_DENIED: Mapping[Form, _Error] = {
    "ec2": _Error(403, "UnauthorizedOperation", "You are not authorized to perform this operation. "),
    "query": _Error(403, "AccessDenied", ""),
    "rest-xml": _Error(403, "AccessDenied", ""),
    "json": _Error(400, "AccessDeniedException", ""),
    "cbor": _Error(403, "AccessDenied", ""),
    "rest-json": _Error(403, "AccessDeniedException", ""),
}
_THROTTLED: Mapping[Form, _Error] = {
    "ec2": _Error(503, "RequestLimitExceeded", "Request limit exceeded."),
    "query": _Error(400, "Throttling", "Rate exceeded"),
    "rest-xml": _Error(503, "SlowDown", "Please reduce your request rate."),
    "json": _Error(400, "ThrottlingException", "Rate exceeded"),
    "cbor": _Error(400, "Throttling", "Rate exceeded"),
    "rest-json": _Error(429, "TooManyRequestsException", "Rate exceeded"),
}


def _error(disturbance: Disturbance, call: Call) -> _Error:
    if disturbance.kind == "error":
        return _Error(disturbance.status, disturbance.code, disturbance.message)
    if disturbance.kind == "throttled":
        return _THROTTLED[call.form]
    usual = _DENIED[call.form]
    prefix = "cloudwatch" if call.service == CLOUDWATCH else call.service
    action = f"{prefix}:{call.operation or ANY}"
    told = (
        f"{usual.message}User: {CALLER} is not authorized to perform: {action} "
        f"because no identity-based policy allows the {action} action"
    )
    # CloudWatch keeps the codes of its older protocol in all of its protocols.
    code = "AccessDenied" if call.service == CLOUDWATCH else usual.code
    return _Error(usual.status, code, told)


def _answer(error: _Error, call: Call, start_response: StartResponse) -> Iterable[bytes]:
    content_type, body, headers = _written(error, call.form)
    if call.service == CLOUDWATCH:
        # It once spoke the query protocol, and tells the code that an error has there.
        headers = [*headers, ("x-amzn-query-error", f"{error.code};Sender")]
    status = f"{error.status} {HTTPStatus(error.status).phrase}"
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body))), *headers])
    return [body]


def _written(error: _Error, form: Form) -> tuple[str, bytes, list[tuple[str, str]]]:
    code, message = escape(error.code), escape(error.message)
    match form:
        case "json":
            text = json.dumps({"__type": error.code, "message": error.message})
            return "application/x-amz-json-1.1", text.encode(), []
        case "rest-json":
            text = json.dumps({"message": error.message})
            return "application/json", text.encode(), [("x-amzn-ErrorType", error.code)]
        case "cbor":
            body = b"\xa2" + b"".join(map(_cbor_text, ("__type", error.code, "message", error.message)))
            return "application/cbor", body, [("smithy-protocol", "rpc-v2-cbor")]
        case "ec2":
            inner = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            return "text/xml", f"<Response>{inner}<RequestID>lab</RequestID></Response>".encode(), []
        case "rest-xml":
            return "application/xml", f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(), []
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return "text/xml", f"<ErrorResponse>{inner}<RequestId>lab</RequestId></ErrorResponse>".encode(), []


def _cbor_text(text: str) -> bytes:
    """A text string of RFC 8949, with a length of two bytes."""
    raw = text.encode()
    return b"\x79" + len(raw).to_bytes(2, "big") + raw


def _drip(calm: threading.Event) -> Iterator[bytes]:
    while not calm.wait(DRIP_EVERY_S):
        yield b" "
