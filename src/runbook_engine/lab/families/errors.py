"""Failed requests: what the logs and the API's own answers say of them, and the dependency that may be the reason."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

if TYPE_CHECKING:
    from runbook_engine.lab.aws import AwsEndpoint

MINUTE_S = 60.0

_fault = partial(Fault, family="errors", runbook="high-error-rate")


def _statuses(**counts: int) -> Mapping[str, int]:
    """Of 10,000 requests; what is not told apart was answered with 200."""
    told = {name.removeprefix("s"): count for name, count in counts.items()}
    return MappingProxyType({"200": 10_000 - sum(told.values()), **told})


MANY_SERVER_ERRORS = _statuses(s404=15, s500=780, s502=20)
FEW_SERVER_ERRORS = _statuses(s404=15, s500=50)
ABUSE = _statuses(s401=2_100, s403=300, s404=1_200)


def _recent_deployment(aws: "AwsEndpoint") -> None:
    aws.set_service(deployed_ago_s=15 * MINUTE_S)


def _fallbacks(aws: "AwsEndpoint") -> None:
    """The application gets by without its dependency, and says so."""
    aws.put_log_events(
        aws.log_group,
        ["WARN external-api.example.com did not answer; answering from the stale copy"] * 12,
        ages=[minutes * MINUTE_S for minutes in range(1, 13)],
    )


ERRORS: tuple[tuple[Fault, Plan], ...] = (
    (
        _fault(
            "errors_after_deployment",
            "Requests fail since the deployment of 15 minutes ago",
            "A deployment was completed 15 minutes ago, and since then 8 % of all requests are answered with 500: of "
            "1,000 requests to the API, 80 fail, and the logs say the same of the last hour. Database, cache and the "
            "external dependency are well. The diagnosis should name the deployment, so that somebody rolls it back.",
            ("errors_after_deployment",),
        ),
        Plan(failing_permille=80, failing_early=True, statuses=MANY_SERVER_ERRORS, aws=_recent_deployment),
    ),
    (
        _fault(
            "application_errors",
            "Requests fail, and nothing was deployed",
            "8 % of all requests are answered with 500, and the logs have the same share of 5xx in the last hour. "
            "The last deployment was three days ago; database, cache and the external dependency are well. The "
            "diagnosis should say that it is the application that fails, and leave the deployment out of it.",
            ("application_errors",),
        ),
        Plan(failing_permille=80, failing_early=True, statuses=MANY_SERVER_ERRORS),
    ),
    (
        _fault(
            "client_abuse",
            "Somebody tries log-ins and addresses by the thousand",
            "The API works, but in the last hour 36 % of all requests were answered with 401, 403 or 404: somebody "
            "tries passwords and looks for forgotten pages. There are no 5xx. The diagnosis should speak of errors "
            "of the clients, and of none of the application.",
            ("client_errors",),
        ),
        Plan(statuses=ABUSE),
    ),
    (
        _fault(
            "errors_few",
            "One request in two hundred fails",
            "The logs have 0.5 % of 5xx in the last hour, which is less than the 1 % from which on errors are a "
            "problem. Everything answers, and nothing was deployed. The diagnosis should find nothing.",
        ),
        Plan(statuses=FEW_SERVER_ERRORS),
    ),
    (
        _fault(
            "errors_just_above",
            "5.1 % of all requests fail",
            "Of any 1,000 requests to one address of the API, one after the other, exactly 51 are answered with 500, "
            "at even distances and the first of each; the logs have 5.1 % of 5xx. Nothing was deployed. It is just "
            "above the 5 % from which on errors are critical. The diagnosis should say that the application fails.",
            ("application_errors",),
            neighbour="errors_just_below",
        ),
        Plan(failing_permille=51, failing_early=True, statuses=_statuses(s404=15, s500=510)),
    ),
    (
        _fault(
            "errors_just_below",
            "0.9 % of all requests fail",
            "Of any 1,000 requests to one address of the API, one after the other, exactly 9 are answered with 500, "
            "at even distances and the last of each; the logs have 0.9 % of 5xx. It is just below the 1 % from which "
            "on errors are a problem. The diagnosis should find nothing.",
            neighbour="errors_just_above",
        ),
        Plan(failing_permille=9, statuses=_statuses(s404=15, s500=90)),
    ),
    (
        _fault(
            "dependency_down",
            "The external API refuses connections",
            "Nothing listens on the port of the external API. The application answers from a stale copy and logs "
            "warnings, so that its requests succeed for now. Database and cache are well, and nothing was deployed. "
            "The diagnosis should say that the external dependency is down.",
            ("external_dependency_down",),
        ),
        Plan(dependency="down", aws=_fallbacks),
    ),
    (
        _fault(
            "dependency_slow_loris",
            "The external API sends a byte now and then, without end",
            "The external API accepts connections, begins its answer at once and then sends one byte every half "
            "second, so that no timeout between bytes ever ends it. Whoever has no limit for the whole answer hangs "
            "for good. The application answers from a stale copy. The diagnosis should say, in time, that the "
            "dependency is too slow.",
            ("external_dependency_slow",),
        ),
        Plan(dependency="slow_loris", aws=_fallbacks),
    ),
)
"""Every fault of the family, with its plan."""
