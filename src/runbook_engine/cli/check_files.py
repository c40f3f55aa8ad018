"""Documents of every kind, each checked by what knows its kind."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.document import Diagnostic, DiagnosticLevel
from runbook_engine.document.load import SAVED, ReadText, Unsaved, kind_of_text, load, read_text
from runbook_engine.document.suppression import suppressed, suppressions
from runbook_engine.graph.alike import unlike
from runbook_engine.graph.compile import Compiler, thorough
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

if TYPE_CHECKING:
    from runbook_engine.engine.environments import Inputs


class CheckedFile(Struct, frozen=True):
    """A file as people write it, its text without a byte order mark, and all that is wrong with it, in its order."""

    file: str
    text: str
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> int:
        return sum(each.level is DiagnosticLevel.ERROR for each in self.diagnostics)

    @property
    def warnings(self) -> int:
        """Those that no comment suppresses."""
        return sum(each.level is DiagnosticLevel.WARNING and each.suppressed is None for each in self.diagnostics)

    def without_notes(self) -> "CheckedFile":
        """Only what is wrong or may well be."""
        kept = tuple(each for each in self.diagnostics if each.level is not DiagnosticLevel.NOTE)
        return CheckedFile(self.file, self.text, kept)


class Checker(Struct, frozen=True, dict=True):
    """Checks files against the installed probes and the runbooks that there are.

    Without ``notes`` some of those that take long to find are not looked for.
    """

    registry: Registry
    library: Library
    unsaved: Unsaved = SAVED
    """What counts instead of what stands in other files, as an editor holds it."""
    notes: bool = True

    def file(self, path: Path) -> CheckedFile:
        """Raises nothing: a file that cannot be read is a diagnostic too."""
        read = read_text(path)
        if isinstance(read, ReadText):
            return self.text(read.text, read.file, path)
        return CheckedFile(read.source.file, read.source.text, read.diagnostics)

    def text(self, text: str, name: str, path: Path) -> CheckedFile:
        """The text as if it stood at ``path``, which diagnostics call ``name``."""
        text = text.removeprefix("\ufeff")
        found = self._found(text, name, path)
        return CheckedFile(name, text, suppressed(text, name, found))

    def _found(self, text: str, name: str, path: Path) -> Sequence[Diagnostic]:
        match kind_of_text(text):
            case "policy":
                from runbook_engine.document.policy_load import load_policy
                from runbook_engine.graph.triage_checks import compile_policy

                policy = compile_policy(load_policy(text, name), self.registry, self.library, path).diagnostics
                return sorted((*policy, *unlike(text, name, path, self.unsaved)))
            case "incidents":
                from runbook_engine.document.incident_policy_load import load_incident_policy
                from runbook_engine.graph.incident_policy import check_incident_policy

                return check_incident_policy(load_incident_policy(text, name), self.library)
            case "playbook":
                from runbook_engine.document.playbook_load import load_playbook
                from runbook_engine.graph.playbook import check_playbook

                return check_playbook(load_playbook(text, name), self.library, path, self.unsaved)
            case "environment":
                from runbook_engine.document.environment import load_environment
                from runbook_engine.engine.environments import check_environment

                return check_environment(load_environment(text, name), path, self.library, self._inputs).diagnostics
            case "knowledge":
                from runbook_engine.document.knowledge import load_knowledge
                from runbook_engine.engine.knowledge_checks import check_knowledge

                return check_knowledge(load_knowledge(text, name), path, self.library).diagnostics
            case "tests":
                from runbook_engine.document.cases import load_cases
                from runbook_engine.testing.running import check_cases

                loaded = load_cases(text, name)
                checked = check_cases(loaded, path, library=self.library, compiler=self._compiler)
                # What is wrong with the runbook is said where the runbook is checked.
                return [each for each in checked.diagnostics if each.file == name]
        # A comment that suppresses a note is about one all the same.
        notes = self.notes or bool(suppressions(text))
        found = replace(self._compiler, notes=notes).loaded(load(text, name), path).diagnostics
        return sorted((*found, *unlike(text, name, path, self.unsaved)))

    @cached_property
    def _inputs(self) -> "dict[Library, Inputs]":
        return {}

    @cached_property
    def _compiler(self) -> Compiler:
        return thorough(self.registry, self.library, self.unsaved)
