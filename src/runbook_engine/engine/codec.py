"""Events as JSON and back. One event is one line: ``{"event": "step_measured", "at": …}``."""

from collections.abc import Mapping
from typing import Any

import msgspec

from runbook_engine.engine.events import Event


def encode(event: Event) -> str:
    """One line of JSON, without the line break."""
    return _encoder.encode(event).decode()


def decode(line: str) -> Event:
    """The event on a line. Raises ValueError with a sentence for anything else."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ValueError(f"this is not an event: {error}") from error


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not part of an event")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
