"""Whether a process still lives that wrote down who it is: by its id, when it was started, and the boot of its machine.

A clock that somebody sets and a machine that stands still for an hour change none of the three.
"""

import hashlib
import os
import platform
import sys
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

_PROC = Path("/proc")
_WHOLE_MACHINE = "pid:[4026531836]"
"""What counts the processes of a machine, and not those of one of its containers."""
_GONE = "gone"


class Process(Struct, frozen=True):
    """A process of a machine. ``boot`` and ``started`` are empty where the system does not tell them."""

    host: str
    boot: str
    pid: int
    started: str

    @property
    def is_known(self) -> bool:
        """Whether it can be told here if it lives: it is one of this machine, which says when it was started."""
        mine = this_process()
        return bool(self.started) and (self.host, self.boot) == (mine.host, mine.boot)

    @property
    def is_gone(self) -> bool:
        """Whether it is certain that it runs no more."""
        mine = this_process()
        if self.host != mine.host or sys.platform == "win32":  # where signal 0 is none
            return False
        if self.boot != mine.boot:
            # A machine has one boot at a time; of two containers by one name nobody knows.
            return bool(self.boot and mine.boot) and self.host.endswith(_WHOLE_MACHINE) and _machine() != ""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
        started = _started(self.pid)
        return bool(self.started and started) and self.started != started


def this_process() -> Process:
    """Who writes this."""
    return _described(os.getpid())


@lru_cache(maxsize=2)
def _described(pid: int) -> Process:
    return Process(_host(), _boot(), pid, _started(pid))


def _host() -> str:
    """Whose processes are counted together: those of a machine, or those of a container."""
    try:
        space = str((_PROC / "self" / "ns" / "pid").readlink())
    except OSError:
        space = ""
    return f"{_hashed(f'{platform.node()}/{_machine()}')}/{space}"


def _machine() -> str:
    """https://www.freedesktop.org/software/systemd/man/latest/machine-id.html"""
    return _text(Path("/etc/machine-id"))


def _boot() -> str:
    """https://docs.kernel.org/admin-guide/sysctl/kernel.html#random"""
    return _hashed(_text(_PROC / "sys" / "kernel" / "random" / "boot_id"))


def _hashed(identity: str) -> str:
    """The same for the same machine, and nothing that tells which one it is: what it is made of is confidential."""
    return hashlib.sha256(f"runbook-engine {identity}".encode()).hexdigest()[:16] if identity else ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _started(pid: int) -> str:
    """When a process was started, in ticks since the boot: field 22 of its stat; empty where it is not known.

    The name of the program, field 2, may hold blanks and brackets. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    if fields[:1] in ([b"Z"], [b"X"]):  # it has ended, and nobody has waited for it yet
        return _GONE
    return fields[19].decode("ascii") if len(fields) > 19 else ""
