"""What can be wrong with a condition: offsets into its text, a sentence, and what to write instead."""

from msgspec import Struct


class ConditionSyntaxError(ValueError):
    """A text that is not a condition. ``start`` and ``end`` are offsets into it; ``hint`` says what to write instead."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


class Problem(Struct, frozen=True):
    """A condition that is well written and makes no sense: a wrong name, type, unit or value.

    ``write`` is what to write between ``start`` and ``end``, where nothing else can have been meant.
    """

    message: str
    start: int
    end: int
    hint: str = ""
    write: str | None = None
