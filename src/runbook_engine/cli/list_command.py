"""``runbook list``."""

import json
from dataclasses import asdict, dataclass

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.streams import data, note, say
from runbook_engine.pasteable import operands, pasteable


@dataclass(frozen=True, slots=True)
class Listed:
    """A runbook in the list; ``problem`` says why a broken one cannot be run."""

    name: str
    title: str
    severity: str
    version: str
    path: str
    problem: str


@click.command("list", epilog=examples("runbook list", "runbook list --format json"))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def command(format_: str) -> None:
    """List the runbooks that can be run by name.

    They are looked for in the directories of RUNBOOK_PATH, in runbooks/ of the project, and among the shipped ones.
    The project is the nearest directory upwards that has runbooks/ or is a repository.
    """
    from runbook_engine.cli.screen import visible
    from runbook_engine.library import Library

    found = [_listed(name, str(path)) for name, path in sorted(Library.default().files().items())]
    if format_ == "json":
        data(json.dumps([asdict(each) for each in found], indent=2) + "\n")
        return
    name_width = max((len(each.name) for each in found), default=0)
    for each in found:
        told = click.style(each.problem, fg="red") if each.problem else each.title
        version = f" {each.version}" if each.version else ""
        where = visible(f"{_near(each.path)}{version}")
        say(f"{visible(each.name):<{name_width}}  {each.severity or '--':<2}  {told}", painted=True)
        say(f"{'':<{name_width}}      {click.style(where, dim=True)}", painted=True)
    note("\nLook at one with: runbook show NAME")


def _near(path: str) -> str:
    """The path as one would type it from here."""
    from pathlib import Path

    file = Path(path)
    if file.is_relative_to(Path.cwd()):
        return str(file.relative_to(Path.cwd()))
    return str(Path("~", file.relative_to(Path.home()))) if file.is_relative_to(Path.home()) else path


def _listed(name: str, path: str) -> Listed:
    from pathlib import Path

    from runbook_engine.cli.screen import visible
    from runbook_engine.document import load_file
    from runbook_engine.templates import readable

    loaded = load_file(Path(path))
    if loaded.runbook is None:
        short = _near(path)
        checked = path if short.startswith("~") else short  # a quoted ~ is no home
        problem = f"has mistakes: {pasteable('runbook', 'check', *operands(checked))}"
        return Listed(name, "", "", "", path, problem)
    document = loaded.runbook
    return Listed(name, visible(readable(document.title)), document.severity or "", document.version, path, "")
