"""The probe aws.log_groups against a real endpoint."""

from typing import Any

import pytest

from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import Dimension, ErrorKind
from runbook_probes.aws.logs import log_groups

pytestmark = pytest.mark.anyio

GROUP = "/ecs/pixelated-empathy-api"


class TestGroups:
    async def test_are_counted_with_what_they_store_and_whether_they_ever_forget(
        self, aws: AwsEndpoint, ask: Any, client: Any
    ) -> None:
        logs = client("logs")
        logs.create_log_group(logGroupName="/counted/a")
        logs.create_log_group(logGroupName="/counted/b")
        logs.put_retention_policy(logGroupName="/counted/b", retentionInDays=7)
        aws.put_log_events("/counted/b", ["12345678"] * 2)
        reading = await ask(log_groups, prefix="/counted/")
        assert (reading.groups, reading.stored, reading.without_retention) == (2, 16, 1)
        assert reading.evidence["largest"] == [
            {"name": "/counted/b", "stored": 16, "retention_days": 7},
            {"name": "/counted/a", "stored": 0, "retention_days": None},
        ]
        logs.delete_log_group(logGroupName="/counted/a")

    async def test_of_the_lab_are_those_of_its_service(self, ask: Any) -> None:
        reading = await ask(log_groups)
        assert [each["name"] for each in reading.evidence["largest"]] == [GROUP]

    async def test_are_read_on_all_pages_and_shown_by_size(self, ask: Any, client: Any) -> None:
        logs = client("logs")
        for index in range(120):
            logs.create_log_group(logGroupName=f"/many/{index:03}")
        reading = await ask(log_groups, prefix="/many/")
        assert reading.groups == 120
        assert len(reading.evidence["largest"]) == 20
        assert reading.evidence["truncated"] is True
        for index in range(120):
            logs.delete_log_group(logGroupName=f"/many/{index:03}")

    async def test_that_do_not_exist_are_none_and_no_error(self, ask: Any) -> None:
        reading = await ask(log_groups, prefix="/nothing/")
        assert (reading.groups, reading.stored, reading.without_retention) == (0, 0, 0)

    async def test_of_a_whole_region_are_asked_for_without_a_prefix(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await ask(log_groups, prefix="")
        assert GROUP in [each["name"] for each in reading.evidence["largest"]]

    async def test_without_end_are_given_up(self, fail: Any, scripted: Any) -> None:
        pages = [{"logGroups": [{"logGroupName": "a"}] * 5000, "nextToken": str(index)} for index in range(9)]
        error = await fail(log_groups, endpoint_url=scripted({"DescribeLogGroups": pages}).url)
        assert error.kind is ErrorKind.MALFORMED
        assert error.message == "there are more than 20000 log groups /ecs/*"
        assert error.remedy == "give a longer prefix"

    async def test_that_may_not_be_listed_name_the_permission(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("denied", "logs"))
        error = await fail(log_groups)
        assert error.kind is ErrorKind.FORBIDDEN
        assert error.remedy == "allow logs:DescribeLogGroups in the IAM policy of these credentials"

    @pytest.mark.parametrize("kind", ["silent", "dripping"])
    async def test_that_are_never_listed_hold_nothing(self, aws: AwsEndpoint, fail: Any, kind: Any) -> None:
        import boto3

        assert boto3
        aws.disturb(Disturbance(kind, "logs"))
        error = await fail(log_groups, within=2.0)
        assert error.kind is ErrorKind.TIMEOUT
        assert error.message.startswith("the list of log groups /ecs/* was not answered by 127.0.0.1:")


def test_the_command_of_log_groups_is_that_of_the_aws_cli() -> None:
    told = "aws logs describe-log-groups --log-group-name-prefix /ecs/ --profile 'on call'"
    assert log_groups.command(log_groups.params(profile="on call")) == told
    assert log_groups.command(log_groups.params(prefix="")) == "aws logs describe-log-groups"


@pytest.mark.parametrize("prefix", ["a b", "x" * 513, "$HOME"])
def test_a_prefix_that_no_name_can_have_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        log_groups.params(prefix=prefix)


def test_metrics_are_declared_with_units_that_a_checker_can_prove_with() -> None:
    assert log_groups.metrics["stored"].dimension is Dimension.BYTES
