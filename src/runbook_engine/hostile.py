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
_HALF = re.compile("[\ud800-\udfff]")
_CONTROL_PICTURES = 0x2400
MOST_MASKED = 65_536


def harmless(text: str) -> str:
    """The text with every character that acts or hides replaced by one that shows: ESC by ``␛``, U+202E by ``⟨U+202E⟩``."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(_picture, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """``harmless``, and white space of any kind is one space."""
    return " ".join(harmless(text).split())


def lines_of(text: str) -> list[str]:
    """The lines of a text that others wrote or that holds records; at least one. A line ends at a line feed alone.

    ``str.splitlines`` ends lines at nine other characters as well, such as U+2028 and U+0085, which stand within log lines.
    """
    return text.removesuffix("\n").split("\n")


def well_formed(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair that stands alone: JSON can say it, and no encoding has it."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def opening(text: str) -> str:
    """As much of the beginning as anybody masks, which is far more than is shown.

    In front of the border texts are never cut to what is shown: a secret that is cut in two is not recognised.
    """
    return text[:MOST_MASKED]


def cut(text: str, most: int) -> str:
    """At most ``most`` characters, then a mark that says how many there were. Only for texts that are masked already."""
    return text if len(text) <= most else f"{text[:most].rstrip()}… (truncated, {len(text)} characters)"


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
