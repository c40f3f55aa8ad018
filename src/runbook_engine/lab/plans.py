"""How a fault is injected: what differs from the healthy lab, and what must be seen before the lab is ready."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from runbook_engine.lab.api.settings import Account
    from runbook_engine.lab.aws import AwsEndpoint
    from runbook_engine.lab.caches import State as CacheState
    from runbook_engine.lab.tls_servers import TlsKind
    from runbook_engine.lab.view import View

NAME = "api.pixelatedempathy.com"
UNKNOWN_NAME = "api.pixelatedempathy.invalid"
"""No resolver anywhere knows a name that ends so: https://www.rfc-editor.org/rfc/rfc6761#section-6.4"""
ADDRESS = "127.0.0.1"
CERTIFICATE_DAYS = 200.0
USUAL_STATUSES: Mapping[str, int] = MappingProxyType({"200": 9_700, "201": 240, "304": 42, "404": 15, "401": 3})
"""How many requests of the last hour were answered with which status: of 10,000, 0.18 % with 4xx and none with 5xx."""

Records = Mapping[str, Sequence[str]]
Disturb = Callable[[str, str], AbstractContextManager[None]]
Tell = Callable[["AwsEndpoint"], None]
Seen = Callable[["View"], bool]


def at_once(_: "View") -> bool:
    """Nothing has to show first."""
    return True


def nothing(_: "AwsEndpoint") -> None:
    """The account is as it was seeded."""


@contextmanager
def undisturbed(_database: str, _cache: str) -> Iterator[None]:
    yield


@dataclass(frozen=True, slots=True)
class Plan:
    """A lab to be built; the defaults are the healthy one.

    ``api``: it answers, or it did and was stopped. ``failing_permille`` of 1,000 requests in a row are answered with 500, at
    even distances: the last of each distance, or with ``failing_early`` the first. ``account`` is its own account of its
    components: in the guide's shape, none at all, or in a shape of another team. ``reached``: responders find it where it is,
    by a name that does not exist, or are sent to an address that it has left. ``answer`` is its status.

    ``database``: it is up; stopped; ``recovering``, when it answers and lets nobody in; ``silent``, when it accepts
    connections and never says a word; or a ``standby``, whose primary is gone: clients know both and ask for the one that
    writes. ``role_limit`` is the CONNECTION LIMIT of the API's role. With ``pool_size``, all clients come through a PgBouncer
    that opens so many connections to the database.

    ``cache``: it is up; stopped; ``silent``, as the database may be; or another is found in its place: one in protected mode,
    a node of a cluster to which no slots were given, or a replica whose master is gone. ``cache_settings`` are those of
    redis.conf.

    ``statuses`` is what the logs say of the requests of the last hour, ``log_lines`` whether there are any lines at all;
    ``sessions_ended_ago_s`` since when nobody starts a session, by the business metric.
    ``tls`` and ``certificate_days`` are of the certificate that the load balancer's front shows; with ``front``, responders
    come through it. ``names`` are the records of the name servers, one by one. ``inputs`` are given beside the usual ones.

    ``aws`` is applied once the account exists. ``disturb`` is entered with the URLs of the API's database role and of Redis
    before the API begins, ``later`` once it has worked; both are left at the end. ``seen`` says whether the fault shows
    already.
    """

    api: Literal["up", "stopped"] = "up"
    failing_permille: int = 0
    failing_early: bool = False
    account: "Account" = "components"
    hash_rounds: int = 0
    upstream_wait_s: float = 0.0
    reached: Literal["directly", "by_unknown_name", "at_old_address"] = "directly"
    answer: int = 200

    database: Literal["up", "stopped", "recovering", "silent", "standby"] = "up"
    slow_report: bool = False
    message_index: bool = True
    max_connections: int = 50
    role_limit: int | None = None
    pool_size: int | None = None

    cache: "CacheState" = "up"
    cache_settings: Mapping[str, str] = field(default_factory=dict)
    cache_ttl_ms: int | None = None

    dependency: Literal["up", "down", "slow_loris"] = "up"

    cpu_percent: float | None = 35.0
    memory_percent: float | None = 60.0
    statuses: Mapping[str, int] = field(default_factory=lambda: USUAL_STATUSES)
    log_lines: bool = True
    sessions_ended_ago_s: float | None = None

    front: bool = False
    tls: "TlsKind" = "fresh"
    certificate_days: float = CERTIFICATE_DAYS
    names: tuple[Records, ...] = (MappingProxyType({NAME: (ADDRESS,)}),)

    inputs: Mapping[str, str] = field(default_factory=dict)
    aws: Tell = nothing
    disturb: Disturb = undisturbed
    later: Disturb = undisturbed
    seen: Seen = at_once

    def also(self, other: "Plan") -> "Plan":
        """Both at once. Raises ValueError where they want different things of one part."""
        usual = Plan()
        chosen = {
            each.name: _either(
                each.name, getattr(usual, each.name), getattr(self, each.name), getattr(other, each.name)
            )
            for each in fields(self)
            if each.name not in ("inputs", "aws", "disturb", "later", "seen")
        }
        return Plan(
            **chosen,
            inputs={**self.inputs, **other.inputs},
            aws=_both_told(self.aws, other.aws),
            disturb=_both_disturbed(self.disturb, other.disturb),
            later=_both_disturbed(self.later, other.later),
            seen=lambda view: self.seen(view) and other.seen(view),
        )


def _either(name: str, usual: object, one: object, other: object) -> Any:
    if other in (usual, one):
        return one
    if one == usual:
        return other
    raise ValueError(f"two plans want different {name}: {one!r} and {other!r}")


def _both_told(one: Tell, other: Tell) -> Tell:
    def told(aws: "AwsEndpoint") -> None:
        one(aws)
        other(aws)

    return told


def _both_disturbed(one: Disturb, other: Disturb) -> Disturb:
    @contextmanager
    def disturbed(database: str, cache: str) -> Iterator[None]:
        with one(database, cache), other(database, cache):
            yield

    return disturbed
