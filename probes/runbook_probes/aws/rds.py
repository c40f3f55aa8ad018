"""How is a database instance of RDS, and what will be done to it?"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Bytes, Count, Duration, ErrorKind, Percent, ProbeContext, ProbeError, Reading, probe
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.failure import Aim
from runbook_probes.aws.shown import Answer, Pages, expected, moment, told
from runbook_probes.aws.statistics import StatisticsParams, cloudwatch

GIB = 2**30
MOST_SHOWN = 50
SERVING = frozenset(
    {
        "available", "backing-up", "configuring-enhanced-monitoring", "configuring-iam-database-auth",
        "configuring-log-exports", "modifying", "storage-config-upgrade", "storage-initialization",
        "storage-optimization",
    }
)  # fmt: skip
"""The states in which a database works on.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html#Overview.DBInstance.Status
"""

Identifier = Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9:._-]*$")]


class RdsInstanceParams(AwsParams):
    db_instance_id: Annotated[Identifier, Field(min_length=1)] = Field(description="Identifier of the instance, or ARN")
    storage: bool = Field(True, description="Whether to ask CloudWatch how much storage is used")

    @property
    def name(self) -> str:
        """As CloudWatch knows the instance."""
        return self.db_instance_id.rpartition(":")[2].lower()


class RdsInstanceReading(Reading):
    status: str = Field(description="As RDS writes it: available, backing-up, modifying, stopped, storage-full ...")
    available: bool = Field(
        description="Whether the database works in this state: available, backing-up, modifying ..."
    )
    multi_az: bool = Field(description="Whether a standby is kept in another availability zone")
    pending_changes: Count = Field(description="How many changes wait for the next maintenance window or restart")
    allocated_storage: Bytes = Field(description="Storage of the instance")
    storage_utilization: Percent | None = Field(None, description="Used part of the storage, by CloudWatch")


def _instance_command(params: RdsInstanceParams) -> str:
    words = ("aws", "rds", "describe-db-instances", "--db-instance-identifier", params.db_instance_id)
    return pasteable(*words, *params.options())


@probe("aws.rds_instance", command=_instance_command, reads_only=True)
async def rds_instance(params: RdsInstanceParams, ctx: ProbeContext) -> RdsInstanceReading:
    """Asks RDS for an instance (rds:DescribeDBInstances), CloudWatch for its storage (cloudwatch:GetMetricStatistics)."""
    aim = Aim("rds", "DescribeDBInstances")

    def work(client: Client) -> Answer:
        answer = client.describe_db_instances(DBInstanceIdentifier=params.db_instance_id)
        instance: Answer = next(iter(expected(answer, aim, "DBInstances")), {})
        for name in ("DBInstanceStatus", "AllocatedStorage"):
            expected(instance, aim, name)
        return instance

    try:
        instance = await ask("rds", params, ctx, aim, work, asks=f"rds {aim.operation}")
    except ProbeError as error:
        if error.kind is not ErrorKind.MISSING or not aim.region:
            raise
        listed = pasteable("aws", "rds", "describe-db-instances", *params.options())
        remedy = f"{listed} shows those that exist; check the region, too"
        raise ProbeError(error.kind, error.message, remedy=remedy) from error
    allocated = int(instance["AllocatedStorage"]) * GIB
    storage = await _storage(params, ctx, instance, allocated)
    status = told(instance["DBInstanceStatus"])
    return RdsInstanceReading(
        status=status,
        available=status in SERVING,
        multi_az=bool(instance.get("MultiAZ")),
        pending_changes=len(instance.get("PendingModifiedValues") or {}),
        allocated_storage=allocated,
        storage_utilization=storage.utilization,
        missing={} if storage.utilization is not None else {"storage_utilization": storage.reason},
        evidence=_instance_evidence(instance),
    )


@dataclass(frozen=True, slots=True)
class _Storage:
    utilization: float | None
    reason: str = ""


async def _storage(params: RdsInstanceParams, ctx: ProbeContext, instance: Answer, allocated: int) -> _Storage:
    if not params.storage:
        return _Storage(None, "not asked for; give the step storage: true")
    if not allocated or str(instance.get("Engine", "")).startswith("aurora"):
        return _Storage(None, "the storage of this engine grows by itself, so that no part of it is used")
    free = StatisticsParams(
        namespace="AWS/RDS",
        metric="FreeStorageSpace",
        dimensions={"DBInstanceIdentifier": params.name},
        unit="Bytes",
        region=params.region,
        endpoint_url=params.endpoint_url,
        profile=params.profile,
    )
    try:
        reading = await cloudwatch(free, ctx)
    except ProbeError as error:
        return _Storage(None, f"{error.message}; {error.remedy}" if error.remedy else error.message)
    return _Storage(min(100.0, max(0.0, 100.0 * (1.0 - reading.latest / allocated))))


def _instance_evidence(instance: Answer) -> dict[str, JsonValue]:
    endpoint = instance.get("Endpoint") or {}
    replicas: Sequence[object] = instance.get("ReadReplicaDBInstanceIdentifiers") or []
    return {
        "class": told(instance.get("DBInstanceClass")),
        "engine": told(instance.get("Engine")),
        "version": told(instance.get("EngineVersion")),
        "endpoint": f"{told(endpoint.get('Address'))}:{endpoint.get('Port')}" if endpoint else None,
        "zone": told(instance.get("AvailabilityZone")) or None,
        "replicas": [told(each) for each in replicas[:MOST_SHOWN]],
        "maintenance_window": told(instance.get("PreferredMaintenanceWindow")),
        "backup_window": told(instance.get("PreferredBackupWindow")),
        "pending_changes": [told(each) for each in sorted(dict(instance.get("PendingModifiedValues") or {}))],
    }


class RdsMaintenanceParams(AwsParams):
    db_instance_id: Identifier = Field("", description="Identifier of the instance, or ARN; by default all instances")


class RdsMaintenanceReading(Reading):
    PARTIAL: ClassVar = dict.fromkeys(("pending", "overdue", "next_in"), "")

    pending: Count | None = Field(description="How many maintenance actions are pending")
    overdue: Count | None = Field(description="For how many the date has passed after which RDS applies them by itself")
    next_in: Duration | None = Field(None, description="Time until the first is applied; 0 where that date has passed")


def _maintenance_command(params: RdsMaintenanceParams) -> str:
    words = ["aws", "rds", "describe-pending-maintenance-actions"]
    words += ["--filters", f"Name=db-instance-id,Values={params.db_instance_id}"] if params.db_instance_id else []
    return pasteable(*words, *params.options())


@probe("aws.rds_maintenance", command=_maintenance_command, reads_only=True)
async def rds_maintenance(params: RdsMaintenanceParams, ctx: ProbeContext) -> RdsMaintenanceReading:
    """Asks RDS which maintenance is pending (rds:DescribePendingMaintenanceActions)."""
    aim = Aim("rds", "DescribePendingMaintenanceActions")

    def work(client: Client) -> tuple[Sequence[_Action], str]:
        named = {"Name": "db-instance-id", "Values": [params.db_instance_id]}
        chosen = {"Filters": [named]} if params.db_instance_id else {}
        pages = Pages(client, aim, "describe_pending_maintenance_actions", "PendingMaintenanceActions", **chosen)
        actions = [
            _Action(str(resource.get("ResourceIdentifier", "")), detail)
            for resource in pages
            for detail in resource.get("PendingMaintenanceActionDetails") or ()
        ]
        return actions, pages.cut

    actions, cut = await ask("rds", params, ctx, aim, work, asks="which maintenance of RDS is pending")
    return _maintenance(actions, cut, dt.datetime.now(dt.UTC))


@dataclass(frozen=True, slots=True)
class _Action:
    resource: str
    detail: Answer

    @property
    def at(self) -> dt.datetime | None:
        """When it is applied: as soon as one of its dates comes."""
        return min(self._dates("CurrentApplyDate", *_BY_ITSELF), default=None)

    def is_overdue(self, now: dt.datetime) -> bool:
        return any(each <= now for each in self._dates(*_BY_ITSELF))

    def _dates(self, *names: str) -> list[dt.datetime]:
        return [each for each in map(self.detail.get, names) if isinstance(each, dt.datetime)]

    def row(self) -> Mapping[str, JsonValue]:
        return {
            "resource": told(self.resource.rpartition(":")[2]),
            "action": told(self.detail.get("Action")),
            "description": told(self.detail.get("Description")) or None,
            "applied": moment(self.at),
            "opted_in": told(self.detail.get("OptInStatus")) or None,
        }


_BY_ITSELF = ("AutoAppliedAfterDate", "ForcedApplyDate")


def _maintenance(actions: Sequence[_Action], cut: str, now: dt.datetime) -> RdsMaintenanceReading:
    dates = sorted(each.at for each in actions if each.at is not None)
    none = "no date is set: RDS waits until somebody applies it" if actions else "no maintenance is pending"
    ordered = sorted(actions, key=lambda each: each.at or dt.datetime.max.replace(tzinfo=dt.UTC))
    return RdsMaintenanceReading(
        pending=len(actions),
        overdue=sum(each.is_overdue(now) for each in actions),
        next_in=max(0.0, (dates[0] - now).total_seconds()) if dates else None,
        cut=f"{cut}; give the step a db_instance_id" if cut else "",
        missing={} if dates else {"next_in": none},
        evidence={
            "actions": [dict(each.row()) for each in ordered[:MOST_SHOWN]],
            **({"truncated": True} if len(actions) > MOST_SHOWN else {}),
        },
    )
