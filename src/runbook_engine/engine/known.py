"""What a run knows, for the texts that people read: its inputs and what its steps have measured so far, by scope."""

from collections.abc import Mapping

from runbook_engine.conditions import Name
from runbook_engine.document.models import InputType, Runbook
from runbook_engine.document.told import Told, filled
from runbook_engine.engine.events import CallStarted, Event, InputValue, RunStarted, StepAnswered, StepMeasured
from runbook_engine.engine.inputs import NOT_GIVEN
from runbook_engine.engine.judgement import UNKNOWN
from runbook_engine.graph.scope import INPUTS, input_type
from runbook_engine.quantity import Dimension, Value
from runbook_engine.templates import Filled, Lookup, TemplateError, parse


class KnownSoFar:
    """Learns from events as they happen. What is not known yet is ``unknown`` in a text."""

    def __init__(self) -> None:
        self._inputs: dict[str, Mapping[str, InputValue]] = {}
        self._metrics: dict[tuple[str, str], tuple[Mapping[str, Value | None], Mapping[str, str]]] = {}

    def begin(self, inputs: Mapping[str, InputValue]) -> None:
        """What is known before the first event."""
        self._inputs[""] = inputs

    def learn(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._inputs[""] = event.inputs
            case CallStarted():
                self._inputs[f"{event.scope}/{event.step}" if event.scope else event.step] = event.inputs
            case StepMeasured():
                self._metrics[event.scope, event.step] = event.metrics, event.dimensions
            case StepAnswered():
                self._metrics[event.scope, event.step] = {"answer": event.answer}, {"answer": event.dimension}

    def document(self, runbook: Runbook, scope: str) -> Runbook:
        """The runbook with its texts filled, but for those of findings, which are filled when they are raised."""
        others = (Told.FINDING, Told.PLAIN)
        return filled(runbook, lambda text, mark: text if mark in others else self.text(text, runbook, scope))

    def text(self, text: str, runbook: Runbook, scope: str) -> str:
        """A text of a runbook, with what is known in it."""
        return told(text, lambda name: self._look_up(name, runbook, scope))

    def _look_up(self, name: Name, runbook: Runbook, scope: str) -> Filled:
        if name.scope == INPUTS:
            given, spec = self._inputs.get(scope, {}).get(name.name), runbook.inputs.get(name.name)
            if given is None or spec is None:
                return Filled(None)
            if given.value is None:
                hidden = spec.type is InputType.SECRET and given.source != NOT_GIVEN
                return Filled(given.shown if hidden else None)
            return Filled(given.value, input_type(spec).dimension)
        metrics, dimensions = self._metrics.get((scope, name.scope or ""), ({}, {}))
        return Filled(metrics.get(name.name), Dimension(dimensions.get(name.name, Dimension.TEXT)))


def told(text: str, look_up: Lookup) -> str:
    """A text for people. One that is no template stays as it is: recordings are older than what is checked today."""
    try:
        return parse(text).text(look_up, unknown=UNKNOWN)
    except TemplateError:
        return text
