"""``runbook triage``."""

from pathlib import Path

import click

from runbook_engine.cli.names import FaultName
from runbook_engine.cli.run_command import (
    FORMATS,
    Output,
    conversation,
    inputs_of,
    journal,
    laboratory,
    pairs,
    replayed,
    seconds,
    walk,
)


@click.command(
    "triage",
    epilog="""\b
Examples:
  runbook triage
  runbook triage -s api_url=https://api.example.com -s slow=300ms
  runbook triage --policy metrics.yaml --format markdown
  runbook triage --format html -o triage.html
  runbook triage --lab cpu_high
\b
Exit codes: 0 healthy, 1 a metric is beyond a threshold, 2 usage, 3 none is and not all could be seen,
78 the policy has mistakes, 130 interrupted.""",
)
@click.option("-s", "--set", "inputs", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Set an input.")
@click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A policy of metrics of yours  [default: policy/metrics.yaml of the library]",
)
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Format of the report  [default: text, or by -o]")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
@click.option(
    "--template", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A report template of yours."
)
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="Keep the whole run in a file.")
@click.option(
    "--replay",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Judge a recorded run again, offline.",
)
@click.option("--allow", multiple=True, type=click.Choice(["shell"]), help="Allow what is refused by default.")
@click.option("--deadline", callback=seconds, metavar="DURATION", help="End the run after this time: 30s, 5m.")
@click.option("--lab", "fault", type=FaultName(), metavar="FAULT", help="Look at the lab with this fault in it.")
@click.option("--no-journal", is_flag=True, help="Do not keep the run in the history.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def command(
    inputs: dict[str, str],
    policy: Path | None,
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
) -> int:
    """Measure the key metrics, all at once, and say which are beyond a threshold, what to do, and what to run next.

    What is measured, and from which value on it is bad, stands in a policy; each threshold is an input, so that -s sets it.
    The report goes to standard output, progress to standard error.
    """
    wanted = Output(format_, output, template)
    if replay is not None:
        idle = {"-s": inputs, "--policy": policy, "--lab": fault, "--allow": allow, "--deadline": deadline}
        for option in (option for option, value in idle.items() if value):
            raise click.UsageError(f"{option} cannot change what was recorded; leave it out, or measure anew")
        return replayed(replay, "triage", wanted)
    from runbook_engine.api import load_triage

    plan = load_triage(policy)
    with laboratory(fault, plan, quiet) as (lab, environ):
        talk = conversation(quiet=quiet, no_input=no_input)
        resolved = inputs_of(plan, inputs, lab, environ, talk)
        from runbook_engine.engine.runner import Surroundings

        around = Surroundings(
            observe=talk.observe,
            journal=journal(wanted=not no_journal),
            environ=environ,
            grants=frozenset(allow),
            deadline=deadline,
        )
        return walk(plan, resolved, around, talk, wanted, record)
