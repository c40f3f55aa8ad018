"""Commands to paste for values that are not known yet: ``nc -vz "$DB_HOST" 5432``."""

from collections.abc import Mapping

from runbook_engine.conditions import Name
from runbook_engine.document.models import Input, InputType
from runbook_engine.engine.inputs import read_value
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.secret import Secret
from runbook_engine.templates import Filled

_ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/stand-in-{}/0"
"""Probes that want an ARN look at its shape, that of a target group the closest."""


class StandIns:
    """Values that probes accept in place of those that only a run knows; in the command they become what they stand for.

    An input is its default, else the variable that holds it, quoted so that a shell fills it in; what an earlier step
    measures is ``<step.metric>``, for the reader to fill in.
    """

    def __init__(self, inputs: Mapping[str, Input], metrics: Mapping[str, Mapping[str, MetricType]]) -> None:
        """``metrics`` are those of each step: a probe that wants a number takes no text in its place."""
        self._inputs = inputs
        self._metrics = metrics
        self._meanings: dict[str, str] = {}

    def look_up(self, name: Name) -> Filled:
        spec = self._inputs.get(name.name) if name.scope == "inputs" else None
        if spec is None:
            return self._measured(name)
        variable = f"${spec.env or name.name.upper()}"
        if spec.type is InputType.SECRET:
            return Filled(Secret(f"{variable}?", variable))
        if spec.default is not None:
            return read_value(spec, spec.default, name=name.name)
        if spec.type is InputType.INT:
            return Filled(int(self._new("6100{}", variable)), Dimension.NUMBER)
        if spec.type is InputType.URL:
            url = self._new("https://stand-in-{}.invalid", variable)
            self._meanings[url.removeprefix("https://")] = f"<the host of {variable}>"
            return Filled(url)
        return Filled(self._new(_ARN if name.name.endswith("_arn") else "stand-in-{}", variable))

    def _measured(self, name: Name) -> Filled:
        meaning = f"<{name.scope}.{name.name}>"
        known = self._metrics.get(name.scope or "", {}).get(name.name)
        if known is not None and known.dimension.is_numeric:
            return Filled(int(self._new("6100{}1", meaning)), known.dimension)
        return Filled(self._new("stand-in-{}", meaning))

    def filled_in(self, command: str) -> str:
        for stand_in, meaning in self._meanings.items():
            before, *rest = command.split(stand_in)
            command = before
            for after in rest:
                command += _in_place(meaning, _quote_open(command)) + after
        return command

    def _new(self, pattern: str, meaning: str) -> str:
        known = next((each for each, means in self._meanings.items() if means == meaning), None)
        stand_in = known or pattern.format(len(self._meanings))
        self._meanings[stand_in] = meaning
        return stand_in


def _in_place(meaning: str, quote: str) -> str:
    if not meaning.startswith("$") or quote == '"':
        return meaning
    return f"""'"{meaning}"'""" if quote else f'"{meaning}"'


def _quote_open(shell: str) -> str:
    """The quote within which the text ends, or nothing."""
    quote, escaped = "", False
    for letter in shell:
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
    return quote
