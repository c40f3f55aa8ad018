"""Parameters with a unit: as text, such as ``2s`` or ``5%``, or as a number in the base unit.

A bare number in a text counts as a number: a template gives ``300`` for an input that is one.
"""

from typing import Annotated

from pydantic import BeforeValidator

from runbook_engine.quantity import Dimension, parse

_KINDS = {Dimension.DURATION: "duration", Dimension.PERCENT: "percentage"}


def _in(dimension: Dimension, example: str, *, empty: float | None = None) -> BeforeValidator:
    """``empty`` is what a text of nothing stands for; without it, such a text is refused."""

    def number(value: object) -> object:
        if not isinstance(value, str):
            return value
        if empty is not None and not value.strip():
            return empty
        parsed, found = parse(value)
        if found not in (dimension, Dimension.NUMBER):
            raise ValueError(f"{value!r} is not a {_KINDS[dimension]}; write for example {example}")
        return parsed

    return BeforeValidator(number, json_schema_input_type=float | str)


Seconds = Annotated[float, _in(Dimension.DURATION, "5s, 5min or 1h")]
SecondsOrNone = Annotated[float, _in(Dimension.DURATION, "5s, 5min or 1h", empty=0.0)]
"""A text of nothing is no time at all."""
Percentage = Annotated[float, _in(Dimension.PERCENT, "5%")]
"""Percentage points."""
