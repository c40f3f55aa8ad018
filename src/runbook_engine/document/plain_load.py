"""From a text to a document of a kind whose shape says nearly all, and everything that is wrong with its shape."""

from collections.abc import Callable
from itertools import islice
from typing import Generic, TypeVar

from msgspec import Struct
from pydantic import BaseModel, ValidationError

from runbook_engine.document import shape
from runbook_engine.document.diagnostics import Diagnostic
from runbook_engine.document.draft import Draft, Mistake, ToText
from runbook_engine.document.load import MOST_MISTAKES, MOST_ROUNDS, Report
from runbook_engine.document.nodes import Raw
from runbook_engine.document.source import Path, Source
from runbook_engine.document.yaml_text import compose

M = TypeVar("M", bound=BaseModel)


class LoadedDocument(Struct, Generic[M], frozen=True):
    """A document that was read. ``document`` is None where any diagnostic is an error; ``partial`` is what remains without
    the broken parts, for further checks.
    """

    document: M | None
    partial: M | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source


def load_plain(
    text: str, file: str, model: type[M], whole: str, foreign: Callable[[Raw], Mistake | None]
) -> LoadedDocument[M]:
    """Read the text of ``file`` as ``model``, which people call ``whole``. ``foreign`` says why it is none.

    Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text.
    """
    text = text.removeprefix("\ufeff")
    composed = compose(text, file)
    report = Report(Source(file, text, composed.root), composed.diagnostics)
    if not (composed.diagnostics and composed.root is None):
        mistake = foreign(composed.value)
        if mistake is None and isinstance(composed.value, dict):
            return _salvage(composed.value, report, model, whole)
        report.add([mistake] if mistake is not None else [])
    return _loaded(report, None)


def _salvage(raw: dict[str, Raw], report: Report, model: type[M], whole: str) -> LoadedDocument[M]:
    """Validate, take out what is wrong, and validate again until nothing is."""
    draft = Draft(raw)
    for _ in range(MOST_ROUNDS):
        document, moved = draft.build()
        found, mistakes = _judge(document, ToText(moved), model, whole)
        if found is not None:
            report.source = report.source.salvaged(moved)
            return _loaded(report, found)
        # What follows from an earlier mistake lies on the way to it.
        fresh = [each for each in mistakes if not each.silent and each.about not in draft.touched]
        if not report.add(fresh) or not draft.apply(mistakes):
            break
    return _loaded(report, None)


def _loaded(report: Report, partial: M | None) -> LoadedDocument[M]:
    return LoadedDocument(None if report.failed else partial, partial, report.diagnostics, report.source)


def _judge(document: dict[str, Raw], to_text: ToText, model: type[M], whole: str) -> tuple[M | None, list[Mistake]]:
    """The document, if it is sound field by field, and the mistakes in it, at their places in the text."""

    def name(path: Path) -> str:
        return to_text.describe(path) if path else whole

    try:
        return model.model_validate(document), []
    except ValidationError as error:
        found = shape.mistakes(error, document, name)
        return None, [to_text.mistake(each) for each in islice(found, MOST_MISTAKES + 1)]
