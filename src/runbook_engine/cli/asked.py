"""What a person may ask of every command that measures: the options that they share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from runbook_engine.cli.names import EnvironmentName, FaultName
from runbook_engine.ids import SNAKE_CASE
from runbook_engine.kinds import GRANTS

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = ("text", "markdown", "html", "json", "junit")


@dataclass(frozen=True, slots=True)
class Output:
    """Where the report goes and how it looks."""

    format: str | None
    file: Path | None
    template: Path | None


@dataclass(frozen=True, slots=True)
class Asked:
    """``inputs`` are those of ``-s``; ``environment`` is a name or a file; ``fault`` that of the lab; ``deadline`` is in
    seconds. ``explain`` asks for where the inputs come from, and for no run.
    """

    inputs: Mapping[str, str]
    environment: str | None
    explain: bool
    no_input: bool
    output: Output
    record: Path | None
    replay: Path | None
    allow: frozenset[str]
    deadline: float | None
    fault: str | None
    no_journal: bool
    quiet: bool

    def refuse_with_replay(self, *own: tuple[str, object]) -> None:
        """What was recorded cannot be changed: raises UsageError for an option that would. ``own`` are a command's own."""
        idle = (
            ("-s", self.inputs),
            ("--environment", self.environment),
            ("--explain-inputs", self.explain),
            *own,
            ("--lab", self.fault),
            ("--allow", self.allow),
            ("--deadline", self.deadline),
        )
        for option in (option for option, value in idle if value):
            raise click.UsageError(f"{option} cannot change what was recorded; leave it out, or measure anew")


def pairs(_ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in values:
        name, sign, value = each.partition("=")
        if not sign or not name:
            shown = repr(each) if SNAKE_CASE.match(each) else "what was given"  # which may hold a password
            raise click.BadParameter(f"{shown} should be name=value", param=param)
        found[name] = value
    return found


def seconds(_ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    from runbook_engine.quantity import Dimension, parse

    text = f"{value}in" if value.endswith("m") else value
    try:
        number, dimension = parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=param) from None
    if dimension is not Dimension.DURATION or number <= 0:
        raise click.BadParameter(f"{value!r} is not a duration; write for example 30s or 5m", param=param)
    return number


_OPTIONS = {
    "inputs": click.option(
        "-s", "--set", "inputs", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Set an input."
    ),
    "environment": click.option(
        "-e",
        "--environment",
        type=EnvironmentName(),
        metavar="NAME|FILE",
        help="Take the values of inputs from an environment, such as production. They count before variables that are set.",
    ),
    "explain": click.option(
        "--explain-inputs",
        "explain",
        is_flag=True,
        help="Run nothing; print each input with its value, and what gives it.",
    ),
    "no_input": click.option(
        "--no-input", is_flag=True, help="Ask nothing; questions take their default or stay open."
    ),
    "format_": click.option(
        "--format", "format_", type=click.Choice(FORMATS), help="Format of the report  [default: text, or by -o]"
    ),
    "output": click.option(
        "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file."
    ),
    "template": click.option(
        "--template", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A report template of yours."
    ),
    "record": click.option(
        "--record", type=click.Path(path_type=Path, dir_okay=False), help="Keep the whole run in a file."
    ),
    "replay": click.option(
        "--replay",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Walk a recorded run again, offline.",
    ),
    "allow": click.option(
        "--allow", multiple=True, type=click.Choice(GRANTS), help="Allow what is refused by default."
    ),
    "deadline": click.option(
        "--deadline", callback=seconds, metavar="DURATION", help="End the run after this time: 30s, 5m."
    ),
    "fault": click.option(
        "--lab", "fault", type=FaultName(), metavar="FAULT", help="Run against the lab with this fault in it."
    ),
    "no_journal": click.option("--no-journal", is_flag=True, help="Do not keep the run in the history."),
    "quiet": click.option("-q", "--quiet", is_flag=True, help="Show no progress."),
}
"""Each option, by what it sets."""


def shared(*names: str) -> Callable[[F], F]:
    """Some of the options, for a command that has no use for all of them."""

    def optioned(command: F) -> F:
        for name in reversed(names):
            command = _OPTIONS[name](command)
        return command

    return optioned


def shared_options(command: Callable[..., int]) -> Callable[..., int]:
    """The command takes ``asked: Asked`` first; its own arguments and options as ever."""

    @wraps(command)
    def gathered(  # each is an option
        *,
        inputs: dict[str, str],
        environment: str | None,
        explain: bool,
        no_input: bool,
        format_: str | None,
        output: Path | None,
        template: Path | None,
        record: Path | None,
        replay: Path | None,
        allow: tuple[str, ...],
        deadline: float | None,
        fault: str | None,
        no_journal: bool,
        quiet: bool,
        **own: object,
    ) -> int:
        wanted = Output(format_, output, template)
        asked = Asked(
            inputs,
            environment,
            explain,
            no_input,
            wanted,
            record,
            replay,
            frozenset(allow),
            deadline,
            fault,
            no_journal,
            quiet,
        )
        return command(asked, **own)

    for option in reversed(_OPTIONS.values()):
        gathered = option(gathered)
    return gathered
