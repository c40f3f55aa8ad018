"""Where values from outside become events: secrets are masked here, once, and only then sizes are bounded.

What stands in front of the border hands texts over whole: what is cut before it is masked may end in half a secret, which
nobody recognises. A part of the text that is longer than anything shown is enough (``hostile.opening``).
"""

import json
import math
import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from msgspec.structs import replace
from pydantic import JsonValue

from runbook_engine.engine.events import InputValue
from runbook_engine.masking import HIDDEN, Mask, hidden_members, holds_secret, passwords

__all__ = ["Border", "passwords"]

MOST_TEXT = 4_000
MOST_KEY = 200
MOST_JUDGED = 10_000
"""Characters of a text that conditions judge; a longer one is missing, as a part may say the opposite of the whole."""
MOST_ITEMS = 100
MOST_DEPTH = 12
MOST_NUMBER = sys.float_info.max
MOST_EVIDENCE = 64_000
_SHORTER = (MOST_TEXT, 500, 120)
"""How long the texts of evidence may be: the next where they do not fit together otherwise."""
_LOOKED_AT = 65_536
_MARGIN = 4_096


class Border:
    """Lets texts through without the secrets in them, and no longer than events have room for."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._mask = Mask(secrets)

    def learn(self, *secrets: str) -> None:
        """More secrets: whole values; a connection string's password counts by itself as well."""
        self._mask.learn(*secrets)

    def learn_environment(self, environ: Mapping[str, str]) -> None:
        """The variables that by their name hold a secret, and the passwords of those that hold a URL."""
        self._mask.learn_environment(environ)

    def text(self, text: str, most: int = MOST_TEXT) -> str:
        """Masked, in characters that every encoding has, and then cut with a mark where there are more than ``most``."""
        looked_at = 4 * most + _LOOKED_AT
        if len(text) <= looked_at:
            masked = self._mask.text(text)
            return masked if len(masked) <= most else f"{masked[:most]}… (truncated, {len(masked)} characters)"
        masked = self._mask.text(text[:looked_at])
        # The end of the part may be half a secret. It is far behind what is shown, unless most of the part was masked.
        return f"{masked[: max(0, min(most, len(masked) - _MARGIN))]}… (truncated, {len(text)} characters)"

    def inputs(self, inputs: Mapping[str, InputValue]) -> Mapping[str, InputValue]:
        """What a report may show of a run's inputs."""
        return {
            name: replace(
                each,
                value=self.text(each.value) if isinstance(each.value, str) else each.value,
                shown=self.text(each.shown),
            )
            for name, each in inputs.items()
        }

    def evidence(self, evidence: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Masked and bounded; ``truncated: true`` stands in what was cut."""
        if not evidence:
            return evidence
        pairs: list[tuple[str, JsonValue, int]] = []
        for most in _SHORTER:
            pairs = [(key, each, len(json.dumps(each))) for key, each in self._members(evidence, 0, most)]
            if sum(size for _, _, size in pairs) <= MOST_EVIDENCE:
                break
        kept: dict[str, JsonValue] = {}
        room = MOST_EVIDENCE
        for key, bounded, size in pairs:
            if size > room:
                kept["truncated"] = True
                continue
            room -= size
            kept[key] = bounded
        return kept

    def json(self, value: Any, depth: int = 0, most: int = MOST_TEXT, name: str = "") -> JsonValue:
        """Any JSON-like value, masked and bounded in depth, items and text. ``name`` is the one that it stands under."""
        match value:
            case None | bool():
                return value
            case int():
                return value if abs(value) <= MOST_NUMBER else "a number that is too large"
            case float():
                return value if math.isfinite(value) else str(value)
            case str():
                return HIDDEN if name and holds_secret(name, value) else self.text(value, most)
            case _ if depth >= MOST_DEPTH:
                return {"truncated": True}
            case Mapping():
                kept = dict(self._members(value, depth + 1, most))
                return {**kept, "truncated": True} if len(value) > MOST_ITEMS else kept
            case list() | tuple() | set() | frozenset():
                listed = list(value)
                bounded = [self.json(each, depth + 1, most, name) for each in listed[:MOST_ITEMS]]
                return [*bounded, {"truncated": True, "items": len(listed)}] if len(listed) > MOST_ITEMS else bounded
        return self.text(str(value), most)

    def _members(self, value: Mapping[Any, Any], depth: int, most: int) -> list[tuple[str, JsonValue]]:
        hidden = hidden_members(value)
        return [
            (self.text(str(key), MOST_KEY), HIDDEN if key in hidden else self.json(each, depth, most, str(key)))
            for key, each in islice(value.items(), MOST_ITEMS)
        ]

    def document(self, document: dict[str, JsonValue]) -> JsonValue:
        """A runbook as JSON, whole: only texts that are for people or for probes are masked, never names.

        The very same object where there is nothing to mask.
        """
        text = json.dumps(document, ensure_ascii=False)
        if self._mask.document(text) == text:
            return document
        return self._document(document, "")

    def _document(self, document: Any, key: str) -> JsonValue:
        match document:
            case Mapping():
                return {name: self._document(each, str(name)) for name, each in document.items()}
            case list() | tuple():
                return [self._document(each, key) for each in document]
            case str() if key not in _NAMES:
                return self._mask.document(document)
        result: JsonValue = document
        return result


_NAMES = frozenset(
    {
        "runbook", "start", "goto", "else", "finding", "resolution", "kind", "level", "severity", "type", "probe", "call",
        "when", "env", "version", "path", "match", "unit", "on", "values",
    }
)  # fmt: skip
