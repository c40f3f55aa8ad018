"""JMESPath, https://jmespath.org: a text read as a path, and what is wrong with it whatever the document is."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from runbook_engine.errors import did_you_mean
from runbook_engine.hostile import lines_of

if TYPE_CHECKING:
    from jmespath.parser import ParsedResult

MOST_PATH = 1_000

Node = Mapping[str, Any]


class PathError(ValueError):
    """The text is no JMESPath, or is one that no document can be asked for."""


@lru_cache(maxsize=1024)
def compiled(path: str) -> "ParsedResult":
    """Raises PathError where the text is no JMESPath."""
    import jmespath
    import jmespath.exceptions

    if len(path) > MOST_PATH:
        raise PathError(f"a path may have {MOST_PATH} characters; this has {len(path)}")
    try:
        return jmespath.compile(path)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise PathError(
            f"{path!r} is not a JMESPath: {lines_of(str(error))[0].removesuffix(', for expression:')}"
        ) from error


def checked(path: str) -> Node:
    """The parsed path. Raises PathError also for functions that there are not, or that are given too much or too little."""
    tree: Node = compiled(path).parsed
    for node in _nodes(tree):
        if node["type"] == "function_expression":
            _check_function(node["value"], len(node["children"]))
    return tree


def functions() -> Mapping[str, Any]:
    """The arguments of each function that there is, as jmespath declares them."""
    from jmespath.functions import Functions

    return {name: each["signature"] for name, each in Functions.FUNCTION_TABLE.items()}


def _check_function(name: str, given: int) -> None:
    wanted = functions()
    if name not in wanted:
        known = ", ".join(sorted(wanted))
        raise PathError(f"there is no function {name}(){did_you_mean(name, wanted)}; functions: {known}")
    signature = wanted[name]
    least = len(signature)
    varies = any("variadic" in each for each in signature)
    if given < least or (given > least and not varies):
        several = "" if least == 1 else "s"
        raise PathError(
            f"{name}() takes {'at least ' if varies else ''}{least} argument{several}, and is given {given}"
        )


def _nodes(tree: Node) -> list[Node]:
    found, rest = [], [tree]
    while rest:
        node = rest.pop()
        found.append(node)
        rest.extend(each for each in node["children"] if isinstance(each, dict))
    return found
