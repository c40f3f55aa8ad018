"""Where known secrets stand in a text, in whatever form: by Aho-Corasick, one pass for all of them.

Nothing that is made of a secret's text is a regular expression. The search is for the first bytes of each form, and compares
the rest then, so that a secret of a megabyte costs no more memory than a short one.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from runbook_engine.masking.several import Search, search_for
from runbook_engine.masking.views import (
    AS_IT_IS,
    BASE64,
    CLOSED_UP,
    CONTINUED,
    FOLDED,
    HEX,
    INDENTED,
    MAIL,
    PLAIN,
    UNDONE,
    Alphabet,
    Placed,
    Text,
    Way,
)

SHORT = 4
"""Secrets with fewer characters are masked only where they stand alone: hiding every "a" would hide the diagnosis."""
_CODED = 5
"""Bytes from which on a secret is sought in base64 and in hexadecimal digits: fewer would be found by chance."""
_FOLDED = 32
"""Bytes from which on a secret is sought across blanks of any kind."""
_FOLDED_AT_LINES = 6
"""Bytes from which on it is sought across line breaks with their indents."""
_CODED_TWICE = 8, 65_536
"""Bytes between which it is also sought in base64 of base64, as Kubernetes has what somebody has encoded before."""
_KEY = 32
_CHUNK = 65_536
_EDGE = 12, 24
"""A secret that the end of a text cuts off counts from half of it on, from 12 bytes at least, from 24 in any case."""
_NOT_COUNTED = b" \t\r\n\v\f\\'\""
"""Blanks and quotes around a secret, which are seldom written in the same way twice."""
_CUT_OFF = b" .\xe2\x80\xa6"
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")

_WAYS = {
    UNDONE: ((PLAIN, CLOSED_UP, BASE64, HEX), 0),
    AS_IT_IS: ((HEX,), 0),  # ``\\x5165`` is an escape and a 65, or all that PostgreSQL has for two bytes
    FOLDED: ((PLAIN, CLOSED_UP), _FOLDED_AT_LINES),
    CONTINUED: ((PLAIN,), _FOLDED_AT_LINES),
    INDENTED: ((PLAIN,), _FOLDED_AT_LINES),
    MAIL: ((PLAIN,), _FOLDED_AT_LINES),
}
"""What is sought in a text that is read in each of these ways, and how many bytes of it there are at least."""

Span = tuple[int, int]


class _Form(NamedTuple):
    """``least``: how many bytes of the text it takes at least, so that ``it's`` is not found in ``its``."""

    data: bytes
    least: int = 0
    alone: bool = False


class _Forms:
    """The forms that are sought in one view of the texts."""

    def __init__(self) -> None:
        self.forms: dict[bytes, list[_Form]] = {}
        self._keys: list[bytes] = []
        self._search: Search | None = None

    def add(self, form: _Form) -> None:
        key = form.data[:_KEY]
        known = self.forms.setdefault(key, [])
        if form not in known:
            known.append(form)
            self._search = None

    def found(self, view: bytes) -> Iterator[tuple[int, _Form]]:
        """Every form with the place where it begins."""
        if not self.forms:
            return
        if self._search is None:
            self._keys = list(self.forms)
            self._search = search_for(self._keys)
        for start in range(0, len(view), _CHUNK):
            chunk = view if len(view) <= _CHUNK else view[start : start + _CHUNK + _KEY]
            for index, at in self._search(chunk):
                for form in self.forms[self._keys[index]]:
                    if view.startswith(form.data, start + at):
                        yield start + at, form


