"""What is to be run for the alerts of a body: each runbook once for each set of inputs, however many alerts trigger it."""

import hashlib
import json
from collections.abc import Iterable, Sequence

from msgspec import Struct

from runbook_engine.alerting.alerts import Alert
from runbook_engine.alerting.matching import Match


class Job(Struct, frozen=True):
    """A runbook to be run, and the alerts that it is run for."""

    match: Match
    alerts: tuple[Alert, ...]

    @property
    def id(self) -> str:
        """The same for the same runbook with the same inputs from labels."""
        return job_id(self.match)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(each.key for each in self.alerts)


def jobs(triggered: Iterable[tuple[Alert, Sequence[Match]]]) -> Sequence[Job]:
    """In the order of the alerts."""
    found: dict[str, tuple[Match, list[Alert]]] = {}
    for alert, matches in triggered:
        for match in matches:
            found.setdefault(job_id(match), (match, []))[1].append(alert)
    return [Job(match, tuple(alerts)) for match, alerts in found.values()]


def job_id(match: Match) -> str:
    """The same for the same runbook with the same inputs from labels."""
    digest = hashlib.sha256(json.dumps(sorted(match.inputs)).encode()).hexdigest()[:16]
    return f"{match.runbook}:{digest}" if match.inputs else match.runbook
