"""A small copy of a production system on loopback, with real servers and real faults."""

from runbook_engine.lab.faults import FAULTS, Fault
from runbook_engine.lab.opening import open_lab
from runbook_engine.lab.running import Lab, describe

__all__ = ["FAULTS", "Fault", "Lab", "describe", "open_lab"]
