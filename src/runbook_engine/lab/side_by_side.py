"""Starting several things at once, so that an interrupt in between leaves none of them half begun."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self


class SideBySide:
    """Runs functions in threads. Leaving the context waits for those that have begun, and no other begins any more.

    An executor's own threads may slip through: Ctrl-C while it starts one makes it forget that one.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._closed = False

    def run(self, function: Callable[[], None]) -> Future[None]:
        future: Future[None] = Future()
        threading.Thread(target=self._run, args=(function, future), name="lab-start", daemon=True).start()
        return future

    def _run(self, function: Callable[[], None], future: Future[None]) -> None:
        with self._changed:
            if self._closed:
                return
            self._running += 1
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(error)
        else:
            future.set_result(None)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._running == 0)
