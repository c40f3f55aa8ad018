"""``runbook lsp``."""

from importlib.util import find_spec

import click

from runbook_engine.cli.examples import examples


@click.command("lsp", epilog=examples("runbook lsp", "pip install 'runbook-engine[lsp]'"))
@click.option(
    "--stdio", is_flag=True, help="Speak over stdin and stdout. Nothing else is spoken; editors like to say it."
)
def command(*, stdio: bool) -> int:  # noqa: ARG001 - there is no other way
    """Serve an editor by the Language Server Protocol, over stdin and stdout, until it says exit.

    It tells mistakes while documents are written, completes and explains names, leads to where they are defined, and corrects
    what is certain. What an editor holds counts before what is saved.
    """
    if find_spec("pygls") is None:
        from runbook_engine.errors import UsageError

        raise UsageError(
            "the language server is unavailable: pygls is not installed; pip install 'runbook-engine[lsp]'"
        )
    from runbook_engine.cli.lsp_server import serve

    return serve()
