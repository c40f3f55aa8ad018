"""Memory of the service: how much, whether it climbs, who was killed for it, and where nobody may look."""

import time
from functools import partial
from typing import TYPE_CHECKING

from runbook_engine.lab.aws_shim import Disturbance
from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

if TYPE_CHECKING:
    from runbook_engine.lab.aws import AwsEndpoint

MINUTE_S = 60.0
HOUR_S = 3600.0
BEGAN_AT_PERCENT = 50.0
PERCENT_AN_HOUR = 18.0
STAYS_AT_PERCENT = 88.0

_fault = partial(Fault, family="memory", runbook="memory")


def _climbing(aws: "AwsEndpoint") -> None:
    """By a little every minute, from an hour ago on; in two hours it stays where it is."""
    ahead = 12 * HOUR_S
    minutes = round((HOUR_S + ahead) / MINUTE_S)
    values = [min(STAYS_AT_PERCENT, BEGAN_AT_PERCENT + PERCENT_AN_HOUR * minute / 60) for minute in range(minutes)]
    aws.put_metric(
        "AWS/ECS",
        "MemoryUtilization",
        aws.service_dimensions,
        values,
        unit="Percent",
        last_at=time.time() + ahead,
    )


def _out_of_memory_lines(aws: "AwsEndpoint") -> None:
    line = "ERROR request 7f{} failed: java.lang.OutOfMemoryError: Java heap space"
    ages = [minutes * MINUTE_S for minutes in (2, 9, 17, 24, 38, 51)]
    aws.put_log_events(aws.log_group, [line.format(f"{index:02d}") for index in range(len(ages))], ages=ages)


def _killed_tasks(aws: "AwsEndpoint") -> None:
    aws.set_service(
        stopped=[
            {"reason": "OutOfMemoryError: Container killed due to memory usage", "exit_code": 137, "ago_s": ago_s}
            for ago_s in (5 * MINUTE_S, 32 * MINUTE_S)
        ]
    )


MEMORY: tuple[tuple[Fault, Plan], ...] = (
    (
        _fault(
            "memory_91",
            "The service uses 91 % of its memory",
            "CloudWatch reports a MemoryUtilization of 91 % for the ECS service, the same for an hour. That is just "
            "above the 90 % from which on it is critical. No task was killed yet. The diagnosis should say that "
            "memory is high, and not that it climbs.",
            ("memory_high",),
            neighbour="memory_89",
        ),
        Plan(memory_percent=91.0),
    ),
    (
        _fault(
            "memory_89",
            "The service uses 89 % of its memory",
            "CloudWatch reports a MemoryUtilization of 89 % for the ECS service, the same for an hour. That is just "
            "below the 90 % from which on it is critical, and it does not climb. The diagnosis should find nothing.",
            neighbour="memory_91",
        ),
        Plan(memory_percent=89.0),
    ),
    (
        _fault(
            "memory_climbing",
            "Memory climbs and never falls: a leak",
            "CloudWatch reports a MemoryUtilization that rose with every minute of the last hour, from 50 % to 68 %, "
            "as it does where memory is never given back. It is far from 90 % still. The diagnosis should say that "
            "memory climbs, hours before a task is killed.",
            ("memory_climbing",),
        ),
        Plan(memory_percent=None, aws=_climbing),
    ),
    (
        _fault(
            "out_of_memory_error",
            "The application logs OutOfMemoryError",
            "The logs of the last hour have six lines with java.lang.OutOfMemoryError, while the memory of the tasks "
            "as a whole looks usual: the heap is too small for the work. The diagnosis should name the errors in the "
            "logs.",
            ("out_of_memory_errors",),
        ),
        Plan(aws=_out_of_memory_lines),
    ),
    (
        _fault(
            "tasks_killed",
            "ECS killed two tasks for lack of memory",
            "Two tasks were stopped within the last hour with the reason OutOfMemoryError and exit code 137, and "
            "were started again: three of three run, and memory looks usual between two kills. The diagnosis should "
            "name the killed tasks.",
            ("tasks_out_of_memory",),
        ),
        Plan(aws=_killed_tasks),
    ),
    (
        _fault(
            "aws_throttled",
            "AWS throttles every request",
            "Everything works, but another tool has used up the rate at which this account may ask AWS, so that "
            "every request of ours is throttled. Nothing can be seen of memory, logs or tasks. The diagnosis should "
            "not call that healthy: it should say that it could not look, and that AWS throttles.",
            blind=("throttles",),
        ),
        Plan(aws=lambda aws: aws.disturb(Disturbance("throttled"))),
    ),
    (
        _fault(
            "aws_denied",
            "The credentials may not look at anything",
            "Everything works, but the role of whoever looks has no permission for CloudWatch, logs or ECS: every "
            "request is denied. The diagnosis should not call that healthy: it should say that it could not look, "
            "and name the IAM actions that are missing.",
            blind=("cloudwatch:GetMetricStatistics", "logs:FilterLogEvents", "ecs:DescribeServices"),
        ),
        Plan(aws=lambda aws: aws.disturb(Disturbance("denied"))),
    ),
    (
        _fault(
            "logs_empty",
            "The log group is there, and has no lines",
            "The log group of the application exists and is empty, as it is after a quiet night. Memory and tasks "
            "are as usual. No line means no error, and is not the same as a log group that does not exist. The "
            "diagnosis should find nothing.",
        ),
        Plan(log_lines=False),
    ),
)
"""Every fault of the family, with its plan."""
