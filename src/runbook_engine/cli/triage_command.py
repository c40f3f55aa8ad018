"""``runbook triage``."""

from pathlib import Path

import click

from runbook_engine.cli.asked import Asked, shared_options
from runbook_engine.ids import TRIAGE


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
@click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A policy of metrics of yours  [default: policy/metrics.yaml of the library]",
)
@shared_options
def command(asked: Asked, policy: Path | None) -> int:
    """Measure the key metrics, all at once, and say which are beyond a threshold, what to do, and what to run next.

    What is measured, and from which value on it is bad, stands in a policy; each threshold is an input, so that -s sets it.
    The report goes to standard output, progress to standard error.
    """
    from runbook_engine.cli.carrying_out import carry_out, replayed

    if asked.replay is not None:
        asked.refuse_with_replay(("--policy", policy))
        return replayed(asked.replay, TRIAGE, asked.output)
    from runbook_engine.api import load_triage

    if policy is None and not asked.quiet:
        from runbook_engine.cli.streams import note
        from runbook_engine.library import Library

        library = Library.default()
        note(f"policy metrics: {library.told(library.policy_file('metrics'))}")
    return carry_out(load_triage(policy), asked)
