"""What host.disk and host.memory read from this machine, and from trees of the kernel's files."""

import os
import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.host import disk, disk_reading, memory, memory_reading
from runbook_probes.host_memory import memory_use

pytestmark = pytest.mark.anyio

GIB = 1024**3
MIB = 1024**2


async def test_a_disk_is_as_full_as_df_says(measure: Any, tmp_path: Path) -> None:
    reading = await measure(disk, path=str(tmp_path))
    told = await anyio.run_process(["df", "-B1", "--output=size,used,avail", str(tmp_path)])
    size, used, free = (int(each) for each in told.stdout.splitlines()[1].split())
    assert reading.total == size
    assert reading.used == pytest.approx(used, abs=256 * MIB)
    assert reading.free == pytest.approx(free, abs=256 * MIB)
    assert reading.utilization == pytest.approx(100 * used / (used + free), abs=1)
    assert shutil.disk_usage(tmp_path).total == reading.total


async def test_blocks_that_are_reserved_for_root_are_not_free() -> None:
    reading = disk_reading(_file_system(blocks=1000, free=140, available=90, inodes=100, free_inodes=25), "/data")
    assert (reading.used, reading.free) == (860 * 4096, 90 * 4096)
    assert reading.utilization == pytest.approx(100 * 860 / 950)
    assert reading.inode_utilization == 75.0


async def test_a_file_system_without_a_number_of_inodes_says_so_and_not_0_percent() -> None:
    reading = disk_reading(_file_system(blocks=1000, free=500, available=500, inodes=0, free_inodes=0), "/data")
    assert reading.inode_utilization is None
    assert reading.missing == {"inode_utilization": "this file system makes inodes as it needs them"}


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("/no/such/place", ErrorKind.MISSING, "there is no /no/such/place on this machine"),
        ("/proc", ErrorKind.MISSING, "the file system of /proc has no size"),
        ("/etc/hostname/below", ErrorKind.MISSING, "there is no /etc/hostname/below on this machine"),
        ("/" + "x" * 5000, ErrorKind.OTHER, "file name too long"),
    ],
)
async def test_a_disk_that_cannot_be_read_is_an_error(measure: Any, path: str, kind: ErrorKind, message: str) -> None:
    with pytest.raises(ProbeError, match=message) as caught:
        await measure(disk, path=path)
    assert caught.value.kind is kind


async def test_memory_is_as_the_kernel_tells_it(measure: Any) -> None:
    reading = await measure(memory)
    text = await anyio.Path("/proc/meminfo").read_text()
    fields = dict(line.split(":") for line in text.splitlines())
    total = int(fields["MemTotal"].split()[0]) * 1024
    assert 0 < reading.available <= reading.total <= total
    assert 0 < reading.utilization < 100


async def test_without_a_limit_the_machine_counts(tmp_path: Path) -> None:
    proc, groups = _kernel(tmp_path, total=16 * GIB, available=4 * GIB)
    reading = memory_reading(memory_use(proc, groups))
    assert (reading.total, reading.available, reading.swap_used) == (16 * GIB, 4 * GIB, 512 * MIB)
    assert reading.utilization == 75.0
    assert reading.evidence == {"limited_by": "the machine"}


async def test_the_tightest_limit_of_the_control_groups_counts_and_caches_that_can_go_do_not(tmp_path: Path) -> None:
    proc, groups = _kernel(tmp_path, total=16 * GIB, available=8 * GIB, group="/pod/app")
    _group(groups / "pod", limit=4 * GIB, used=1 * GIB)
    _group(groups / "pod" / "app", limit=1 * GIB, used=1 * GIB, cache=256 * MIB, swap=8 * MIB)
    reading = memory_reading(memory_use(proc, groups))
    assert (reading.total, reading.available, reading.swap_used) == (1 * GIB, 256 * MIB, 8 * MIB)
    assert reading.utilization == 75.0
    assert reading.evidence == {"limited_by": "control group /pod/app"}


async def test_a_group_whose_limit_is_max_has_none(tmp_path: Path) -> None:
    proc, groups = _kernel(tmp_path, total=16 * GIB, available=8 * GIB, group="/app")
    _group(groups / "app", limit="max", used=7 * GIB)
    assert memory_use(proc, groups).limited_by == ""


async def test_a_limit_counts_inside_of_a_container_which_sees_its_group_as_the_root(tmp_path: Path) -> None:
    proc, groups = _kernel(tmp_path, total=16 * GIB, available=8 * GIB, group="/../../outside")
    _group(groups, limit=2 * GIB, used=1 * GIB)
    assert memory_use(proc, groups).total == 2 * GIB


async def test_a_machine_that_is_fuller_than_the_container_may_become_counts_itself(tmp_path: Path) -> None:
    proc, groups = _kernel(tmp_path, total=16 * GIB, available=256 * MIB, group="/app")
    _group(groups / "app", limit=4 * GIB, used=1 * GIB)
    assert memory_use(proc, groups).available == 256 * MIB


async def test_limits_of_the_first_version_of_control_groups_count(tmp_path: Path) -> None:
    proc, groups = _kernel(tmp_path, total=16 * GIB, available=8 * GIB)
    (proc / "self" / "cgroup").write_text("12:cpu,cpuacct:/app\n5:memory:/app\n")
    folder = groups / "memory" / "app"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text(f"{GIB}\n")
    (folder / "memory.usage_in_bytes").write_text(f"{768 * MIB}\n")
    (folder / "memory.stat").write_text(f"cache 1\ntotal_inactive_file {256 * MIB}\n")
    found = memory_use(proc, groups)
    assert (found.total, found.available, found.swap_used) == (GIB, 512 * MIB, None)


async def test_a_machine_that_is_not_linux_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="the memory of this machine cannot be read") as caught:
        memory_use(tmp_path, tmp_path)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert "needs Linux" in caught.value.remedy


async def test_a_kernel_that_does_not_tell_what_is_available_is_no_reading(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 1024 kB\n")
    with pytest.raises(ProbeError) as caught:
        memory_use(tmp_path, tmp_path)
    assert caught.value.kind is ErrorKind.MALFORMED


def _file_system(*, blocks: int, free: int, available: int, inodes: int, free_inodes: int) -> os.statvfs_result:
    return os.statvfs_result((4096, 4096, blocks, free, available, inodes, free_inodes, free_inodes, 0, 255))


def _kernel(folder: Path, *, total: int, available: int, group: str = "/") -> tuple[Path, Path]:
    """A /proc and a /sys/fs/cgroup."""
    proc, groups = folder / "proc", folder / "cgroup"
    (proc / "self").mkdir(parents=True)
    groups.mkdir()
    (proc / "self" / "cgroup").write_text(f"0::{group}\n")
    (proc / "meminfo").write_text(
        f"MemTotal: {total // 1024} kB\nMemFree: 1 kB\nMemAvailable: {available // 1024} kB\n"
        f"SwapTotal: {1024 * 1024} kB\nSwapFree: {512 * 1024} kB\nHugePages_Total: 0\n"
    )
    return proc, groups


def _group(folder: Path, *, limit: int | str, used: int, cache: int = 0, swap: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.swap.current").write_text(f"{swap}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cache}\n")
