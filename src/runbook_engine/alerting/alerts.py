"""What an alert is here, whoever sent it."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from runbook_engine.document.triggers import AlertSource
from runbook_engine.errors import UsageError
from runbook_engine.hostile import one_line


class AlertError(UsageError):
    """A body that cannot be taken; the message says where in it, and why. It repeats nothing that acts on a terminal."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class Status(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(Struct, frozen=True, kw_only=True):
    """One alert of a body. Texts hold no control characters; times are Unix seconds, 0 where nobody says.

    ``labels`` are as they were sent; ``derived`` are more that follow from them, such as ``instance_host``.

    ``identity`` is the same as long as it is about the same thing: while it fires, when it is resolved, when it fires again
    tomorrow. ``key`` is the same only for an alert that is sent again.
    """

    source: AlertSource
    name: str
    status: Status
    starts_at: float
    ends_at: float | None = None
    labels: Mapping[str, str] = {}
    derived: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    fingerprint: str
    group_key: str = ""
    url: str = ""

    @property
    def identity(self) -> str:
        """``group.fingerprint``. Two alerts belong together if either part is the same."""
        own = _hash(self.source, self.fingerprint)
        return f"{_hash(self.source, 'group', self.group_key) if self.group_key else own}.{own}"

    @property
    def key(self) -> str:
        """``identity:startsAt:status``."""
        return f"{self.identity}:{self.starts_at:.3f}:{self.status}"

    @property
    def summary(self) -> str:
        """The line that says what it is about."""
        found = (self.annotations.get(each) for each in ("summary", "message", "description"))
        return next((" ".join(each.split()) for each in found if each), "")

    @property
    def description(self) -> str:
        """More about it, where that is something else."""
        found = self.annotations.get("description", "")
        return "" if " ".join(found.split()) == self.summary else found

    @property
    def every_label(self) -> Mapping[str, str]:
        """Those that were sent, and those that follow from them."""
        return {**self.derived, **self.labels}

    @property
    def rule(self) -> str:
        """The name of the rule. Grafana calls an alert without data DatasourceNoData, and the rule in a label."""
        return self.every_label.get("rulename") or self.name

    @property
    def shown(self) -> str:
        """Its name, for people: ``DiskFull``, ``DiskFull (DatasourceNoData)``."""
        if not self.rule:
            return "(an alert without a name)"
        return f"{self.rule} ({self.name})" if self.name and self.rule != self.name else self.rule


class Body(Struct, frozen=True, kw_only=True):
    """What was sent at once. ``truncated`` is how many alerts the sender left out; ``notes`` are sentences for people.

    ``odd`` says what was set aside, ``unread`` how many alerts among it; ``blind`` counts alarms that have no data.
    """

    source: AlertSource
    alerts: tuple[Alert, ...]
    truncated: int = 0
    notes: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    unread: int = 0
    blind: int = 0


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """The same for the same labels, where the sender gives no fingerprint."""
    return _hash(*(part for name in sorted(labels) for part in (name, labels[name])))


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