class Known:
    """The secrets that are known, and where they stand in a text."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self._raw = _Forms()
        self._views = {PLAIN: _Forms(), CLOSED_UP: _Forms(), BASE64: _Forms(), HEX: _Forms()}
        self._begins, self._ends = _Forms(), _Forms()
        self._cut: dict[bytes, list[bytes]] = {}

    def add(self, secret: str) -> None:
        """A secret; white space around it is none of it."""
        secret = secret.strip()
        if not secret or secret in self.secrets:
            return
        self.secrets.add(secret)
        raw = secret.encode("utf-8", "surrogatepass")
        self._raw.add(_Form(raw, alone=len(secret) < SHORT))
        if len(secret) < SHORT:
            return
        self._add_undone(Text(raw).read() or b"")
        if len(raw) >= _CODED:
            for each in _in_base64(raw):
                self._views[BASE64].add(_Form(each))
                for twice in _in_base64(each) if _CODED_TWICE[0] <= len(raw) <= _CODED_TWICE[1] else ():
                    self._views[BASE64].add(_Form(twice))
            for each in _in_base64(secret.encode("utf-16-le", "surrogatepass")):
                self._views[BASE64].add(_Form(each))
            self._views[HEX].add(_Form(raw.hex().encode()))

    def _add_undone(self, plain: bytes) -> None:
        inner = plain.strip(_NOT_COUNTED)
        seen = PLAIN.of(inner)
        if len(seen) >= SHORT:
            self._views[PLAIN].add(_Form(seen, len(inner) if len(seen) < _FOLDED else 0))
        if len(closed := CLOSED_UP.of(plain)) >= _FOLDED:
            self._views[CLOSED_UP].add(_Form(closed))
        if len(seen) > _EDGE[0] and b"://" not in seen:
            for forms, key in ((self._begins, seen[: _EDGE[0]]), (self._ends, seen[-_EDGE[0] :])):
                forms.add(_Form(key))
                self._cut.setdefault(key, []).append(seen)

    def spans(self, data: bytes) -> list[Span]:
        """What is to be hidden of a text in UTF-8, in order, without overlaps."""
        found = [
            (at, at + len(form.data)) for at, form in self._raw.found(data) if not form.alone or _alone(data, at, form)
        ]
        text = Text(data)
        for way, (alphabets, shortest) in _WAYS.items():
            found += self._found(data, text, way, alphabets, shortest)
        return list(_merged(found))

    def _found(self, data: bytes, text: Text, way: Way, alphabets: Iterable[Alphabet], shortest: int) -> Iterator[Span]:
        """What is found in a text that is read in one way. Where it stands is only worth knowing of what is found."""
        if (plain := text.read(way)) is None:
            return
        where: Placed | None = None
        for alphabet in alphabets:
            forms = self._views[alphabet]
            view = alphabet.of(plain)
            hits = [each for each in dict.fromkeys(forms.found(view)) if len(each[1].data) >= shortest]
            cut = list(self._cut_off(view)) if alphabet is PLAIN else []
            if not hits and not cut:
                continue
            where = where or text.placed(way)
            seen = where.seen(alphabet)
            for at, form in hits:
                first, last = seen.first[at], seen.last[at + len(form.data) - 1]
                if last - first >= form.least:
                    yield _rounded(data, first, last) if alphabet is BASE64 else (first, last)
            yield from ((seen.first[first], seen.last[last - 1]) for first, last in cut)

    def _cut_off(self, view: bytes) -> Iterator[Span]:
        """Where a text ends in the middle of a secret, or begins there: somebody has cut it before it came here."""
        begin, end = len(view) - len(view.lstrip(_CUT_OFF)), len(view.rstrip(_CUT_OFF))
        for at, form in self._begins.found(view):
            for secret in self._cut[form.data]:
                if _least(secret) <= end - at < len(secret) and secret.startswith(view[at:end]):
                    yield at, end
        for at, form in self._ends.found(view):
            last = at + len(form.data)
            for secret in self._cut[form.data]:
                if _least(secret) <= last - begin < len(secret) and secret.endswith(view[begin:last]):
                    yield begin, last


def _least(secret: bytes) -> int:
    return max(_EDGE[0], min(len(secret) // 2, _EDGE[1]))


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """What stands in base64 wherever the secret stands in what was encoded: at each of three alignments.

    The characters that other bytes take part in are left out.
    """
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw)
        yield coded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def _alone(data: bytes, at: int, form: _Form) -> bool:
    around = data[at - 1 : at] + data[at + len(form.data) : at + len(form.data) + 1]
    return not any(each >= 0x80 or chr(each).isalnum() or each == 0x5F for each in around)


def _rounded(data: bytes, first: int, last: int) -> Span:
    """With the neighbouring characters of base64, which hold some bits of the secret's first and last letter."""
    for _ in range(3):
        first -= first > 0 and data[first - 1] in _ALPHABET
        last += last < len(data) and data[last] in _ALPHABET
    while last < len(data) and data[last] == 0x3D:
        last += 1
    return first, last


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    first = last = -1
    for begin, end in sorted(spans):
        if begin > last:
            if last > first:
                yield first, last
            first, last = begin, end
        last = max(last, end)
    if last > first:
        yield first, last
