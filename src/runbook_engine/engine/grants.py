"""What a run may do that is refused by default, and who says so."""

from collections.abc import Iterable, Mapping

from runbook_engine.document.environment import Environment
from runbook_engine.errors import UsageError, did_you_mean
from runbook_engine.kinds import GRANTS

VARIABLE = "RUNBOOK_ALLOW"
"""May hold grants with commas: ``shell,shell-string``."""


def granted(
    given: Iterable[str], environ: Mapping[str, str], environment: Environment | None, *, source: str = "given"
) -> Mapping[str, str]:
    """Each grant with what gives it: ``given`` (on the command line, say), then the variable, then the environment.

    Raises UsageError for one in the variable that there is not.
    """
    named = [each.strip() for each in environ.get(VARIABLE, "").split(",") if each.strip()]
    for each in named:
        if each not in GRANTS:
            guess = did_you_mean(each, GRANTS)
            raise UsageError(f"{VARIABLE} grants {each!r}, which there is not{guess}; write {', '.join(GRANTS)}")
    found = dict.fromkeys(given, source)
    for each in named:
        found.setdefault(each, f"variable {VARIABLE}")
    for each in environment.allow if environment is not None else ():
        found.setdefault(each, environment.source if environment is not None else "")
    return found
