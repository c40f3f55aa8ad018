"""``runbook graph``."""

from pathlib import Path

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import RunbookName
from runbook_engine.cli.streams import data, note


@click.command(
    "graph",
    epilog=examples(
        "runbook graph high-latency",
        "runbook graph high-latency -o high-latency.svg",
        "runbook graph high-latency --format dot | dot -Tpng > high-latency.png",
    ),
)
@click.argument("runbook", type=RunbookName())
@click.option(
    "--format",
    "format_",
    type=click.Choice(["mermaid", "dot", "svg"]),
    help="Of the drawing  [default: mermaid, or by -o]",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
def command(runbook: str, format_: str | None, output: Path | None) -> None:
    """Draw the decision graph of a RUNBOOK as Mermaid, Graphviz DOT or SVG."""
    from runbook_engine.api import load
    from runbook_engine.errors import UsageError
    from runbook_engine.files import write_whole
    from runbook_engine.graph.drawing import dot, mermaid, svg

    by_suffix = {".svg": "svg", ".dot": "dot", ".gv": "dot"}
    chosen = format_ or (by_suffix.get(output.suffix.lower(), "mermaid") if output else "mermaid")
    text = {"mermaid": mermaid, "dot": dot, "svg": svg}[chosen](load(runbook).runbook).rstrip("\n") + "\n"
    if output is None:
        data(text)
        return
    try:
        write_whole(output, text)
    except OSError as error:
        raise UsageError(f"the graph cannot be written to {output}: {error.strerror}") from error
    note(f"graph written to {output}")
