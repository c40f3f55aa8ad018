"""Faults that live in the AWS account are there for any client: the account alone, as each plan has it."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import botocore.exceptions
import pytest

from runbook_engine.lab.account import furnish
from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.lab.faults import PLANS

Client = Callable[[Mapping[str, str], str], Any]


class Account:
    """An account that can be told to be as that of one fault, and is as it was in the beginning before."""

    def __init__(self, aws: AwsEndpoint, client: Client) -> None:
        self.aws = aws
        self._client = client

    def __getattr__(self, service: str) -> Any:
        return self._client(self.aws.environ, service)

    def become(self, fault: str) -> None:
        self.aws.recover()
        furnish(self.aws, PLANS[fault])

    def service(self) -> Any:
        (found,) = self.ecs.describe_services(cluster=self.aws.cluster, services=[self.aws.service])["services"]
        return found

    def stopped(self) -> Any:
        arns = self.ecs.list_tasks(cluster=self.aws.cluster, serviceName=self.aws.service, desiredStatus="STOPPED")
        return self.ecs.describe_tasks(cluster=self.aws.cluster, tasks=arns["taskArns"])["tasks"]

    def scalable_targets(self) -> Any:
        scaling = self._client(self.aws.environ, "application-autoscaling")
        return scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]

    def targets(self) -> list[str]:
        found = self.elbv2.describe_target_health(TargetGroupArn=self.aws.arns["target_group"])
        return [each["TargetHealth"]["State"] for each in found["TargetHealthDescriptions"]]

    def database(self) -> Any:
        (found,) = self.rds.describe_db_instances(DBInstanceIdentifier=self.aws.database)["DBInstances"]
        return found

    def certificate(self) -> Any:
        return self.acm.describe_certificate(CertificateArn=self.aws.arns["certificate"])["Certificate"]

    def lines(self, pattern: str) -> list[str]:
        since = round((dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).timestamp() * 1000)
        found = self.logs.filter_log_events(logGroupName=self.aws.log_group, filterPattern=pattern, startTime=since)
        return [each["message"] for each in found["events"]]

    def statuses(self) -> dict[str, int]:
        """Requests of the last hour by status, as Logs Insights counts them."""
        now = round(dt.datetime.now(dt.UTC).timestamp())
        query = "stats count() as requests by status_code"
        asked = self.logs.start_query(
            logGroupName=self.aws.log_group, startTime=now - 3600, endTime=now, queryString=query
        )
        answer: Any = {"status": "Running"}
        while answer["status"] == "Running":
            answer = self.logs.get_query_results(queryId=asked["queryId"])
        rows = [{each["field"]: each["value"] for each in row} for row in answer["results"]]
        return {row["status_code"]: int(row["requests"]) for row in rows}

    def percent(self, first: str) -> float:
        """The share of requests with a status that begins so."""
        counted = self.statuses()
        return 100.0 * sum(n for status, n in counted.items() if status.startswith(first)) / sum(counted.values())

    def metric(self, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str) -> list[float]:
        """Of each five minutes of the last hour, the oldest first."""
        now = dt.datetime.now(dt.UTC)
        found = self.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - dt.timedelta(hours=1),
            EndTime=now,
            Period=300,
            Statistics=[statistic],
        )["Datapoints"]
        return [each[statistic] for each in sorted(found, key=lambda point: point["Timestamp"])]

    def memory(self) -> list[float]:
        return self.metric("AWS/ECS", "MemoryUtilization", self.aws.service_dimensions, "Maximum")

    def sessions(self) -> list[float]:
        return self.metric("PixelatedEmpathy", "SessionsStarted", {}, "Sum")

    def free_storage(self) -> float:
        return self.metric("AWS/RDS", "FreeStorageSpace", {"DBInstanceIdentifier": self.aws.database}, "Average")[-1]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[AwsEndpoint]:
    with AwsEndpoint() as started:
        yield started


@pytest.fixture
def account(endpoint: AwsEndpoint, client: Client) -> Account:
    """The one account of this module. What CloudWatch was told stays told."""
    return Account(endpoint, client)


@pytest.fixture
def fresh(request: pytest.FixtureRequest, client: Client) -> Iterator[Account]:
    """An account of its own, which was never anything but that of the fault that is the parameter."""
    plan = PLANS[request.param]
    with AwsEndpoint(cpu_percent=plan.cpu_percent, memory_percent=plan.memory_percent) as aws:
        furnish(aws, plan)
        yield Account(aws, client)


def of(fault: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fresh", [fault], indirect=True)


@of("none")
def test_the_healthy_account_has_nothing_to_complain_of(fresh: Account) -> None:
    assert fresh.targets() == ["healthy"] * 3
    service = fresh.service()
    assert (service["status"], service["desiredCount"], service["runningCount"]) == ("ACTIVE", 3, 3)
    assert [each["rolloutState"] for each in service["deployments"]] == ["COMPLETED"]
    assert fresh.percent("5") == 0
    assert fresh.percent("4") < 1
    assert fresh.percent("2") > 95
    assert len(fresh.lines("INFO")) > 50
    assert fresh.lines("ERROR") == []
    certificate = fresh.certificate()
    left = certificate["NotAfter"] - dt.datetime.now(dt.UTC)
    assert (certificate["Status"], round(left / dt.timedelta(days=1))) == ("ISSUED", 200)
    assert fresh.database()["DBInstanceStatus"] == "available"
    assert fresh.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []
    assert fresh.health.describe_events()["events"] == []
    assert min(fresh.sessions()[1:-1]) == 60
    assert set(fresh.memory()) == {60.0}


@pytest.mark.parametrize("fault", ["target_unhealthy", "aws_incident"])
def test_every_target_is_unhealthy(account: Account, fault: str) -> None:
    account.become(fault)
    assert account.targets() == ["unhealthy"] * 3
    assert account.service()["runningCount"] == 3
    assert len(account.health.describe_events()["events"]) == (fault == "aws_incident")


def test_a_target_drains_beside_healthy_ones(account: Account) -> None:
    account.become("target_draining")
    assert sorted(account.targets()) == ["draining", "healthy", "healthy", "healthy"]


def test_tasks_are_missing_without_one_that_failed(account: Account) -> None:
    account.become("tasks_missing")
    service = account.service()
    assert (service["desiredCount"], service["runningCount"], service["pendingCount"]) == (3, 0, 0)
    assert account.targets() == ["healthy"] * 3
    assert account.ecs.list_tasks(cluster=account.aws.cluster, desiredStatus="STOPPED")["taskArns"] == []


def test_tasks_crash(account: Account) -> None:
    account.become("api_crashed")
    assert [each["containers"][0]["exitCode"] for each in account.stopped()] == [1, 1, 1]
    assert account.service()["runningCount"] < 3


@pytest.mark.parametrize(
    ("fault", "state", "minutes"),
    [
        ("deployment_failed", "FAILED", 30),
        ("deployment_stuck", "IN_PROGRESS", 120),
        ("deployment_healthy", "COMPLETED", 10),
        ("errors_after_deployment", "COMPLETED", 15),
        ("application_errors", "COMPLETED", 3 * 24 * 60),
    ],
)
def test_the_last_deployment_has_its_state_and_its_age(
    account: Account, fault: str, state: str, minutes: float
) -> None:
    account.become(fault)
    primary = next(each for each in account.service()["deployments"] if each["status"] == "PRIMARY")
    age = dt.datetime.now(dt.UTC) - primary["createdAt"]
    assert (primary["rolloutState"], round(age / dt.timedelta(minutes=1))) == (state, minutes)
    assert (primary["failedTasks"] > 0) == (fault == "deployment_failed")


def test_the_service_is_as_large_as_it_may_be(account: Account) -> None:
    account.become("scaling_at_maximum")
    (target,) = account.scalable_targets()
    assert account.service()["desiredCount"] == target["MaxCapacity"] == 10
    assert account.service()["runningCount"] == 10


@of("business_metrics_low")
def test_nobody_starts_a_session_any_more_and_somebody_did_an_hour_ago(fresh: Account) -> None:
    counted = fresh.sessions()
    assert set(counted[-9:]) == {0.0}
    assert max(counted[:2]) == 60


@pytest.mark.parametrize(
    ("fault", "server", "client_share"),
    [
        ("errors_after_deployment", 8.0, 0.15),
        ("application_errors", 8.0, 0.15),
        ("client_abuse", 0.0, 36.0),
        ("errors_few", 0.5, 0.15),
        ("errors_just_above", 5.1, 0.15),
        ("errors_just_below", 0.9, 0.15),
        ("dependency_down_and_errors_after_deployment", 8.0, 0.15),
    ],
)
def test_the_logs_say_how_many_requests_failed(
    account: Account, fault: str, server: float, client_share: float
) -> None:
    account.become(fault)
    assert account.percent("5") == pytest.approx(server)
    assert account.percent("4") == pytest.approx(client_share)
    assert bool(account.lines("ERROR")) == (server > 0)
    assert len(account.lines("INFO")) > 10


def test_maintenance_is_due_in_three_days(account: Account) -> None:
    account.become("maintenance_pending")
    (pending,) = account.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"]
    due = pending["PendingMaintenanceActionDetails"][0]["CurrentApplyDate"] - dt.datetime.now(dt.UTC)
    assert round(due / dt.timedelta(hours=1)) == 72


def test_the_instance_is_not_available(account: Account) -> None:
    account.become("rds_unavailable")
    assert account.database()["DBInstanceStatus"] == "rebooting"


@pytest.mark.parametrize(
    ("fault", "used"), [("disk_86", 86.0), ("disk_84", 84.0), ("idle_in_transaction_and_disk_86", 86.0)]
)
def test_so_much_of_the_storage_is_used(account: Account, fault: str, used: float) -> None:
    account.become(fault)
    of_all = account.free_storage() / (account.database()["AllocatedStorage"] * 2**30)
    assert 100 * (1 - of_all) == pytest.approx(used)


@pytest.mark.parametrize(("fresh", "percent"), [("memory_91", 91.0), ("memory_89", 89.0)], indirect=["fresh"])
def test_memory_is_the_same_for_an_hour(fresh: Account, percent: float) -> None:
    assert set(fresh.memory()) == {percent}


@pytest.mark.parametrize("fresh", ["memory_climbing", "tasks_killed_and_memory_climbing"], indirect=True)
def test_memory_rises_with_every_datapoint_and_stays_below_what_is_high(fresh: Account) -> None:
    memory = fresh.memory()
    assert len(memory) >= 12
    assert all(later > earlier for earlier, later in pairwise(memory))
    assert memory[-1] - memory[0] > 14
    assert max(memory) < 75


@pytest.mark.parametrize("fault", ["out_of_memory_error", "memory_91_and_out_of_memory_error"])
def test_lines_of_the_log_speak_of_memory(account: Account, fault: str) -> None:
    account.become(fault)
    assert len(account.lines("OutOfMemoryError")) == 6


def test_tasks_were_killed_and_others_took_their_place(account: Account) -> None:
    account.become("tasks_killed")
    killed = account.stopped()
    assert [each["containers"][0]["exitCode"] for each in killed] == [137, 137]
    assert all(each["containers"][0]["reason"].startswith("OutOfMemoryError") for each in killed)
    assert account.service()["runningCount"] == 3


@pytest.mark.parametrize(("fault", "code"), [("aws_throttled", "Throttling"), ("aws_denied", "AccessDenied")])
def test_every_service_turns_everybody_away(account: Account, fault: str, code: str) -> None:
    account.become(fault)
    for ask in (account.memory, account.service, lambda: account.lines("")):
        with pytest.raises(botocore.exceptions.ClientError, match=code):
            ask()


def test_the_log_group_exists_and_is_empty(account: Account) -> None:
    account.become("logs_empty")
    assert account.lines("") == []
    assert account.statuses() == {}


@pytest.mark.parametrize(
    ("fault", "days", "renewal"),
    [
        ("acm_renewal_failed", 45, "FAILED"),
        ("certificate_29_days_and_acm_renewal_failed", 45, "FAILED"),
        ("acm_expiring", 20, None),
        ("certificate_29_days", 200, None),
    ],
)
def test_acm_knows_how_long_and_whether_it_could_renew(
    account: Account, fault: str, days: int, renewal: str | None
) -> None:
    account.become(fault)
    certificate = account.certificate()
    left = certificate["NotAfter"] - dt.datetime.now(dt.UTC)
    assert (certificate["Status"], round(left / dt.timedelta(days=1))) == ("ISSUED", days)
    assert certificate.get("RenewalSummary", {}).get("RenewalStatus") == renewal
