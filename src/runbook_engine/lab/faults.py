"""The faults that the lab can inject."""

from collections.abc import Mapping
from types import MappingProxyType

from runbook_engine.errors import UsageError, did_you_mean
from runbook_engine.ids import TRIAGE
from runbook_engine.lab.families import ALL
from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

__all__ = ["FAULTS", "PLANS", "Fault", "fault_named"]


def fault_named(name: str) -> Fault:
    """Raises UsageError that lists all faults, with the one that was probably meant."""
    try:
        return FAULTS[name]
    except KeyError:
        raise UsageError(
            f"the lab has no fault {name!r}{did_you_mean(name, FAULTS)}\n  faults: {', '.join(FAULTS)}"
        ) from None


def fitting(runbook: str) -> str | None:
    """A fault that a runbook finds, the most telling one first; None for a runbook that the lab knows nothing of."""
    if runbook in _TELLING:
        return _TELLING[runbook]
    return next((name for name, each in FAULTS.items() if each.runbook == runbook and each.expects), None)


_TELLING: Mapping[str, str] = MappingProxyType({"high-latency": "slow_queries", TRIAGE: "cpu_high"})
"""Where the first is not the one to see."""

FAULTS: Mapping[str, Fault] = MappingProxyType({fault.name: fault for fault, _ in ALL})
"""Every fault by its name, the healthy lab (``none``) first."""

PLANS: Mapping[str, Plan] = MappingProxyType({fault.name: plan for fault, plan in ALL})
"""How each of them is injected."""
