"""What RDS tells of the lab's database: its status, its storage (by CloudWatch) and its pending maintenance.

moto knows no maintenance at all.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PendingMaintenanceAction.html
"""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from runbook_engine.lab.aws_metrics import put_metric

GIB = 2**30
ALLOCATED_GIB = 100
USUAL_STORAGE_PERCENT = 40.0
EVERY_S = 60.0
HISTORY_S = 3600.0
AHEAD_S = 12 * 3600.0
FREE = "FreeStorageSpace"
MOST_RECORDS = 100


class Maintenance(TypedDict, total=False):
    """Without ``apply_in_days`` it waits until somebody applies it; a negative number lies in the past."""

    action: str
    description: str
    apply_in_days: float | None


class DatabaseState:
    """The one database instance. ``begin`` has moto answer for its maintenance."""

    def __init__(self, account: str, region: str, database: str) -> None:
        self._account, self._region, self._database = account, region, database
        self._maintenance: tuple[dict[str, Any], ...] = ()

    def begin(self) -> None:
        from moto.core.responses import ActionResult
        from moto.rds.responses import RDSResponse

        def describe_pending_maintenance_actions(asked: RDSResponse) -> ActionResult:
            filters = {each["Name"]: each["Values"] for each in asked.params.get("Filters", [])}
            names = {str(each).rpartition(":")[2] for each in filters.get("db-instance-id", [self._database])}
            found = self._maintenance if self._database in names else ()
            # One resource has one entry. The pages of RDS may be small, so that each action is told on one of its own.
            start = int(asked.params.get("Marker") or 0)
            arn = f"arn:aws:rds:{self._region}:{self._account}:db:{self._database}"
            shown = [
                {"ResourceIdentifier": arn, "PendingMaintenanceActionDetails": [each]}
                for each in found[start : start + MOST_RECORDS]
            ]
            more = {"Marker": str(start + MOST_RECORDS)} if start + MOST_RECORDS < len(found) else {}
            return ActionResult({"PendingMaintenanceActions": shown, **more})

        setattr(RDSResponse, describe_pending_maintenance_actions.__name__, describe_pending_maintenance_actions)

    def set_maintenance(self, actions: Sequence[Maintenance]) -> None:
        self._maintenance = tuple(_action(each, dt.datetime.now(dt.UTC)) for each in actions)

    def set_status(self, status: str, changes: Mapping[str, object]) -> None:
        """``changes`` wait for the next maintenance window: ``{"DBInstanceClass": "db.m6g.xlarge"}``."""
        from moto.backends import get_backend

        instance: Any = get_backend("rds")[self._account][self._region].databases[self._database]
        instance.status = status
        instance.pending_modified_values = dict(changes)

    def set_storage(self, percent: float) -> None:
        """From an hour ago on, CloudWatch reports that much of the storage as used; whatever it knew before is gone.

        Datapoints of the future appear as time passes, so that a lab which is left open stays fresh.
        """
        from moto.backends import get_backend

        metrics = get_backend("cloudwatch")[self._account][self._region]
        metrics.metric_data = [each for each in metrics.metric_data if (each.namespace, each.name) != ("AWS/RDS", FREE)]
        put_metric(
            self._account,
            self._region,
            "AWS/RDS",
            FREE,
            {"DBInstanceIdentifier": self._database},
            [ALLOCATED_GIB * GIB * (100.0 - percent) / 100.0] * round((HISTORY_S + AHEAD_S) / EVERY_S),
            "Bytes",
            time.time() + AHEAD_S,
            EVERY_S,
        )


def _action(told: Maintenance, now: dt.datetime) -> dict[str, Any]:
    days = told.get("apply_in_days")
    at = None if days is None else now + dt.timedelta(days=days)
    dates = {} if at is None else {"AutoAppliedAfterDate": at, "CurrentApplyDate": at}
    action, description = told.get("action", "system-update"), told.get("description", "New Operating System update")
    return {"Action": action, "Description": description, **dates}
