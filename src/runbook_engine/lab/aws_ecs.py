"""What ECS and Application Auto Scaling tell of the lab's service, in whichever state it is told to be.

moto knows no stopped tasks of a service, no failed deployments, and lists the tasks of all services for each.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

Rollout = Literal["completed", "in_progress", "failed"]
DAY_S = 86400.0
USUAL_AGE_S = 3 * DAY_S
USUAL_LIMITS = (2, 10)
SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
MOST_TASKS = 100
KEPT_EVENTS = 100
_REASONS: Mapping[Rollout, str] = {
    "completed": "ECS deployment {id} completed.",
    "in_progress": "ECS deployment {id} in progress.",
    "failed": "ECS deployment circuit breaker: tasks failed to start.",
}


class StoppedTask(TypedDict, total=False):
    """``reason`` as ECS would word it; without a ``stop_code`` the usual one of such a reason is told."""

    reason: str
    exit_code: int | None
    ago_s: float
    stop_code: str


class ServiceState:
    """The one service of the cluster. ``begin`` has moto answer for it."""

    def __init__(self, account: str, region: str, cluster: str, service: str) -> None:
        self._account, self._region, self._cluster, self._service = account, region, cluster, service
        self._tasks: tuple[dict[str, Any], ...] = ()

    def begin(self) -> None:
        from moto.core.responses import ActionResult
        from moto.ecs.responses import EC2ContainerServiceResponse

        def list_tasks(asked: EC2ContainerServiceResponse) -> ActionResult:
            wanted = _param(asked, "desiredStatus") or "RUNNING"
            found = [each["taskArn"] for each in self._of(asked) if each["desiredStatus"] == wanted]
            start = int(_param(asked, "nextToken") or 0)
            end = start + min(MOST_TASKS, int(_param(asked, "maxResults") or MOST_TASKS))
            more = {"nextToken": str(end)} if end < len(found) else {}
            return ActionResult({"taskArns": found[start:end], **more})

        def describe_tasks(asked: EC2ContainerServiceResponse) -> ActionResult:
            from moto.ecs.exceptions import InvalidParameterException

            names = [str(each).rpartition("/")[2] for each in _param(asked, "tasks") or ()]
            if not 0 < len(names) <= MOST_TASKS:
                raise InvalidParameterException(f"Tasks must have between 1 and {MOST_TASKS} items.")
            known = {each["taskArn"].rpartition("/")[2]: each for each in self._of(asked)}
            gone = [{"arn": name, "reason": "MISSING"} for name in names if name not in known]
            return ActionResult({"tasks": [known[name] for name in names if name in known], "failures": gone})

        for answer in (list_tasks, describe_tasks):
            setattr(EC2ContainerServiceResponse, answer.__name__, answer)

    def _of(self, asked: Any) -> Sequence[Mapping[str, Any]]:
        """The tasks of the cluster that is asked about; an unknown cluster or service is an error, as of ECS."""
        from moto.ecs.exceptions import ServiceNotFoundException

        cluster = asked.ecs_backend._get_cluster(_param(asked, "cluster") or "default")  # noqa: SLF001 - as moto itself
        service = str(_param(asked, "serviceName") or "").rpartition("/")[2]
        if service and f"{cluster.name}:{service}" not in asked.ecs_backend.services:
            raise ServiceNotFoundException
        return self._tasks if cluster.name == self._cluster and service in ("", self._service) else ()

    def set_service(
        self,
        *,
        desired: int,
        running: int,
        pending: int = 0,
        rollout: Rollout = "completed",
        deployed_ago_s: float = USUAL_AGE_S,
        failed_tasks: int = 0,
        stopped: Sequence[StoppedTask] = (),
    ) -> None:
        """Unless its deployment is completed, the one before it still has the tasks that run."""
        from moto.backends import get_backend

        now = dt.datetime.now(dt.UTC)
        began = now - dt.timedelta(seconds=deployed_ago_s)
        service = get_backend("ecs")[self._account][self._region].services[f"{self._cluster}:{self._service}"]
        of_all = {
            "desiredCount": desired,
            "launchType": "FARGATE",
            "platformFamily": "Linux",
            "taskDefinition": service.task_definition,
        }
        primary = _deployment(_id(2), "PRIMARY", rollout, began, {**of_all, "pendingCount": pending})
        primary |= {"failedTasks": failed_tasks, "runningCount": running if rollout == "completed" else 0}
        deployments = [primary]
        if rollout != "completed":
            before = _deployment(_id(1), "ACTIVE", "completed", began - dt.timedelta(days=3), of_all)
            deployments.append({**before, "failedTasks": 0, "pendingCount": 0, "runningCount": running})
        self._tasks = (
            *(self._running(index, began, service.task_definition) for index in range(running)),
            *(self._stopped(index, each, now, service.task_definition) for index, each in enumerate(stopped)),
        )
        service.desired_count, service.running_count, service.pending_count = desired, running, pending
        service.deployments = deployments
        service.events = self._events(began, rollout, desired, running)

    def _events(self, began: dt.datetime, rollout: Rollout, desired: int, running: int) -> list[dict[str, Any]]:
        """The latest first."""
        me = f"(service {self._service})"
        told = [
            (each["stoppedAt"], f"{me} has started 1 tasks: (task {each['taskArn'].rpartition('/')[2]}).")
            for each in self._tasks
            if each["lastStatus"] == "STOPPED"
        ]
        match rollout:
            case "completed":
                told.append((began, f"{me} (deployment {_id(2)}) deployment completed."))
            case "failed":
                told.append((began, f"{me} (deployment {_id(2)}) deployment failed: tasks failed to start."))
            case "in_progress":
                told.append((began, f"{me} has begun deployment {_id(2)}."))
        if rollout == "completed" and running >= desired:
            told.append((began, f"{me} has reached a steady state."))
        latest = sorted(told, key=lambda pair: pair[0], reverse=True)[:KEPT_EVENTS]
        return [{"id": f"event-{n}", "createdAt": at, "message": message} for n, (at, message) in enumerate(latest)]

    def _running(self, index: int, began: dt.datetime, definition: str | None) -> dict[str, Any]:
        container = {"name": "api", "lastStatus": "RUNNING", "healthStatus": "HEALTHY"}
        return {
            **self._task(f"{index:032x}", "RUNNING", definition, container),
            "createdAt": began,
            "startedAt": began,
        }

    def _stopped(self, index: int, told: StoppedTask, now: dt.datetime, definition: str | None) -> dict[str, Any]:
        reason = told.get("reason", "Essential container in task exited")
        ended = now - dt.timedelta(seconds=told.get("ago_s", 60.0))
        of_container = reason.startswith("OutOfMemory")
        container: dict[str, Any] = {"name": "api", "lastStatus": "STOPPED"}
        if told.get("exit_code") is not None:
            container["exitCode"] = told["exit_code"]
        if of_container:
            container["reason"] = reason
        return {
            **self._task(f"f{index:031x}", "STOPPED", definition, container),
            "createdAt": ended - dt.timedelta(minutes=5),
            "stoppingAt": ended,
            "stoppedAt": ended,
            "stopCode": told.get("stop_code") or _stop_code(reason),
            "stoppedReason": "Essential container in task exited" if of_container else reason,
        }

    def _task(self, name: str, status: str, definition: str | None, container: Mapping[str, Any]) -> dict[str, Any]:
        place = f"arn:aws:ecs:{self._region}:{self._account}"
        return {
            "taskArn": f"{place}:task/{self._cluster}/{name}",
            "clusterArn": f"{place}:cluster/{self._cluster}",
            "taskDefinitionArn": definition,
            "group": f"service:{self._service}",
            "launchType": "FARGATE",
            "desiredStatus": status,
            "lastStatus": status,
            "containers": [container],
        }

    def set_scaling(self, minimum: int, maximum: int, *, suspended: bool = False) -> None:
        from moto.backends import get_backend

        scaling: Any = get_backend("applicationautoscaling")[self._account][self._region]
        scaling.register_scalable_target(
            "ecs",
            f"service/{self._cluster}/{self._service}",
            "ecs:service:DesiredCount",
            min_capacity=minimum,
            max_capacity=maximum,
            role_arn=f"arn:aws:iam::{self._account}:role/scaling",
            suspended_state=dict.fromkeys(SUSPENSIONS, suspended),
        )


def _param(asked: Any, name: str) -> Any:
    return asked._get_param(name)  # noqa: SLF001 - how moto's own answers read a request


def _id(number: int) -> str:
    return f"ecs-svc/{number:019d}"


def _deployment(
    name: str, status: str, rollout: Rollout, began: dt.datetime, more: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "id": name,
        "status": status,
        "rolloutState": rollout.upper(),
        "rolloutStateReason": _REASONS[rollout].format(id=name),
        "createdAt": began,
        "updatedAt": began,
        **more,
    }


def _stop_code(reason: str) -> str:
    if reason.startswith(("CannotPull", "ResourceInitializationError", "CannotStart", "CannotCreate")):
        return "TaskFailedToStart"
    if reason.startswith(("Scaling activity", "Task failed")):
        return "ServiceSchedulerInitiated"
    return "EssentialContainerExited"
