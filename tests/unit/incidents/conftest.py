"""The shipped policy, and incidents that were lived through on a clock of their own."""

from collections.abc import Callable

import pytest

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import Severity
from runbook_engine.incidents import acting
from runbook_engine.incidents.acting import Decide
from runbook_engine.incidents.incident import Incident, fold
from runbook_engine.incidents.policy import load_policy

OPENED = 1_795_000_000.0


@pytest.fixture(scope="session")
def policy() -> IncidentPolicy:
    return load_policy()


@pytest.fixture
def lived(policy: IncidentPolicy) -> Callable[..., Incident]:
    """An incident of a priority, after each of some decisions."""

    def made(priority: str, *decisions: Decide) -> Incident:
        events = tuple(acting.opening(policy, "Shop down", Severity(priority), OPENED, "ann"))
        for decide in decisions:
            events = (*events, *decide(fold(1, events)))
        return fold(1, events)

    return made
