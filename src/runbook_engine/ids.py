"""Names and identifiers that cross the layers."""

import os
import re
from typing import NewType

StepId = NewType("StepId", str)
FindingId = NewType("FindingId", str)
ResolutionId = NewType("ResolutionId", str)
RunbookName = NewType("RunbookName", str)
RunId = NewType("RunId", str)

END = "end"
"""The target of a branch after which nothing follows."""

TRIAGE = "triage"
"""The runbook that a policy of metrics becomes: its name in the history and in reports."""

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
"""Names in documents: of inputs, steps, findings."""
SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*\Z")
KEBAB_CASE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


def new_run_id(started_at: float) -> RunId:
    """A run's identifier: sortable by its start (Unix seconds), unguessable, short enough to read out loud."""
    return RunId(f"{int(started_at):08x}-{os.urandom(4).hex()}")
