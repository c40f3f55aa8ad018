"""``runbook completion``."""

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.streams import data


@click.command(
    "completion",
    epilog=examples(
        "runbook completion bash >> ~/.bashrc",
        "runbook completion zsh >> ~/.zshrc",
        "runbook completion fish > ~/.config/fish/completions/runbook.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a SHELL; it completes commands, options, runbooks, probes and faults."""
    from click.shell_completion import get_completion_class

    from runbook_engine.cli.app import app

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"there is no completion for {shell}")
    data(found(app, {}, "runbook", "_RUNBOOK_COMPLETE").source() + "\n")
