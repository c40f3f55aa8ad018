"""Text that may be JSON, from a program or a server that may be anybody's."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable

from pydantic import JsonValue

from runbook_engine.hostile import one_line, opening

MOST_DEPTH = 64
MOST_VALUES = 1_000_000
"""Values that a document may have: what is read of it fills some 100 MB, and is looked through in a second."""
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_MOST_DIGITS = 309
"""Those of the greatest number that a float holds."""


class NoCertainValueError(ValueError):
    """The text is JSON, and what a value in it is cannot be told: the message says of which, and why."""


class TooManyValuesError(NoCertainValueError):
    """The text has more values than are read; whether it is JSON, is not known."""


def read_json(text: str) -> JsonValue:
    """The document. NaN and Infinity, which JSON does not have, are None.

    A large text is read in a thread: see ``in_thread_if_large``.

    Raises ValueError where the text is not JSON, or nested beyond what the rest of the program can take, and
    NoCertainValueError for a key that an object has twice, and for a number that is too large. Whoever wrote it means one of
    two values, and readers differ in which they take: https://www.rfc-editor.org/rfc/rfc8259#section-4. Raises
    TooManyValuesError, which is one, for more than ``MOST_VALUES``.
    """
    if text.lstrip()[:1] in ("[", "{") and _has_too_many_values(text):
        raise TooManyValuesError(f"it has more than {MOST_VALUES:,} values, which are not read; ask for a part of it")
    try:
        found: JsonValue = json.loads(
            text,
            parse_constant=lambda _name: None,
            parse_int=_integer,
            parse_float=_float,
            object_pairs_hook=_object,
        )
    except RecursionError as error:
        raise ValueError("too deeply nested") from error
    if _depth(found) > MOST_DEPTH:
        raise ValueError("too deeply nested")
    return found


def _has_too_many_values(text: str) -> bool:
    """Every value but the first follows one of these signs, which stand in texts, too: those are left out if need be."""

    def signs(where: str) -> int:
        return sum(where.count(sign) for sign in ",[{")

    return signs(text) > MOST_VALUES and signs(_STRING.sub("", text)) > MOST_VALUES


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _MOST_DIGITS or math.isinf(float(text)):
        raise NoCertainValueError(f"it has an integer of {len(text.lstrip('-'))} digits, which is too large")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise NoCertainValueError("it has a number that is too large")
    return number


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise NoCertainValueError(f'it has the key "{one_line(opening(twice))}" twice in one object')
    return found


def _depth(document: JsonValue) -> int:
    """How deeply lists and objects are nested."""
    level: list[JsonValue] = [document]
    for depth in range(MOST_DEPTH + 1):
        level = [child for each in level for child in _children(each)]
        if not level:
            return depth
    return MOST_DEPTH + 1


def _children(node: JsonValue) -> Iterable[JsonValue]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
