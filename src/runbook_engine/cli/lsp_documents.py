"""The documents that an editor holds, and what the checker says of them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from msgspec import Struct

from runbook_engine.cli.check_files import CheckedFile, Checker
from runbook_engine.document.load import kind_of_text
from runbook_engine.editor.completion import Surroundings
from runbook_engine.editor.index import Index, index
from runbook_engine.editor.positions import Positions, Unit
from runbook_engine.editor.tree import salvaged
from runbook_engine.library import FOLDER, Library, project
from runbook_engine.probe.registry import Registry


class HeldDocument(Struct, frozen=True, dict=True):
    """A document as an editor holds it. ``path`` is where it lies, or would, were it saved."""

    uri: str
    path: Path
    text: str
    version: int | None = None
    unit: Unit = Unit.UTF_16

    @cached_property
    def positions(self) -> Positions:
        return Positions(self.text, self.unit)

    @property
    def kind(self) -> str | None:
        return kind_of_text(self.text)

    @cached_property
    def index(self) -> Index:
        text = self.text.removeprefix("\ufeff")
        return index(text, salvaged(text), self.kind)


class Checked(Struct, frozen=True):
    """What was found in a document, and in which state of it."""

    document: HeldDocument
    file: CheckedFile


class HeldDocuments(Struct):
    """All that are open, by their URIs. ``folders`` are those in which the editor works."""

    registry: Registry
    folders: tuple[Path, ...] = ()
    _held: dict[str, HeldDocument] = {}
    _checked: dict[str, Checked] = {}

    def hold(self, document: HeldDocument) -> None:
        self._held[document.uri] = document

    def release(self, uri: str) -> None:
        self._held.pop(uri, None)
        self._checked.pop(uri, None)

    def get(self, uri: str) -> HeldDocument | None:
        return self._held.get(uri)

    def uri(self, path: Path) -> str:
        """The URI of a file, as the editor writes it where it holds the file."""
        resolved = path.resolve()
        return next((each.uri for each in self._held.values() if each.path == resolved), resolved.as_uri())

    def in_turn(self, first: str) -> Sequence[str]:
        """The URIs of all, of one before the others: what it says may matter to them."""
        return [first, *(uri for uri in self._held if uri != first)] if first in self._held else list(self._held)

    @property
    def library(self) -> Library:
        """Where runbooks are found: those of the folders before those of the process."""
        own = (project(folder) / FOLDER for folder in self.folders)
        return Library(tuple(dict.fromkeys((*own, *Library.default().directories))))

    @property
    def unsaved(self) -> Mapping[Path, str]:
        return {each.path: each.text.removeprefix("\ufeff") for each in self._held.values()}

    def checker(self) -> Checker:
        """Of what is held now."""
        return Checker(self.registry, self.library, self.unsaved)

    def check(self, document: HeldDocument, checker: Checker) -> Checked:
        """Everything that is wrong with the document; nothing with a YAML file that is none of ours."""
        file = CheckedFile(str(document.path), document.text.removeprefix("\ufeff"), ())
        if self.is_ours(document):
            file = checker.text(document.text, file.file, document.path)
        found = Checked(document, file)
        if self._held.get(document.uri) is document:
            self._checked[document.uri] = found
        return found

    def checked(self, document: HeldDocument) -> Checked:
        """What was found in the document as it is, or is found now."""
        found = self._checked.get(document.uri)
        if found is not None and found.document is document:
            return found
        return self.check(document, self.checker())

    def is_ours(self, document: HeldDocument) -> bool:
        """By its first key; and where that is not written yet, by where it lies."""
        if document.kind is not None:
            return True
        return any(document.path.is_relative_to(each) for each in self.library.directories)

    def around(self, document: HeldDocument) -> Surroundings:
        return Surroundings(self.registry, self.library, document.path)

    def __iter__(self) -> Iterator[HeldDocument]:
        return iter(self._held.values())


def path_of(uri: str) -> Path:
    """The file that a URI means, resolved; a document that was never saved lies in the current directory."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return Path.cwd() / f"{Path(unquote(parts.path)).name or 'untitled'}.yaml"
    host = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
    return Path(url2pathname(host + parts.path)).resolve()
