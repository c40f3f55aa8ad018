"""Can a Redis that answers serve? A replica may have lost its master, a cluster its slots, and writes may be refused."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from runbook_engine.probe import Duration, Reading
from runbook_probes.redis_fields import Fields, Numbers, number, unread

if TYPE_CHECKING:
    from redis.asyncio import Redis

Role = Literal["master", "replica"]
Link = Literal["up", "down", "none"]
ClusterState = Literal["ok", "fail", "off"]
WriteError = Literal["none", "CLUSTERDOWN", "MISCONF", "NOREPLICAS", "READONLY"]

_ROLES: Mapping[str, Role] = {"master": "master", "slave": "replica", "replica": "replica"}
_SAVES = ("rdb_last_bgsave_status", "aof_last_write_status")


class ServiceReading(Reading):
    role: Role | None = Field(None, description="Whether the server is a master or a replica")
    master_link_status: Link | None = Field(
        None, description="A replica's connection with its master; none where the server is no replica"
    )
    master_link_down_for: Duration | None = Field(
        None, description="Since when that connection is down; missing where it never was up"
    )
    master_syncing: bool | None = Field(
        None,
        description="Whether a replica takes over all data of its master now; the connection counts as down until then",
    )
    cluster_state: ClusterState | None = Field(
        None, description="Whether a node of a cluster serves its keys; off where the server is no such node"
    )
    writes_refused: bool | None = Field(
        None, description="Whether a write is refused, for another reason than a lack of memory"
    )
    write_error: WriteError | None = Field(
        None, description="The first word of the error with which writes are refused"
    )


@dataclass(slots=True)
class Service:
    """Metrics of a ServiceReading, and why those that are missing are."""

    role: Role | None = None
    master_link_status: Link | None = None
    master_link_down_for: float | None = None
    master_syncing: bool | None = None
    cluster_state: ClusterState | None = None
    writes_refused: bool | None = None
    write_error: WriteError | None = None
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ServiceReading.model_fields if name not in Reading.RESERVED}


async def ask_service(client: "Redis", told: Fields) -> Service:
    """What INFO says of it, with CLUSTER INFO, PING and CONFIG GET only where INFO leaves a doubt."""
    service = Service(role=_ROLES.get(told.get("role", "")))
    if service.role is None:
        service.missing["role"] = unread(told, "role")
    _link(service, told)
    await _cluster(service, client, told)
    await _writes(service, client, told)
    return service


def _link(service: Service, told: Fields) -> None:
    match service.role, told.get("master_link_status"):
        case "master", _:
            service.master_link_status, service.master_link_down_for = "none", 0.0
        case "replica", "up":
            service.master_link_status, service.master_link_down_for = "up", 0.0
        case "replica", "down":
            service.master_link_status = "down"
            numbers = Numbers(told)
            service.master_link_down_for = numbers.number("master_link_down_for", "master_link_down_since_seconds")
            service.missing.update(numbers.missing)
        case _:
            why = unread(told, "role" if service.role is None else "master_link_status")
            service.missing["master_link_status"] = service.missing["master_link_down_for"] = why
    match service.role, told.get("master_sync_in_progress"):
        case "master", _:
            service.master_syncing = False
        case "replica", "0" | "1" as digit:
            service.master_syncing = digit == "1"
        case _:
            service.missing["master_syncing"] = unread(
                told, "role" if service.role is None else "master_sync_in_progress"
            )


async def _cluster(service: Service, client: "Redis", told: Fields) -> None:
    """https://redis.io/docs/latest/commands/cluster-info/."""
    match told.get("cluster_enabled"):
        case "0":
            service.cluster_state = "off"
        case "1":
            ask = partial(client.execute_command, "CLUSTER INFO")
            answer = await _asked(ask)
            match answer:
                case {"cluster_state": "ok" | "fail" as state}:
                    service.cluster_state = state
                case Exception():
                    service.missing["cluster_state"] = f"CLUSTER INFO cannot be asked ({answer})"
                case _:
                    service.missing["cluster_state"] = "CLUSTER INFO does not say cluster_state"
        case _:
            service.missing["cluster_state"] = unread(told, "cluster_enabled")


async def _writes(service: Service, client: "Redis", told: Fields) -> None:
    """The checks that Redis makes before it writes, all but that of memory. None of them writes."""
    doubts = []
    for check in (_by_cluster, _by_role, _by_disk, _by_replicas):
        match await check(service, client, told):
            case None:
                continue
            case Doubt(why):
                doubts.append(why)
            case refusal:
                service.writes_refused, service.write_error = True, refusal
                return
    if doubts:
        service.missing["writes_refused"] = service.missing["write_error"] = "; ".join(doubts)
    else:
        service.writes_refused, service.write_error = False, "none"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a check could not be made."""

    why: str


Checked = WriteError | Doubt | None


async def _by_cluster(service: Service, _client: "Redis", told: Fields) -> Checked:
    if service.cluster_state == "fail":
        return "CLUSTERDOWN"
    if service.cluster_state is None and told.get("cluster_enabled") == "1":
        return Doubt(service.missing["cluster_state"])
    return None


async def _by_role(service: Service, _client: "Redis", told: Fields) -> Checked:
    if service.role is None:
        return Doubt(service.missing["role"])
    return "READONLY" if service.role == "replica" and told.get("slave_read_only") != "0" else None


async def _by_disk(_service: Service, client: "Redis", told: Fields) -> Checked:
    """A failed snapshot does not always stop writes (stop-writes-on-bgsave-error). PING is answered as a write would be.

    https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
    """
    if all(told.get(name) == "ok" for name in _SAVES):
        return None
    answer = await _asked(client.ping)
    if not isinstance(answer, Exception):
        return None
    return "MISCONF" if str(answer).startswith("MISCONF") else Doubt(f"PING is answered with {answer}")


async def _by_replicas(service: Service, client: "Redis", told: Fields) -> Checked:
    """INFO counts good replicas only where ``min-replicas-to-write`` asks for at least one.

    https://redis.io/docs/latest/operate/oss_and_stack/management/replication/#allow-writes-only-with-n-attached-replicas
    """
    if service.role != "master" or "min_slaves_good_slaves" not in told:
        return None
    good = number(told, "min_slaves_good_slaves")
    if good is None:
        return Doubt(unread(told, "min_slaves_good_slaves"))
    if good == 0:
        return "NOREPLICAS"
    answer = await _asked(lambda: client.config_get("min-replicas-to-write"))
    wanted = number(answer, "min-replicas-to-write") if isinstance(answer, Mapping) else None
    if wanted is None:
        told_why = answer if isinstance(answer, Exception) else "it is not told"
        return Doubt(
            f"how many replicas a write needs cannot be read with CONFIG GET min-replicas-to-write ({told_why})"
        )
    return "NOREPLICAS" if good < wanted else None


async def _asked(command: Callable[[], Awaitable[object]]) -> object:
    """The answer, or the error that the server answers with."""
    from redis.exceptions import ResponseError

    try:
        return await command()
    except ResponseError as error:
        return error
