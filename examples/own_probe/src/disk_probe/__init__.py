"""How full a file system is."""

import os
import shlex

from pydantic import Field

from runbook_engine.probe import Bytes, ErrorKind, Params, Percent, ProbeContext, ProbeError, Reading, in_thread, probe


class UsageParams(Params):
    path: str = Field("/", description="A file or directory on the file system to measure")


class UsageReading(Reading):
    used: Percent = Field(description="Share of the space that is in use")
    free: Bytes = Field(description="Space that an ordinary user may still fill")


@probe("disk.usage", command=lambda params: f"df -h {shlex.quote(params.path)}")
async def usage(params: UsageParams, ctx: ProbeContext) -> UsageReading:
    """How full a file system is, as df tells it. Errors: ``missing`` for a path that does not exist."""
    try:
        # A network file system may hang: a thread is left behind when the step's deadline passes.
        found = await in_thread(lambda: os.statvfs(params.path))
    except FileNotFoundError as error:
        raise ProbeError(ErrorKind.MISSING, f"{params.path} does not exist") from error
    except PermissionError as error:
        raise ProbeError(
            ErrorKind.FORBIDDEN,
            f"{params.path} may not be looked at",
            remedy=f"chmod o+x the folders above {params.path}",
        ) from error
    taken = found.f_blocks - found.f_bfree
    used = 100.0 * taken / (taken + found.f_bavail) if taken + found.f_bavail else 0.0
    return UsageReading(used=used, free=found.f_bavail * found.f_frsize)
