"""Error messages that are known: recognised in what a step brought back, and searched for by people.

Only text is looked at, and by plain search: each message costs one pass over each line, whatever the line.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from pydantic import JsonValue

from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel
from runbook_engine.document.phrases import Found, Phrase
from runbook_engine.engine.events import Failure, KnownMessage
from runbook_engine.hostile import cut, lines_of
from runbook_engine.kinds import ErrorKind
from runbook_engine.library import Library

if TYPE_CHECKING:
    from runbook_engine.document.knowledge import KnownError

MOST_PER_STEP = 3
_MOST_LINES = 400
_MOST_LINE = 2_000
_MOST_SHOWN = 240
_BEFORE = 60


class Recogniser(Protocol):
    """What a run asks about the texts of a step."""

    def in_failure(self, failure: Failure, probe: str) -> tuple[KnownMessage, ...]: ...

    def in_logs(self, logs: Iterable[JsonValue]) -> tuple[KnownMessage, ...]: ...


class Entry(Struct, frozen=True):
    """An entry under its name, and how near its document is: 0 is a team's own, before all others."""

    name: str
    error: "KnownError"
    phrases: tuple[Phrase, ...]
    distance: int = 0

    @property
    def is_general(self) -> bool:
        """Whether it means errors of any probe."""
        return any(each.probe is None for each in self.error.errors)

    def closeness(self, kind: ErrorKind, probe: str) -> int:
        """How closely its errors name a probe that failed like that: 0 for any probe; -1 where they do not mean it."""
        return max((len(each.probe or "") for each in self.error.errors if each.fits(kind, probe)), default=-1)


class Recognised(Struct, frozen=True):
    """An entry, and what led to it: the ``phrase`` that was found, and the ``text`` around it."""

    entry: Entry
    pattern: str
    text: str
    weight: int

    @property
    def order(self) -> tuple[int, int]:
        """What a team wrote itself comes first, then the message that says more."""
        return self.entry.distance, -self.weight


class KnowledgeBase:
    """The entries of documents, read when they are first asked for. An entry of an earlier document replaces one of the same
    name in a later one.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    @classmethod
    def of(cls, library: Library) -> "KnowledgeBase":
        """All ``knowledge.yaml`` of a library."""
        return cls(library.knowledge_files())

    @cached_property
    def _read(self) -> tuple[tuple[Entry, ...], tuple[Diagnostic, ...], Mapping[str, str]]:
        from runbook_engine.document.knowledge import load_knowledge_file  # a run in which nothing fails does without

        entries: dict[str, Entry] = {}
        diagnostics: list[Diagnostic] = []
        sources: dict[str, str] = {}
        for distance, file in enumerate(self._files):
            loaded = load_knowledge_file(file)
            diagnostics.extend(loaded.diagnostics)
            sources.update(loaded.sources)
            for name, error in (loaded.partial.entries if loaded.partial else {}).items():
                entries.setdefault(name, Entry(name, error, tuple(map(Phrase, error.messages)), distance))
        return tuple(entries.values()), tuple(diagnostics), sources

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Own ones first, each document's in its order. Of a document with mistakes what is sound."""
        return self._read[0]

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self._read[1]

    @property
    def sources(self) -> Mapping[str, str]:
        return self._read[2]

    @property
    def broken(self) -> tuple[str, ...]:
        """The files that have mistakes, of which only a part is known, if anything; none before they are read."""
        if "_read" not in self.__dict__:
            return ()
        wrong = (each.file for each in self.diagnostics if each.level is DiagnosticLevel.ERROR)
        return tuple(dict.fromkeys(wrong))

    def in_failure(self, failure: Failure, probe: str) -> tuple[KnownMessage, ...]:
        """What is known of a probe's error: by its message, else by its kind. A message that means an error of any probe
        gives way to an entry for errors of this one.
        """
        found = recognise(failure.message, self.entries)
        if not found or found[0].entry.is_general:
            meant = [
                Recognised(
                    entry, entry.error.name, cut(failure.message, _MOST_SHOWN), entry.closeness(failure.kind, probe)
                )
                for entry in self.entries
                if entry.closeness(failure.kind, probe) >= (1 if found else 0)
            ]
            found = sorted(meant, key=lambda each: each.order)[:1] or found
        return _told(found)

    def in_logs(self, logs: Iterable[JsonValue]) -> tuple[KnownMessage, ...]:
        """What is known of the lines in evidence, each entry once, those seen in most lines first."""
        return _told(recognise("\n".join(islice(_texts(logs), _MOST_LINES)), self.entries))

    def listed(self) -> Sequence[Recognised]:
        """Every entry, in the order of the documents."""
        return [Recognised(each, each.error.name, "", 0) for each in self.entries]

    def search(self, query: str, most: int = 5) -> Sequence[Recognised]:
        """What is known of an error message that somebody pasted, or of words; the best first."""
        from runbook_engine.engine.knowledge_search import search

        return search(query, self.entries, most)


def recognise(text: str, entries: Sequence[Entry]) -> list[Recognised]:
    """The entries whose messages stand in a text. A line is explained by one entry: by a team's own, else by the message
    that says more.
    """
    best: dict[str, tuple[int, Recognised]] = {}
    for line in islice(lines_of(text), _MOST_LINES):
        shown = " ".join(line[:_MOST_LINE].split())
        found = _in_line(shown, entries)
        if found is not None:
            times, first = best.get(found.entry.name, (0, found))
            best[found.entry.name] = (times + 1, first)
    ranked = sorted(best.values(), key=lambda each: (each[1].entry.distance, -each[0], -each[1].weight))
    return [each for _, each in ranked]


def _in_line(line: str, entries: Sequence[Entry]) -> Recognised | None:
    lowered = line.lower()
    best: Recognised | None = None
    for entry in entries:
        for phrase in entry.phrases:
            if best is not None and (entry.distance, -phrase.letters) >= best.order:
                continue
            place = phrase.found_in(lowered)
            if place is not None:
                best = Recognised(entry, phrase.text, _around(line, place), phrase.letters)
    return best


def _around(line: str, place: Found) -> str:
    """As much of the line as a person reads, with the message in it."""
    start = 0 if len(line) <= _MOST_SHOWN else max(0, place.start - _BEFORE)
    part = line[start : start + _MOST_SHOWN]
    return f"{'… ' if start else ''}{part}{' …' if start + _MOST_SHOWN < len(line) else ''}"


def _told(found: Iterable[Recognised]) -> tuple[KnownMessage, ...]:
    return tuple(_message(each) for each in islice(found, MOST_PER_STEP))


def _message(found: Recognised) -> KnownMessage:
    error = found.entry.error
    return KnownMessage(
        found.entry.name,
        found.pattern,
        found.text,
        error.cause,
        error.solution,
        error.source.title,
        error.source.url,
        error.runbook or "",
    )


def _texts(values: Iterable[JsonValue]) -> Iterator[str]:
    """Every text in evidence, however deep."""
    for value in values:
        match value:
            case str():
                yield value
            case list():
                yield from _texts(value)
            case dict():
                yield from _texts(value.values())
