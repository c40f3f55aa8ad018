"""``runbook schema``."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.streams import data, say

FILES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "runbook": ("runbooks/*.yaml", "!runbooks/knowledge.yaml", "!runbooks/*.test.yaml"),
        "tests": ("runbooks/**/*.test.yaml",),
        "policy": ("runbooks/policy/*.yaml", "!runbooks/policy/incidents.yaml"),
        "incidents": ("runbooks/policy/incidents.yaml",),
        "playbook": ("runbooks/playbooks/*.yaml",),
        "environment": ("runbooks/environments/*.yaml",),
        "knowledge": ("runbooks/knowledge.yaml",),
    }
)
"""Where documents of each kind lie, as editors take it."""


@click.command(
    "schema",
    epilog=examples(
        "runbook schema > runbook.schema.json",
        "runbook schema --all schemas",
        "runbook schema report > report.schema.json",
    ),
)
@click.argument("document", type=click.Choice([*FILES, "report", "postmortem"]), default="runbook")
@click.option(
    "--probes/--no-probes",
    default=True,
    show_default=True,
    help="With the parameters and metrics of the probes that are installed, or of the format alone.",
)
@click.option(
    "--all",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a file for each kind of document into a directory, and say how an editor is told of them.",
)
def command(document: str, directory: Path | None, *, probes: bool) -> None:
    """Print the JSON Schema of a DOCUMENT: of runbooks (the default), of what lies beside them, of reports or postmortems."""
    if directory is not None:
        _write_all(directory, probes=probes)
        return
    if document == "report":
        from runbook_engine.report import report_schema

        data(json.dumps(report_schema(), indent=2) + "\n")
        return
    if document == "postmortem":
        from runbook_engine.incidents.postmortem_model import postmortem_schema

        data(json.dumps(postmortem_schema(), indent=2) + "\n")
        return
    data(_schema(document, probes=probes) + "\n")


def _schema(document: str, *, probes: bool) -> str:
    from runbook_engine.graph.probe_schema import document_schema
    from runbook_engine.probe.registry import Registry

    return json.dumps(document_schema(document, Registry() if probes else None), indent=2)


def _write_all(directory: Path, *, probes: bool) -> None:
    from runbook_engine.errors import UsageError
    from runbook_engine.files import write_whole

    try:
        directory.mkdir(parents=True, exist_ok=True)
        for kind in FILES:
            write_whole(directory / f"{kind}.json", _schema(kind, probes=probes) + "\n")
    except OSError as error:
        raise UsageError(f"the schemas cannot be written to {directory}: {error.strerror or error}") from error
    shown = directory.as_posix()
    places = {f"{shown}/{kind}.json": list(files) if len(files) > 1 else files[0] for kind, files in FILES.items()}
    say(f"{len(FILES)} schemas written to {shown}\n")
    say("VS Code, in .vscode/settings.json:\n")
    data(json.dumps({"yaml.schemas": places}, indent=2) + "\n")
    beside = Path(os.path.relpath(directory, "runbooks")).as_posix()
    say("\nOther editors with yaml-language-server, at the top of a document in runbooks/:\n")
    say(f"# yaml-language-server: $schema={beside}/runbook.json")
