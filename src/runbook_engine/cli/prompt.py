"""A question at the terminal. Waiting for the answer holds up neither the other probes nor the end of the run."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import note

if TYPE_CHECKING:
    from runbook_engine.engine.asking import Question
    from runbook_engine.quantity import Value

_MOST_LINE = 65_536


async def answer_to(question: "Question", put: Callable[[str], None]) -> "Value | None":
    """Ask until the answer fits, each time with ``put``.

    An empty answer is the default; the end of input (Ctrl-D) means that nobody answers.
    """
    from runbook_engine.quantity import show

    legal = "yes or no" if question.type.dimension == "bool" else ", ".join(question.type.members)
    default = f" [{show(question.default, question.type.dimension)}]" if question.default is not None else ""
    while True:
        put(visible(f"? {question.text}{f' ({legal})' if legal else ''}{default} "))
        line = await _line()
        if not line:
            note("")
            return None
        answer = line.strip()
        if not answer and question.default is not None:
            return question.default
        try:
            return question.read(answer)
        except ValueError as error:
            note(f"  {visible(str(error))}")


async def _line() -> str:
    """A line from the terminal. In no thread: one that waits for Enter would hold the process at its end."""
    if sys.platform == "win32":
        from runbook_engine.probe import in_thread

        return await in_thread(sys.stdin.readline)
    loop, terminal = asyncio.get_running_loop(), sys.stdin.fileno()
    ready = asyncio.Event()
    loop.add_reader(terminal, ready.set)
    try:
        await ready.wait()
        return os.read(terminal, _MOST_LINE).decode(errors="replace")
    except OSError:
        return ""
    finally:
        loop.remove_reader(terminal)
