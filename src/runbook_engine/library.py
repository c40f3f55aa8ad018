"""Where runbooks are found by name."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_engine.errors import RunbookNotFoundError, UsageError, did_you_mean

if TYPE_CHECKING:
    from runbook_engine.document import Loaded

PATH_VARIABLE = "RUNBOOK_PATH"
SUFFIXES = (".yaml", ".yml")
KNOWLEDGE = "knowledge"
TESTS = ".test"
FOLDER = "runbooks"
"""The directory of a project in which its documents lie."""
_PACKAGE = Path(__file__).resolve().parent


def shipped_directory() -> Path:
    """The runbooks that come with this package: the installed place first, then a checkout's.

    Raises UsageError that names every place searched.
    """
    installed = _PACKAGE / "_runbooks"
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "runbooks").is_dir():
        return checkout / "runbooks"
    raise UsageError(
        f"the shipped runbooks are missing; searched {installed} and {checkout / 'runbooks'}; reinstall runbook-engine"
    )


def project(start: Path | None = None) -> Path:
    """The root of the project that a directory is in: the nearest one, from there upwards, that has ``runbooks/`` or is a
    repository (``.git``). Without either the directory itself; ``start`` is the current one where it is not given.

    What lies above counts only where it belongs to this user or to root: anybody can write ``/tmp/runbooks``.
    """
    here = (start or Path()).resolve()
    if (here / FOLDER).is_dir():
        return here
    for directory in (here, *here.parents):
        if _is_ours(directory / FOLDER) and (directory / FOLDER).is_dir():
            return directory
        if _is_ours(directory / ".git"):
            return directory
    return here


def _is_ours(path: Path) -> bool:
    try:
        owner = path.stat().st_uid
    except OSError:
        return False
    # Windows has no owners in this sense.
    return not hasattr(os, "getuid") or owner in (os.getuid(), 0)


@dataclass(frozen=True, slots=True)
class Library:
    """An ordered list of directories; in each, ``high-latency.yaml`` is the runbook ``high-latency``."""

    directories: tuple[Path, ...]

    @classmethod
    def default(cls, environ: Mapping[str, str] = os.environ, start: Path | None = None) -> "Library":
        """Directories of ``$RUNBOOK_PATH``, then ``runbooks/`` of the project, then the shipped ones.

        ``start`` is a directory of the project; the current one where it is not given.
        """
        own = [Path(each) for each in environ.get(PATH_VARIABLE, "").split(os.pathsep) if each]
        places = (*own, project(start) / FOLDER, shipped_directory())
        return cls(tuple(dict.fromkeys(each.resolve() for each in places)))

    def files(self) -> Mapping[str, Path]:
        """Every runbook file by name; the first directory wins."""
        found: dict[str, Path] = {}
        for directory in self.directories:
            for file in _documents(directory):
                if not _is_beside(file):
                    found.setdefault(file.stem, file)
        return found

    def find(self, name: str, *, near: Path | None = None) -> Path:
        """The file of a runbook, by name or as a path. A called runbook is first looked for beside its caller (``near``).

        Raises RunbookNotFoundError.
        """
        if _is_path(name):
            file = Path(name)
            if is_file(file):
                return file
            raise RunbookNotFoundError(name, [str(file.absolute())], [])
        directories: Sequence[Path] = (near, *self.directories) if near else self.directories
        for directory in directories:
            for suffix in SUFFIXES:
                file = directory / f"{name}{suffix}"
                if is_file(file):
                    return file
        beside = (each.stem for each in (_documents(near) if near else ()) if not _is_beside(each))
        known = {*self.files(), *beside}
        raise RunbookNotFoundError(name, [str(each) for each in directories], sorted(known))

    def policy_file(self, name: str) -> Path:
        """The file of a policy: ``policy/NAME.yaml`` in the first directory that has it. Raises UsageError."""
        searched = [directory / "policy" / f"{name}{suffix}" for directory in self.directories for suffix in SUFFIXES]
        for file in searched:
            if is_file(file):
                return file
        places = "".join(f"\n  searched {file}" for file in searched)
        raise UsageError(f"there is no policy {name!r}{places}")

    def told(self, file: Path) -> str:
        """Which file that is, for people; of a shipped one, that no own one takes its place."""
        shipped = shipped_directory()
        if not file.resolve().is_relative_to(shipped):
            here = Path.cwd()
            return str(file.relative_to(here) if file.is_relative_to(here) else file)
        searched = ", ".join(str(each / file.parent.name) for each in self.directories if each != shipped)
        return f"the shipped file {file}, as no own {file.name} lies in {searched or 'a folder of yours'}"

    def policies(self) -> Sequence[Path]:
        """Every policy that can be found by name; the first directory wins."""
        found: dict[str, Path] = {}
        for directory in self.directories:
            for file in _documents(directory / "policy"):
                found.setdefault(file.stem, file)
        return tuple(found.values())

    def playbook_file(self, name: str) -> Path:
        """The file of a playbook: by path, or ``playbooks/NAME.yaml`` in the first directory that has it.

        Raises UsageError.
        """
        return self._kept("playbook", name, self.playbooks())

    def playbooks(self) -> Mapping[str, Path]:
        """Every playbook that can be found by name; the first directory wins."""
        return self._documents_in("playbooks")

    def environment_file(self, name: str) -> Path:
        """The file of an environment: by path, or ``environments/NAME.yaml`` in the first directory that has it.

        Raises UsageError.
        """
        return self._kept("environment", name, self.environments())

    def environments(self) -> Mapping[str, Path]:
        """Every environment that can be found by name; the first directory wins."""
        return self._documents_in("environments")

    def knowledge_files(self) -> Sequence[Path]:
        """The knowledge of error messages: ``knowledge.yaml`` of each directory that has one, in their order."""
        each = (directory / f"{KNOWLEDGE}{suffix}" for directory in self.directories for suffix in SUFFIXES)
        return tuple(file for file in each if file.is_file())

    def load(self, name: str, *, near: Path | None = None) -> "Loaded":
        """The document of that name, with its diagnostics. Raises RunbookNotFoundError."""
        from runbook_engine.document import load_file  # completion of names does without

        return load_file(self.find(name, near=near))

    def _kept(self, kind: str, name: str, known: Mapping[str, Path]) -> Path:
        """The file of a document that is no runbook: by path, or one of those that are known. Raises UsageError."""
        if _is_path(name):
            if is_file(Path(name)):
                return Path(name)
            raise UsageError(f"there is no {kind} {name}")
        if name in known:
            return known[name]
        listed = f" (known: {', '.join(sorted(known))})" if known else ""
        places = "".join(f"\n  searched {directory / f'{kind}s'}" for directory in self.directories)
        raise UsageError(f"there is no {kind} {name!r}{did_you_mean(name, known)}{listed}{places}")

    def _documents_in(self, folder: str) -> Mapping[str, Path]:
        found: dict[str, Path] = {}
        for directory in self.directories:
            for file in _documents(directory / folder):
                found.setdefault(file.stem, file)
        return found


def is_file(path: Path) -> bool:
    """Whether there is such a file; no name is too long or too strange to ask."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_beside(file: Path) -> bool:
    """Whether a document that lies beside runbooks is none: knowledge, or the tests of one."""
    return file.stem == KNOWLEDGE or file.stem.endswith(TESTS)


def _is_path(name: str) -> bool:
    return name.endswith(SUFFIXES) or os.sep in name


def _documents(directory: Path) -> Iterator[Path]:
    if directory.is_dir():
        yield from sorted(
            each for each in directory.iterdir() if each.suffix in SUFFIXES and not each.name.startswith(".")
        )
