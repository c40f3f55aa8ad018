"""Commands that people paste into a shell: whatever is in them, each word stays one word and does nothing else.

Names of files, labels of alerts, answers and measurements stand in such commands. A word that a shell would take apart is
quoted. One with line breaks or with characters that nobody sees is written as ``$'…'``, which bash and zsh read, so that a
command is one line, and what a terminal shows is what is pasted.
"""

import os
import re
import shlex

from runbook_engine.hostile import harmless
from runbook_engine.secret import Secret

_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_INTERPRETED = re.compile(r'([\\"`$])')
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", "'": "\\'"}


def pasteable(*words: object) -> str:
    """The words as one line for a shell. A Secret shows its display, whose ``$VARIABLES`` the shell fills in."""
    return " ".join(_secret(word) if isinstance(word, Secret) else _quoted(str(word)) for word in words)


def operands(*words: object) -> tuple[str, ...]:
    """Words that are no options, for the end of a command: behind ``--`` where one begins with a hyphen."""
    texts = tuple(map(str, words))
    return ("--", *texts) if any(each.startswith("-") for each in texts) else texts


def _quoted(text: str) -> str:
    return shlex.quote(text) if _is_seen(text) else f"$'{''.join(map(_escaped, text))}'"


def _is_seen(text: str) -> bool:
    return "\n" not in text and "\t" not in text and harmless(text) == text


def _escaped(letter: str) -> str:
    """For ``$'…'``. Half a surrogate pair is a byte of a file's name that is not UTF-8."""
    if letter in _NAMED:
        return _NAMED[letter]
    if _is_seen(letter):
        return letter
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{os.fsencode(letter)[0]:02x}"
    # An octal number ends after three digits, whatever follows.
    return f"\\{code:03o}" if code < 0x80 else f"\\U{code:08x}"


def _secret(secret: Secret) -> str:
    display = secret.display
    if display == secret.reveal() or not _VARIABLE.search(display):
        return _quoted(display)
    pieces: list[str] = []
    end = 0
    for found in _VARIABLE.finditer(display):
        pieces += _in_double_quotes(display[end : found.start()]), found.group()
        end = found.end()
    return f'"{"".join(pieces)}{_in_double_quotes(display[end:])}"'


def _in_double_quotes(text: str) -> str:
    """Without anything that a shell interprets there; a ``!`` and what nobody sees stand outside of the quotes."""
    if _is_seen(text) and "!" not in text:
        return _INTERPRETED.sub(r"\\\1", text)
    return "".join(
        _INTERPRETED.sub(r"\\\1", each) if _is_seen(each) and each != "!" else f'"{_quoted(each)}"' for each in text
    )
