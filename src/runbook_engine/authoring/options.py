"""Options of commands. What is not understood is refused, because it may make the command show something else."""

import getopt
import re
from collections.abc import Mapping, Sequence

from runbook_engine.authoring.measurement import Variable
from runbook_engine.authoring.shell import Word


class UnlikeError(Exception):
    """No probe measures the same as a command."""


class Options:
    """Options and operands of a command, in the manner of getopt_long: ``short`` and ``long`` are all that may be there.

    Raises UnlikeError.
    """

    def __init__(self, words: Sequence[Word], short: str, long: Sequence[str] = ()) -> None:
        # A word that is only known when it is run must not be taken for anything else.
        tokens = [word.value if word.value is not None else f"\0{index}" for index, word in enumerate(words)]
        try:
            found, operands = getopt.gnu_getopt(tokens, short, list(long))
        except getopt.GetoptError as error:
            raise UnlikeError(str(error)) from None
        self._options: dict[str, list[Word]] = {}
        for name, value in found:
            self._options.setdefault(name, []).append(_word(value, words))
        self.operands = [_word(each, words) for each in operands]

    def __contains__(self, name: str) -> bool:
        return name in self._options

    def all(self, *names: str) -> Sequence[Word]:
        return [each for name in names for each in self._options.get(name, ())]

    def one(self, *names: str) -> Word | None:
        """The value of an option that may be given once, under any of its names."""
        found = self.all(*names)
        if len(found) > 1:
            raise UnlikeError(names[0])
        return found[0] if found else None


def _word(token: str, words: Sequence[Word]) -> Word:
    return words[int(token[1:])] if token.startswith("\0") else Word(token, token)


def text(word: Word | None) -> str:
    """The word as it is written out. Raises UnlikeError."""
    if word is None or word.value is None:
        raise UnlikeError("nothing is written out")
    return word.value


def value(word: Word | None) -> str | Variable:
    """The word as it is written out, or the variable that it is. Raises UnlikeError."""
    if word is not None and word.variable is not None:
        return Variable(word.variable)
    return text(word)


def given(**values: object | None) -> Mapping[str, object]:
    return {key: each for key, each in values.items() if each is not None}


def here(host: str | Variable) -> bool:
    """Whether a host is the machine on which the command is run, which is another one for the runbook."""
    return (
        isinstance(host, str) and re.fullmatch(r"localhost|127\.[\d.]+|\[?::1\]?|0\.0\.0\.0", host.lower()) is not None
    )
