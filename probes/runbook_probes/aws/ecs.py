"""Does an ECS service run as many tasks as it should, and how did its last deployment go?"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, JsonValue

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Count, Duration, ErrorKind, ProbeContext, ProbeError, Reading, probe
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.ecs_tasks import Stopped, stopped_tasks
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.shown import Answer, expected, moment, since, told

MOST_EVENTS = 10
MOST_DEPLOYMENTS = 10
MOST_STOPPED = 20
Rollout = Literal["completed", "in_progress", "failed", "unknown"]
_ROLLOUTS: Mapping[str, Rollout] = {
    "COMPLETED": "completed",
    "IN_PROGRESS": "in_progress",
    "FAILED": "failed",
    # Of task sets, where CodeDeploy or another controller deploys.
    "STEADY_STATE": "completed",
    "STABILIZING": "in_progress",
}
Name = Annotated[str, Field(min_length=1, max_length=512)]


class EcsServiceParams(AwsParams):
    cluster: Name = Field(description="Name or ARN of the cluster")
    service: Name = Field(description="Name or ARN of the service")


class EcsServiceReading(Reading):
    """Of stopped tasks ECS remembers those of about the last hour."""

    LOGS = ("stopped", "events")
    PARTIAL: ClassVar = dict.fromkeys(("stopped_tasks", "out_of_memory_tasks", "failing_tasks"), "")

    status: str = Field(description="ACTIVE, DRAINING or INACTIVE")
    desired: Count = Field(description="How many tasks should run")
    running: Count = Field(description="How many tasks run")
    pending: Count = Field(description="How many tasks are about to run")
    deployments: Count = Field(description="How many deployments are under way or in place; 1 in a steady state")
    rollout: Rollout = Field(description="State of the primary deployment; unknown where another controller deploys")
    deployment_age: Duration | None = Field(None, description="Time since the primary deployment began")
    failed_tasks: Count | None = Field(None, description="Tasks of the primary deployment that could not be started")
    stopped_tasks: Count | None = Field(None, description="How many tasks stopped recently")
    out_of_memory_tasks: Count | None = Field(None, description="How many of them were killed for lack of memory")
    failing_tasks: Count | None = Field(
        None, description="How many of them failed in another way: crashes, health checks, images; not scaling"
    )


def _command(params: EcsServiceParams) -> str:
    words = ("aws", "ecs", "describe-services", "--cluster", params.cluster, "--services", params.service)
    return pasteable(*words, *params.options())


@probe("aws.ecs_service", command=_command, reads_only=True)
async def ecs_service(params: EcsServiceParams, ctx: ProbeContext) -> EcsServiceReading:
    """Asks ECS for a service (ecs:DescribeServices) and for its stopped tasks (ecs:ListTasks, ecs:DescribeTasks)."""
    aim = Aim("ecs", "DescribeServices")
    # What is known when the asking ends, in whichever way it ends: the service is known without its tasks, too.
    services: list[Answer] = []
    tasks: list[Stopped] = []
    reason = ""

    def work(client: Client) -> None:
        services.append(_described(client, params, aim))
        tasks.append(stopped_tasks(client, aim, params.cluster, str(services[0]["serviceName"])))

    try:
        await ask("ecs", params, ctx, aim, work, asks=f"ecs {aim.operation}")
    except ProbeError as error:
        if not services:
            raise _explained(error, params, aim) from error
        failure = aim.timed_out("in time", f"ecs {aim.operation}") if error.kind is ErrorKind.TIMEOUT else error
        reason = f"{failure.message}; {failure.remedy}" if failure.remedy else failure.message
    return _reading(services[0], None if reason else tasks[0], reason, dt.datetime.now(dt.UTC))


def _described(client: Client, params: EcsServiceParams, aim: Aim) -> Answer:
    answer: Answer = client.describe_services(cluster=params.cluster, services=[params.service])
    if answer.get("services"):
        service: Answer = answer["services"][0]
        for name in ("serviceName", "status", "desiredCount", "runningCount", "pendingCount"):
            expected(service, aim, name)
        return service
    expected(answer, aim, "failures")
    reasons = ", ".join(sorted({told(each.get("reason")) for each in answer["failures"]})) or "no reason given"
    kind = ErrorKind.MISSING if reasons == "MISSING" else ErrorKind.OTHER
    cluster = f"{params.cluster} of {aim.region}"
    raise ProbeError(kind, f"ECS does not know a service {params.service} in the cluster {cluster} ({reasons})")


def _explained(error: ProbeError, params: EcsServiceParams, aim: Aim) -> ProbeError:
    """What is missing is looked for where its names are listed."""
    if error.kind is not ErrorKind.MISSING or not aim.region:
        return error
    if "ClusterNotFound" in error.message:
        message = f"ECS does not know a cluster {params.cluster} in {aim.region} (ClusterNotFoundException)"
        listed = pasteable("aws", "ecs", "list-clusters", *params.options())
    else:
        message = error.message
        listed = pasteable("aws", "ecs", "list-services", "--cluster", params.cluster, *params.options())
    return ProbeError(error.kind, message, remedy=f"{listed} shows those that exist; check the region, too")


def _reading(service: Answer, stopped: Stopped | None, reason: str, now: dt.datetime) -> EcsServiceReading:
    deployments: Sequence[Answer] = service.get("deployments") or service.get("taskSets") or []
    primary = next((each for each in deployments if each.get("status") == "PRIMARY"), {})
    state = str(primary.get("rolloutState") or primary.get("stabilityStatus") or "")
    began = primary.get("createdAt")
    told_not = {} if stopped else dict.fromkeys(EcsServiceReading.PARTIAL, reason)
    if began is None:
        told_not["deployment_age"] = "the service has no primary deployment"
    if primary.get("failedTasks") is None:
        told_not["failed_tasks"] = "ECS counts no failed tasks for this service: another controller deploys it, or none"
    return EcsServiceReading(
        status=told(service["status"]),
        desired=service["desiredCount"],
        running=service["runningCount"],
        pending=service["pendingCount"],
        deployments=len(deployments),
        rollout=_ROLLOUTS.get(state, "unknown"),
        deployment_age=None if began is None else since(began, now),
        failed_tasks=primary.get("failedTasks"),
        stopped_tasks=stopped and stopped.count,
        out_of_memory_tasks=stopped and stopped.out_of_memory,
        failing_tasks=stopped and stopped.failing,
        missing=told_not,
        cut=stopped.cut if stopped else "",
        evidence=_evidence(service, deployments, stopped),
    )


def _evidence(service: Answer, deployments: Sequence[Answer], stopped: Stopped | None) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {
        "task_definition": told(service.get("taskDefinition")),
        "deployments": [_deployment(each) for each in deployments[:MOST_DEPLOYMENTS]],
        "events": [
            {"at": moment(each.get("createdAt")), "message": told(each.get("message"))}
            for each in (service.get("events") or [])[:MOST_EVENTS]
        ],
    }
    if stopped is not None:
        shown["stopped"] = [dict(each) for each in stopped.rows[:MOST_STOPPED]]
        if len(stopped.rows) > MOST_STOPPED:
            shown["truncated"] = True
    return shown


def _deployment(each: Answer) -> JsonValue:
    return {
        "id": told(each.get("id")),
        "status": told(each.get("status")),
        "rollout": told(each.get("rolloutState") or each.get("stabilityStatus")) or None,
        "reason": told(each.get("rolloutStateReason")) or None,
        "began": moment(each.get("createdAt")),
        "task_definition": told(each.get("taskDefinition")),
        "desired": each.get("desiredCount", each.get("computedDesiredCount")),
        "running": each.get("runningCount"),
        "pending": each.get("pendingCount"),
        "failed": each.get("failedTasks"),
    }
