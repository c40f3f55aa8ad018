"""Where values from outside become events: secrets are masked here, once, and sizes are bounded."""

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import JsonValue

from runbook_engine.engine.events import InputValue
from runbook_engine.secret import HIDDEN

MOST_TEXT = 4_000
MOST_ITEMS = 100
MOST_DEPTH = 12
MOST_EVIDENCE = 64_000
_WORD = 4
"""Secrets shorter than this are masked only where they stand alone: hiding every "a" would hide the diagnosis."""

_SENSITIVE = re.compile(
    r"pass(word|wd|phrase)?$|pass(word|wd|phrase)?_|secret|token|credential|key$|private|auth(?!or)|dsn$", re.IGNORECASE
)
_HARMLESS = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled", "default"})
_ACCOUNT = re.compile(r"://[^/?#\s]*@")
_KEY_VALUE = re.compile(
    r"(?:^|[\s;&?])(?:password|passwd|pwd|sslpassword|token|secret)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s;&#]+)", re.IGNORECASE
)


class Border:
    """Masks every known secret in texts, in whatever form a client may have written it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """More secrets: whole values; a connection string's password counts by itself as well."""
        before = len(self._secrets)
        for secret in secrets:
            for part in (secret, *passwords(secret)):
                self._secrets.update(_forms(part))
        if len(self._secrets) > before:
            self._pattern = _pattern(self._secrets)

    def learn_environment(self, environ: Mapping[str, str]) -> None:
        """The variables that by their name hold a secret, and the passwords of those that hold a URL."""
        found: list[str] = []
        for name, value in environ.items():
            if _SENSITIVE.search(name) and len(value) >= _WORD and value.lower() not in _HARMLESS:
                if not value.startswith(("/", "file:", "unix:")):
                    found.append(value)
            elif "://" in value or "=" in value:
                found.extend(passwords(value))
        self.learn(*found)

    def text(self, text: str, most: int = MOST_TEXT) -> str:
        """Masked, and cut with a mark where it is longer than ``most`` characters."""
        masked = self._pattern.sub(HIDDEN, text) if self._pattern is not None else text
        if "://" in masked:
            masked = _hide_accounts(masked)
        return masked if len(masked) <= most else f"{masked[:most]}… (truncated, {len(masked)} characters)"

    def inputs(self, inputs: Mapping[str, InputValue]) -> Mapping[str, InputValue]:
        """What a report may show of a run's inputs."""
        return {
            name: InputValue(
                self.text(each.value) if isinstance(each.value, str) else each.value, self.text(each.shown), each.source
            )
            for name, each in inputs.items()
        }

    def evidence(self, evidence: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Masked and bounded; ``truncated: true`` stands in what was cut."""
        if not evidence:
            return evidence
        kept: dict[str, JsonValue] = {}
        room = MOST_EVIDENCE
        for key, value in evidence.items():
            bounded = self.json(value)
            size = len(json.dumps(bounded))
            if size > room:
                kept["truncated"] = True
                continue
            room -= size
            kept[self.text(str(key), 200)] = bounded
        return kept

    def json(self, value: Any, depth: int = 0) -> JsonValue:
        """Any JSON-like value, masked and bounded in depth, items and text."""
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else str(value)
            case str():
                return self.text(value)
            case _ if depth >= MOST_DEPTH:
                return {"truncated": True}
            case Mapping():
                items = [(self.text(str(key), 200), self.json(each, depth + 1)) for key, each in value.items()]
                kept = dict(items[:MOST_ITEMS])
                return {**kept, "truncated": True} if len(items) > MOST_ITEMS else kept
            case list() | tuple() | set() | frozenset():
                listed = list(value)
                bounded = [self.json(each, depth + 1) for each in listed[:MOST_ITEMS]]
                return [*bounded, {"truncated": True, "items": len(listed)}] if len(listed) > MOST_ITEMS else bounded
        return self.text(str(value))

    def document(self, document: dict[str, JsonValue]) -> JsonValue:
        """A runbook as JSON, whole: only texts that are for people or for probes are masked, never names.

        The very same object where there is nothing to mask.
        """
        text = json.dumps(document, ensure_ascii=False)
        if "://" not in text and (self._pattern is None or self._pattern.search(text) is None):
            return document
        return self._document(document, "")

    def _document(self, document: Any, key: str) -> JsonValue:
        match document:
            case Mapping():
                return {name: self._document(each, str(name)) for name, each in document.items()}
            case list() | tuple():
                return [self._document(each, key) for each in document]
            case str() if key not in _NAMES:
                masked = self._pattern.sub(HIDDEN, document) if self._pattern is not None else document
                return _hide_accounts(masked) if "://" in masked else masked
        result: JsonValue = document
        return result


_NAMES = frozenset(
    {
        "runbook", "start", "goto", "else", "finding", "resolution", "kind", "level", "severity", "type", "probe", "call",
        "when", "env", "version", "path", "unit", "on", "values",
    }
)  # fmt: skip


def passwords(text: str) -> list[str]:
    """The passwords inside a connection string or URL: ``scheme://user:password@host`` or ``password=…``."""
    found = [each.group(1).strip("'") for each in _KEY_VALUE.finditer(text)]
    if _ACCOUNT.search(text):
        try:
            password = urlsplit(text).password
        except ValueError:
            password = None
        account = text.split("://", 1)[1].rpartition("@")[0]
        found.extend(each for each in (password, account.partition(":")[2]) if each)
    return [form for each in found for form in {each, unquote(each)} if form]


def _hide_accounts(text: str) -> str:
    return _ACCOUNT_PASSWORD.sub(rf"\g<1>{HIDDEN}@", text)


_ACCOUNT_PASSWORD = re.compile(r"(://[^/?#\s:@{}]*:)(?!\{\{)[^/?#\s@]+@")


def _forms(secret: str) -> set[str]:
    """The ways in which clients write a secret: as it is, percent-encoded, in JSON, in a repr, in base64."""
    if not secret.strip():
        return set()
    forms = {secret, secret.strip(), quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    if len(secret) >= _WORD:
        raw = secret.encode("utf-8", "surrogatepass")
        forms |= {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return {form for form in forms if form.strip()}


def _pattern(secrets: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(secrets, key=len, reverse=True)
    return re.compile("|".join(each if len(each) > 2 * MOST_TEXT else _bounded(each) for each in ordered))


def _bounded(secret: str) -> str:
    escaped = re.escape(secret)
    if len(secret) >= _WORD:
        return escaped
    return rf"(?<![\w]){escaped}(?![\w])"
