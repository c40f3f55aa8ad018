"""Why nothing was measured."""

from runbook_engine.kinds import ErrorKind


class ProbeError(Exception):
    """Nothing was measured. Never the same thing as a bad reading.

    ``message`` says what happened; ``remedy`` says what would make it visible (a grant, a package, a setting). A driver's
    exception stays available as ``__cause__``::

        raise ProbeError(ErrorKind.REFUSED, "127.0.0.1:5432 refuses connections") from error
    """

    def __init__(self, kind: ErrorKind, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"
