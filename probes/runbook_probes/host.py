"""How full are the disk and the memory of the machine that runs the runbook?"""

import os
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from runbook_engine.pasteable import operands, pasteable
from runbook_engine.probe import (
    Bytes,
    ErrorKind,
    Params,
    Percent,
    ProbeContext,
    ProbeError,
    Reading,
    in_thread,
    probe,
)
from runbook_engine.quantity import Dimension, show
from runbook_probes.host_memory import MemoryUse, memory_use
from runbook_probes.network import within


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("this is not a path; write for example / or /var/lib/postgresql")
    return text


class DiskParams(Params):
    path: Annotated[str, AfterValidator(_path)] = Field(
        "/", description="A file or folder on the file system that is looked at"
    )


class DiskReading(Reading):
    total: Bytes = Field(description="Size of the file system")
    used: Bytes = Field(description="What is in use")
    free: Bytes = Field(description="What programs may still write; what is reserved for root is not in it")
    utilization: Percent = Field(description="Used, of what is used and free: what df calls Use%")
    inode_utilization: Percent | None = Field(
        None, description="Share of the inodes in use; a disk without free ones is full, however many bytes are free"
    )


def _disk_command(params: DiskParams) -> str:
    return f"{pasteable('df', '-h', *operands(params.path))}; {pasteable('df', '-i', *operands(params.path))}"


@probe("host.disk", command=_disk_command, reads_only=True)
async def disk(params: DiskParams, ctx: ProbeContext) -> DiskReading:
    """Reads how full the file system of a path is, on the machine that runs the runbook."""
    path = params.path

    def gave_up(seconds: float) -> ProbeError:
        return ProbeError(
            ErrorKind.TIMEOUT,
            f"the file system of {path} gave no answer within {show(seconds, Dimension.DURATION)}",
            remedy="see whether it is a network file system whose server is gone: mount | grep nfs",
        )

    with within(ctx, gave_up):
        try:
            found = await in_thread(lambda: os.statvfs(path))
        except OSError as error:
            raise _unseen(error, path) from error
    return disk_reading(found, path)


def disk_reading(found: os.statvfs_result, path: str) -> DiskReading:
    """What a file system says of itself, in bytes. Raises ProbeError for one that holds none, as /proc."""
    block = found.f_frsize or found.f_bsize
    used, free = found.f_blocks - found.f_bfree, found.f_bavail
    if found.f_blocks <= 0 or used + free <= 0:
        raise ProbeError(
            ErrorKind.MISSING, f"the file system of {path} has no size", remedy="name a path that is on a disk"
        )
    inodes, missing, evidence = None, {}, dict[str, JsonValue](path=path, read_only=bool(found.f_flag & os.ST_RDONLY))
    if found.f_files > 0:
        inodes = _share(found.f_files - found.f_ffree, found.f_files)
        evidence["inodes"], evidence["free_inodes"] = found.f_files, found.f_ffree
    else:
        missing["inode_utilization"] = "this file system makes inodes as it needs them"
    return DiskReading(
        total=found.f_blocks * block,
        used=used * block,
        free=free * block,
        utilization=_share(used, used + free),
        inode_utilization=inodes,
        missing=missing,
        evidence=evidence,
    )


def _share(part: int, whole: int) -> float:
    return min(100.0, max(0.0, 100.0 * part / whole))


def _unseen(error: OSError, path: str) -> ProbeError:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return ProbeError(ErrorKind.MISSING, f"there is no {path} on this machine")
        case PermissionError():
            return ProbeError(
                ErrorKind.FORBIDDEN,
                f"this user may not look into the folders above {path}",
                remedy="name a path which this user may reach, such as the mount point",
            )
    reason = (error.strerror or type(error).__name__).lower()
    return ProbeError(ErrorKind.OTHER, f"the file system of {path} cannot be asked: {reason}")


class MemoryParams(Params):
    """Nothing: it is this machine's memory."""


class MemoryReading(Reading):
    total: Bytes = Field(description="Memory that there is, or the limit of the container where that is less")
    available: Bytes = Field(description="What programs can still have without swapping; caches that can go count")
    utilization: Percent = Field(description="Share of the total that is not available")
    swap_used: Bytes | None = Field(None, description="Swap in use; of the container where its limit counts")


@probe(
    "host.memory",
    command=lambda _params: "free -b; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.current",
    reads_only=True,
)
async def memory(params: MemoryParams, ctx: ProbeContext) -> MemoryReading:  # noqa: ARG001 - there is nothing to be told
    """Reads how much memory the machine that runs the runbook has left. The limit of its container counts."""

    def gave_up(seconds: float) -> ProbeError:
        return ProbeError(
            ErrorKind.TIMEOUT, f"the kernel did not tell the memory within {show(seconds, Dimension.DURATION)}"
        )

    with within(ctx, gave_up):
        return memory_reading(await in_thread(memory_use))


def memory_reading(use: MemoryUse) -> MemoryReading:
    """What is in use as metrics."""
    return MemoryReading(
        total=use.total,
        available=use.available,
        utilization=_share(use.total - use.available, use.total),
        swap_used=use.swap_used,
        missing={} if use.swap_used is not None else {"swap_used": "the kernel does not tell of swap"},
        evidence={"limited_by": use.limited_by or "the machine"},
    )
