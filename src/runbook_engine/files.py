"""Files that are written whole or not at all: aside, onto the disk, then in the place of what was there."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

_IN_THE_WAY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV})
"""A folder that takes no new file, or a place that is mounted by itself: what is there can still be written to."""


def write_whole(file: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file so that a full disk, a kill or a power failure leaves the old one as it was.

    A file that is there keeps its permissions, its owner and the links to it. A new one may be read by its owner only, where
    it is ``private``. A device or a pipe is written to as it is. Texts are UTF-8. Raises OSError.
    """
    data = content.encode() if isinstance(content, str) else content
    before = _status(file)
    if before is not None and not stat.S_ISREG(before.st_mode):
        file.write_bytes(data)
        return
    target = file.resolve()
    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    try:
        number, aside = _aside(target, 0o600 if private or before is not None else 0o666)
    except OSError as error:
        if before is None or error.errno not in _IN_THE_WAY:
            raise
        target.write_bytes(data)
        return
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if before is not None:
            if hasattr(os, "chown"):
                with suppress(PermissionError):
                    os.chown(aside, before.st_uid, before.st_gid)
            aside.chmod(stat.S_IMODE(before.st_mode))
        _put(aside, target, data, new=before is None)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()


def _put(aside: Path, target: Path, data: bytes, *, new: bool) -> None:
    try:
        aside.replace(target)
    except OSError as error:
        if new or error.errno not in _IN_THE_WAY:
            raise
        target.write_bytes(data)


def _aside(target: Path, mode: int) -> tuple[int, Path]:
    """A new file beside the target, with what the umask leaves of ``mode``."""
    aside = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}.tmp")
    return os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), aside


def _status(target: Path) -> os.stat_result | None:
    try:
        return target.stat()
    except FileNotFoundError:
        return None
