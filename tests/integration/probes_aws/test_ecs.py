"""The probe aws.ecs_service against a real endpoint."""

import json
from typing import Any

import pytest

from runbook_engine.engine.border import Border
from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import ErrorKind
from runbook_probes.aws.ecs import ecs_service
from runbook_probes.aws.ecs_tasks import end_of

pytestmark = pytest.mark.anyio

OF_TASKS = ("stopped_tasks", "out_of_memory_tasks", "failing_tasks")
CRASH = "Essential container in task exited"
NO_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


@pytest.fixture
def names(aws: AwsEndpoint) -> dict[str, str]:
    return {"cluster": aws.cluster, "service": aws.service}


async def test_a_healthy_service_runs_what_it_should(aws: AwsEndpoint, ask: Any, names: Any) -> None:
    reading = await ask(ecs_service, **names)
    assert reading.status == "ACTIVE"
    assert (reading.desired, reading.running, reading.pending, reading.deployments) == (3, 3, 0, 1)
    assert (reading.rollout, reading.failed_tasks) == ("completed", 0)
    assert reading.deployment_age == pytest.approx(3 * 86400, abs=60)
    assert [getattr(reading, name) for name in OF_TASKS] == [0, 0, 0]
    assert reading.missing == {}


async def test_a_service_without_stopped_tasks_costs_two_requests(aws: AwsEndpoint, ask: Any, names: Any) -> None:
    before = len(aws.calls())
    await ask(ecs_service, **names)
    assert [each.operation for each in aws.calls()[before:]] == ["DescribeServices", "ListTasks"]


async def test_a_service_is_found_by_arn_too(aws: AwsEndpoint, ask: Any) -> None:
    cluster = f"arn:aws:ecs:us-east-1:{aws.account}:cluster/{aws.cluster}"
    reading = await ask(ecs_service, cluster=cluster, service=aws.arns["service"])
    assert reading.running == 3


async def test_tasks_that_do_not_run_are_seen(aws: AwsEndpoint, ask: Any, names: Any) -> None:
    aws.set_service(desired=5, running=2, pending=1)
    reading = await ask(ecs_service, **names)
    assert (reading.desired, reading.running, reading.pending) == (5, 2, 1)


@pytest.mark.parametrize("rollout", ["in_progress", "failed"])
async def test_the_rollout_is_that_of_the_primary_deployment(
    aws: AwsEndpoint, ask: Any, names: Any, rollout: Any
) -> None:
    aws.set_service(desired=3, running=3, pending=2, rollout=rollout, deployed_ago_s=4000, failed_tasks=7)
    reading = await ask(ecs_service, **names)
    assert (reading.rollout, reading.deployments, reading.failed_tasks) == (rollout, 2, 7)
    assert reading.deployment_age == pytest.approx(4000, abs=60)
    primary, before = reading.evidence["deployments"]
    assert (primary["status"], primary["running"]) == ("PRIMARY", 0)
    assert (before["status"], before["rollout"], before["running"]) == ("ACTIVE", "COMPLETED", 3)


async def test_stopped_tasks_are_told_apart_by_why_they_stopped(aws: AwsEndpoint, ask: Any, names: Any) -> None:
    aws.set_service(
        desired=3,
        running=3,
        stopped=[
            {"reason": NO_MEMORY, "exit_code": 137, "ago_s": 300},
            {"reason": CRASH, "exit_code": 137, "ago_s": 200},
            {"reason": CRASH, "exit_code": 1, "ago_s": 100},
            {"reason": "Task failed ELB health checks in (target-group api)", "exit_code": 143, "ago_s": 400},
            {"reason": "CannotPullContainerError: image not found", "ago_s": 500},
            {"reason": "Scaling activity initiated by (deployment ecs-svc/1)", "exit_code": 137, "ago_s": 600},
        ],
    )
    reading = await ask(ecs_service, **names)
    assert [getattr(reading, name) for name in OF_TASKS] == [6, 2, 3]
    latest, *_, oldest = reading.evidence["stopped"]
    assert (latest["reason"], latest["exit_code"], latest["end"]) == (CRASH, 1, "failed")
    assert (oldest["end"], oldest["exit_code"]) == ("planned", 137)
    memory = reading.evidence["stopped"][2]
    assert memory["reason"] == f"{CRASH}; {NO_MEMORY}"


