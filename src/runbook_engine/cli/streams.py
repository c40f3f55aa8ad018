"""Standard output for the report, standard error for everything else, also where nobody reads them or nothing more fits.

Here is the border to the terminal: nothing that others wrote commands it. Whatever is written to these streams, by anybody in
this process, has its control characters made visible. Only ``out`` and ``note`` let through the colours of a text that is
``painted``, whose parts from outside were made harmless when it was painted, and ``unguarded`` what draws over lines.
"""

import errno
import io
import os
import re
import select
import sys
from contextlib import suppress
from typing import TextIO, cast

import click

from runbook_engine.cli.screen import colored
from runbook_engine.hostile import harmless


class OutputError(click.ClickException):
    """What was to be shown could not be written to standard output."""

    exit_code = 2


_COLOR = re.compile(r"(\x1b\[(?:[012]|3[1-6])?(?:;3[1-6])?m)")
"""What our own texts are painted with: bold, dim and six colours; nothing that hides a text or moves the cursor."""


def note(text: str, *, painted: bool = False) -> None:
    """A line on standard error. Where nobody reads it, the diagnosis goes on without it."""
    with suppress(OSError, ValueError, AttributeError):  # AttributeError: there is no such stream
        _put(sys.stderr, f"{text}\n", painted=painted)


def prompt(text: str) -> None:
    """What stands before an answer, on standard error."""
    with suppress(OSError, ValueError, AttributeError):
        _put(sys.stderr, text, painted=False)


def out(text: str, *, painted: bool = False) -> None:
    """A whole text for people on standard output."""
    _put(sys.stdout, text, painted=painted)


def say(line: str, *, painted: bool = False) -> None:
    """A line for people on standard output."""
    out(f"{line}\n", painted=painted)


def data(text: str) -> None:
    """A whole document on standard output, for programs or a file: as it is, unless it is shown on a terminal."""
    _write(sys.stdout, harmless(text) if sys.stdout.isatty() else text)


def _put(stream: TextIO, text: str, *, painted: bool) -> None:
    if not painted:
        _write(stream, harmless(text))
        return
    keep = colored(stream)
    parts = _COLOR.split(text)  # the colours stand at the odd places
    _write(stream, "".join(each * keep if index % 2 else harmless(each) for index, each in enumerate(parts)))


def _write(stream: TextIO, text: str) -> None:
    unguarded(stream).write(text)
    stream.flush()


def unguarded(stream: TextIO) -> TextIO:
    """The stream for somebody who moves the cursor and has made harmless what others wrote."""
    return cast("TextIO", _Unguarded(stream)) if isinstance(stream, _Guarded) else stream


class _Descriptor(io.FileIO):
    """A descriptor that is written to until it fails; what comes after that is dropped. ``failed`` says why."""

    failed: OSError | None = None

    def write(self, data: object) -> int:
        rest = memoryview(cast("bytes", data)).cast("B")
        size = len(rest)
        while rest and self.failed is None:
            try:
                written = super().write(rest)
            except OSError as error:
                self.failed = error
                break
            if written is None:  # somebody made it non-blocking; writing is waited for all the same
                select.select([], [self], [])
            else:
                rest = rest[written:]
        return size


class _Guarded(io.TextIOWrapper):
    """A stream on which every control character can be seen and does nothing."""

    def write(self, text: str, /) -> int:
        super().write(harmless(text))
        return len(text)

    def unguarded(self, text: str) -> int:
        return super().write(text)


class _Unguarded:
    """The same stream, for what is written through this."""

    def __init__(self, stream: _Guarded) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.unguarded(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def guard_streams() -> None:
    """Let every command write to streams that may be closed, full or read by nobody.

    A descriptor that was closed from the start is taken by /dev/null, or the next file that is opened would get its number,
    and what is said would be written into that file. It is opened the wrong way round, so that using it fails.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            if os.open(os.devnull, os.O_RDONLY) != number:
                return
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.stdout = _guarded(1, sys.stdout)
    sys.stderr = _guarded(2, sys.stderr)


def _guarded(number: int, before: TextIO | None) -> TextIO:
    return _Guarded(
        io.BufferedWriter(_Descriptor(number, "w", closefd=False)),
        encoding=before.encoding if before else "utf-8",
        errors=before.errors if before else "backslashreplace",
        line_buffering=number == 2 or (before is not None and before.isatty()),
    )


def check_output() -> None:
    """Raise OutputError where standard output could not be written; a reader who has seen enough is none of its reasons."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    error = raw.failed if isinstance(raw, _Descriptor) else None
    if error is None or isinstance(error, BrokenPipeError):
        return
    why = "it is closed" if error.errno == errno.EBADF else error.strerror
    raise OutputError(f"standard output cannot be written: {why}; -o FILE writes to a file, where a command has it")


def nobody_reads() -> bool:
    """Whether a command that goes on until it is stopped has nobody left to show anything to."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return isinstance(raw, _Descriptor) and raw.failed is not None
