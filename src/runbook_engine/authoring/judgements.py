"""What is bad about a measurement where no runbook says it: of an answer whoever gives it, and a guess at the rest."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from runbook_engine.document.checks import CONDITION_WORDS
from runbook_engine.quantity import Dimension, MetricType

Json = dict[str, Any]


class Judgement(Struct, frozen=True):
    """A condition with the words for it, and the words for a probe that fails in one of these ways.

    STEP in the words is the step that measures.
    """

    kinds: Sequence[str]
    failed: str
    when: str = ""
    wrong: str = ""


JUDGEMENTS: Mapping[str, Judgement] = MappingProxyType(
    {
        "http.get": Judgement(
            ("refused", "timeout", "dns", "tls"),
            "no answer ({{ error.kind }}: {{ error.message }})",
            "not ok",
            "the answer has the status {{ STEP.status }}",
        ),
        "tcp.connect": Judgement(
            ("refused", "timeout", "dns"), "no connection ({{ error.kind }}: {{ error.message }})"
        ),
        "dns.resolve": Judgement(
            ("dns", "timeout", "missing", "refused"),
            "the name does not resolve ({{ error.kind }}: {{ error.message }})",
        ),
        "postgres.ping": Judgement(
            ("refused", "timeout", "dns", "tls", "auth", "throttled", "unavailable"),
            "PostgreSQL does not let it in ({{ error.kind }}: {{ error.message }})",
        ),
        "redis.ping": Judgement(
            ("refused", "timeout", "dns", "tls", "auth", "throttled"),
            "Redis does not answer ({{ error.kind }}: {{ error.message }})",
        ),
    }
)


class Guess(Struct, frozen=True):
    """What is bad about a metric of which nobody has said it yet."""

    metric: str
    when: str
    limit: Json | None = None


_LIMITS: Sequence[tuple[Dimension, Json, str]] = (
    (Dimension.PERCENT, {"type": "percent", "default": "80%"}, ">"),
    (Dimension.DURATION, {"type": "duration", "default": "1s"}, ">"),
    (Dimension.RATE, {"type": "rate", "default": "100/s"}, ">"),
    (Dimension.BYTES, {"type": "bytes", "default": "1GiB"}, ">"),
    (Dimension.NUMBER, {"type": "number", "default": 0}, ">"),
)


def guess_at(types: Mapping[str, MetricType], step_id: str) -> Guess | None:
    """A condition to begin with, on the metric that says most."""
    for dimension, definition, operator in _LIMITS:
        for name, each in types.items():
            if each.dimension is dimension and name not in CONDITION_WORDS:
                told = f"{words(name).capitalize()} of {words(step_id)} that is a warning"
                return Guess(name, f"{name} {operator}", {**definition, "help": told})
    for name, each in types.items():
        if each.dimension is Dimension.BOOL:
            return Guess(name, f"not {name}")
        if each.members:
            return Guess(name, f'{name} != "{each.members[0]}"')
    return None


def words(name: str) -> str:
    return name.replace("_", " ")
