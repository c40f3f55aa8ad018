"""What pydantic found wrong, as sentences about the document."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.draft import Mistake
from runbook_engine.document.models import STEP_KINDS
from runbook_engine.document.nodes import Raw
from runbook_engine.document.places import (
    STEP_MODELS,
    describe,
    is_step,
    is_way,
    keys_of,
    kinds_of,
    legal_keys,
    model_at,
    value_at,
)
from runbook_engine.document.source import Path
from runbook_engine.document.wording import explain, requirement, shown
from runbook_engine.errors import closest

_CERTAIN = 0.75


def mistakes(error: ValidationError, document: Raw, original: Callable[[Path], Path]) -> Iterator[Mistake]:
    """Each mistake once. ``document`` is what was validated; ``original`` leads from its paths to those of the text."""
    found: dict[tuple[Path, bool], ErrorDetails] = {}
    for each in error.errors(include_url=False):
        path, at_key = _place(each, document)
        found.setdefault((path, at_key), each)
    return _Shape(document, original, found).mistakes()


def _place(error: ErrorDetails, document: Raw) -> tuple[Path, bool]:
    """The path that an error is about, without the tags that pydantic puts in for unions; whether it is about the key."""
    location = list(error["loc"])
    if location[:1] == ["steps"]:
        del location[2:3]
        if location[2:3] in (["branches"], ["on_error"]):
            del location[4:5]
    at_key = location[-1:] == ["[key]"]
    if error["type"] == "missing":
        return tuple(location), False
    path: Path = ()
    here: Any = document
    for key in location:
        if not (key in here if isinstance(here, dict) else isinstance(here, list) and isinstance(key, int)):
            break
        here = here[key]
        path = (*path, key)
    return path, at_key


class _Shape:
    def __init__(
        self, document: Raw, original: Callable[[Path], Path], found: Mapping[tuple[Path, bool], ErrorDetails]
    ) -> None:
        self.document = document
        self.original = original
        self.found = found
        self.missing = {path for (path, _), each in found.items() if each["type"] == "missing"}
        self.above = {path[:length] for path, _ in found for length in range(len(path))}

    def mistakes(self) -> Iterator[Mistake]:
        # Unknown keys first: a misspelled key is not missing too.
        for (path, _), error in self.found.items():
            if error["type"] == "extra_forbidden":
                yield self._unknown_key(path)
        for (path, at_key), error in self.found.items():
            if error["type"] == "missing":
                if path in self.missing:
                    yield self._missing_key(path)
            elif error["type"] == "union_tag_not_found":
                yield self._no_kind(path)
            elif error["type"] != "extra_forbidden" and not (error["type"] == "too_short" and path in self.above):
                yield self._wrong_value(path, error, at_key=at_key)

    def _unknown_key(self, path: Path) -> Mistake:
        parent, key = path[:-1], str(path[-1])
        value = value_at(self.document, parent)
        at, whole = self.original(path), self.original(parent)
        kinds = kinds_of(value) if is_step(parent) else []
        if len(kinds) > 1 and any(key in keys_of(STEP_MODELS[kind]) for kind in kinds):
            return self._second_kind(path, kinds)
        if isinstance(value, dict) and "else" in value and key in ("when", "kind"):
            return Mistake(
                "RB119",
                f'{describe(whole)} has both "{key}" and "else"',
                at,
                "make two of it",
                '"else" is what is taken when no other holds, and stands alone at the end',
                at_key=True,
                drop=(*whole, "else"),
            )
        if isinstance(value, dict) and "else" in value and key == "goto":
            has_both = "when" in value or "kind" in value
            return Mistake(
                "RB119",
                f'{describe(whole)} has both "else" and "goto"',
                at,
                'name the next step after "else"',
                "for example {else: end}, or {else: another_step, finding: its_finding}",
                at_key=True,
                drop=(*whole, "else") if has_both else None,
                silent=has_both,
            )
        return self._misspelled(path, value)

    def _misspelled(self, path: Path, value: Raw) -> Mistake:
        """``path`` has a key that is unknown in ``value``; perhaps it is near one that could stand there."""
        parent, key = path[:-1], str(path[-1])
        legal = legal_keys(parent, value)
        guess = closest(key.lower(), [each for each in legal if not (isinstance(value, dict) and each in value)])
        rename = None
        if guess is not None:
            # Where a misspelled "else" stands, pydantic misses "when".
            expected = {(*parent, guess)} | ({(*parent, "when"), (*parent, "kind")} if guess == "else" else set())
            if expected & self.missing or difflib.SequenceMatcher(None, key, guess).ratio() >= _CERTAIN:
                rename = guess
                self.missing -= expected
        return Mistake(
            "RB111",
            f"{describe(self.original(parent))} has no key {quoted(key)}",
            self.original(path),
            f'did you mean "{guess}"?' if guess else "",
            f"its keys are {', '.join(legal)}",
            at_key=True,
            rename=rename,
        )

    def _second_kind(self, path: Path, kinds: Sequence[str]) -> Mistake:
        listed = " and ".join(f'"{kind}"' for kind in kinds)
        return Mistake(
            "RB118",
            f"{describe(self.original(path[:-1]))} has more than one kind: {listed}",
            self.original(path),
            "make a step of its own for it",
            f"a step has exactly one of {', '.join(STEP_KINDS)}",
            at_key=True,
            silent=path[-1] not in kinds,
        )

    def _no_kind(self, path: Path) -> Mistake:
        value, at = value_at(self.document, path), self.original(path)
        if not isinstance(value, dict):
            return Mistake(
                "RB113",
                f"{describe(at)} must be a mapping of keys and values, not {shown(value)}",
                at,
                f"give it one of {', '.join(STEP_KINDS)}",
            )
        for key in value:
            guess = closest(str(key).lower(), STEP_KINDS)
            if guess is not None and key not in legal_keys(path, value):
                return self._misspelled((*path, key), value)
        return Mistake(
            "RB118",
            f"{describe(at)} has no kind",
            at,
            f"give it one of {', '.join(STEP_KINDS)}",
            "probe measures, ask asks a person, call runs another runbook",
            at_key=True,
        )

    def _missing_key(self, path: Path) -> Mistake:
        parent, key = path[:-1], str(path[-1])
        at = self.original(parent)
        drop = at if parent else path
        if key in ("when", "kind") and is_way(parent):
            sentence = f'{describe(at)} has neither "{key}" nor "else"'
            return Mistake(
                "RB119",
                sentence,
                at,
                f'"{key}" is missing',
                requirement(model_at(parent, {}), key),
                drop=drop,
                absent=key,
            )
        value = value_at(self.document, parent)
        return Mistake(
            "RB112",
            f'{describe(at)} has no "{key}"',
            at,
            f'"{key}" is missing',
            requirement(model_at(parent, value), key),
            at_key=True,
            drop=drop,
            absent=key,
        )

    def _wrong_value(self, path: Path, error: ErrorDetails, *, at_key: bool) -> Mistake:
        at, key = self.original(path), path[-1] if path else ""
        value = key if at_key else value_at(self.document, path)
        wording = explain(error, value, key)
        message = f"{describe(at)} {wording.sentence}"
        if at_key:
            illegal = error["type"] == "string_pattern_mismatch"
            message = f"{describe(at)} has no legal name" if illegal else f"the name of {message}"
        legal = legal_keys(path, {}) if error["type"] == "model_type" else ()
        return Mistake(
            wording.code,
            message,
            at,
            wording.label,
            f"its keys are {', '.join(legal)}" if legal else wording.help,
            at_key=at_key or value is None,
            drop=self.original(_whole(path)),
        )


def _whole(path: Path) -> Path:
    """What cannot be understood without the value at ``path``: a type decides on everything that uses it."""
    match path:
        case ("inputs", _, "type" | "values", *_):
            return path[:2]
        case ("steps", _, "type" | "values", *_):
            return path[:2]
        case ("steps", _, "extract", _, "type", *_):
            return path[:4]
    return path
