"""What came of the incidents that alerts led to, for people who call ``runbook alert`` and for programs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from runbook_engine.incidents.messages import Outgoing

PROBLEM = 1


class Filed(Struct, frozen=True):
    """What came of an incident: ``what`` is opened, reopened, raised, joined, over or unchanged.

    ``kept`` is False where the journal cannot be written, so that nobody will find the incident there.
    """

    incident: int
    what: str
    priority: str
    because: tuple[str, ...] = ()
    kept: bool = True
    messages: "tuple[Outgoing, ...]" = ()

    @property
    def code(self) -> int:
        return PROBLEM if self.what in ("opened", "reopened", "raised", "joined") else 0

    @property
    def from_memory(self) -> "Filed":
        """The same, of an incident that nobody finds afterwards."""
        return replace(self, kept=False)


def as_document(filed: Mapping[int, Filed]) -> list[dict[str, object]]:
    """What came of each incident, for programs."""
    return [
        {
            "incident": each.incident if each.kept else None,
            "what": each.what,
            "priority": each.priority,
            "because": list(each.because),
            "messages": [
                {
                    "key": one.message.key,
                    "kind": one.message.kind,
                    "channel": one.message.destination.name,
                    "state": one.state,
                    "error": one.delivery.error,
                }
                for one in each.messages
            ],
        }
        for _, each in sorted(filed.items())
    ]
