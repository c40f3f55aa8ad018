"""Faults by what they are about; each file has those of one family, with the plan that injects each."""

from runbook_engine.lab.families.cache import CACHE
from runbook_engine.lab.families.certificates import CERTIFICATES
from runbook_engine.lab.families.database import DATABASE
from runbook_engine.lab.families.errors import ERRORS
from runbook_engine.lab.families.latency import LATENCY
from runbook_engine.lab.families.memory import MEMORY
from runbook_engine.lab.families.names import NAMES
from runbook_engine.lab.families.pairs import PAIRS
from runbook_engine.lab.families.service import SERVICE

ALL = (*LATENCY, *SERVICE, *ERRORS, *DATABASE, *MEMORY, *CACHE, *CERTIFICATES, *NAMES, *PAIRS)
"""Every fault with its plan, the healthy lab first."""

__all__ = ["ALL"]
