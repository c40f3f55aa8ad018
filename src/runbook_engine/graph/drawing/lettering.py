"""How wide a text will be, near enough to lay out boxes around it without a font at hand."""

import unicodedata
from functools import lru_cache
from math import fsum  # exact, and the same on every Python

_EM_THOUSANDTHS = {
    222: "ijl'",
    278: " !,./:;I[]ft\\|",
    333: "()-r`{}",
    389: "*",
    500: "Jcksvxyz^",
    556: '#$0123456789?L_abdeghnopqu"',
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    900: "%W@",
}
_WIDTHS = {ord(char): width / 1000 for width, chars in _EM_THOUSANDTHS.items() for char in chars}
_ROOM = 1.12
"""Readers' fonts differ; most are no more than this much wider than the table."""
_MONO = 0.62
ELLIPSIS = "…"


def width(text: str, size: float, *, mono: bool = False) -> float:
    """Pixels, rather too many than too few. Bold text takes a twelfth more: give a larger ``size``."""
    return fsum(_em(char, mono) for char in text) * size


@lru_cache(maxsize=4096)
def _em(char: str, mono: bool) -> float:  # noqa: FBT001 - the cache wants it positional
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if mono:
        return _MONO
    return _WIDTHS.get(ord(char), 0.62) * _ROOM


def clip(text: str, most: float, size: float, *, mono: bool = False) -> str:
    """The text, or as much of its beginning as fits, with an ellipsis."""
    if width(text, size, mono=mono) <= most:
        return text
    room = most - width(ELLIPSIS, size, mono=mono)
    used = 0.0
    for index, char in enumerate(text):
        used += _em(char, mono) * size
        if used > room:
            return text[:index].rstrip() + ELLIPSIS
    return text


def wrap(text: str, most: float, size: float, lines: int, *, mono: bool = False) -> list[str]:
    """At most ``lines`` lines; what does not fit ends in an ellipsis. Never empty."""
    found: list[str] = []
    words = text.split()
    while words and len(found) < lines - 1:
        line = words.pop(0)
        while words and width(f"{line} {words[0]}", size, mono=mono) <= most:
            line = f"{line} {words.pop(0)}"
        found.append(clip(line, most, size, mono=mono))
    if words or not found:
        found.append(clip(" ".join(words), most, size, mono=mono))
    return found
