"""Text that may be JSON, from a program or a server that may be anybody's."""

import json
from collections.abc import Iterable

from pydantic import JsonValue

MOST_DEPTH = 64


def read_json(text: str) -> JsonValue:
    """The document. NaN and Infinity, which JSON does not have, are None.

    Raises ValueError where the text is not JSON, or nested beyond what the rest of the program can take.
    """
    try:
        found: JsonValue = json.loads(text, parse_constant=lambda _name: None)
    except RecursionError as error:
        raise ValueError("too deeply nested") from error
    if _depth(found) > MOST_DEPTH:
        raise ValueError("too deeply nested")
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
