"""Tasks of an ECS service that stopped, and why."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from runbook_probes.aws.client import Client
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.shown import Answer, Pages, expected, moment, told

AT_ONCE = 100
"""How many tasks DescribeTasks takes."""
KILLED = 137
"""128 + SIGKILL, which is how the kernel ends a process for lack of memory."""

End = Literal["out_of_memory", "failed", "planned"]


@dataclass(frozen=True, slots=True)
class Stopped:
    """``rows`` are all of them, the latest first; ``cut`` says where there are still more."""

    count: int
    out_of_memory: int
    failing: int
    rows: Sequence[Mapping[str, JsonValue]]
    cut: str


def stopped_tasks(client: Client, aim: Aim, cluster: str, service: str) -> Stopped:
    """Those of about the last hour. ``aim`` is told what is asked, for the message in case that it is denied."""
    aim.operation = "ListTasks"
    listed = Pages(client, aim, "list_tasks", "taskArns", cluster=cluster, serviceName=service, desiredStatus="STOPPED")
    arns = list(listed)
    aim.operation = "DescribeTasks"
    tasks = [
        task
        for start in range(0, len(arns), AT_ONCE)
        for task in expected(client.describe_tasks(cluster=cluster, tasks=arns[start : start + AT_ONCE]), aim, "tasks")
    ]
    ends = [end_of(task) for task in tasks]
    rows = [_row(task, end) for task, end in sorted(zip(tasks, ends, strict=True), key=_when, reverse=True)]
    return Stopped(len(tasks), ends.count("out_of_memory"), ends.count("failed"), rows, listed.cut)


_MEMORY = re.compile(r"\AOutOfMemory")
_FAILED = re.compile(r"\bfail|unhealthy", re.IGNORECASE)
_PLANNED_CODES = frozenset({"UserInitiated", "SpotInterruption", "TerminationNotice"})
_PLANNED = re.compile(r"scaling activity|stopped by user|spot task was interrupted|draining", re.IGNORECASE)


def end_of(task: Answer) -> End:
    """Why a task stopped.

    Whoever stops a task on purpose kills it, too, when it does not end by itself within its time (exit code 137). So the
    code means a lack of memory only where nobody stopped the task.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
    """
    containers: Sequence[Answer] = task.get("containers") or []
    why, code = str(task.get("stoppedReason") or ""), task.get("stopCode")
    if any(_MEMORY.match(reason) for reason in (why, *(str(each.get("reason") or "") for each in containers))):
        return "out_of_memory"
    if code == "ServiceSchedulerInitiated":
        return "failed" if _FAILED.search(why) else "planned"
    if code in _PLANNED_CODES or (code is None and _PLANNED.search(why)):
        return "planned"
    if any(each.get("exitCode") == KILLED for each in containers):
        return "out_of_memory"
    return "failed"


def _when(pair: tuple[Answer, End]) -> float:
    at = pair[0].get("stoppedAt") or pair[0].get("stoppingAt")
    return at.timestamp() if isinstance(at, dt.datetime) else 0.0


def _row(task: Answer, end: End) -> Mapping[str, JsonValue]:
    containers: Sequence[Answer] = task.get("containers") or []
    codes = [each["exitCode"] for each in containers if each.get("exitCode") is not None]
    reasons = [told(each["reason"]) for each in containers if each.get("reason")]
    return {
        "at": moment(task.get("stoppedAt") or task.get("stoppingAt")),
        "task": told(str(task.get("taskArn", "")).rpartition("/")[2]),
        "end": end,
        "reason": told("; ".join([str(task.get("stoppedReason") or ""), *reasons]).strip("; ")),
        "exit_code": max(codes, default=None),
    }
