"""What can go wrong outside a probe. Each message is a sentence for the reader in trouble, with the next step."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runbook_engine.document.diagnostics import Diagnostic


class RunbookError(Exception):
    """The base of all errors that this package raises on purpose. ``exit_code`` is what the command ends with."""

    exit_code = 2


class UsageError(RunbookError):
    """A command or a call that cannot be carried out as given."""


class RunbookNotFoundError(UsageError):
    """No runbook of that name; names every place that was searched."""

    def __init__(self, name: str, searched: Sequence[str], known: Sequence[str]) -> None:
        self.name = name
        self.searched = tuple(searched)
        self.known = tuple(known)
        places = "".join(f"\n  searched {place}" for place in self.searched)
        super().__init__(f"there is no runbook {name!r}{did_you_mean(name, known)}{places}")


class InputsError(UsageError):
    """Inputs that are missing, unknown or of the wrong type. ``problems`` has a sentence for each, all at once; ``hints`` say
    what to do about them.
    """

    def __init__(self, problems: Sequence[str], hints: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        self.hints = tuple(hints)
        super().__init__("\n".join(self.problems))


class InvalidDocumentError(RunbookError):
    """A document that does not say what to do: ``diagnostics`` has every mistake, ``sources`` the text of each file."""

    exit_code = 78

    def __init__(self, diagnostics: "Sequence[Diagnostic]", sources: Mapping[str, str] = MappingProxyType({})) -> None:
        self.diagnostics = tuple(diagnostics)
        self.sources = sources
        super().__init__("\n".join(str(each) for each in self.diagnostics))


class RecordingError(UsageError):
    """A recording that cannot be read or does not fit the runbook."""


class JournalError(RunbookError):
    """The journal cannot be read or written."""

    exit_code = 2


class IncidentError(UsageError):
    """Something that cannot be done with an incident as it is, or an incident that there is not."""


class UnknownProbeError(UsageError):
    """No installed package provides the probe."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(f"no installed package provides the probe {name!r}{did_you_mean(name, self.known)}")


class DuplicateProbeError(RunbookError):
    """Two distributions claim one probe name; neither is taken."""

    def __init__(self, name: str, distributions: Sequence[str]) -> None:
        self.name = name
        self.distributions = tuple(distributions)
        super().__init__(
            f"the probe {name!r} is provided by {' and by '.join(distributions)}; uninstall all but one of them"
        )


class ProbeContractError(RunbookError):
    """A probe that does not keep the contract of ``runbook_engine.probe``; the message says which rule."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that the writer most likely meant, or None."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean "slow_queries"?`` or nothing."""
    guess = closest(word, known)
    return f'; did you mean "{guess}"?' if guess else ""
