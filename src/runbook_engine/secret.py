"""A value that must never be seen: it shows itself as the variable that holds it."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic_core import core_schema

HIDDEN = "***"
_SECRET_PARAMETER = re.compile(
    r"(?P<name>(?<![^&])[^&=]*(?:pass|pwd|secret|token|key|sig|auth)[^&=]*)=[^&]*", re.IGNORECASE
)


class Secret:
    """A text that is revealed only where a probe hands it to its client.

    ``display`` is what people may see instead, for example ``$DATABASE_URL`` in a command to paste. Printing, formatting
    and serialising all use ``display``.
    """

    __slots__ = ("_display", "_value")

    def __init__(self, value: str, display: str | None = None) -> None:
        self._value = value
        self._display = display if display is not None else without_password(value)

    def reveal(self) -> str:
        return self._value

    @property
    def display(self) -> str:
        return self._display

    def __str__(self) -> str:
        return self._display

    def __repr__(self) -> str:
        return f"Secret({self._display!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Accepts a Secret or a text; serialises as its display."""
        return core_schema.no_info_plain_validator_function(
            _as_secret,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )


def _as_secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError("a text is needed here")


def without_password(url: str) -> str:
    """The same URL with ``***`` for its password, and for parameters that are named like one.

    Anything that is not a URL with a host is hidden whole.
    """
    try:
        parts = urlsplit(url)
        if not parts.scheme or not parts.netloc:
            return HIDDEN
        query = _SECRET_PARAMETER.sub(rf"\g<name>={HIDDEN}", parts.query)
        if parts.password is None:
            return url if query == parts.query else urlunsplit(parts._replace(query=query))
        account, _, host = parts.netloc.rpartition("@")
        user = account.partition(":")[0]
        return urlunsplit(parts._replace(netloc=f"{user}:{HIDDEN}@{host}", query=query))
    except ValueError:
        return HIDDEN
