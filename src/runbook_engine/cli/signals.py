"""The end that somebody outside asks for: ``kill``, ``timeout``, a job that is cancelled, a terminal that is closed."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

_ENDS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


async def stopped_early(work: Callable[[], Awaitable[object]]) -> bool:
    """Do the work; whether it was cancelled because the process was told to end, also in the background.

    A shell lets the jobs that a script starts in the background ignore Ctrl-C, and ``nohup`` lets a command ignore that its
    terminal is closed. What is ignored stays ignored. Ctrl-C itself is asyncio's: it raises KeyboardInterrupt.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - asyncio runs nothing outside of a task
    told = False

    def stop() -> None:
        nonlocal told
        if not told:
            told = True
            task.cancel()

    heard = []
    for each in _ENDS:
        if signal.getsignal(each) is signal.SIG_DFL:
            with suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(each, stop)
                heard.append(each)
    try:
        await work()
    except asyncio.CancelledError:
        if not told:
            raise
        task.uncancel()
    finally:
        for each in heard:
            loop.remove_signal_handler(each)
    return told
