"""An AWS endpoint on loopback: moto with the lab's system in it, and a shim that can deny, throttle, hang and drip.

It runs in a process of its own (see ``aws_server``) which ends with this one, however this one ends.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from types import MappingProxyType, TracebackType
from typing import IO, Any, Self

from runbook_engine.errors import RunbookError
from runbook_engine.lab.aws_acm import USUAL_DAYS
from runbook_engine.lab.aws_ecs import USUAL_AGE_S, Rollout, StoppedTask
from runbook_engine.lab.aws_health import HealthEvent, TargetState
from runbook_engine.lab.aws_logs import USUAL_STREAM
from runbook_engine.lab.aws_rds import ALLOCATED_GIB, FREE, GIB, USUAL_STORAGE_PERCENT, Maintenance
from runbook_engine.lab.aws_shim import Call, Disturbance

__all__ = ["AwsEndpoint", "Call", "Disturbance", "HealthEvent", "Maintenance", "StoppedTask", "TargetState"]

ANSWER_TIMEOUT_S = 30.0
STOP_PATIENCE_S = 5.0
LOG_TAIL = 2_000
EVERY_S = 60.0
HISTORY_S = 3600.0
AHEAD_S = 12 * 3600.0


class AwsEndpoint:
    """The AWS account of the lab; ``with AwsEndpoint() as aws:`` or ``start`` and ``stop``.

    ``cpu_percent`` and ``memory_percent`` are the utilization that CloudWatch reports for the ECS service, from an hour ago
    on; with None there are no datapoints. ``running`` of ``desired`` tasks run. ``seeded=False`` leaves the account empty.
    """

    account = "123456789012"
    region = "us-east-1"
    cluster = "production-cluster"
    service = "pixelated-empathy-api"
    database = "production-db"
    domain = "api.pixelatedempathy.com"
    log_group = "/ecs/pixelated-empathy-api"

    def __init__(
        self,
        *,
        cpu_percent: float | None = 35.0,
        memory_percent: float | None = 60.0,
        desired: int = 3,
        running: int = 3,
        seeded: bool = True,
    ) -> None:
        self._utilization = {"CPUUtilization": cpu_percent, "MemoryUtilization": memory_percent}
        self._tasks = {"desired": desired, "running": running}
        self._seeded = seeded
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, the endpoint of every service."""
        return self._url

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which any AWS client finds this endpoint."""
        return {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self._url,
        }

    @property
    def service_dimensions(self) -> dict[str, str]:
        """The dimensions of the ECS service's metrics in the namespace ``AWS/ECS``."""
        return {"ClusterName": self.cluster, "ServiceName": self.service}

    @property
    def arns(self) -> Mapping[str, str]:
        """The ARNs of ``load_balancer``, ``target_group``, ``service``, ``database`` and ``certificate``, once they exist."""
        return MappingProxyType(dict(self._order("arns")) if self._seeded else {})

    def start(self) -> None:
        """Returns when CloudWatch answers; requests to the other services wait until the rest of the system is there.

        Raises RunbookError, with the end of the server's log, where it does not come up.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        # A session of its own: Ctrl-C in the terminal reaches whoever runs the lab, and they end it in order.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "runbook_engine.lab.aws_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={
                **inherited,
                "AWS_EC2_METADATA_DISABLED": "true",
                "MOTO_ACCOUNT_ID": self.account,
                # Nobody starts a machine here, and 1,300 images take a quarter of a second.
                "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
            },
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            self._url = str(self._reply()["url"])
            if self._seeded:
                self._seed()
        except BaseException:
            self.stop()
            raise

    def _seed(self) -> None:
        names = {"cluster": self.cluster, "service": self.service, "database": self.database, "domain": self.domain}
        self._order("seed", region=self.region, **names, **self._tasks)
        # Datapoints of the future appear as time passes, so that a lab which is left open stays fresh.
        count, last_at = round((HISTORY_S + AHEAD_S) / EVERY_S), time.time() + AHEAD_S
        for name, percent in self._utilization.items():
            if percent is not None:
                values = [percent] * count
                self.put_metric("AWS/ECS", name, self.service_dimensions, values, unit="Percent", last_at=last_at)
        free = [ALLOCATED_GIB * GIB * (100.0 - USUAL_STORAGE_PERCENT) / 100.0] * count
        instance = {"DBInstanceIdentifier": self.database}
        self.put_metric("AWS/RDS", FREE, instance, free, unit="Bytes", last_at=last_at)

    def put_metric(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        values: Sequence[float],
        *,
        unit: str = "None",
        last_at: float | None = None,
        every: float = EVERY_S,
    ) -> None:
        """Put one datapoint for each value, ``every`` seconds, oldest first; the last at ``last_at`` (Unix seconds, default:
        a minute ago). ``unit`` is one of CloudWatch's: ``Percent``, ``Seconds``, ``Bytes``, ``Count`` ...
        """
        self._order(
            "put_metric",
            account=self.account,
            region=self.region,
            namespace=namespace,
            name=name,
            dimensions=dict(dimensions),
            values=list(values),
            unit=unit,
            last_at=time.time() - EVERY_S if last_at is None else last_at,
            every=every,
        )

    def disturb(self, disturbance: Disturbance) -> None:
        """From now on, answer the requests that it names in this way. Of several that fit, the first counts."""
        self._order("disturb", **asdict(disturbance))

    def set_target_health(
        self,
        state: str = "unhealthy",
        reason: str = "Target.FailedHealthChecks",
        description: str = "Health checks failed",
    ) -> None:
        """Report the registered targets of every load balancer as this."""
        self._order("set_target_health", state=state, reason=reason, description=description)

    def set_targets(self, targets: Sequence[TargetState]) -> None:
        """Every target group has as many targets as these, in these states; ``[]`` leaves none."""
        self._order_of_system("set_targets", states=list(targets))

    def set_service(
        self,
        *,
        desired: int = 3,
        running: int = 3,
        pending: int = 0,
        rollout: Rollout = "completed",
        deployed_ago_s: float = USUAL_AGE_S,
        failed_tasks: int = 0,
        stopped: Sequence[StoppedTask] = (),
    ) -> None:
        """The ECS service, its latest deployment, and the tasks of it that stopped.

        Unless ``rollout`` is ``completed``, the tasks that run are those of the deployment before.
        """
        self._order_of_system(
            "set_service",
            desired=desired,
            running=running,
            pending=pending,
            rollout=rollout,
            deployed_ago_s=deployed_ago_s,
            failed_tasks=failed_tasks,
            stopped=list(stopped),
        )

    def set_scaling(self, minimum: int, maximum: int, suspended: bool = False) -> None:  # noqa: FBT001, FBT002
        """Between how many tasks the ECS service scales, and whether that is suspended."""
        self._order_of_system("set_scaling", minimum=minimum, maximum=maximum, suspended=suspended)

    def set_maintenance(self, actions: Sequence[Maintenance]) -> None:
        """What RDS has pending for the database instance."""
        self._order_of_system("set_maintenance", actions=list(actions))

    def set_database(
        self,
        *,
        status: str = "available",
        storage_percent: float = USUAL_STORAGE_PERCENT,
        pending_changes: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """The database instance: its status, how much of its storage is used, which changes wait to be applied."""
        self._order_of_system(
            "set_database", status=status, storage_percent=storage_percent, pending_changes=dict(pending_changes)
        )

    def set_health_events(self, events: Sequence[HealthEvent]) -> None:
        """The open issues that AWS Health knows."""
        self._order_of_system("set_health_events", events=list(events))

    def put_log_events(
        self, group: str, messages: Sequence[str], *, ages: Sequence[float] | float = 60.0, stream: str = USUAL_STREAM
    ) -> None:
        """Log these, each so many seconds ago, into a group and a stream that are created where they do not exist."""
        each_age = [float(ages)] * len(messages) if isinstance(ages, int | float) else list(ages)
        self._order_of_system("put_log_events", group=group, messages=list(messages), ages=each_age, stream=stream)

    def set_insights_result(
        self,
        group: str,
        rows: Sequence[Mapping[str, str]],
        *,
        matched: int | None = None,
        scanned: int | None = None,
        statuses: Sequence[str] = ("Running", "Complete"),
    ) -> None:
        """Every query of Logs Insights on that group gives these rows, in the end.

        Until then each question finds the next of the ``statuses``, and the last from then on. ``matched`` and ``scanned``
        are numbers of log events, by default as many as there are rows.
        """
        given = {"rows": [dict(each) for each in rows], "statuses": list(statuses)}
        self._order_of_system("set_insights_result", group=group, matched=matched, scanned=scanned, **given)

    def set_certificate(
        self,
        *,
        status: str = "issued",
        expires_in_days: float = USUAL_DAYS,
        renewal: str = "none",
        renewal_reason: str = "",
        in_use: bool = True,
    ) -> None:
        """The certificate in ACM; ``status`` and ``renewal`` are ACM's, for example ``expired`` and ``failed``."""
        self._order_of_system(
            "set_certificate",
            status=status,
            expires_in_days=expires_in_days,
            renewal=renewal,
            renewal_reason=renewal_reason,
            in_use=in_use,
        )

    def recover(self) -> None:
        """Forget all disturbances and set states: the system is as it was in the beginning. What hangs is answered."""
        self._order("recover")

    def calls(self) -> list[Call]:
        """Every request so far."""
        return [Call(**each) for each in self._order("calls")]

    def stop(self) -> None:
        """End the server. Does nothing where it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        if self._log is not None:
            self._log.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _order_of_system(self, order: str, **given: object) -> None:
        if not self._seeded:
            raise RunbookError(f"the AWS endpoint cannot {order.replace('_', ' ')}: its account is empty")
        self._order(order, **given)

    def _order(self, order: str, **given: object) -> Any:
        process = self._process
        if process is None or process.stdin is None:
            raise RunbookError("the AWS endpoint is not running")
        with self._lock:
            try:
                process.stdin.write(json.dumps([order, given]) + "\n")
                process.stdin.flush()
            except BrokenPipeError:
                raise RunbookError(f"the AWS endpoint has ended{self._tail()}") from None
            reply = self._reply()
        if "error" in reply:
            raise RunbookError(f"the AWS endpoint cannot {order.replace('_', ' ')}: {reply['error']}{self._tail()}")
        return reply.get("result")

    def _reply(self) -> dict[str, Any]:
        """One line, and never more than one at a time, so that nothing can be left in a buffer behind ``select``."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_TIMEOUT_S)
        if not ready:
            raise RunbookError(f"the AWS endpoint did not answer within {ANSWER_TIMEOUT_S:.0f} s{self._tail()}")
        line = self._process.stdout.readline()
        if not line:
            raise RunbookError(f"the AWS endpoint has ended{self._tail()}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _tail(self) -> str:
        if self._log is None or self._log.closed:
            return ""
        self._log.seek(0)
        tail = self._log.read().decode("utf-8", "replace")[-LOG_TAIL:].strip()
        return f"; its log ends with\n{tail}" if tail else ""
