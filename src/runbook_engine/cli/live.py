"""The live view on a terminal: what runs now, what was decided and why."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from runbook_engine.cli.conversation import mark
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import unguarded
from runbook_engine.engine.events import (
    AttemptFailed,
    BlindSpot,
    CallStarted,
    Event,
    FindingRaised,
    StepDecided,
    StepStarted,
)

_PER_SECOND = 10
_INDENT = "  "


class LiveView:
    """Decided steps scroll by above; the steps that run stay below with their time."""

    def __init__(self, title: str) -> None:
        self._running: dict[tuple[str, str], tuple[str, float, Spinner]] = {}
        self._console = Console(file=unguarded(sys.stderr), highlight=False)
        self._live = Live(
            get_renderable=self._running_steps, console=self._console, refresh_per_second=_PER_SECOND, transient=True
        )
        self._title = visible(title)

    def __enter__(self) -> Self:
        self._console.print(Text(self._title, style="bold"))
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def show(self, event: Event, title: str, calls: tuple[str, ...] = ()) -> None:
        """``calls`` are the titles of the calls that led to the step: its lines are indented below theirs, and name them."""
        match event:
            case StepStarted():
                self._running[event.scope, event.step] = (
                    visible(_named(calls, title)),
                    time.monotonic(),
                    Spinner("dots"),
                )
            case CallStarted():
                self._print("▸", "dim", title, f"runs {event.runbook}", calls)
            case AttemptFailed():
                told = f"{event.error.kind}: {event.error.message}; again in {event.wait:.1f} s"
                self._print("↻", "yellow", title, told, calls)
            case FindingRaised():
                self._console.print(
                    Text.assemble(
                        _INDENT * len(calls),
                        ("! ", "bold red" if event.level == "critical" else "bold yellow"),
                        visible(event.title),
                    )
                )
            case BlindSpot():
                self._running.pop((event.scope, event.step), None)
                self._print("?", "yellow", title, f"not seen ({event.kind}): {event.message}", calls)
            case StepDecided():
                self._running.pop((event.scope, event.step), None)
                sign, style = mark(event.status)
                leads = f" → {', '.join(event.goto)}" if event.goto else ""
                self._print(sign, style, title, f"{event.why}{leads}", calls)

    def _print(self, sign: str, style: str, title: str, told: str, calls: tuple[str, ...]) -> None:
        before = visible(_named(calls, ""))
        self._console.print(
            Text.assemble(
                _INDENT * len(calls),
                (f"{sign} ", style),
                (before, "dim"),
                (visible(title), "bold"),
                "  ",
                (visible(told), "dim"),
            )
        )

    def _running_steps(self) -> RenderableType:
        now = time.monotonic()
        lines: list[RenderableType] = []
        for title, since, spinner in self._running.values():
            spinner.update(text=Text(f"{title}  {now - since:.1f} s"))
            lines.append(spinner)
        return Group(*lines)


def _named(calls: tuple[str, ...], title: str) -> str:
    """``Check memory › Does it climb?``"""
    return " › ".join((*calls, title))
