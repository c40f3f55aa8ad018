"""What the lab's AWS account tells of the application: its logs, its business metric, its certificate."""

import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from runbook_engine.lab.plans import CERTIFICATE_DAYS, Plan

if TYPE_CHECKING:
    from runbook_engine.lab.aws import AwsEndpoint

NAMESPACE = "PixelatedEmpathy"
METRIC = "SessionsStarted"
SESSIONS_A_MINUTE = 12.0
MINUTE_S = 60.0
HOUR_S = 3600.0
AHEAD_S = 12 * HOUR_S
LINES = 60
SERVER_ERROR = 500


def furnish(aws: "AwsEndpoint", plan: Plan) -> Mapping[str, str]:
    """Tell the account what the plan says, once it exists; gives its ARNs.

    Logs Insights answers every query of the log group with one row for each status: its ``status_code``, and in ``requests``
    how many requests of the last hour were answered with it. The lines of the group are a sample of them.
    """
    if plan.log_lines:
        rows = [{"status_code": status, "requests": str(count)} for status, count in plan.statuses.items()]
        total = sum(plan.statuses.values())
        aws.set_insights_result(aws.log_group, rows, matched=total, scanned=total)
        lines = list(_lines(plan.statuses))
        ages = [HOUR_S * (index + 0.5) / len(lines) for index in range(len(lines))]
        aws.put_log_events(aws.log_group, lines, ages=ages)
    _publish_sessions(aws, plan.sessions_ended_ago_s)
    aws.set_certificate(expires_in_days=CERTIFICATE_DAYS)
    plan.aws(aws)
    return MappingProxyType(dict(aws.arns))


def _lines(statuses: Mapping[str, int]) -> Iterator[str]:
    """LINES or some more, every status as often as it is in all and at least once; the worst first, as the latest."""
    total = sum(statuses.values())
    for status, count in sorted(statuses.items(), reverse=True):
        failed = int(status) >= SERVER_ERROR
        told = "ERROR GET /api/plan status_code={} KeyError: 'plan'" if failed else "INFO GET /api/plan status_code={}"
        for _ in range(max(1, round(LINES * count / total))):
            yield told.format(status)


def _publish_sessions(aws: "AwsEndpoint", ended_ago_s: float | None) -> None:
    """One value for each minute, from an hour ago on; those of the future appear as time passes."""
    begun = round((HOUR_S + AHEAD_S if ended_ago_s is None else HOUR_S - ended_ago_s) / MINUTE_S)
    values = [SESSIONS_A_MINUTE if minute < begun else 0.0 for minute in range(round((HOUR_S + AHEAD_S) / MINUTE_S))]
    aws.put_metric(NAMESPACE, METRIC, {}, values, unit="Count", last_at=time.time() + AHEAD_S)
