"""A text as those see it who undo what was written for a URL, for JSON, HTML, SQL, C, a mail or a shell.

Whatever a secret is escaped for, it and the text are undone alike and compared then: so a form that nobody has listed, half
percent-encoded, or JSON in JSON in HTML, is found as well. All of it is linear in the length of the text.
"""

import re
from html.entities import html5
from itertools import compress
from typing import NamedTuple

_TOKEN = re.compile(
    rb"%(?P<percent>[0-9A-Fa-f]{2})"
    rb"|(?:\\{1,16}|%)u(?P<high>[dD][89abAB][0-9A-Fa-f]{2})(?:\\{1,16}|%)u(?P<low>[dD][c-fC-F][0-9A-Fa-f]{2})"
    rb"|(?:\\{1,16}|%)u(?P<unicode>[0-9A-Fa-f]{4})"
    rb"|\\{1,16}(?:u\{(?P<braced>[0-9A-Fa-f]{1,6})\}|U(?P<whole>[0-9A-Fa-f]{8})|x(?P<byte>[0-9A-Fa-f]{2})"
    rb"|(?P<octal>[0-3][0-7]{2})|(?P<blank>[nrt]))"
    rb"|&(?:#(?P<decimal>[0-9]{1,7})|#[xX](?P<code>[0-9A-Fa-f]{1,6})|(?P<name>[A-Za-z][A-Za-z0-9]{1,31}));"
)
_LATIN = re.compile(rb"(?P<latin>[\xc2\xc3][\x80-\xbf])")
"""Letters of Latin-1, for which ``%E9`` and Python's ``\\xe9`` have one byte."""
_QUOTED = re.compile(rb"=(?:(?P<quoted>[0-9A-F]{2})|[ \t]*\r?\n(?P<nothing>))")
"""Quoted-printable, https://www.rfc-editor.org/rfc/rfc2045#section-6.7, by whose rules ``?id=41`` has an escape in it."""
_MOST_ROUNDS = 8


class Alphabet(NamedTuple):
    """How a view is made of undone bytes: what is left out, and what stands for what."""

    left_out: bytes
    instead: bytes

    def of(self, data: bytes) -> bytes:
        return data.translate(self.instead, self.left_out)


class Placed(NamedTuple):
    """Undone bytes, each with the place in the text that it comes from, from ``first`` up to ``last``."""

    data: bytes
    first: list[int]
    last: list[int]

    def seen(self, alphabet: Alphabet) -> "Placed":
        kept = [each not in alphabet.left_out for each in self.data]
        return Placed(alphabet.of(self.data), list(compress(self.first, kept)), list(compress(self.last, kept)))


class Way(NamedTuple):
    """How a text is read: as it is, or without escapes; as a mail; with ``instead`` for what folds its lines."""

    escapes: bool = True
    mail: bool = False
    fold: re.Pattern[bytes] | None = None
    instead: bytes = b""


AS_IT_IS = Way(escapes=False)
UNDONE = Way()
MAIL = Way(mail=True)
FOLDED = Way(fold=re.compile(rb"\r?\n[ \t]*"))
"""In the middle of a word."""
CONTINUED = Way(fold=re.compile(rb"\\+\r?\n"))
INDENTED = Way(fold=re.compile(rb"[ \t]*\r?\n[ \t]+"), instead=b" ")
"""Between words."""

PLAIN = Alphabet(b"\\'\"\r", bytes.maketrans(b"+\n\t\v\f", b"     "))
"""Without quotes and backslashes; ``+`` and line breaks are blanks."""
CLOSED_UP = Alphabet(b"\\'\"\r\n\t\v\f +", bytes.maketrans(b"", b""))
"""The same without blanks, for what is long enough to be folded."""
BASE64 = Alphabet(b"\\'\"\r\n\t\v\f ", bytes.maketrans(b"-_", b"+/"))
HEX = Alphabet(b"\\'\"\r\n\t\v\f :-", bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz"))


class Text:
    """A text in UTF-8, to be read in several ways."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._plain = _undone(data)

    def read(self, way: Way = UNDONE) -> bytes | None:
        """Without escapes, whatever they are for, and those within them. None where nothing is to be read in that way."""
        if not way.escapes:
            return self._data
        found = self._plain
        if way.mail:
            if b"=" not in self._data or not _QUOTED.search(self._data):
                return None
            found = _undone(_QUOTED.sub(_meant, self._data))
        if way.fold is not None:
            if b"\n" not in found or not way.fold.search(found):
                return None
            found = _undone(way.fold.sub(way.instead, found))
        return found if found.isascii() else _LATIN.sub(_meant, found)

    def placed(self, way: Way = UNDONE) -> Placed:
        """The same, with the places."""
        data = self._data
        found = Placed(data, list(range(len(data))), list(range(1, len(data) + 1)))
        if not way.escapes:
            return found
        if way.mail:
            found = _replaced(found, _QUOTED)
        found = _undone_placed(found)
        if way.fold is not None:
            found = _undone_placed(_replaced(found, way.fold, way.instead))
        return _replaced(found, _LATIN)


def _undone(data: bytes) -> bytes:
    for _ in range(_MOST_ROUNDS):
        if not (b"%" in data or b"\\" in data or b"&" in data):
            break
        before, data = data, _TOKEN.sub(_meant, data)
        if data == before:
            break
    return data


def _undone_placed(found: Placed) -> Placed:
    for _ in range(_MOST_ROUNDS):
        before, found = found.data, _replaced(found, _TOKEN)
        if found.data == before:
            break
    return found


def _replaced(text: Placed, pattern: re.Pattern[bytes], instead: bytes | None = None) -> Placed:
    pieces: list[bytes] = []
    first: list[int] = []
    last: list[int] = []
    at = 0
    for found in pattern.finditer(text.data):
        meaning = _meant(found) if instead is None else instead
        begin, end = found.span()
        pieces += [text.data[at:begin], meaning]
        first += [*text.first[at:begin], *[text.first[begin]] * len(meaning)]
        last += [*text.last[at:begin], *[text.last[end - 1]] * len(meaning)]
        at = end
    if not pieces:
        return text
    return Placed(b"".join([*pieces, text.data[at:]]), [*first, *text.first[at:]], [*last, *text.last[at:]])


def _meant(found: re.Match[bytes]) -> bytes:
    """The bytes that an escape stands for, in UTF-8."""
    kind = found.lastgroup
    text = found[kind or 0]
    match kind:
        case "percent" | "byte" | "quoted":
            return bytes([int(text, 16)])
        case "octal":
            return bytes([int(text, 8)])
        case "nothing":
            return b""
        case "latin":
            return text.decode().encode("latin-1")
        case "blank":
            return b"\n"
        case "low":
            return bytes.fromhex((found["high"] + text).decode()).decode("utf-16-be").encode()
        case "name":
            return html5.get(f"{text.decode()};", "").encode() or found[0]
    code = int(text, 10 if kind == "decimal" else 16)
    return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else found[0]
