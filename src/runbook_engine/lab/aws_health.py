"""What a load balancer tells of its targets, and AWS Health of AWS itself.

moto always calls a target healthy, and has no AWS Health.
https://docs.aws.amazon.com/health/latest/APIReference/API_DescribeEvents.html
"""

import io
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from runbook_engine.lab.aws_shim import Application, Environ, StartResponse

DESCRIBE_EVENTS = "AWSHealth_20160804.DescribeEvents"
STARTED_AGO_S = 1200.0
MOST_EVENTS = 100
PAGE = "page-"
"""How tokens begin, which have four characters at least."""


class TargetState(TypedDict, total=False):
    """``state`` as the API writes it: healthy, unhealthy, draining, initial, unused, unavailable."""

    state: str
    reason: str
    description: str


class HealthEvent(TypedDict, total=False):
    """An open issue of AWS: of the ``service`` (EC2, ECS, RDS), with the ``code`` (AWS_ECS_OPERATIONAL_ISSUE)."""

    service: str
    code: str
    region: str


class TargetStates:
    """While it is given states, every target group has as many targets, in these states. ``begin`` has moto answer so."""

    def __init__(self) -> None:
        self._states: Sequence[TargetState] | None = None

    def begin(self) -> None:
        from moto.core.responses import ActionResult
        from moto.elbv2.responses import ELBV2Response

        usual = ELBV2Response.describe_target_health

        def describe_target_health(asked: ELBV2Response) -> ActionResult:
            answer = usual(asked)
            if self._states is None:
                return answer
            return ActionResult({"TargetHealthDescriptions": [_target(*each) for each in enumerate(self._states)]})

        setattr(ELBV2Response, describe_target_health.__name__, describe_target_health)

    def set(self, states: Sequence[TargetState] | None) -> None:
        self._states = None if states is None else tuple(states)


def _target(index: int, told: TargetState) -> dict[str, Any]:
    why = {"Reason": told.get("reason"), "Description": told.get("description")}
    zone = f"us-east-1{'abc'[index % 3]}"
    return {
        "Target": {"Id": f"10.0.{index // 250 + 1}.{index % 250 + 4}", "Port": 8000, "AvailabilityZone": zone},
        "HealthCheckPort": "8000",
        "TargetHealth": {
            "State": told.get("state", "healthy"),
            **{name: text for name, text in why.items() if text},
        },
    }


class HealthEvents:
    """The events of AWS Health, and a WSGI application in front of moto that tells them."""

    def __init__(self) -> None:
        self._events: tuple[dict[str, Any], ...] = ()

    def set(self, events: Sequence[HealthEvent]) -> None:
        self._events = tuple(_event(*each) for each in enumerate(events))

    def before(self, behind: Application) -> Application:
        def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("HTTP_X_AMZ_TARGET") != DESCRIBE_EVENTS:
                return behind(environ, start_response)
            asked = json.loads(_body(environ) or b"{}")
            body = json.dumps(self._page(asked)).encode()
            start_response(
                "200 OK", [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
            )
            return [body]

        return answer

    def _page(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = asked.get("filter") or {}
        found = [
            each
            for each in self._events
            if all(each[name] in wanted[key] for key, name in _FILTERS.items() if wanted.get(key))
        ]
        start = int(str(asked.get("nextToken") or PAGE + "0").removeprefix(PAGE))
        most = int(asked.get("maxResults") or MOST_EVENTS)
        more = {"nextToken": f"{PAGE}{start + most}"} if start + most < len(found) else {}
        return {"events": found[start : start + most], **more}


_FILTERS = {
    "services": "service",
    "regions": "region",
    "eventTypeCodes": "eventTypeCode",
    "eventTypeCategories": "eventTypeCategory",
    "eventStatusCodes": "statusCode",
}


def _event(index: int, told: HealthEvent) -> dict[str, Any]:
    service, region = told.get("service", "EC2"), told.get("region", "us-east-1")
    code = told.get("code", f"AWS_{service}_OPERATIONAL_ISSUE")
    began = time.time() - STARTED_AGO_S
    return {
        "arn": f"arn:aws:health:{region}::event/{service}/{code}/{code}_{index:04d}",
        "service": service,
        "eventTypeCode": code,
        "eventTypeCategory": "issue",
        "region": region,
        "startTime": began,
        "lastUpdatedTime": began,
        "statusCode": "open",
        "eventScopeCode": "PUBLIC",
    }


def _body(environ: Environ) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body
