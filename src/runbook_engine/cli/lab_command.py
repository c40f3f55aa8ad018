"""``runbook lab``."""

import json
import textwrap
import threading

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import FaultName


@click.group(
    "lab",
    epilog=examples(
        "runbook lab faults", "runbook lab start lock_contention", "runbook run high-latency --lab lock_contention"
    ),
)
def command() -> None:
    """A small copy of a production system on loopback, with real servers and real faults.

    Needs no root, no Docker and no cloud account: pip install 'runbook-engine[lab]'
    """


@command.command("faults", epilog="Example: runbook lab faults")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def faults(format_: str) -> None:
    """Explain the faults that the lab can have."""
    from runbook_engine.cli.screen import width
    from runbook_engine.lab import FAULTS

    if format_ == "json":
        plain = [
            {"name": each.name, "title": each.title, "explanation": each.explanation, "expects": list(each.expects)}
            for each in FAULTS.values()
        ]
        click.echo(json.dumps(plain, indent=2))
        return
    for each in FAULTS.values():
        click.echo(f"{click.style(each.name, bold=True)}: {each.title}")
        click.echo(textwrap.indent(textwrap.fill(" ".join(each.explanation.split()), width() - 4), "    ") + "\n")
    click.echo("Diagnose one with: runbook run high-latency --lab NAME", err=True)


@command.command("start", epilog="Example: runbook lab start lock_contention")
@click.argument("fault", type=FaultName(), default="none")
def start(fault: str) -> None:
    """Start the lab with a FAULT in it and keep it up until Ctrl-C."""
    from runbook_engine.lab import describe, open_lab

    with open_lab(fault, progress=lambda line: click.echo(f"lab: {line}", err=True)) as lab:
        click.echo(describe(lab))
        click.echo("\nCtrl-C ends the lab.", err=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("ending the lab", err=True)
