"""What is shown while a run goes on, and how people are asked."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.screen import fancy, visible
from runbook_engine.cli.streams import note
from runbook_engine.cli.streams import prompt as show_prompt
from runbook_engine.engine.events import (
    AttemptFailed,
    BlindSpot,
    Event,
    FindingRaised,
    RunFinished,
    StepDecided,
    StepStarted,
    StepStatus,
)
from runbook_engine.engine.known import KnownSoFar
from runbook_engine.engine.trace import child_scope

if TYPE_CHECKING:
    import anyio

    from runbook_engine.cli.live import LiveView
    from runbook_engine.document.models import Input, Runbook
    from runbook_engine.engine.asking import Question
    from runbook_engine.engine.events import InputValue
    from runbook_engine.graph.plan import Plan
    from runbook_engine.quantity import Value


class Conversation:
    """Progress on standard error, drawn over on a terminal and line by line elsewhere; questions where somebody is there."""

    def __init__(self, *, quiet: bool, asks: bool) -> None:
        self.asks = asks
        self._quiet = quiet
        self._live: LiveView | None = None
        self._titled: dict[tuple[str, str], tuple[str, Runbook]] = {}
        self._known = KnownSoFar()
        self._turn: anyio.Lock | None = None
        self._asked = ""

    @contextmanager
    def watching(self, plan: "Plan", inputs: "Mapping[str, InputValue]") -> Iterator[None]:
        """Show what happens from here on."""
        self._titled = dict(_titles(plan, ""))
        self._known.begin(inputs)
        if self._quiet or not fancy(sys.stderr):
            yield
            return
        from runbook_engine.cli.live import LiveView

        with LiveView(self._known.text(plan.runbook.title, plan.runbook, "")) as self._live:
            yield
        self._live = None

    def observe(self, event: Event) -> None:
        if self._quiet:
            return
        self._known.learn(event)
        if not self._asked:
            self._show(event)
        elif isinstance(event, AttemptFailed | BlindSpot | FindingRaised | StepDecided):
            # Somebody may be typing: what happens stands on lines of its own, and the question again below it.
            note("")
            self._show(event)
            self._put(self._asked)

    def _show(self, event: Event) -> None:
        if self._live is not None:
            self._live.show(event, *self._title(event))
        else:
            line = plain(event)
            if line:
                note(f"{time.strftime('%H:%M:%S', time.localtime(event.at))} {line}")

    def _title(self, event: Event) -> tuple[str, tuple[str, ...]]:
        """The title of the event's step, and those of the calls that led to it."""
        scope, step = getattr(event, "scope", ""), getattr(event, "step", "")
        calls: list[str] = []
        outer = ""
        for name in scope.split("/") if scope else ():
            calls.append(self._told(outer, name))
            outer = child_scope(outer, name)
        return self._told(scope, step), tuple(calls)

    def _told(self, scope: str, step: str) -> str:
        found = self._titled.get((scope, step))
        return self._known.text(*found, scope) if found is not None else step

    async def ask(self, question: "Question") -> "Value | None":
        """One question at a time; other probes go on meanwhile."""
        import anyio

        from runbook_engine.cli.prompt import answer_to

        if self._turn is None:
            self._turn = anyio.Lock()
        async with self._turn:
            with self._live.paused() if self._live else _nothing():
                try:
                    return await answer_to(question, self._put)
                finally:
                    self._asked = ""

    def _put(self, prompt: str) -> None:
        self._asked = prompt
        show_prompt(prompt)

    def complete(self, lacking: "Mapping[str, Input]") -> dict[str, str]:
        """Ask for the inputs that nothing gives a value to."""
        from runbook_engine.document.models import InputType
        from runbook_engine.engine.inputs import read_value

        complete: dict[str, str] = {}
        typed = click.get_current_context().find_object(set)
        for name, spec in lacking.items():
            secret = spec.type is InputType.SECRET
            text = visible(f"{name}{f' ({spec.help})' if spec.help else ''}")
            while name not in complete:
                value = click.prompt(text, hide_input=secret, err=True, type=str)
                if secret and typed is not None:
                    typed.add(value)  # so that no message of ours ever shows it
                try:
                    read_value(spec, value, name=name)
                except ValueError as error:
                    note(f"  {'this value does not fit' if secret else visible(str(error))}")
                else:
                    complete[name] = value
        return complete


def _titles(plan: "Plan", scope: str) -> Iterator[tuple[tuple[str, str], "tuple[str, Runbook]"]]:
    """Of every step the title, and the runbook in whose texts it is filled."""
    for name, step in plan.steps.items():
        yield (scope, name), (step.model.title or name.replace("_", " "), plan.runbook)
        if step.child is not None:
            yield from _titles(step.child, child_scope(scope, name))


def plain(event: Event) -> str:
    """An event as one line, or an empty text for one that nobody waits for."""
    match event:
        case StepStarted():
            return visible(f"{_path(event)}  started")
        case AttemptFailed():
            told = f"{event.error.kind}: {event.error.message}; again in {event.wait:.1f} s"
            return visible(f"{_path(event)}  attempt {event.attempt} failed  {told}")
        case StepDecided():
            leads = f" -> {', '.join(event.goto)}" if event.goto else ""
            return visible(f"{_path(event)}  {event.status.replace('_', ' ')}  {event.why}{leads}")
        case FindingRaised():
            return visible(f"{_path(event)}  {event.level}: {event.title}")
        case BlindSpot():
            return visible(f"{_path(event)}  not seen ({event.kind}): {event.message}")
        case RunFinished():
            return f"run {event.ending}: {event.outcome}"
    return ""


def mark(status: StepStatus) -> tuple[str, str]:
    """A sign and a style for a status."""
    return {
        StepStatus.PASSED: ("✓", "green"),
        StepStatus.ANSWERED: ("✓", "green"),
        StepStatus.FLAGGED: ("✗", "red"),
        StepStatus.BLIND: ("?", "yellow"),
        StepStatus.SKIPPED: ("-", "dim"),
        StepStatus.NOT_ASKED: ("-", "dim"),
    }[status]


def _path(event: StepStarted | AttemptFailed | StepDecided | FindingRaised | BlindSpot) -> str:
    return f"{event.scope}/{event.step}" if event.scope else event.step


@contextmanager
def _nothing() -> Iterator[None]:
    yield
