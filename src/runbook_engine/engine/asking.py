"""Questions to people."""

import math
from collections.abc import Awaitable, Callable

from msgspec import Struct

from runbook_engine.document.models import AskStep, Scalar
from runbook_engine.quantity import Dimension, MetricType, Value
from runbook_engine.quantity import parse as parse_quantity


class Question(Struct, frozen=True):
    """A step that a person answers. ``default`` is what an empty answer means, None where there is none."""

    scope: str
    step: str
    title: str
    text: str
    type: MetricType
    default: Value | None

    def read(self, answer: object) -> Value:
        """An answer in the question's type. Raises ValueError with the legal answers."""
        return read_answer(answer, self.type)


Ask = Callable[[Question], Awaitable[Value | None]]
"""Asks a person; None means that nobody answered."""

_YES = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
_EXAMPLES = {Dimension.DURATION: "500ms", Dimension.PERCENT: "80%", Dimension.BYTES: "512MiB", Dimension.NUMBER: "12"}


def read_answer(answer: object, type_: MetricType) -> Value:
    if type_.dimension is Dimension.BOOL:
        found = answer if isinstance(answer, bool) else _YES.get(str(answer).strip().lower())
        if found is None:
            raise ValueError("answer yes or no")
        return found
    if type_.dimension is Dimension.TEXT:
        text = str(answer).strip()
        if type_.members and text not in type_.members:
            raise ValueError(f"answer one of {', '.join(type_.members)}")
        return text
    number = answer
    if isinstance(answer, str):
        number, dimension = parse_quantity(answer)
        if dimension is not type_.dimension:
            raise ValueError(f"answer with a {type_.dimension}, for example {_EXAMPLES[type_.dimension]}")
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"answer with a {type_.dimension}, for example {_EXAMPLES[type_.dimension]}")  # noqa: TRY004
    if type_.integer and not float(number).is_integer():
        raise ValueError("answer with a whole number")
    if math.isnan(number) or (type_.lower is not None and number < type_.lower):
        raise ValueError(f"answer with {type_.describe()}")
    return int(number) if type_.integer else number


def default_of(step: AskStep, type_: MetricType) -> Value | None:
    default: Scalar | None = step.default
    return None if default is None else read_answer(default, type_)