@pytest.mark.parametrize(
    ("task", "end"),
    [
        ({"stopCode": "EssentialContainerExited", "containers": [{"exitCode": 137}]}, "out_of_memory"),
        ({"stopCode": "UserInitiated", "containers": [{"exitCode": 137}]}, "planned"),
        ({"stopCode": "SpotInterruption", "containers": [{"exitCode": 137}]}, "planned"),
        ({"stopCode": "TerminationNotice", "containers": []}, "planned"),
        ({"stopCode": "UserInitiated", "containers": [{"reason": NO_MEMORY}]}, "out_of_memory"),
        ({"stoppedReason": NO_MEMORY}, "out_of_memory"),
        ({"stopCode": "EssentialContainerExited", "containers": [{"exitCode": 0}]}, "failed"),
        ({"stopCode": "TaskFailedToStart"}, "failed"),
        ({"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed container health checks"}, "failed"),
        ({"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Scaling activity initiated by x"}, "planned"),
        ({"stoppedReason": "Task stopped by user", "containers": [{"exitCode": 137}]}, "planned"),
        ({"containers": [{"exitCode": None, "reason": None}]}, "failed"),
        ({}, "failed"),
    ],
)
def test_an_exit_code_of_137_is_no_lack_of_memory_where_somebody_stopped_the_task(task: Any, end: str) -> None:
    assert end_of(task) == end


async def test_stopped_tasks_are_read_from_all_pages(aws: AwsEndpoint, ask: Any, names: Any) -> None:
    aws.set_service(desired=3, running=3, stopped=[{"exit_code": 1, "ago_s": float(each)} for each in range(250)])
    before = len(aws.calls())
    reading = await ask(ecs_service, **names)
    assert (reading.stopped_tasks, reading.failing_tasks) == (250, 250)
    asked = [each.operation for each in aws.calls()[before:]]
    assert (asked.count("ListTasks"), asked.count("DescribeTasks")) == (3, 3)
    assert len(reading.evidence["stopped"]) == 20
    assert "note" not in reading.evidence
    assert reading.evidence["truncated"] is True


async def test_an_endless_list_of_tasks_is_cut_and_says_so(aws: AwsEndpoint, ask: Any, names: Any) -> None:
    aws.set_service(desired=3, running=3, stopped=[{"exit_code": 1}] * 2001)
    reading = await ask(ecs_service, **names)
    assert reading.cut == "there are more than the 20 pages that were read"
    assert set(reading.PARTIAL) == {"stopped_tasks", "out_of_memory_tasks", "failing_tasks"}


async def test_texts_of_others_are_shown_on_one_line_and_bounded(aws: AwsEndpoint, ask: Any, names: Any) -> None:
    hostile = "\x1b[31m<script>\n" + "x" * 50_000
    aws.set_service(desired=3, running=3, stopped=[{"reason": hostile, "exit_code": 1}] * 30)
    reading = await ask(ecs_service, **names)
    kept: Any = Border().evidence(reading.evidence)
    reasons = [each["reason"] for each in kept["stopped"]]
    assert all(each.startswith("␛[31m<script> xxx") and len(each) < 600 for each in reasons)
    assert len(kept["events"]) == 10
    assert len(json.dumps(kept)) < 70_000


class TestOtherControllers:
    @pytest.fixture
    def service(self, aws: AwsEndpoint, client: Any) -> Any:
        ecs = client("ecs")
        ecs.create_service(
            cluster=aws.cluster, serviceName="blue-green", desiredCount=2, deploymentController={"type": "EXTERNAL"}
        )
        yield {"cluster": aws.cluster, "service": "blue-green"}
        ecs.delete_service(cluster=aws.cluster, service="blue-green", force=True)

    async def test_without_a_deployment_tell_neither_age_nor_rollout(self, ask: Any, service: Any) -> None:
        reading = await ask(ecs_service, **service)
        assert (reading.deployments, reading.rollout) == (0, "unknown")
        assert (reading.deployment_age, reading.failed_tasks) == (None, None)
        assert set(reading.missing) == {"deployment_age", "failed_tasks"}

    async def test_deploy_by_task_sets(self, aws: AwsEndpoint, ask: Any, client: Any, service: Any) -> None:
        ecs = client("ecs")
        made = ecs.create_task_set(**service, taskDefinition=aws.service)["taskSet"]["taskSetArn"]
        ecs.update_service_primary_task_set(**service, primaryTaskSet=made)
        reading = await ask(ecs_service, **service)
        assert (reading.deployments, reading.rollout) == (1, "completed")
        assert reading.deployment_age < 60
        assert reading.failed_tasks is None
        assert "another controller deploys it" in reading.missing["failed_tasks"]


async def test_a_service_that_was_deleted_is_inactive(aws: AwsEndpoint, ask: Any, client: Any) -> None:
    ecs = client("ecs")
    ecs.create_service(cluster=aws.cluster, serviceName="old", taskDefinition=aws.service, desiredCount=0)
    ecs.delete_service(cluster=aws.cluster, service="old", force=True)
    reading = await ask(ecs_service, cluster=aws.cluster, service="old")
    assert reading.status == "INACTIVE"


