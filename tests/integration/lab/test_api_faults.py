"""The API fails as often as it should, or is gone; and in the healthy lab everything that a runbook looks at is well."""

from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from runbook_engine import load
from runbook_engine.lab import FAULTS, Lab, describe
from runbook_engine.lab.faults import PLANS

OF_A_THOUSAND = 1_000


class Sight(Protocol):
    lab: Lab

    def get(self, path: str) -> httpx.Response: ...
    def client(self) -> httpx.Client: ...


def with_fault(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sight", names, indirect=True)


def failing(client: httpx.Client, path: str, requests: int) -> list[int]:
    """Which requests are answered with 500, counted from 1; all others are answered well."""
    statuses = [client.get(path).status_code for _ in range(requests)]
    assert set(statuses) <= {200, 500}
    return [number for number, status in enumerate(statuses, 1) if status == 500]


@pytest.mark.parametrize(
    ("sight", "failed", "first"), [("errors_just_above", 51, 1), ("errors_just_below", 9, 112)], indirect=["sight"]
)
def test_of_a_thousand_requests_exactly_so_many_fail_at_even_distances(sight: Sight, failed: int, first: int) -> None:
    with sight.client() as client:
        found = failing(client, "/api/sessions/1", OF_A_THOUSAND)
    assert len(found) == failed
    assert found[0] == first
    distances = {later - earlier for earlier, later in pairwise(found)}
    assert max(distances) - min(distances) <= 1


@with_fault("errors_just_above")
def test_each_path_is_counted_by_itself_and_the_labs_own_user_not_at_all(sight: Sight) -> None:
    with sight.client() as client:
        assert failing(client, "/health", 1) == [1]
        assert failing(client, "/api/sessions/2", 1) == [1]
        client.headers["User-Agent"] = "lab-user"
        assert failing(client, "/api/sessions/3", 30) == []


@with_fault("dependency_down_and_errors_after_deployment")
def test_eight_percent_of_all_requests_fail(sight: Sight) -> None:
    with sight.client() as client:
        assert len(failing(client, "/api/sessions/1", 100)) == 8
        response = next(each for each in iter(lambda: client.get("/api/sessions/1"), None) if each.status_code == 500)
    assert "KeyError" in response.json()["error"]


def test_the_same_share_fails_in_every_lab_of_failing_requests() -> None:
    permille = {name: plan.failing_permille for name, plan in PLANS.items() if plan.failing_permille}
    assert permille == {
        "errors_after_deployment": 80,
        "application_errors": 80,
        "errors_just_above": 51,
        "errors_just_below": 9,
        "dependency_down_and_errors_after_deployment": 80,
    }


@with_fault("api_crashed")
def test_the_api_is_gone(sight: Sight) -> None:
    with pytest.raises(httpx.ConnectError, match="refused"):
        sight.get("/health")


def test_the_api_is_gone_in_every_lab_that_says_so() -> None:
    stopped = {name for name, plan in PLANS.items() if plan.api == "stopped"}
    assert stopped == {"target_unhealthy", "tasks_missing", "api_crashed", "aws_incident"}


@with_fault("none")
def test_the_lab_knows_the_inputs_of_every_runbook(sight: Sight) -> None:
    needed = {
        name
        for runbook in {fault.runbook for fault in FAULTS.values()}
        for name, spec in load(runbook).runbook.inputs.items()
        if name.endswith(("_url", "_arn", "_host", "_port", "_resolvers", "_group", "_id", "_file"))
    }
    assert needed <= set(sight.lab.inputs)
    assert Path(sight.lab.inputs["scripts_directory"], "health-check.sh").is_file()
    assert sight.lab.home in Path(sight.lab.inputs["scripts_directory"]).parents


@with_fault("none")
def test_the_arns_are_those_of_the_account(sight: Sight, client: Any) -> None:
    inputs, environ = sight.lab.inputs, sight.lab.environ
    found = client(environ, "elbv2").describe_target_health(TargetGroupArn=inputs["target_group_arn"])
    assert len(found["TargetHealthDescriptions"]) == 3
    certificate = client(environ, "acm").describe_certificate(CertificateArn=inputs["certificate_arn"])
    assert certificate["Certificate"]["DomainName"] == inputs["tls_name"]
    groups = client(environ, "logs").describe_log_groups(logGroupNamePrefix=inputs["log_group"])["logGroups"]
    assert [each["logGroupName"] for each in groups] == [inputs["log_group"]]
    assert client(environ, "rds").describe_db_instances(DBInstanceIdentifier=inputs["db_instance_id"])["DBInstances"]


@with_fault("none")
def test_a_runbook_is_given_the_inputs_that_it_has_and_no_others(sight: Sight) -> None:
    given = sight.lab.inputs_of("memory")
    assert set(given) == {"aws_region", "aws_endpoint_url", "ecs_cluster", "ecs_service", "log_group"}
    assert all(given[name] == sight.lab.inputs[name] for name in given)


@with_fault("api_crashed")
def test_the_command_to_paste_is_of_the_faults_own_runbook(sight: Sight) -> None:
    command = describe(sight.lab).partition("Diagnose it from another terminal:")[2]
    assert "runbook run system-health --no-input" in command
    assert f"target_group_arn={sight.lab.inputs['target_group_arn']}" in command
    assert "scripts_directory=" not in command
