"""The state of the lab's system in AWS: healthy until it is told otherwise, and again after ``recover``."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runbook_engine.lab.aws_ecs import USUAL_LIMITS, ServiceState
from runbook_engine.lab.aws_health import HealthEvent, HealthEvents, TargetState, TargetStates
from runbook_engine.lab.aws_rds import USUAL_STORAGE_PERCENT, DatabaseState, Maintenance


class SystemState:
    """Of a system that exists: until ``begin``, only ``health`` may be used."""

    def __init__(self) -> None:
        self.health = HealthEvents()
        self._targets = TargetStates()
        self._service: ServiceState | None = None
        self._database: DatabaseState | None = None
        self._usual: Mapping[str, Any] = {}
        self._storage_percent = USUAL_STORAGE_PERCENT

    def begin(self, *, region: str, cluster: str, service: str, database: str, desired: int, running: int) -> None:
        """Once moto has the system, and CloudWatch the usual storage."""
        account = os.environ["MOTO_ACCOUNT_ID"]
        self._usual = {"desired": desired, "running": running}
        self._service = ServiceState(account, region, cluster, service)
        self._database = DatabaseState(account, region, database)
        self._targets.begin()
        self._service.begin()
        self._database.begin()
        self._service.set_service(**self._usual)
        self._service.set_scaling(*USUAL_LIMITS)

    def recover(self) -> None:
        """All as it was in the beginning."""
        self.health.set(())
        self._targets.set(None)
        if self._service is not None:
            self._service.set_service(**self._usual)
            self._service.set_scaling(*USUAL_LIMITS)
        if self._database is not None:
            self._database.set_maintenance(())
            self.set_database("available", USUAL_STORAGE_PERCENT, {})

    def set_targets(self, states: Sequence[TargetState]) -> None:
        self._targets.set(states)

    def set_health_events(self, events: Sequence[HealthEvent]) -> None:
        self.health.set(events)

    def set_service(self, **given: Any) -> None:
        assert self._service is not None
        self._service.set_service(**{**self._usual, **given})

    def set_scaling(self, minimum: int, maximum: int, *, suspended: bool) -> None:
        assert self._service is not None
        self._service.set_scaling(minimum, maximum, suspended=suspended)

    def set_maintenance(self, actions: Sequence[Maintenance]) -> None:
        assert self._database is not None
        self._database.set_maintenance(actions)

    def set_database(self, status: str, storage_percent: float, pending_changes: Mapping[str, object]) -> None:
        assert self._database is not None
        self._database.set_status(status, pending_changes)
        if storage_percent != self._storage_percent:
            self._storage_percent = storage_percent
            self._database.set_storage(storage_percent)

    @property
    def orders(self) -> Mapping[str, Callable[..., object]]:
        return {
            each.__name__: each
            for each in (
                self.set_targets,
                self.set_health_events,
                self.set_service,
                self.set_scaling,
                self.set_maintenance,
                self.set_database,
            )
        }
