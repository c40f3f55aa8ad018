"""The probes aws.rds_instance and aws.rds_maintenance against a real endpoint."""

from typing import Any

import pytest

from runbook_engine.engine.border import Border
from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import Dimension, ErrorKind
from runbook_probes.aws.rds import rds_instance, rds_maintenance

pytestmark = pytest.mark.anyio

DAY_S = 86400.0


class TestAnInstance:
    async def test_is_described_with_its_storage(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await ask(rds_instance, db_instance_id=aws.database)
        assert (reading.status, reading.available, reading.multi_az) == ("available", True, True)
        assert (reading.pending_changes, reading.allocated_storage) == (0, 100 * 2**30)
        assert reading.storage_utilization == pytest.approx(40.0)
        assert reading.missing == {}
        assert reading.evidence["class"] == "db.m6g.large"
        assert reading.evidence["engine"] == "postgres"
        assert reading.evidence["endpoint"].endswith(".us-east-1.rds.amazonaws.com:5432")
        assert reading.evidence["maintenance_window"] == "wed:06:38-wed:07:08"

    async def test_costs_two_requests_and_without_storage_one(self, aws: AwsEndpoint, ask: Any) -> None:
        before = len(aws.calls())
        await ask(rds_instance, db_instance_id=aws.database)
        both = [each.operation for each in aws.calls()[before:]]
        without = await ask(rds_instance, db_instance_id=aws.database, storage=False)
        assert both == ["DescribeDBInstances", "GetMetricStatistics"]
        assert len(aws.calls()) == before + 3
        assert without.storage_utilization is None
        assert without.missing == {"storage_utilization": "not asked for; give the step storage: true"}

    async def test_is_found_by_arn_and_in_capitals_too(self, aws: AwsEndpoint, ask: Any) -> None:
        for name in (aws.arns["database"], aws.database.upper()):
            reading = await ask(rds_instance, db_instance_id=name)
            assert reading.storage_utilization == pytest.approx(40.0)

    @pytest.mark.parametrize(
        ("status", "available"),
        [
            ("backing-up", True),
            ("modifying", True),
            ("storage-optimization", True),
            ("rebooting", False),
            ("stopped", False),
            ("storage-full", False),
            ("maintenance", False),
            ("upgrading", False),
            ("inaccessible-encryption-credentials", False),
            ("some-state-of-the-future", False),
        ],
    )
    async def test_is_available_in_the_states_in_which_it_works(
        self, aws: AwsEndpoint, ask: Any, status: str, available: bool
    ) -> None:
        aws.set_database(status=status)
        reading = await ask(rds_instance, db_instance_id=aws.database, storage=False)
        assert (reading.status, reading.available) == (status, available)

    async def test_tells_the_names_of_changes_that_wait(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_database(pending_changes={"DBInstanceClass": "db.m6g.xlarge", "MasterUserPassword": "hunter2"})
        reading = await ask(rds_instance, db_instance_id=aws.database, storage=False)
        assert reading.pending_changes == 2
        assert reading.evidence["pending_changes"] == ["DBInstanceClass", "MasterUserPassword"]
        assert "hunter2" not in reading.model_dump_json()

    @pytest.mark.parametrize("percent", [84.0, 86.0, 100.0])
    async def test_tells_how_full_its_storage_is(self, aws: AwsEndpoint, ask: Any, percent: float) -> None:
        aws.set_database(storage_percent=percent)
        reading = await ask(rds_instance, db_instance_id=aws.database)
        assert reading.storage_utilization == pytest.approx(percent)

    async def test_that_is_unknown_is_missing(self, aws: AwsEndpoint, fail: Any) -> None:
        error = await fail(rds_instance, db_instance_id="nope")
        assert error.kind is ErrorKind.MISSING
        assert error.remedy == "aws rds describe-db-instances shows those that exist; check the region, too"

    async def test_that_may_not_be_described_is_no_reading(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("denied", "rds"))
        error = await fail(rds_instance, db_instance_id=aws.database)
        assert error.kind is ErrorKind.FORBIDDEN
        assert error.remedy == "allow rds:DescribeDBInstances in the IAM policy of these credentials"

    @pytest.mark.parametrize(
        "inner",
        [
            "",
            "<DBInstances/>",
            "<DBInstances><DBInstance><DBInstanceStatus>available</DBInstanceStatus></DBInstance></DBInstances>",
        ],
    )
    async def test_of_which_half_an_answer_tells_is_no_reading(self, fail: Any, answering: Any, inner: str) -> None:
        body = f"<R><DescribeDBInstancesResult>{inner}</DescribeDBInstancesResult></R>"
        error = await fail(rds_instance, db_instance_id="x", endpoint_url=answering(body))
        assert error.kind is ErrorKind.MALFORMED

    @pytest.mark.parametrize("kind", ["silent", "dripping"])
    async def test_that_does_not_answer_holds_nobody(self, aws: AwsEndpoint, fail: Any, kind: Any) -> None:
        aws.disturb(Disturbance(kind))
        assert (await fail(rds_instance, db_instance_id="x", within=1.5)).kind is ErrorKind.TIMEOUT


class TestStorage:
    """All else is known without it."""

    async def test_that_cloudwatch_denies_is_missing_with_the_action(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.disturb(Disturbance("denied", "monitoring"))
        reading = await ask(rds_instance, db_instance_id=aws.database)
        assert (reading.available, reading.storage_utilization) == (True, None)
        assert reading.missing["storage_utilization"].endswith(
            "allow cloudwatch:GetMetricStatistics in the IAM policy of these credentials"
        )

    async def test_of_which_cloudwatch_is_throttled_is_missing(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.disturb(Disturbance("throttled", "monitoring"))
        reading = await ask(rds_instance, db_instance_id=aws.database)
        assert reading.storage_utilization is None
        assert "AWS throttles cloudwatch GetMetricStatistics" in reading.missing["storage_utilization"]

    @pytest.mark.parametrize("kind", ["silent", "dripping"])
    async def test_of_which_cloudwatch_says_nothing_is_missing(self, aws: AwsEndpoint, ask: Any, kind: Any) -> None:
        aws.disturb(Disturbance(kind, "monitoring"))
        reading = await ask(rds_instance, db_instance_id=aws.database, within=2.0)
        assert reading.available is True
        assert "was not answered by 127.0.0.1:" in reading.missing["storage_utilization"]

    async def test_without_datapoints_is_missing_and_never_zero(self, ask: Any, client: Any) -> None:
        rds = client("rds")
        rds.create_db_instance(
            DBInstanceIdentifier="new",
            DBInstanceClass="db.t4g.micro",
            Engine="postgres",
            MasterUsername="postgres",
            MasterUserPassword="lab-password",
            AllocatedStorage=20,
        )
        reading = await ask(rds_instance, db_instance_id="new")
        rds.delete_db_instance(DBInstanceIdentifier="new", SkipFinalSnapshot=True)
        assert (reading.multi_az, reading.storage_utilization) == (False, None)
        assert reading.missing["storage_utilization"].startswith(
            "CloudWatch has no datapoints for AWS/RDS FreeStorageSpace (DBInstanceIdentifier=new) in the last 60 min"
        )

    async def test_of_aurora_has_no_end(self, aws: AwsEndpoint, ask: Any, client: Any) -> None:
        rds = client("rds")
        rds.create_db_cluster(
            DBClusterIdentifier="grows",
            Engine="aurora-postgresql",
            MasterUsername="postgres",
            MasterUserPassword="lab-password",
        )
        rds.create_db_instance(
            DBInstanceIdentifier="writer",
            DBClusterIdentifier="grows",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
        )
        before = len(aws.calls())
        reading = await ask(rds_instance, db_instance_id="writer")
        assert len(aws.calls()) == before + 1
        assert reading.storage_utilization is None
        assert "grows by itself" in reading.missing["storage_utilization"]


class TestMaintenance:
    async def test_that_is_not_pending_is_none(self, aws: AwsEndpoint, ask: Any) -> None:
        reading = await ask(rds_maintenance)
        assert (reading.pending, reading.overdue, reading.next_in) == (0, 0, None)
        assert reading.missing == {"next_in": "no maintenance is pending"}

    async def test_that_is_pending_is_told_with_its_date(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_maintenance(
            [
                {"action": "db-upgrade", "description": "New minor version", "apply_in_days": 9},
                {"action": "system-update", "description": "New Operating System update", "apply_in_days": 2},
                {"action": "ca-certificate-rotation", "apply_in_days": None},
            ]
        )
        reading = await ask(rds_maintenance, db_instance_id=aws.database)
        assert (reading.pending, reading.overdue) == (3, 0)
        assert reading.next_in == pytest.approx(2 * DAY_S, abs=60)
        actions = reading.evidence["actions"]
        assert [each["action"] for each in actions] == ["system-update", "db-upgrade", "ca-certificate-rotation"]
        assert actions[0]["resource"] == aws.database
        assert actions[2]["applied"] is None

    async def test_whose_date_has_passed_is_overdue_and_may_come_at_any_time(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_maintenance([{"apply_in_days": -3}, {"apply_in_days": 4}])
        reading = await ask(rds_maintenance)
        assert (reading.pending, reading.overdue, reading.next_in) == (2, 1, 0.0)

    async def test_without_a_date_waits_for_somebody(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_maintenance([{"action": "system-update"}])
        reading = await ask(rds_maintenance)
        assert (reading.pending, reading.overdue, reading.next_in) == (1, 0, None)
        assert reading.missing == {"next_in": "no date is set: RDS waits until somebody applies it"}

    async def test_of_another_instance_is_not_counted(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_maintenance([{"apply_in_days": 1}])
        assert (await ask(rds_maintenance, db_instance_id="another")).pending == 0
        assert (await ask(rds_maintenance, db_instance_id=aws.arns["database"])).pending == 1

    async def test_is_read_from_all_pages(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_maintenance([{"apply_in_days": each} for each in range(1, 251)])
        before = len(aws.calls())
        reading = await ask(rds_maintenance)
        assert reading.pending == 250
        assert len(aws.calls()) == before + 3
        assert len(reading.evidence["actions"]) == 50
        assert reading.evidence["truncated"] is True

    async def test_is_described_on_one_line_and_bounded(self, aws: AwsEndpoint, ask: Any) -> None:
        aws.set_maintenance([{"description": "\u202e\n" + "x" * 10_000}])
        kept: Any = Border().evidence((await ask(rds_maintenance)).evidence)
        (row,) = kept["actions"]
        assert row["description"].startswith("⟨U+202E⟩ xxx")
        assert len(row["description"]) < 4_100

    async def test_of_which_half_an_answer_tells_is_no_reading(self, fail: Any, answering: Any) -> None:
        body = "<R><DescribePendingMaintenanceActionsResult/></R>"
        assert (await fail(rds_maintenance, endpoint_url=answering(body))).kind is ErrorKind.MALFORMED

    async def test_that_is_denied_names_the_action(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("denied", "rds"))
        error = await fail(rds_maintenance)
        assert error.kind is ErrorKind.FORBIDDEN
        assert error.remedy == "allow rds:DescribePendingMaintenanceActions in the IAM policy of these credentials"

    async def test_that_is_throttled_is_no_reading(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("throttled", "rds"))
        assert (await fail(rds_maintenance)).kind is ErrorKind.THROTTLED

    async def test_that_is_never_told_holds_nobody(self, aws: AwsEndpoint, fail: Any) -> None:
        aws.disturb(Disturbance("dripping"))
        assert (await fail(rds_maintenance, within=1.5)).kind is ErrorKind.TIMEOUT


def test_the_commands_are_those_of_the_guide() -> None:
    assert rds_instance.command(rds_instance.params(db_instance_id="production-db")) == (
        "aws rds describe-db-instances --db-instance-identifier production-db"
    )
    assert rds_maintenance.command(rds_maintenance.params()) == "aws rds describe-pending-maintenance-actions"
    assert rds_maintenance.command(rds_maintenance.params(db_instance_id="production-db", region="us-east-1")) == (
        "aws rds describe-pending-maintenance-actions --filters Name=db-instance-id,Values=production-db "
        "--region us-east-1"
    )


@pytest.mark.parametrize("name", ["", "a b", "$(reboot)", "x" * 300])
def test_what_cannot_be_an_identifier_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        rds_instance.params(db_instance_id=name)


def test_metrics_are_declared_with_units_that_a_checker_can_prove_with() -> None:
    assert rds_instance.metrics["storage_utilization"].dimension is Dimension.PERCENT
    assert rds_instance.metrics["storage_utilization"].optional
    assert rds_instance.metrics["allocated_storage"].dimension is Dimension.BYTES
    assert rds_maintenance.metrics["next_in"].dimension is Dimension.DURATION
