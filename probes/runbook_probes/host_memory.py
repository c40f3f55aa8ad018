"""The memory of a Linux machine, and of the control group (container, service) in which this process is held.

Fields of /proc/meminfo: https://www.kernel.org/doc/html/latest/filesystems/proc.html#meminfo; of control groups:
https://www.kernel.org/doc/html/latest/admin-guide/cgroup-v2.html#memory-interface-files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runbook_engine.hostile import lines_of
from runbook_engine.probe import ErrorKind, ProbeError

MOST_TEXT = 65_536


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """In bytes. ``limited_by`` is the control group whose limit counts, empty where it is the machine's own memory."""

    total: int
    available: int
    swap_used: int | None
    limited_by: str = ""


@dataclass(frozen=True, slots=True)
class _Group:
    """A control group with a limit. ``used`` is without the file cache, which goes when room is needed."""

    name: str
    limit: int
    used: int
    swap_used: int | None

    @property
    def room(self) -> int:
        return max(0, self.limit - self.used)


def memory_use(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> MemoryUse:
    """How much memory there is and how much of it is left. Of all limits the one that leaves least room counts.

    Raises ProbeError where this is not Linux.
    """
    try:
        known = _fields((proc / "meminfo").read_text("ascii", "replace"))
    except OSError as error:
        raise ProbeError(
            ErrorKind.UNAVAILABLE,
            f"the memory of this machine cannot be read: there is no {proc / 'meminfo'}",
            remedy="host.memory needs Linux; ask the machine's monitoring, with prometheus.query or aws.cloudwatch",
        ) from error
    total, available = known.get("MemTotal"), known.get("MemAvailable")
    if total is None or available is None or total <= 0:
        raise ProbeError(
            ErrorKind.MALFORMED, f"{proc / 'meminfo'} does not tell MemTotal and MemAvailable", remedy="see: free -b"
        )
    swap, unused = known.get("SwapTotal"), known.get("SwapFree")
    machine = MemoryUse(total, min(total, available), None if swap is None or unused is None else max(0, swap - unused))
    tightest = min(
        (each for each in _limited(proc, groups) if each.limit < total), key=lambda each: each.room, default=None
    )
    if tightest is None or tightest.room >= available:
        return machine
    return MemoryUse(tightest.limit, tightest.room, tightest.swap_used, tightest.name)


def _fields(text: str) -> dict[str, int]:
    """``MemTotal:  16384 kB`` in bytes."""
    found = {}
    for line in lines_of(text):
        name, _, rest = line.partition(":")
        number, _, unit = rest.strip().partition(" ")
        if number.isdigit():
            found[name] = int(number) * (1024 if unit == "kB" else 1)
    return found


def _limited(proc: Path, groups: Path) -> Iterator[_Group]:
    """The groups with a limit in which this process is, from its own up to the root, in version 2 or 1 of control groups."""
    for line in lines_of(_text(proc / "self" / "cgroup")):
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if number == "0" and not controllers:
            yield from (each for folder in _upwards(groups, name) if (each := _version_2(folder, groups)))
        elif "memory" in controllers.split(","):
            base = groups / "memory"
            yield from (each for folder in _upwards(base, name) if (each := _version_1(folder, base)))


def _upwards(base: Path, name: str) -> Iterator[Path]:
    """The folder of a group, then those above it. Inside of a container the name may lead nowhere, and the base is it."""
    parts = [each for each in PurePosixPath(name).parts if each not in ("/", "..", ".")]
    for length in range(len(parts), -1, -1):
        yield base.joinpath(*parts[:length])


def _version_2(folder: Path, base: Path) -> _Group | None:
    limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
    if limit is None or used is None:  # "max": no limit
        return None
    cache = _statistics(folder).get("inactive_file", 0)
    return _Group(_named(folder, base), limit, max(0, used - cache), _number(folder / "memory.swap.current"))


def _version_1(folder: Path, base: Path) -> _Group | None:
    limit, used = _number(folder / "memory.limit_in_bytes"), _number(folder / "memory.usage_in_bytes")
    if limit is None or used is None:
        return None
    statistics = _statistics(folder)
    cache = statistics.get("total_inactive_file", 0)
    return _Group(_named(folder, base), limit, max(0, used - cache), statistics.get("total_swap"))


def _named(folder: Path, base: Path) -> str:
    return f"control group /{'/'.join(folder.relative_to(base).parts)}"


def _statistics(folder: Path) -> Mapping[str, int]:
    pairs = (line.split() for line in lines_of(_text(folder / "memory.stat")))
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.isdigit() else None


def _text(file: Path) -> str:
    try:
        with file.open(encoding="ascii", errors="replace") as stream:
            return stream.read(MOST_TEXT)
    except OSError:
        return ""
