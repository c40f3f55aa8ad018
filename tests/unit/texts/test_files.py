"""Files are written whole or not at all, and those with evidence for their owner alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_engine.files import write_whole


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    write_whole(tmp_path / "report.html", "found ü\r\n", private=True)
    assert mode(tmp_path / "report.html") == 0o600
    assert (tmp_path / "report.html").read_bytes() == "found ü\r\n".encode()


def test_a_file_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("before")
    file.chmod(0o644)
    write_whole(file, "after", private=True)
    assert (mode(file), file.read_text()) == (0o644, "after")
    assert list(tmp_path.iterdir()) == [file]


def test_a_new_file_without_evidence_has_what_the_umask_leaves(tmp_path: Path) -> None:
    os.umask(0o022)
    write_whole(tmp_path / "graph.svg", "<svg/>")
    assert mode(tmp_path / "graph.svg") == 0o644


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(tmp_path / "file")
    (tmp_path / "file").write_text("before")
    write_whole(tmp_path / "linked", "after", private=True)
    assert (tmp_path / "linked").is_symlink()
    assert (tmp_path / "file").read_text() == "after"


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    write_whole(Path("/dev/null"), "nothing", private=True)
    with pytest.raises(OSError, match="No space left"):
        write_whole(Path("/dev/full"), "nothing", private=True)
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "report", "nothing", private=True)


def test_a_file_that_cannot_be_written_whole_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.html"
    file.write_text("before")

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)  # stands for a disk that has become full
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "after", private=True)
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]
