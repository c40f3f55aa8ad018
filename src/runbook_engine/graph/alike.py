"""Inputs of one name in several documents: an environment, and a runbook that calls others, give one value to all of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel, quoted
from runbook_engine.document.load import SAVED, ReadText, Unsaved, read_text
from runbook_engine.document.source import Source
from runbook_engine.document.yaml_text import compose
from runbook_engine.library import SUFFIXES, TESTS

Definition = Mapping[str, str]
"""What is compared of an input, as it is written; ``env`` is empty where it is read from no variable."""

_POLICY = "policy"


def unlike(text: str, file: str, path: Path, unsaved: Unsaved = SAVED) -> tuple[Diagnostic, ...]:
    """A warning for each input of a document that most of those beside it define with another type, other values or another
    variable; where as many define it like this, one for each of them.
    """
    own = _definitions(text, file)
    if not own:
        return ()
    beside = {name: each for name, each in _beside(path, unsaved) if each}
    source = Source(file, text, compose(text, file).root)
    return tuple(each for name, definition in own.items() for each in _differing(name, definition, beside, source))


def _differing(
    name: str, own: Definition, beside: Mapping[str, Mapping[str, Definition]], source: Source
) -> Iterator[Diagnostic]:
    others = {document: each[name] for document, each in beside.items() if name in each}
    for key, (said, without) in _TOLD.items():
        counts = Counter([own[key], *(each[key] for each in others.values())])
        most = max(counts, key=lambda each: (counts[each], each != own[key]))
        if most == own[key]:
            continue
        documents = sorted(document for document, each in others.items() if each[key] == most)
        where = ", ".join(documents[:3]) + (f" and {len(documents) - 3} more" if len(documents) > 3 else "")
        here, there = (f"{said} {each}" if each else without for each in (own[key], most))
        message = f"input {quoted(name)} {here}, and {there} in {where}"
        hint = "an environment gives one value to all of them: define it alike, or give this one a name of its own"
        span = source.span(("inputs", name), key=True)
        yield Diagnostic("RB219", message, source.file, span, "", hint, DiagnosticLevel.WARNING)
        return  # of another type it has other values, too


_TOLD = {
    "type": ("is of the type", "has no type"),
    "values": ("has the values", "has no values to choose from"),
    "env": ("is read from the variable", "is read from no variable"),
}
"""What is compared, and how it is told: with a value after it, or without one."""


def _beside(path: Path, unsaved: Unsaved) -> Iterator[tuple[str, Mapping[str, Definition]]]:
    """The inputs of the other documents of the same directory of runbooks, by the name of each document."""
    top = path.parent.parent if path.parent.name == _POLICY else path.parent
    for directory in (top, top / _POLICY):
        if not directory.is_dir():
            continue
        for file in sorted(directory.iterdir()):
            if file.suffix not in SUFFIXES or file.name.startswith(".") or file.stem.endswith(TESTS):
                continue
            if file.resolve() != path.resolve():
                read = read_text(file, unsaved)
                name = file.stem if directory == top else f"the policy {file.stem}"
                yield name, _definitions(read.text, str(file)) if isinstance(read, ReadText) else {}


@lru_cache(maxsize=256)
def _definitions(text: str, file: str) -> Mapping[str, Definition]:
    """The inputs of a document, as they are written, without a check of anything else."""
    value = compose(text.removeprefix("\ufeff"), file).value
    inputs = value.get("inputs") if isinstance(value, dict) else None
    if not isinstance(inputs, dict):
        return {}
    return {
        name: {
            "type": str(each.get("type") or "string"),
            "env": str(each.get("env") or ""),
            "values": ", ".join(map(str, values)) if isinstance(values := each.get("values"), list) else "",
        }
        for name, each in inputs.items()
        if isinstance(each, dict)
    }