class TestUnknown:
    async def test_cluster_is_missing(self, aws: AwsEndpoint, fail: Any) -> None:
        error = await fail(ecs_service, cluster="nope", service=aws.service)
        assert error.kind is ErrorKind.MISSING
        assert error.message == "ECS does not know a cluster nope in us-east-1 (ClusterNotFoundException)"
        assert error.remedy == "aws ecs list-clusters shows those that exist; check the region, too"

    async def test_service_is_missing_though_ecs_answers_200(self, aws: AwsEndpoint, fail: Any) -> None:
        error = await fail(ecs_service, cluster=aws.cluster, service="nope")
        assert error.kind is ErrorKind.MISSING
        assert error.message == (
            "ECS does not know a service nope in the cluster production-cluster of us-east-1 (MISSING)"
        )
        assert error.remedy.startswith("aws ecs list-services --cluster production-cluster shows those that exist")


class TestWhereTasks:
    """The rest is known without them."""

    @pytest.mark.parametrize("operation", ["ListTasks", "DescribeTasks"])
    async def test_are_denied_their_counts_are_missing_with_the_action(
        self, aws: AwsEndpoint, ask: Any, names: Any, operation: str
    ) -> None:
        aws.set_service(desired=3, running=2, stopped=[{"reason": CRASH, "exit_code": 1}])
        aws.disturb(Disturbance("denied", "ecs", operation))
        reading = await ask(ecs_service, **names)
        assert (reading.desired, reading.running) == (3, 2)
        assert [getattr(reading, name) for name in OF_TASKS] == [None] * 3
        assert set(reading.missing) == set(OF_TASKS)
        assert reading.missing["failing_tasks"].startswith(f"AWS denies ecs:{operation} (")
        assert reading.missing["failing_tasks"].endswith(
            f"; allow ecs:{operation} in the IAM policy of these credentials"
        )
        assert "stopped" not in reading.evidence

    async def test_are_throttled_their_counts_are_missing(self, aws: AwsEndpoint, ask: Any, names: Any) -> None:
        aws.disturb(Disturbance("throttled", "ecs", "ListTasks"))
        reading = await ask(ecs_service, **names)
        assert reading.stopped_tasks is None
        assert reading.missing["stopped_tasks"].startswith("AWS throttles ecs ListTasks for this account (")

    @pytest.mark.parametrize("kind", ["silent", "dripping"])
    async def test_are_never_told_their_counts_are_missing(
        self, aws: AwsEndpoint, ask: Any, names: Any, kind: Any
    ) -> None:
        aws.disturb(Disturbance(kind, "ecs", "ListTasks"))
        reading = await ask(ecs_service, **names, within=2.0)
        assert reading.running == 3
        assert reading.missing["stopped_tasks"].startswith("ecs ListTasks was not answered by 127.0.0.1:")


@pytest.mark.parametrize(("kind", "expected"), [("denied", "forbidden"), ("throttled", "throttled")])
async def test_without_the_service_itself_there_is_no_reading(
    aws: AwsEndpoint, fail: Any, names: Any, kind: Any, expected: str
) -> None:
    aws.disturb(Disturbance(kind, "ecs", "DescribeServices"))
    error = await fail(ecs_service, **names)
    assert error.kind == expected
    assert "ecs:DescribeServices" in error.remedy or kind == "throttled"


@pytest.mark.parametrize(
    "body", ["{}", '{"services": [{}]}', '{"services": [{"serviceName": "x", "status": "ACTIVE", "desiredCount": 0}]}']
)
async def test_half_an_answer_is_no_service_without_tasks(fail: Any, names: Any, answering: Any, body: str) -> None:
    error = await fail(ecs_service, **names, endpoint_url=answering(body))
    assert error.kind is ErrorKind.MALFORMED
    assert "(200) cannot be understood as one of ecs" in error.message


@pytest.mark.parametrize("kind", ["silent", "dripping"])
async def test_the_deadline_holds(aws: AwsEndpoint, fail: Any, names: Any, kind: Any) -> None:
    aws.disturb(Disturbance(kind))
    error = await fail(ecs_service, **names, within=1.5)
    assert error.kind is ErrorKind.TIMEOUT


@pytest.mark.parametrize("wrong", [{"cluster": "", "service": "x"}, {"cluster": "x"}, {"cluster": "x", "services": []}])
def test_wrong_parameters_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError):
        ecs_service.params.model_validate(wrong)


def test_the_command_is_that_of_the_guide() -> None:
    params = ecs_service.params(cluster="production-cluster", service="pixelated-empathy-api")
    assert ecs_service.command(params) == (
        "aws ecs describe-services --cluster production-cluster --services pixelated-empathy-api"
    )


def test_every_rollout_is_known_to_a_checker() -> None:
    assert ecs_service.metrics["rollout"].members == ("completed", "in_progress", "failed", "unknown")
