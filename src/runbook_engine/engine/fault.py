"""A mistake of our own on the way from a reading to its judgement: an error of one step, and never the end of a run."""

import traceback
from pathlib import PurePath

from runbook_engine.engine.border import Border
from runbook_engine.engine.events import Failure
from runbook_engine.kinds import ErrorKind

_MOST_TOLD = 300


def fault(error: Exception, border: Border) -> Failure:
    """What a step is told to have failed with, masked, and where in the program it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" (at {PurePath(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    told = border.text(f"{type(error).__name__}: {error}", _MOST_TOLD)
    return Failure(
        ErrorKind.OTHER,
        f"a fault in runbook, not in what was asked: {told}{where}",
        "please report it, with the line above; the other steps are judged as ever",
    )
