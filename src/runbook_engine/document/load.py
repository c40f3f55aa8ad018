"""From a file to a runbook and a list of everything that is wrong with it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path as FilePath
from types import MappingProxyType

from msgspec import Struct, field
from pydantic import ValidationError

from runbook_engine.document import checks, shape
from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel
from runbook_engine.document.draft import Draft, Mistake, ToText
from runbook_engine.document.models import Runbook
from runbook_engine.document.nodes import Raw
from runbook_engine.document.places import keys_of
from runbook_engine.document.source import Path, Source
from runbook_engine.document.wording import shown
from runbook_engine.document.yaml_text import MOST_CHARACTERS, compose
from runbook_engine.errors import closest

KINDS = ("runbook", "playbook", "policy", "knowledge", "environment", "tests")
"""The documents that live side by side, told apart by their first key."""

_MOST_BYTES = 4 * MOST_CHARACTERS
MOST_ROUNDS = 16
MOST_MISTAKES = 500

Unsaved = Mapping[FilePath, str]
"""What an editor holds instead of what stands in files, by their resolved paths."""

SAVED: Unsaved = MappingProxyType({})
"""Nothing: what counts is what stands in files."""


class RawNames(Struct, frozen=True):
    """The names that a document defines, even where what they name is broken.

    ``broken`` has the paths (as in the text) of what was taken out of the partial runbook: whatever depends on it cannot be
    judged.
    """

    steps: frozenset[str] = frozenset()
    findings: frozenset[str] = frozenset()
    resolutions: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    broken: frozenset[Path] = frozenset()

    def is_broken(self, *path: str | int) -> bool:
        """Whether anything at or below a path was taken out."""
        return any(each[: len(path)] == path for each in self.broken)


class Loaded(Struct, frozen=True):
    """A document that was read. ``runbook`` is None where any diagnostic is an error.

    ``partial`` is what remains without the broken parts, for further checks; None where that is nothing. ``source`` knows
    the places of what it holds.
    """

    runbook: Runbook | None
    partial: Runbook | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source
    names: RawNames = field(default_factory=RawNames)

    @property
    def broken(self) -> frozenset[Path]:
        return self.names.broken


def load_file(file: FilePath | str, unsaved: Unsaved = SAVED) -> Loaded:
    """Read a file in UTF-8. Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file, unsaved)
    return load(read.text, read.file) if isinstance(read, ReadText) else read


class ReadText(Struct, frozen=True):
    """The text of a file, and the file's name as people write it."""

    text: str
    file: str


def read_text(file: FilePath | str, unsaved: Unsaved = SAVED) -> ReadText | Loaded:
    """What a file says, in UTF-8; or nothing but the diagnostic that says why it cannot be read."""
    path = FilePath(file)
    name = _shown(path)
    held = unsaved.get(path.resolve()) if unsaved else None
    if held is not None:
        return ReadText(held, name)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _unreadable(name, "", 0, f"the file cannot be read: {reason}")
    if len(content) > _MOST_BYTES:
        return _unreadable(name, "", 0, f"the file has more than {_MOST_BYTES} bytes", code="RB108")
    try:
        return ReadText(content.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        text = content.decode("utf-8", errors="replace")
        at = len(content[: error.start].decode("utf-8", errors="replace"))
        message = f"the file is not in UTF-8: byte 0x{content[error.start]:02x} cannot be read"
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            message = "the file is in UTF-16, and documents are in UTF-8"
        return _unreadable(name, text, at, message)


def kind_of(file: FilePath | str) -> str | None:
    """Which of ``KINDS`` a document is, by its first key; None where that cannot be told."""
    read = read_text(file)
    return kind_of_text(read.text) if isinstance(read, ReadText) else None


_FIRST_KEY = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r)|---(?=[ \t]*[\r\n]))*([a-z]+):(?=[ \r\n])")


def kind_of_text(text: str) -> str | None:
    """Which of ``KINDS`` a text is, or ``INCIDENTS``: by its first key, also where what follows is no YAML; else None."""
    written = _FIRST_KEY.match(text)
    if written is not None:
        if written[1] == "policy" and _OF_INCIDENTS.match(text, written.end()):
            return INCIDENTS
        return written[1] if written[1] in KINDS else None
    value = compose(text.removeprefix("\ufeff"), "").value
    first = next(iter(value), None) if isinstance(value, dict) else None
    if isinstance(value, dict) and value.get("policy") == INCIDENTS:
        return INCIDENTS
    return first if first in KINDS else None


INCIDENTS = "incidents"
"""What ``policy: incidents`` is, beside ``policy: metrics``."""
_OF_INCIDENTS = re.compile(r"[ ]+[\"']?incidents\b")


