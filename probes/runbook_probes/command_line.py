"""Commands that people paste into a shell."""

import re
import shlex

from runbook_engine.probe import Secret

_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")


def pasteable(*words: str | Secret) -> str:
    """The words as one shell line. A Secret shows its display, whose ``$VARIABLES`` the shell fills in."""
    return " ".join(_secret_word(word) if isinstance(word, Secret) else shlex.quote(word) for word in words)


def _secret_word(secret: Secret) -> str:
    display = secret.display
    if display == secret.reveal() or not _VARIABLE.search(display):
        return shlex.quote(display)
    return f'"{_escaped(display)}"'


def _escaped(display: str) -> str:
    """For double quotes: all that the shell would interpret is escaped, but for the variables."""
    pieces: list[str] = []
    end = 0
    for found in _VARIABLE.finditer(display):
        pieces += re.sub(r'([\\"`$])', r"\\\1", display[end : found.start()]), found.group()
        end = found.end()
    pieces.append(re.sub(r'([\\"`$])', r"\\\1", display[end:]))
    return "".join(pieces)
