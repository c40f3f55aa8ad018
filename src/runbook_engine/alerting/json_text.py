"""JSON from strangers, read strictly: what is ambiguous or no JSON is refused, with the place or the path of it."""

import json
import re
from typing import Any, NoReturn

from runbook_engine.alerting.alerts import AlertError
from runbook_engine.document.diagnostics import quoted

MOST_BYTES = 10 * 1024 * 1024
MOST_DEPTH = 64
_LONGEST_NUMBER = 400
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)', re.DOTALL)


def read_json(data: bytes, what: str = "the body") -> Any:
    """What UTF-8 text says, with or without a byte order mark. Raises AlertError; nothing else, whatever the bytes."""
    if len(data) > MOST_BYTES:
        raise AlertError(
            f"{what} has more than {MOST_BYTES // 1024**2} MiB, which is the most that is taken; "
            "let the sender group by more labels, or bound what it sends (max_alerts in Alertmanager)"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AlertError(f"{what} is not in UTF-8: byte {error.start + 1} cannot be read") from None
    return parse(text, what)


def parse(text: str, what: str, *, strict: bool = True) -> Any:
    """What a JSON text says. Raises AlertError. Where it is not ``strict``, texts in it may have line breaks."""
    if not text.strip():
        raise AlertError(f"{what} is empty; an alert is sent as JSON")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, strict=strict)
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        raise AlertError(f"{what} is no JSON: {reason} at line {error.lineno}, column {error.colno}") from None
    except _ConstantError as error:
        line, column = _place(text)
        raise AlertError(f"{what} is no JSON: {error} at line {line}, column {column}") from None
    except RecursionError:
        raise _too_deep(what) from None
    _judge(value, what)
    return value


class _ConstantError(Exception):
    """A word that Python reads and JSON does not have."""


class _Twice(dict[str, Any]):
    """An object in which a key is given twice."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Twice(found)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            twice.key = key
            break
        seen.add(key)
    return twice


def _constant(word: str) -> NoReturn:
    raise _ConstantError(f"it has no {word}")


def _integer(digits: str) -> int | float:
    """Python refuses to read more than some thousand digits, and nobody means them."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float("inf")


def _place(text: str) -> tuple[int, int]:
    """The line and column of the first such word."""
    found = next((each.start() for each in _WORD.finditer(text) if each[1]), 0)
    return text.count("\n", 0, found) + 1, found - text.rfind("\n", 0, found)


def _judge(value: Any, what: str) -> None:
    """Depth, and keys that are given twice. Without recursion."""
    waiting: list[tuple[Any, str, int]] = [(value, "", 1)]
    while waiting:
        here, path, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise _too_deep(what)
        if isinstance(here, dict):
            if isinstance(here, _Twice):
                raise AlertError(
                    f"{path or what} has the key {quoted(here.key)} twice, and nobody can say which one counts"
                )
            waiting.extend(
                (each, below(path, key), depth + 1) for key, each in here.items() if isinstance(each, dict | list)
            )
        elif isinstance(here, list):
            waiting.extend(
                (each, f"{path}[{index}]", depth + 1)
                for index, each in enumerate(here)
                if isinstance(each, dict | list)
            )


def below(path: str, key: str) -> str:
    """``alerts[3].labels.severity``; a key that is no plain word in brackets."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", key)
    if plain:
        return f"{path}.{key}" if path else key
    return f"{path}[{quoted(key)}]"


def _too_deep(what: str) -> AlertError:
    return AlertError(f"{what} is nested more than {MOST_DEPTH} levels deep, which no alert is")
