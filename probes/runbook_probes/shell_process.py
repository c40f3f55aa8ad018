"""One program, in a session of its own, watched until it ends and killed with all that it started.

The kernel ends a group of processes at once (``killpg``); killing a shell alone leaves the programs of its pipeline alive.
"""

import contextlib
import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream, Process

from runbook_engine.hostile import lines_of
from runbook_engine.probe import ErrorKind, ProbeError, in_thread

ENDING = 0.25
"""Seconds for collecting what was killed; the kernel may hold a process that waits for a disk for longer."""
GRACE = 0.5
"""Seconds in which whoever still holds the output may close it, once the program itself has ended."""
TAIL = 2_000
_PIECE = 65_536
_ELSEWHERE = "run the runbook where it is, or give the step its directory"

# What programs need to start at all and to speak the reader's language; everything else must be given.
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")


@dataclass(slots=True)
class Stream:
    """What came out of one end. The first ``most`` bytes are kept, and the last ones; the rest is counted."""

    most: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytes = b""
    size: int = 0
    breaks: int = 0

    def take(self, piece: bytes) -> None:
        self.size += len(piece)
        self.breaks += piece.count(b"\n")
        self.head += piece[: max(0, self.most - len(self.head))]
        self.tail = (self.tail + piece)[-TAIL:]

    @property
    def cut(self) -> bool:
        return self.size > len(self.head)

    @property
    def lines(self) -> int:
        return self.breaks + (self.size > 0 and not self.tail.endswith(b"\n"))

    @property
    def text(self) -> str:
        return bytes(self.head).decode("utf-8", "replace")

    @property
    def shown(self) -> str:
        """The end, where the reason usually stands, from the beginning of a line on where there are several."""
        if self.size <= len(self.tail):
            return self.tail.decode("utf-8", "replace")
        whole = self.tail.partition(b"\n")[2]
        return "… " + (whole if whole.strip() else self.tail).decode("utf-8", "replace")

    @property
    def last_line(self) -> str:
        """The last one with anything in it."""
        lines = lines_of(self.shown.removeprefix("… "))
        return next((each for each in reversed(lines) if each.strip()), "")


class Watched:
    """What a program prints, while it does."""

    def __init__(self, most_output: int) -> None:
        self.output = Stream(most_output)
        self.errors = Stream(0)


@dataclass(frozen=True, slots=True)
class Ended:
    """``code`` is negative where a signal ended the program. ``left_behind``: what it had started still held its output."""

    code: int
    left_behind: bool

    @property
    def signal(self) -> str:
        if self.code >= 0:
            return ""
        try:
            return signal.Signals(-self.code).name
        except ValueError:
            return f"signal {-self.code}"


@dataclass(frozen=True, slots=True)
class Job:
    """A program with its arguments, where it runs, the variables that it sees beside those of ``KEPT``, and needed files."""

    words: Sequence[str]
    directory: str
    variables: Mapping[str, str]
    environ: Mapping[str, str]
    needs: Sequence[str] = ()

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: self.environ[name] for name in KEPT if name in self.environ}
        return {"PATH": os.defpath, **kept, **self.variables}

    async def run(self, watched: Watched) -> Ended:
        """Raises ProbeError where it cannot be started. However this ends, the program and its children have ended too."""
        process = await self._start()
        try:
            return await _watch(process, watched)
        finally:
            with anyio.move_on_after(ENDING, shield=True):
                _kill(process)
                await process.aclose()

    async def _start(self) -> Process:
        directory = self.directory or None
        if directory and not await in_thread(Path(directory).is_dir):
            raise ProbeError(ErrorKind.MISSING, f"the directory {directory} does not exist, or cannot be entered")
        for needed in self.needs:
            if not await in_thread(Path(self.directory, needed).is_file):
                raise ProbeError(ErrorKind.MISSING, f"there is no {needed} in {self._place}", remedy=_ELSEWHERE)
        try:
            return await anyio.open_process(
                list(self.words),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env=self.environment,
                start_new_session=True,
            )
        except OSError as error:
            raise self._not_started(error) from error

    @property
    def _place(self) -> str:
        return self.directory or str(Path.cwd())

    def _not_started(self, error: OSError) -> ProbeError:
        program = self.words[0]
        file = Path(self.directory, program) if os.sep in program else None
        match error:
            case FileNotFoundError() | NotADirectoryError():
                if file is not None and file.exists():
                    return ProbeError(
                        ErrorKind.UNAVAILABLE,
                        f"{program} cannot run: the program which its first line names is not installed",
                        remedy=f"install what `head -1 {program}` names",
                    )
                if file is not None:
                    return ProbeError(
                        ErrorKind.UNAVAILABLE,
                        f"there is no {program} in {self._place}",
                        remedy=_ELSEWHERE,
                    )
                return ProbeError(
                    ErrorKind.UNAVAILABLE, f"{program} is not installed", remedy=f"install {program}, or mend PATH"
                )
            case PermissionError():
                if file is not None and file.is_dir():
                    return ProbeError(ErrorKind.FORBIDDEN, f"{program} is a directory, not a program")
                return ProbeError(
                    ErrorKind.FORBIDDEN, f"{program} may not be executed by this user", remedy=f"chmod +x {program}"
                )
        if error.errno == errno.ENOEXEC:
            return ProbeError(
                ErrorKind.OTHER,
                f"{program} is not a program of this machine",
                remedy="where it is a script, let its first line name what runs it, for example #!/bin/sh",
            )
        if error.errno == errno.E2BIG:
            return ProbeError(ErrorKind.OTHER, f"the arguments and variables of {program} are too long for the system")
        return ProbeError(ErrorKind.OTHER, f"{program} cannot be started: {(error.strerror or 'no reason').lower()}")


async def _watch(process: Process, watched: Watched) -> Ended:
    """Reads until the program has ended and its output too, or a moment after the one, where others still hold the other."""
    with anyio.CancelScope() as reading:
        async with anyio.create_task_group() as readers:
            readers.start_soon(_read, process.stdout, watched.output)
            readers.start_soon(_read, process.stderr, watched.errors)
            await process.wait()
            reading.deadline = anyio.current_time() + GRACE
    code = process.returncode
    if code is None:
        raise AssertionError("the program was waited for")
    return Ended(code, left_behind=reading.cancelled_caught)


async def _read(stream: ByteReceiveStream | None, into: Stream) -> None:
    if stream is None:
        raise AssertionError("the program's output is a pipe")
    with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        while True:
            into.take(await stream.receive(_PIECE))


def _kill(process: Process) -> None:
    """The whole group, also when its leader has ended: what it started in the background is in it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
