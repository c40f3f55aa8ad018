"""A text in pieces that a service takes."""

from collections.abc import Sequence

_SMALLEST = 40
_ROOM = len(" (1234/1234)")


def split(text: str, most: int) -> Sequence[str]:
    """The text in pieces of at most ``most`` characters, cut between lines, else between words; pieces are numbered.

    Nothing but white space at the cuts is lost. Raises ValueError where ``most`` is too small to say anything.
    """
    if len(text) <= most:
        return [text]
    if most < _SMALLEST:
        raise ValueError(f"a message of {most} characters says nothing")
    pieces: list[str] = []
    rest = text
    while rest:
        piece, rest = _cut(rest, most - _ROOM)
        if piece:
            pieces.append(piece)
    return [f"{each} ({index}/{len(pieces)})" for index, each in enumerate(pieces, start=1)]


def _cut(text: str, most: int) -> tuple[str, str]:
    if len(text) <= most:
        return text.rstrip(), ""
    for sign in ("\n", " "):
        at = text.rfind(sign, 1, most + 1)
        # A cut in the first half would make many small pieces.
        if at > most // 2:
            return text[:at].rstrip(), text[at + 1 :].lstrip("\n")
    return text[:most], text[most:]
