"""Texts of documents that people read: which ``{{ names }}`` each may have, and all of them filled.

A field is marked where it is declared, ``title: Annotated[Text, Told.BEFORE]``; whoever checks, fills or shows texts finds
them here.
"""

import re
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


class Told(Enum):
    """What the names in a text may stand for."""

    PLAIN = "nothing: the text belongs to no run"
    INPUTS = "the inputs of a run"
    BEFORE = "the inputs, and what the steps before this one measured"
    RUN = "the inputs, and what any step measured"
    FINDING = "the inputs, what the step that raises the finding measured and those before it, and its error"


_NAMED = re.compile(r"\{\{\s*[A-Za-z_][\w.]*\s*(?:\|[^{}]*)?\}\}", re.ASCII)


def named_in(text: str) -> re.Match[str] | None:
    """The first name in braces of a text into which nothing is filled. What is not a name means itself there."""
    return _NAMED.search(text)


Fill = Callable[[str, Told], str]


def texts(model: BaseModel, path: Path = ()) -> Iterator[tuple[Path, str, Told]]:
    """Every marked text that is not empty, with its path in the document."""
    for attribute, key, mark in _marked(type(model)):
        yield from _texts(getattr(model, attribute), (*path, key), mark)


def _texts(value: object, path: Path, mark: Told | None) -> Iterator[tuple[Path, str, Told]]:
    match value:
        case str():
            if mark is not None and value:
                yield path, value, mark
        case tuple():
            for index, each in enumerate(value):
                yield from _texts(each, (*path, index), mark)
        case dict():
            for key, each in value.items():
                yield from _texts(each, (*path, key), mark)
        case BaseModel():
            yield from texts(value, path)


def filled(model: M, fill: Fill) -> M:
    """The same document with every marked text as ``fill`` gives it; the very same object where that changes nothing."""
    changed: dict[str, Any] = {}
    for attribute, _, mark in _marked(type(model)):
        before = getattr(model, attribute)
        after = _filled(before, mark, fill)
        if after is not before:
            changed[attribute] = after
    return model.model_copy(update=changed) if changed else model


def _filled(value: Any, mark: Told | None, fill: Fill) -> Any:
    match value:
        case str():
            after = fill(value, mark) if mark is not None and "{" in value else value
            return value if after == value else after
        case tuple():
            items = tuple(_filled(each, mark, fill) for each in value)
            return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
        case dict():
            pairs = {key: _filled(each, mark, fill) for key, each in value.items()}
            return pairs if any(pairs[key] is not each for key, each in value.items()) else value
        case BaseModel():
            return filled(value, fill)
    return value


@lru_cache(maxsize=256)
def _marked(model: type[BaseModel]) -> tuple[tuple[str, str, Told | None], ...]:
    """The fields that are marked, or may hold models that have such: attribute, key in the document, mark."""
    found = []
    for name, field in model.model_fields.items():
        mark = _mark(field)
        if mark is not None or _holds_marked(field.annotation):
            found.append((name, field.alias or name, mark))
    return tuple(found)


def _mark(field: FieldInfo) -> Told | None:
    own = next((each for each in field.metadata if isinstance(each, Told)), None)
    return own or _mark_in(field.annotation)


def _mark_in(annotation: Any) -> Told | None:
    if get_origin(annotation) is Annotated:
        own = next((each for each in get_args(annotation)[1:] if isinstance(each, Told)), None)
        return own or _mark_in(get_args(annotation)[0])
    if get_origin(annotation) in (tuple, dict, typing.Union):
        return next((mark for each in get_args(annotation) if (mark := _mark_in(each)) is not None), None)
    return None


def _holds_marked(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return bool(_marked(annotation))
    return any(_holds_marked(each) for each in get_args(annotation))
