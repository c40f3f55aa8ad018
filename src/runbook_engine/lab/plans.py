"""How each fault is injected: what differs from the healthy lab, and what must be seen before the lab is ready."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from runbook_engine.lab.disturbances import full_memory, leaked_connections, open_transaction
from runbook_engine.lab.view import View

HASH_ROUNDS = 60_000
UPSTREAM_WAIT_S = 0.8
SLOW_MS = 500.0
LONG_WAIT_S = 0.5

Server = Literal["database", "cache"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A lab to be built; the defaults are the healthy one.

    ``disturb`` is entered with the URLs of the API's database role and of Redis before the API begins, and left at the end.
    ``seen`` says whether the fault shows already.
    """

    slow_report: bool = False
    message_index: bool = True
    max_connections: int = 50
    cache_ttl_ms: int | None = None
    hash_rounds: int = 0
    upstream_wait_s: float = 0.0
    cpu_percent: float = 35.0
    memory_percent: float = 60.0
    stopped: Server | None = None
    disturb: Callable[[str, str], AbstractContextManager[None]] | None = None
    answer: int = 200
    seen: Callable[[View], bool] = lambda _: True

    @property
    def database_answers(self) -> bool:
        return self.answer == 200


PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "none": Plan(seen=lambda view: view.hit_rate() > 0.95),
        "slow_queries": Plan(slow_report=True, seen=lambda view: view.slowest_mean_ms() > SLOW_MS),
        "missing_index": Plan(message_index=False, seen=lambda view: view.full_scans() > 0),
        "connections_exhausted": Plan(
            max_connections=20, disturb=lambda database, _: leaked_connections(database), answer=503
        ),
        "lock_contention": Plan(
            disturb=lambda database, _: open_transaction(database),
            seen=lambda view: view.longest_wait_s() > LONG_WAIT_S,
        ),
        "cache_misses": Plan(cache_ttl_ms=1, seen=lambda view: view.hit_rate() < 0.5),
        "cache_memory_full": Plan(
            disturb=lambda _, cache: full_memory(cache), seen=lambda view: view.memory_use() > 0.98
        ),
        "cpu_high": Plan(cpu_percent=93.0, hash_rounds=HASH_ROUNDS),
        "slow_application": Plan(upstream_wait_s=UPSTREAM_WAIT_S),
        "database_down": Plan(stopped="database", answer=503),
        "cache_down": Plan(stopped="cache"),
        "two_faults": Plan(
            slow_report=True,
            cpu_percent=93.0,
            hash_rounds=HASH_ROUNDS,
            seen=lambda view: view.slowest_mean_ms() > SLOW_MS,
        ),
    }
)
"""The plan of every fault in ``faults.FAULTS``."""