def load(text: str, file: str) -> Loaded:
    """Read the text of ``file``. Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text."""
    text = text.removeprefix("\ufeff")
    composed = compose(text, file)
    source = Source(file, text, composed.root)
    report = Report(source, composed.diagnostics)
    if composed.diagnostics and composed.root is None:
        return report.loaded()
    if isinstance(composed.value, dict) and _is_runbook(composed.value):
        return _salvage(composed.value, report)
    report.add([_not_a_runbook(composed.value)])
    return report.loaded()


def _salvage(raw: dict[str, Raw], report: "Report") -> Loaded:
    """Validate, take out what is wrong, and validate again until nothing is."""
    draft = Draft(raw)
    for _ in range(MOST_ROUNDS):
        document, moved = draft.build()
        runbook, mistakes = _judge(document, ToText(moved))
        if runbook is not None and not mistakes:
            report.source = report.source.salvaged(moved)
            return report.loaded(None if draft.hollow else runbook, _names(draft))
        # What follows from an earlier mistake lies on the way to it.
        fresh = [each for each in mistakes if not each.silent and each.about not in draft.touched]
        if not report.add(fresh) or not draft.apply(mistakes):
            break
    return report.loaded(None, _names(draft))


def _judge(document: dict[str, Raw], to_text: ToText) -> tuple[Runbook | None, list[Mistake]]:
    """The runbook, if it is sound field by field, and the mistakes in it, at their places in the text."""
    runbook = None
    try:
        runbook = Runbook.model_validate(document)
        found = checks.check(runbook, document, to_text.describe)
    except ValidationError as error:
        found = shape.mistakes(error, document, to_text.describe)
    return runbook, [to_text.mistake(each) for each in islice(found, MOST_MISTAKES + 1)]


def _names(draft: Draft) -> RawNames:
    return RawNames(
        draft.names("steps"),
        draft.names("findings"),
        draft.names("resolutions"),
        draft.names("inputs"),
        frozenset(draft.broken),
    )


def _is_runbook(raw: Mapping[str, Raw]) -> bool:
    """Whether it was meant to be one, even if its first key is missing or misspelled."""
    if next(iter(raw), "runbook") in KINDS[1:]:
        return False
    return "runbook" in raw or "steps" in raw or len(raw.keys() & set(keys_of(Runbook))) > 1


def _not_a_runbook(raw: Raw) -> Mistake:
    known = f"documents are told apart by their first key: {', '.join(KINDS)}"
    if raw is None:
        return Mistake("RB110", "the document is empty", (), "begin with runbook: its-name", known)
    if not isinstance(raw, dict):
        return Mistake(
            "RB110", f"the document is {shown(raw)}, not a mapping", (), "begin with runbook: its-name", known
        )
    kind = next((each for each in KINDS if each in raw), None)
    if kind is not None:
        return Mistake(
            "RB110", f"this is a {kind} document, and only runbooks can be read here", (kind,), help=known, at_key=True
        )
    guess = next((found for key in raw if (found := closest(key.lower(), KINDS))), None)
    label = f'did you mean "{guess}"?' if guess else ""
    return Mistake("RB110", "the document does not say what it is", (), label, known, at_key=True)


class Report:
    """The diagnostics of one document, each place once."""

    def __init__(self, source: Source, diagnostics: Sequence[Diagnostic]) -> None:
        self.source = source
        self._text = source
        self._found = {(each.code, each.span, each.label): each for each in diagnostics}

    def add(self, mistakes: Iterable[Mistake]) -> bool:
        """Whether there was room for all of them."""
        for each in mistakes:
            span = self._text.span(each.path, key=each.at_key)
            if len(self._found) >= MOST_MISTAKES:
                message = f"there are more mistakes than these {MOST_MISTAKES}"
                self._found["RB109", span, ""] = Diagnostic("RB109", message, self.source.file, span)
                return False
            fix = each.fix(self._text)
            new = Diagnostic(each.code, each.message, self.source.file, span, each.label, each.help, fix=fix)
            self._found.setdefault((each.code, span, each.label), new)
        return True

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(sorted(self._found.values()))

    @property
    def failed(self) -> bool:
        return any(each.level is DiagnosticLevel.ERROR for each in self._found.values())

    def loaded(self, partial: Runbook | None = None, names: RawNames | None = None) -> Loaded:
        return Loaded(None if self.failed else partial, partial, self.diagnostics, self.source, names or RawNames())


def _unreadable(file: str, text: str, at: int, message: str, *, code: str = "RB101") -> Loaded:
    source = Source(file, text)
    diagnostic = Diagnostic(code, message, file, source.span_of(at, at + 1))
    return Loaded(None, None, (diagnostic,), source)


def _shown(path: FilePath) -> str:
    """The path as people write it: relative, where the file lies below the current directory."""
    try:
        return str(path.relative_to(FilePath.cwd())) if path.is_absolute() else str(path)
    except (ValueError, OSError):
        return str(path)
