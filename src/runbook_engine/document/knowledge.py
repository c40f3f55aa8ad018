"""Knowledge: error messages as systems write them, each with its cause, its solution and where that is said."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path as FilePath
from typing import Annotated

from msgspec import Struct
from pydantic import BeforeValidator, Field, ValidationError

from runbook_engine.document import shape
from runbook_engine.document.diagnostics import Diagnostic, quoted
from runbook_engine.document.draft import Draft, Mistake, ToText
from runbook_engine.document.load import MOST_MISTAKES, MOST_ROUNDS, ReadText, Report, read_text
from runbook_engine.document.models import RUNBOOK_PATTERN, Model, RunbookNameField, Text
from runbook_engine.document.nodes import Raw
from runbook_engine.document.phrases import LEAST_LETTERS, Phrase
from runbook_engine.document.places import describe, value_at
from runbook_engine.document.source import Path, Source
from runbook_engine.document.yaml_text import compose
from runbook_engine.kinds import ErrorKind

PROBE_OR_FAMILY = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


Messages = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=300)], ...],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
]


GENERAL = "General"
"""The subject of what is about no system of its own: a heading in a list, and not a word about the message."""


class FailedProbe(Model):
    """``{kind: refused, probe: postgres}``: what a failed probe means, whatever its message says."""

    kind: ErrorKind = Field(description="The kind of the error")
    probe: Annotated[str, Field(pattern=PROBE_OR_FAMILY)] | None = Field(
        None,
        description="The probe, for example postgres.activity, or all of a family: postgres. Without it, any probe",
    )

    @property
    def name(self) -> str:
        """``redis: nobody listens there, or the server turned the connection away``."""
        meaning = self.kind.meaning
        return f"{self.probe}: {meaning}" if self.probe else f"{meaning[0].upper()}{meaning[1:]}"

    def fits(self, kind: ErrorKind, probe: str) -> bool:
        """Whether a probe that failed in this way is meant."""
        return kind is self.kind and (self.probe is None or probe == self.probe or probe.startswith(f"{self.probe}."))


class Origin(Model):
    """Where something is said."""

    title: Text = Field(description="What it is")
    url: str = Field("", description="Where it is, if it is on the web")


class KnownError(Model):
    """One error message, or several that mean the same."""

    title: str = Field("", description="What to call it, where its first message does not say enough")
    messages: Messages = Field(
        (), description="As systems write it: words in any case, and * for what differs from time to time"
    )
    errors: tuple[FailedProbe, ...] = Field((), description="The failed probes that mean it, too")
    subject: Text = Field(GENERAL, description="What it is about, for example PostgreSQL")
    cause: Text = Field(description="Why it happens")
    solution: Text = Field(description="What to do about it")
    source: Origin = Field(description="Where that is said")
    runbook: RunbookNameField | None = Field(None, description="The runbook that finds out why")

    @property
    def name(self) -> str:
        """What people call it: its title, else its first message, else what its first failed probe means."""
        if self.title or self.messages:
            return self.title or self.messages[0]
        return self.errors[0].name if self.errors else self.subject


class Knowledge(Model):
    """Error messages that are known."""

    knowledge: RunbookNameField = Field(description="The name: lower-case words joined by hyphens")
    title: Text = Field(description="Whose knowledge that is, in one line")
    version: str = Field("1.0.0", description="The version of this text")
    owner: str = Field("", description="The team that keeps it")
    description: str = Field("", description="More about it")
    entries: dict[Annotated[str, Field(pattern=RUNBOOK_PATTERN, max_length=64)], KnownError] = Field(
        min_length=1, description="The error messages, by a name that an own document may replace"
    )


class LoadedKnowledge(Struct, frozen=True):
    """Knowledge that was read. ``knowledge`` is None where any diagnostic is an error; ``partial`` is what remains without
    the broken entries.
    """

    knowledge: Knowledge | None
    partial: Knowledge | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source

    @property
    def sources(self) -> dict[str, str]:
        return {self.source.file: self.source.text}


def load_knowledge_file(file: FilePath | str) -> LoadedKnowledge:
    """Read a file in UTF-8. Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file)
    if isinstance(read, ReadText):
        return load_knowledge(read.text, read.file)
    return LoadedKnowledge(None, None, read.diagnostics, read.source)


def load_knowledge(text: str, file: str) -> LoadedKnowledge:
    """Read the text of ``file``. Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text."""
    text = text.removeprefix("\ufeff")
    composed = compose(text, file)
    report = Report(Source(file, text, composed.root), composed.diagnostics)
    if not (composed.diagnostics and composed.root is None):
        if isinstance(composed.value, dict) and "knowledge" in composed.value:
            return _salvage(composed.value, report)
        found = "the document is empty" if composed.value is None else "this is not a knowledge document"
        hint = "knowledge begins with knowledge: its-name, as the shipped knowledge.yaml does"
        report.add([Mistake("RB110", found, (), "begin with knowledge: its-name", hint, at_key=True)])
    return LoadedKnowledge(None, None, report.diagnostics, report.source)


def _salvage(raw: dict[str, Raw], report: Report) -> LoadedKnowledge:
    """Validate, take out what is wrong, and validate again until nothing is."""
    draft = Draft(raw)
    for _ in range(MOST_ROUNDS):
        document, moved = draft.build()
        knowledge, mistakes = _judge(document, ToText(moved))
        if knowledge is not None and not mistakes:
            report.source = report.source.salvaged(moved)
            whole = None if report.failed else knowledge
            return LoadedKnowledge(whole, knowledge, report.diagnostics, report.source)
        # What follows from an earlier mistake lies on the way to it.
        fresh = [each for each in mistakes if not each.silent and each.about not in draft.touched]
        if not report.add(fresh) or not draft.apply(mistakes):
            break
    return LoadedKnowledge(None, None, report.diagnostics, report.source)


def _judge(document: dict[str, Raw], to_text: ToText) -> tuple[Knowledge | None, list[Mistake]]:
    """The knowledge, if it is sound, and the mistakes in it, at their places in the text."""

    def name(path: Path) -> str:
        return to_text.describe(path) if path else "the knowledge"

    knowledge = None
    try:
        knowledge = Knowledge.model_validate(document)
        found = _check(knowledge, document)
    except ValidationError as error:
        found = shape.mistakes(error, document, name)
    return knowledge, [to_text.mistake(each) for each in islice(found, MOST_MISTAKES + 1)]


def _check(knowledge: Knowledge, document: dict[str, Raw]) -> Iterator[Mistake]:
    """What the models cannot say of one field alone."""
    known: dict[tuple[str, ...], str] = {}
    for entry, each in knowledge.entries.items():
        at: Path = ("entries", entry)
        if not each.messages and not each.errors:
            hint = "give it messages, as systems write them, or the errors of probes that mean it"
            yield Mistake("RB602", f"nothing leads to {describe(at)}", at, "", hint, at_key=True, drop=at)
        listed = bool(each.messages) and isinstance(value_at(document, (*at, "messages")), list)
        for index, message in enumerate(each.messages):
            place: Path = (*at, "messages", index) if listed else (*at, "messages")
            phrase = Phrase(message)
            if phrase.letters < LEAST_LETTERS:
                told = f"the message {quoted(message)} is too short: it would be found in nearly every text"
                yield Mistake(
                    "RB603", told, place, "", "write more of the message, as it stands in the log", drop=place
                )
            elif (other := known.setdefault(phrase.parts, entry)) != entry:
                told = f"the message {quoted(message)} stands in {describe(('entries', other))} already"
                yield Mistake("RB601", told, place, "", "one message has one entry", drop=place)
