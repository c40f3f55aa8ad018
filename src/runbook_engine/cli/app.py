"""The commands, as a table: what each is for, and where it is. Nothing is imported to list them."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import click

from runbook_engine.cli.streams import say

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "run": "Run a runbook against live systems and report what is wrong.",
        "triage": "Measure the key metrics at once, and say what to run next.",
        "explain": "Explain an error message: its cause, and what to do.",
        "list": "List the runbooks that can be run by name.",
        "show": "Show a runbook as a page, with a command to paste for each step.",
        "graph": "Draw a runbook's decision graph.",
        "new": "Write a runbook to begin with: from answers, probes or Markdown.",
        "check": "Report every mistake in runbooks, each with its place.",
        "test": "Test runbooks with given readings, and tell what is covered.",
        "alert": "Run the runbooks that alerts trigger.",
        "audit-alerts": "Report alerts without a runbook, and runbooks without an alert.",
        "incident": "Lead an incident: who should be there, what is due next.",
        "policy": "Show the policy of incidents: who is called when, who is told.",
        "measure": "Measure once with one probe, and show everything that it gives.",
        "probes": "List what can be measured, and with what parameters.",
        "history": "List past runs; show the report of one again.",
        "schema": "Print the JSON Schema of runbooks or of reports.",
        "lsp": "Serve an editor: mistakes, completion, corrections.",
        "lab": "Practise on a small system that is broken on purpose.",
        "completion": "Print the completion script of a shell.",
    }
)


class LazyGroup(click.Group):
    """Commands are imported when they are called; each lives in ``runbook_engine.cli.<name>_command`` as ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"runbook_engine.cli.{cmd_name.replace('-', '_')}_command").command
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from runbook_engine.errors import did_you_mean

            guess = did_you_mean(args[0], COMMANDS).removeprefix("; ")
            raise click.UsageError(f"there is no command {args[0]!r}{f'. {guess.capitalize()}' if guess else ''}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from runbook_engine.version import VERSION

    say(f"runbook {VERSION}")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: runbook list, runbook show high-latency, runbook run high-latency --lab slow_queries",
)
@click.option(
    "--version", is_flag=True, callback=_version, expose_value=False, is_eager=True, help="Print the version."
)
def app() -> None:
    """Runbooks that run: find what is wrong, how we know it, what nobody could see, and what to do."""
