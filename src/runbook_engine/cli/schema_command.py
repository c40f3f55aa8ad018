"""``runbook schema``."""

import json
from collections.abc import Mapping

import click

from runbook_engine.cli.examples import examples


@click.command(
    "schema",
    epilog=examples("runbook schema > runbook.schema.json", "runbook schema report > report.schema.json"),
)
@click.argument(
    "document", type=click.Choice(["runbook", "policy", "environment", "knowledge", "report"]), default="runbook"
)
def command(document: str) -> None:
    """Print the JSON Schema of a DOCUMENT: of runbooks (the default), policies, environments, knowledge, or reports."""
    if document == "runbook":
        from runbook_engine.document import runbook_schema

        schema: Mapping[str, object] = runbook_schema()
    elif document == "policy":
        from runbook_engine.document import policy_schema

        schema = policy_schema()
    elif document == "environment":
        from runbook_engine.document import environment_schema

        schema = environment_schema()
    elif document == "knowledge":
        from runbook_engine.document import knowledge_schema

        schema = knowledge_schema()
    else:
        from runbook_engine.report import report_schema

        schema = report_schema()
    click.echo(json.dumps(schema, indent=2))
