"""Secrets that stand in a text under their name: ``?sig=…``, ``password=…``, ``"token": "…"``, ``Authorization: …``."""

import base64
import re

from runbook_engine.masking.names import Sense, holds_secret, names_secret
from runbook_engine.secret import HIDDEN

_ACCOUNT = re.compile(r"(://[^/?#\s:@{}\"'<>]*:)(?!\{\{|\$)[^/?#\s\"'<>]+@")
_NAME = r"(?P<name>[A-Za-z_][\w.\[\]-]{0,63})"
_QUERY = re.compile(
    rf"(?P<before>(?:[?&;]|%3[Ff]|%26|&amp;){_NAME}(?:=|%3[Dd]))(?P<value>[^&\s\"'<>#;\\]+?)(?=%26|[&\s\"'<>#;\\,)]|\Z)"
)
_ASSIGNED = re.compile(
    rf"(?P<before>(?<![\w.$-]){_NAME}\s?=\s?)(?P<value>'[^'\n]*'|\"[^\"\n]*\"|[^\s;&,\"'()\[\]{{}}<>]+(?![(\[]))"
)
_OPTION = re.compile(rf"(?P<before>(?<!\S)--?{_NAME}[ =])(?P<value>'[^'\n]*'|\"[^\"\n]*\"|[^\s\"'-]\S*)")
_QUOTED = re.compile(rf"(?P<q>\\{{0,8}}[\"']){_NAME}(?P=q)\s{{0,8}}[:=]\s{{0,8}}(?P<v>\\{{0,8}}[\"'])")
_WHOLE_LINE = re.compile(
    r"(?P<before>(?<![\w.-])(?P<name>(?:Proxy-)?Authorization|(?:Set-)?Cookie):[ \t]{0,4})(?P<value>[^\r\n\"'<>]+)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?P<before>(?<![\w.-])(?P<name>[A-Za-z][\w-]{0,62}):[ \t]{1,4})(?P<value>[^\s\"'<>]+)(?=[ \t]*(?:[\r\n\"'<>]|\Z))"
)
_SCHEME = re.compile(r"\b(?P<before>(?P<scheme>Bearer|Basic)\s+)(?P<value>[\w.~+/-]{8,}=*)", re.IGNORECASE | re.ASCII)
_ELEMENT = re.compile(rf"(?P<before><(?:\w+:)?{_NAME}(?:\s[^<>]{{0,200}})?>)(?P<value>[^<>]+)(?=</)")


def without_named(text: str) -> str:
    """The text with what stands under the name of a secret hidden, and with the passwords of URLs."""
    text = without_secrets_of_urls(text)
    if "=" in text:
        text = _ASSIGNED.sub(_strictly, text)
    if "--" in text:
        text = _OPTION.sub(_strictly, text)
    if ":" in text or "=" in text:
        text = _without_quoted(text)
    if ":" in text:
        text = _HEADER.sub(_of_header, _WHOLE_LINE.sub(_of_line, text))
    if "</" in text:
        text = _ELEMENT.sub(_of_query, text)
    return _SCHEME.sub(_of_scheme, text)


def without_secrets_of_urls(text: str) -> str:
    """The text without the passwords of URLs, and without what their parameters hold."""
    if "://" in text:
        text = _ACCOUNT.sub(rf"\g<1>{HIDDEN}@", text)
    if "=" in text or "%3" in text:
        text = _QUERY.sub(_of_query, text)
    return text


def _of_query(found: re.Match[str]) -> str:
    return found["before"] + HIDDEN if holds_secret(found["name"], found["value"], query=True) else found[0]


def _strictly(found: re.Match[str]) -> str:
    sure = names_secret(found["name"]) is Sense.YES and holds_secret(found["name"], found["value"])
    if sure and found["before"].endswith("= ") and found["value"].rstrip(".,;").isalpha():
        return found[0]  # a sentence: "the token = old"
    return found["before"] + HIDDEN if sure else found[0]


def _of_line(found: re.Match[str]) -> str:
    return found["before"] + HIDDEN if holds_secret(found["name"], found["value"]) else found[0]


def _of_header(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    hides = _looks_made(value) and names_secret(name) is Sense.YES and holds_secret(name, value)
    return found["before"] + HIDDEN if hides else found[0]


def _looks_made(word: str) -> bool:
    """No word that people write: "token: expired" tells what happened."""
    return len(word) >= 6 and not word.rstrip(".,;").isalpha()


def _of_scheme(found: re.Match[str]) -> str:
    value = found["value"]
    if found["scheme"].lower() == "bearer":
        return found["before"] + HIDDEN if len(value) >= 20 or any(each.isdigit() for each in value) else found[0]
    try:
        account = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return found[0]
    return found["before"] + HIDDEN if b":" in account else found[0]


def _without_quoted(text: str) -> str:
    """``"password": "…"``, also where it is JSON in JSON, or Python's."""
    kept: list[str] = []
    at = 0
    for found in _QUOTED.finditer(text):
        if found.start() < at or not names_secret(found["name"]):
            continue
        end = _closing(text, found.end(), found["v"])
        if holds_secret(found["name"], text[found.end() : end]):
            kept += [text[at : found.end()], HIDDEN]
            at = end
    return "".join([*kept, text[at:]])


def _closing(text: str, at: int, quote: str) -> int:
    """Where a quoted text ends; where its end was cut off, that of the whole."""
    end = text.find(quote, at)
    while end > at and text[end - 1] == "\\":
        end = text.find(quote, end + 1)
    return len(text) if end < 0 else end
