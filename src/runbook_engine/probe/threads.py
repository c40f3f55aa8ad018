"""Blocking clients under a deadline that holds."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import anyio
from anyio.lowlevel import RunVar

T = TypeVar("T")

LITTLE = 32 * 1024
"""Bytes that are parsed in about a millisecond."""
_MOST_THREADS = 64
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("probe_threads")


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread which is left behind when the deadline passes.

    The thread itself cannot be killed: give the client its own time-outs too, so that it ends soon after. Threads count
    against a limit of this helper's own, so that abandoned ones cannot starve the rest of the program. They are daemons: the
    pool of ``anyio.to_thread`` would hold the process at its end until the last abandoned call returns.
    """
    async with _own_limiter():
        outcome: Future[T] = Future()
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(_settle, outcome, work), name="probe", daemon=True).start()
        return await asyncio.wrap_future(outcome)


async def in_thread_if_large(size: int, work: Callable[[], T]) -> T:
    """Do the work on ``size`` bytes here where they are few, else in a thread.

    Whatever unfolds, decodes or parses what a server sent would hold up all other measurements in the event loop, and their
    times with it. A time is therefore taken before this.
    """
    return work() if size <= LITTLE else await in_thread(work)


def _settle(outcome: "Future[T]", work: Callable[[], T]) -> None:
    """Once running, a future cannot be cancelled any more: an abandoned result is set and nobody reads it."""
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        outcome.set_result(work())
    except StopIteration as error:
        outcome.set_exception(
            RuntimeError(f"a probe's client raised {error!r}")
        )  # no coroutine can raise this one itself
    except BaseException as error:  # noqa: BLE001 - handed to whoever awaits, whatever it is
        outcome.set_exception(error)


def _own_limiter() -> anyio.CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MOST_THREADS)
        _limiter.set(limiter)
        return limiter
