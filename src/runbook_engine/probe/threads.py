"""Blocking clients under a deadline that holds."""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")

_MOST_THREADS = 64
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("probe_threads")


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread which is left behind when the deadline passes.

    The thread itself cannot be killed: give the client its own time-outs too, so that it ends soon after. Threads count
    against a limit of this helper's own, so that abandoned ones cannot starve the rest of the program.
    """
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=_own_limiter())


def _own_limiter() -> anyio.CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MOST_THREADS)
        _limiter.set(limiter)
        return limiter
