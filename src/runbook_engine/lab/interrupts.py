"""Ctrl-C while a lab opens: taken note of at once, acted on between one thing and the next.

Python would raise it wherever the main thread is. In the middle of an import that leaves the interpreter's import lock taken
for ever, and every thread that imports anything after it waits without end: ``_get_module_lock`` takes that lock before the
``try`` which gives it back, https://github.com/python/cpython/blob/3.13/Lib/importlib/_bootstrap.py
"""

import signal
import threading
from concurrent.futures import Future, wait
from types import FrameType, TracebackType
from typing import Self

LOOK_AGAIN_S = 0.1


class Interrupts:
    """Inside this context the first Ctrl-C is raised by ``look`` or ``result``, or in the end; the second at once.

    Does nothing in other threads than the main one, which alone is interrupted, and where somebody handles Ctrl-C already.
    """

    def __init__(self) -> None:
        self._holds = False
        self._noted = False
        self._raised = False

    def look(self) -> None:
        """Raises KeyboardInterrupt if there was one that has not been raised."""
        if self._noted and not self._raised:
            self._raised = True
            raise KeyboardInterrupt

    def result(self, future: Future[None]) -> None:
        """Wait for a thread's end, and raise what it raised. Raises KeyboardInterrupt as soon as there is one."""
        while not wait([future], LOOK_AGAIN_S).done:
            self.look()
        future.result()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._noted:
            self._raised = True
            raise KeyboardInterrupt
        self._noted = True

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
            self._holds = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holds:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._holds = False
        self.look()
