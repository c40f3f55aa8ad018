"""What runs the API: targets of the load balancer, tasks and deployments of ECS, AWS itself; and the business of it."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

if TYPE_CHECKING:
    from runbook_engine.lab.aws import AwsEndpoint, TargetState

MINUTE_S = 60.0
HOUR_S = 3600.0
TARGETS = 3

_system = partial(Fault, family="service", runbook="system-health")
_deployment = partial(Fault, family="service", runbook="high-error-rate")


def _targets(states: Sequence[str]) -> "list[TargetState]":
    why = {
        "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
        "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    }
    told: list[TargetState] = []
    for state in states:
        reason, description = why.get(state, ("", ""))
        told.append({"state": state, "reason": reason, "description": description})
    return told


def unhealthy_targets(aws: "AwsEndpoint") -> None:
    aws.set_targets(_targets(["unhealthy"] * TARGETS))


def _draining_target(aws: "AwsEndpoint") -> None:
    aws.set_targets(_targets(["healthy", "healthy", "healthy", "draining"]))


def _no_tasks(aws: "AwsEndpoint") -> None:
    aws.set_service(desired=3, running=0)


def _crashing_tasks(aws: "AwsEndpoint") -> None:
    aws.set_service(
        desired=3,
        running=1,
        pending=2,
        stopped=[
            {"reason": "Essential container in task exited", "exit_code": 1, "ago_s": ago_s}
            for ago_s in (2 * MINUTE_S, 7 * MINUTE_S, 15 * MINUTE_S)
        ],
    )


def _failed_deployment(aws: "AwsEndpoint") -> None:
    reason = (
        "CannotPullContainerError: pull image manifest has been retried 7 times: pixelated-empathy-api:1.1.0: not found"
    )
    aws.set_service(
        rollout="failed",
        deployed_ago_s=30 * MINUTE_S,
        failed_tasks=4,
        stopped=[{"reason": reason, "exit_code": None, "ago_s": ago * MINUTE_S} for ago in (18.0, 21.0, 24.0, 27.0)],
    )


def _stuck_deployment(aws: "AwsEndpoint") -> None:
    aws.set_service(pending=1, rollout="in_progress", deployed_ago_s=2 * HOUR_S, failed_tasks=0)


def _finished_deployment(aws: "AwsEndpoint") -> None:
    aws.set_service(deployed_ago_s=10 * MINUTE_S)


def _as_many_tasks_as_allowed(aws: "AwsEndpoint") -> None:
    aws.set_service(desired=10, running=10)
    aws.set_scaling(2, 10)
    aws.set_targets(_targets(["healthy"] * 10))


def _incident(aws: "AwsEndpoint") -> None:
    unhealthy_targets(aws)
    aws.set_health_events([{"service": "ECS", "code": "AWS_ECS_OPERATIONAL_ISSUE", "region": aws.region}])


SERVICE: tuple[tuple[Fault, Plan], ...] = (
    (
        _system(
            "target_unhealthy",
            "The load balancer finds no target healthy",
            "The API is stopped, and the load balancer knows: all three targets fail their health checks. ECS still "
            "counts three running tasks, AWS has no incident, and the name resolves. One sees connections refused. "
            "The diagnosis should say that the API is down and that the targets are unhealthy.",
            ("targets_unhealthy",),
        ),
        Plan(api="stopped", aws=unhealthy_targets),
    ),
    (
        _system(
            "target_draining",
            "One target is being drained, and three are healthy",
            "A deployment or scaling takes a fourth target out: it drains, as it should, and the others are healthy. "
            "The API answers. It looks like trouble and is none: the diagnosis should find nothing.",
        ),
        Plan(aws=_draining_target),
    ),
    (
        _system(
            "tasks_missing",
            "ECS runs none of the three tasks that it should",
            "The API is stopped. The load balancer has not noticed yet and calls its targets healthy, but ECS runs 0 "
            "of 3 tasks: no deployment is under way and no task failed, there is simply no room for them. One sees "
            "connections refused. The diagnosis should go on to ECS and say that tasks are missing.",
            ("tasks_missing",),
        ),
        Plan(api="stopped", aws=_no_tasks),
    ),
    (
        _system(
            "api_crashed",
            "The tasks of the API end with exit code 1",
            "The API is stopped, as it is in between two crashes. The load balancer has not noticed yet; ECS knows "
            "of three tasks that ended with exit code 1 within the last quarter of an hour, runs one of three and "
            "starts the others again. One sees connections refused. The diagnosis should say that the tasks fail.",
            ("tasks_failing",),
        ),
        Plan(api="stopped", aws=_crashing_tasks),
    ),
    (
        _deployment(
            "deployment_failed",
            "The last deployment failed",
            "Half an hour ago a deployment began whose image does not exist. Four tasks could not be started, and "
            "the circuit breaker ended it; the tasks of the deployment before still serve, without errors. The "
            "diagnosis should name the failed deployment, and not the tasks, which failed because of it.",
            ("deployment_failed",),
        ),
        Plan(aws=_failed_deployment),
    ),
    (
        _deployment(
            "deployment_stuck",
            "A deployment has been in progress for two hours",
            "A deployment began two hours ago and comes to no end: its task is pending and never becomes healthy, "
            "while the tasks of the deployment before serve without errors. A deployment takes minutes. The "
            "diagnosis should say that it is stuck.",
            ("deployment_stuck",),
        ),
        Plan(aws=_stuck_deployment),
    ),
    (
        _deployment(
            "deployment_healthy",
            "A deployment was completed ten minutes ago, and all is well",
            "The deployment of ten minutes ago is completed, three of three tasks run, and the logs know of no "
            "errors since. A recent deployment is the first suspect of whoever looks for the cause of errors; "
            "without errors it is none. The diagnosis should find nothing.",
        ),
        Plan(aws=_finished_deployment),
    ),
    (
        _deployment(
            "scaling_at_maximum",
            "The service has scaled to its maximum",
            "The service runs ten tasks, and ten is the most that Application Auto Scaling may give it; more load "
            "than now would find no more tasks. Everything still answers. The diagnosis should say that scaling is "
            "at its maximum.",
            ("scaling_at_maximum",),
        ),
        Plan(aws=_as_many_tasks_as_allowed),
    ),
    (
        _system(
            "aws_incident",
            "AWS has an open incident of ECS in this region",
            "The API is stopped and all its targets are unhealthy. AWS Health knows why: an operational issue of ECS "
            "is open in the region. One sees connections refused. The diagnosis should name the incident of AWS "
            "beside the unhealthy targets, so that nobody looks for the cause in the own system for long.",
            ("targets_unhealthy", "aws_incident"),
        ),
        Plan(api="stopped", aws=_incident),
    ),
    (
        _system(
            "business_metrics_low",
            "Everything answers, and nobody starts a session",
            "The API answers fast and without errors, yet the application has published 0 started sessions a minute "
            "for the last 50 minutes, where 12 are usual: a form that cannot be sent, a payment page that does not "
            "load. No technical measurement shows it. The diagnosis should name the business metric.",
            ("business_metrics_low",),
        ),
        Plan(sessions_ended_ago_s=50 * MINUTE_S),
    ),
)
"""Every fault of the family, with its plan."""
