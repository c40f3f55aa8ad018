"""``runbook new``."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_names import PriorityName
from runbook_engine.cli.names import ProbeName

if TYPE_CHECKING:
    from runbook_engine.authoring.procedure import Count

KINDS = ("runbook", "environment", "policy", "playbook", "knowledge")


class _Named(click.ParamType[str]):
    """A kind of document, or the name of one."""

    name = "kind"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """The kinds, and after policy the policies."""
        before = ctx.params.get(param.name or "") or ()
        offered = {(): KINDS, ("policy",): ("incidents", "metrics")}.get(tuple(before), ())
        return [click.shell_completion.CompletionItem(each) for each in offered if each.startswith(incomplete)]


@click.command(
    "new",
    epilog=examples(
        "runbook new slow-search",
        "runbook new environment production",
        "runbook new --from-probe postgres.activity",
        "runbook new --from-markdown docs/troubleshooting.md --section 'Memory Issues'",
    ),
)
@click.argument("named", nargs=-1, type=_Named(), metavar="[KIND] [NAME]")
@click.option(
    "--from-probe",
    "probes",
    multiple=True,
    type=ProbeName(),
    help="Measure with this probe, and judge it as is usual; may be given again.",
)
@click.option(
    "--from-markdown",
    "markdown",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True),
    help="Take a written procedure: Symptoms, Diagnostic Steps, Resolution, Prevention.",
)
@click.option("--section", metavar="TITLE", help="The procedure, where the Markdown has several.")
@click.option("--all", "every", is_flag=True, help="Write a runbook for each procedure of the Markdown.")
@click.option("--title", help="What the runbook is for, in one line.")
@click.option("--owner", help="The team that keeps it.")
@click.option("--severity", type=PriorityName(), metavar="PRIORITY", help="How bad an incident is to which it applies.")
@click.option("--symptom", "symptoms", multiple=True, help="What people see; may be given again.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file, or - for stdout  [default: its place in runbooks/ of the project]",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--no-input", is_flag=True, help="Ask nothing.")
def command(  # each is an option
    *,
    named: tuple[str, ...],
    probes: tuple[str, ...],
    markdown: Path | None,
    section: str | None,
    every: bool,
    title: str | None,
    owner: str | None,
    severity: str | None,
    symptoms: tuple[str, ...],
    output: Path | None,
    force: bool,
    no_input: bool,
) -> int:
    """Write a document to begin with: a runbook from answers, probes or Markdown, or one of another KIND.

    KIND is runbook, environment, policy, playbook or knowledge; without it a runbook is written.
    Thresholds and what they mean come from the runbooks that there are. Commands in the Markdown become the probes that
    measure the same; what no probe measures becomes a question. The result passes runbook check.
    It is written into runbooks/ of the project: of the nearest directory upwards that has one or is a repository.
    """
    kind, name = _kind_and_name(named)
    if kind != "runbook":
        if probes or markdown or section or every or symptoms or severity:
            raise click.UsageError(f"only --title, --owner, --output and --force are for a new {kind}")
        from runbook_engine.cli.new_skeleton import write_skeleton

        return write_skeleton(kind, name, output, title=title, owner=owner, force=force)
    from runbook_engine.authoring.customs import Customs
    from runbook_engine.cli.new_questions import asked, legal, severity_named
    from runbook_engine.cli.new_writing import write
    from runbook_engine.library import Library
    from runbook_engine.probe.registry import Registry

    library, registry = Library.default(), Registry()
    severity = severity_named(severity) if severity else None
    customs = Customs(library)
    counts: Sequence[Count] = ()
    if markdown is None:
        if section is not None or every:
            raise click.UsageError("--section and --all choose from a procedure; give --from-markdown FILE too")
        from runbook_engine.authoring.starting import Answers, from_answers

        known = Answers(name or "", title or "", owner or "", severity, symptoms, probes)
        answers = asked(known, registry, ask=not no_input and sys.stdin.isatty())
        started = [from_answers(answers, registry, customs)]
    else:
        if probes or symptoms:
            raise click.UsageError(
                "--from-probe and --symptom are for a runbook of one's own; leave out --from-markdown"
            )
        from runbook_engine.authoring.procedure import from_procedure
        from runbook_engine.authoring.starting import name_of
        from runbook_engine.cli.new_procedures import apart, chosen

        found = chosen(markdown, section, every=every)
        if name is not None and len(found) > 1:
            raise click.UsageError("NAME is for one runbook; with --all each is named after its heading")
        names = apart([name or name_of(each.title) or markdown.stem for each in found])
        pairs = zip(found, names, strict=True)
        more = {"owner": owner, "severity": severity, "title": title}
        made = [from_procedure(each, legal(one), registry, customs, **more) for each, one in pairs]
        started, counts = [each.started for each in made], [each.count for each in made]
    return write(started, counts, output, library, registry, several=every, force=force)


def _kind_and_name(named: tuple[str, ...]) -> tuple[str, str | None]:
    """What is wanted, and how it is called: ``new slow-search`` is a runbook of that name."""
    kind, *rest = named if named and named[0] in KINDS else ("runbook", *named)
    if len(rest) > 1:
        raise click.UsageError(f"{rest[1]!r} is one name too many; a kind is one of {', '.join(KINDS)}")
    return kind, rest[0] if rest else None
