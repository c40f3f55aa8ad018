"""The secrets inside a text that holds them: the password of a connection string, the token of a header."""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus, urlsplit

from runbook_engine.hostile import lines_of
from runbook_engine.masking.names import Sense, holds_secret, names_secret

_ACCOUNT = re.compile(r"://[^/?#\s]*@")
_KEY_VALUE = re.compile(
    r"(?:^|(?<=[\s;&?,]))(?P<name>[A-Za-z_][\w.-]{0,63})\s?=\s?(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s;&#]+)"
)
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Negotiate|ApiKey)\s+(?P<value>\S+)", re.IGNORECASE)
_SHORTEST = 4
_CODED = 5
_MOST_LINES = 200
_LONG_LINE = 16


def passwords(text: str) -> list[str]:
    """The passwords inside a connection string or URL: ``scheme://user:password@host``, ``password=…``, ``?token=…``."""
    found = list(_of_account(text)) if _ACCOUNT.search(text) else []
    if "=" in text:
        for each in _KEY_VALUE.finditer(text):
            value = each["value"].strip("'\"")
            if names_secret(each["name"]) is Sense.YES and holds_secret(each["name"], value):
                found.append(value)
    forms = (form for each in found for form in (each, unquote(each), unquote_plus(each)) if form)
    return list(dict.fromkeys(forms))


def _of_account(text: str) -> Iterator[str]:
    try:
        password = urlsplit(text.strip()).password
    except ValueError:
        password = None
    if password:
        yield password
    user, sign, written = text.split("://", 1)[1].rpartition("@")[0].partition(":")
    if written:
        yield written
    if sign and user and password and len(unquote(password)) < _CODED:
        yield f"{unquote(user)}:{unquote(password)}"  # as a header has it in base64, where it is too short to be found alone


def parts(secret: str) -> Iterator[str]:
    """What counts by itself of a value that is secret as a whole."""
    yield from passwords(secret)
    for found in _SCHEME.finditer(secret[:100_000]):
        yield found["value"]
        yield from _decoded(found["value"])
    if "=" in secret and ";" in secret:  # cookies
        values = (pair.partition("=")[2].strip() for pair in secret.split(";")[:100])
        yield from (each for each in values if len(each) >= 2 * _SHORTEST)
    if secret.lstrip().startswith("{"):
        yield from _of_json(secret)
    yield from _lines(secret)


def _decoded(value: str) -> Iterator[str]:
    """``user:password`` and the password of basic authentication."""
    try:
        account = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return
    if ":" in account:
        yield account
        yield account.partition(":")[2]


def _of_json(secret: str) -> Iterator[str]:
    try:
        rest = [("", json.loads(secret))]
    except (ValueError, RecursionError):
        return
    while rest:
        name, value = rest.pop()
        match value:
            case dict():
                rest.extend((str(key), each) for key, each in value.items())
            case list():
                rest.extend((name, each) for each in value)
            case str() if holds_secret(name, value) and len(value) >= _SHORTEST:
                yield value
                yield from _lines(value)


def _lines(secret: str) -> Iterator[str]:
    """The lines of a key in PEM: a log may show one of them."""
    lines = lines_of(secret)
    if 1 < len(lines) <= _MOST_LINES:
        yield from (line for each in lines if len(line := each.strip()) >= _LONG_LINE and "-----" not in line)
