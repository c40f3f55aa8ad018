"""A pytest plug-in: every case of a ``*.test.yaml`` file is a test. It imports the engine where there is such a file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from runbook_engine.probe.registry import Registry
    from runbook_engine.testing import CheckedFile

_ENDS = (".test.yaml", ".test.yml")
_OURS = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\n]*)?\r?\n|---[ \t]*\r?\n)*tests:(?=\s)")
"""How a file with tests of a runbook begins. Other tools have files of that name, too."""
_MOST_BYTES = 65_536


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "CasesFile | None":
    if not file_path.name.endswith(_ENDS):
        return None
    try:
        with file_path.open("rb") as stream:
            is_ours = _OURS.match(stream.read(_MOST_BYTES)) is not None
    except OSError:
        return None
    return CasesFile.from_parent(parent, path=file_path) if is_ours else None


class CasesFile(pytest.File):
    """A file with tests of a runbook."""

    def collect(self) -> Iterator["CaseItem"]:
        from runbook_engine.document.diagnostics import render_all
        from runbook_engine.testing import check_file

        checked = check_file(self.path, probes=_registry(self.config))
        if checked.failed:
            raise self.CollectError(render_all(checked.diagnostics, checked.sources))
        for name in checked.given:
            yield CaseItem.from_parent(self, name=name, checked=checked)


class CaseItem(pytest.Item):
    """A case. It fails with what was expected, what came, and why."""

    def __init__(self, name: str, parent: pytest.Collector, checked: "CheckedFile") -> None:
        super().__init__(name, parent)
        self._checked = checked

    def runtest(self) -> None:
        result = self._checked.run(self.name)
        if not result.passed:
            raise CaseFailedError(result.told())

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: "str | None" = None,  # noqa: ARG002 - pytest's signature
    ) -> str:
        if isinstance(excinfo.value, CaseFailedError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self._checked.line(self.name) - 1, self.name


class CaseFailedError(AssertionError):
    """What was expected did not come."""


_REGISTRY: pytest.StashKey["Registry"] = pytest.StashKey()


def _registry(config: pytest.Config) -> "Registry":
    """One for all files: probes are looked for once."""
    from runbook_engine.probe.registry import Registry

    return config.stash.setdefault(_REGISTRY, Registry())
