"""Many files at once: one after the other, or side by side where that is worth starting processes for."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TextIO

from runbook_engine.cli.check_files import CheckedFile, Checker
from runbook_engine.cli.screen import fancy, visible
from runbook_engine.cli.streams import unguarded
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

MANY = 50
"""More files than this are checked by several processes."""

_SILENT = 1.0
"""Seconds before anything is said about how far it is."""
_AGAIN = 0.1


def check_all(paths: Sequence[Path], library: Library, *, notes: bool = True) -> Iterator[CheckedFile]:
    """Every file in the order given; without ``notes`` some of them are missing."""
    processes = min(os.cpu_count() or 1, len(paths) // MANY + 1)
    progress = Progress(len(paths), sys.stderr)
    try:
        if processes > 1:
            found = _side_by_side(paths, partial(_check, library, notes), processes)
        else:
            found = map(Checker(Registry(), library, notes=notes).file, paths)
        for each in found:
            progress.next(each.file)
            yield each
    finally:
        progress.clear()


def _side_by_side(paths: Sequence[Path], check: Callable[[Path], CheckedFile], processes: int) -> Iterator[CheckedFile]:
    from concurrent.futures import ProcessPoolExecutor

    # Forking takes no time, and the command has no threads whose locks a copy would inherit. Elsewhere it is not safe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        yield from pool.map(check, paths, chunksize=max(1, len(paths) // (processes * 8)))


def _check(library: Library, notes: bool, path: Path) -> CheckedFile:
    return _checker(library, notes=notes).file(path)


@lru_cache(maxsize=1)
def _checker(library: Library, *, notes: bool) -> Checker:
    """One for all files that a process is given."""
    return Checker(Registry(), library, notes=notes)


class Progress:
    """A line on a terminal that says how far it is, once that takes longer than a moment."""

    def __init__(self, total: int, stream: TextIO | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._done = 0
        self._clock = clock
        self._next = clock() + _SILENT
        self._shown = False
        self._stream = unguarded(stream) if stream is not None and fancy(stream) else None

    def next(self, file: str) -> None:
        self._done += 1
        now = self._clock()
        if self._stream is None or now < self._next or self._done == self._total:
            return
        self._next = now + _AGAIN
        self._shown = True
        self._stream.write(f"\r\x1b[Kchecked {self._done} of {self._total} files: {visible(file)[-60:]}")
        self._stream.flush()

    def clear(self) -> None:
        if self._shown and self._stream is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
