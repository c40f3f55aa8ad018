"""Text from outside, made harmless to look at: what a terminal would obey and what reorders a line becomes visible.

Log lines, error messages and answers are written by others. Escape sequences, control characters and bidirectional
overrides in them are replaced by signs that can be seen; line breaks and tabs stay. What a format itself gives meaning to
(``<``, ``|``, `` ` ``) is that format's business.
"""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, of which ESC and CSI command terminals
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # reorder a line, or hide in it
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # not characters: neither UTF-8 nor XML takes them
    "\U000e0000-\U000e007f]"  # "tags": letters that nobody sees
)
_CONTROL_PICTURES = 0x2400


def harmless(text: str) -> str:
    """The text with every character that acts or hides replaced by one that shows: ESC by ``␛``, U+202E by ``⟨U+202E⟩``."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(_picture, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """``harmless``, and white space of any kind is one space."""
    return " ".join(harmless(text).split())


def cut(text: str, most: int) -> str:
    """At most ``most`` characters, then a mark that says how many there were."""
    return text if len(text) <= most else f"{text[:most].rstrip()}… (truncated, {len(text)} characters)"


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
