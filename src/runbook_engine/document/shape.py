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


def mistakes(error: ValidationError, document: Raw, describe: Callable[[Path], str]) -> Iterator[Mistake]:
    """Each mistake once. ``document`` is what was validated; ``describe`` names a place in it."""
    found: dict[tuple[Path, bool], ErrorDetails] = {}
    for each in error.errors(include_url=False):
        path, at_key = _place(each, document)
        found.setdefault((path, at_key), each)
    return _Shape(document, describe, found).mistakes()


def _place(error: ErrorDetails, document: Raw) -> tuple[Path, bool]:
    """The path that an error is about, without the tags that pydantic puts in for unions; whether it is about the key."""
    location = list(error["loc"])
    at_key = location[-1:] == ["[key]"]
    if location[:1] == ["steps"] and not (at_key and len(location) == 3):
        del location[2:3]
        if location[2:3] in (["branches"], ["on_error"]):
            del location[4:5]
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
        self, document: Raw, describe: Callable[[Path], str], found: Mapping[tuple[Path, bool], ErrorDetails]
    ) -> None:
        self.document = document
        self.describe = describe
        self.found = found
        self.missing = {path for (path, _), each in found.items() if each["type"] == "missing"}
        self.unknown = {path for (path, _), each in found.items() if each["type"] == "extra_forbidden"}
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
        kinds = kinds_of(value) if is_step(parent) else []
        if len(kinds) > 1 and any(key in keys_of(STEP_MODELS[kind]) for kind in kinds):
            return self._second_kind(path, kinds)
        has_else = is_way(parent) and isinstance(value, dict) and "else" in value
        if has_else and key in ("when", "kind"):
            return Mistake(
                "RB119",
                f'{self.describe(parent)} has both "{key}" and "else"',
                path,
                "make two of it",
                '"else" is what is taken when no other holds, and stands alone at the end',
                at_key=True,
                drop=(*parent, "else"),
            )
        if has_else and key == "goto":
            has_both = (*parent, "when") in self.unknown or (*parent, "kind") in self.unknown
            return Mistake(
                "RB119",
                f'{self.describe(parent)} has both "else" and "goto"',
                path,
                'name the next step after "else"',
                "for example {else: end}, or {else: another_step, finding: its_finding}",
                at_key=True,
                drop=(*parent, "else") if has_both else None,
                silent=has_both,
            )
        return self._misspelled(path, value)

    def _misspelled(self, path: Path, value: Raw, *, certain: bool = False) -> Mistake:
        """``path`` has a key that is unknown in ``value``; perhaps it is near one that could stand there."""
        parent, key = path[:-1], str(path[-1])
        legal = legal_keys(parent, value)
        guess = closest(key.lower(), [each for each in legal if not (isinstance(value, dict) and each in value)])
        rename = None
        if guess is not None:
            # Where a misspelled "else" stands, pydantic misses "when".
            expected = {(*parent, guess)} | ({(*parent, "when"), (*parent, "kind")} if guess == "else" else set())
            if certain or expected & self.missing or difflib.SequenceMatcher(None, key, guess).ratio() >= _CERTAIN:
                rename = guess
                self.missing -= expected
        return Mistake(
            "RB111",
            f"{self.describe(parent)} has no key {quoted(key)}",
            path,
            f'did you mean "{guess}"?' if guess else "",
            f"its keys are {', '.join(legal)}",
            at_key=True,
            rename=rename,
        )

    def _second_kind(self, path: Path, kinds: Sequence[str]) -> Mistake:
        listed = " and ".join(f'"{kind}"' for kind in kinds)
        return Mistake(
            "RB118",
            f"{self.describe(path[:-1])} has more than one kind: {listed}",
            path,
            "make a step of its own for it",
            f"a step has exactly one of {', '.join(STEP_KINDS)}",
            at_key=True,
            silent=path[-1] not in kinds,
        )

    def _no_kind(self, path: Path) -> Mistake:
        value = value_at(self.document, path)
        if not isinstance(value, dict):
            return Mistake(
                "RB113",
                f"{self.describe(path)} must be a mapping of keys and values, not {shown(value)}",
                path,
                f"give it one of {', '.join(STEP_KINDS)}",
            )
        for key in value:
            guess = closest(str(key).lower(), STEP_KINDS)
            if guess is not None and key not in legal_keys(path, value):
                return self._misspelled((*path, key), value, certain=True)
        return Mistake(
            "RB118",
            f"{self.describe(path)} has no kind",
            path,
            f"give it one of {', '.join(STEP_KINDS)}",
            "probe measures, ask asks a person, call runs another runbook",
            at_key=True,
        )

    def _missing_key(self, path: Path) -> Mistake:
        parent, key = path[:-1], str(path[-1])
        drop = parent or path
        if key in ("when", "kind") and is_way(parent):
            sentence = f'{self.describe(parent)} has neither "{key}" nor "else"'
            return Mistake(
                "RB119",
                sentence,
                parent,
                f'"{key}" is missing',
                requirement(model_at(parent, {}), key),
                drop=drop,
                absent=key,
            )
        value = value_at(self.document, parent)
        return Mistake(
            "RB112",
            f'{self.describe(parent)} has no "{key}"',
            parent,
            f'"{key}" is missing',
            requirement(model_at(parent, value), key),
            at_key=True,
            drop=drop,
            absent=key,
        )

    def _wrong_value(self, path: Path, error: ErrorDetails, *, at_key: bool) -> Mistake:
        key = path[-1] if path else ""
        value = key if at_key else value_at(self.document, path)
        wording = explain(error, value, key)
        message = f"{self.describe(path)} {wording.sentence}"
        if at_key:
            illegal = error["type"] == "string_pattern_mismatch"
            message = f"{self.describe(path)} has no legal name" if illegal else f"the name of {message}"
        legal = legal_keys(path, {}) if error["type"] == "model_type" else ()
        return Mistake(
            wording.code,
            message,
            path,
            wording.label,
            f"its keys are {', '.join(legal)}" if legal else wording.help,
            at_key=at_key or value is None,
            drop=_whole(path),
            # Whatever names a step or a finding would have to be renamed too.
            remedy=None if at_key or value is None else wording.remedy,
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
