"""``runbook run``."""

import click

from runbook_engine.cli.asked import Asked, pairs, shared_options
from runbook_engine.cli.names import RunbookName


@click.command(
    "run",
    epilog="""\b
Examples:
  runbook run high-latency
  runbook run high-latency -s api_url=https://api.example.com -s slow=300ms
  runbook run high-latency --no-input --format json -o report.json
  runbook run high-latency --lab slow_queries
  runbook run --replay run.jsonl
\b
Exit codes: 0 healthy, 1 problem found, 2 usage, 3 inconclusive, 78 the runbook has mistakes, 130 interrupted.""",
)
@click.argument("runbook", type=RunbookName(), required=False)
@shared_options
@click.option(
    "--answer", "answers", multiple=True, metavar="STEP=VALUE", callback=pairs, help="Answer a question beforehand."
)
def command(asked: Asked, runbook: str | None, answers: dict[str, str]) -> int:
    """Run a RUNBOOK, by name or file, and report what is wrong.

    The report goes to standard output, progress to standard error.
    """
    from runbook_engine.cli.carrying_out import carry_out, replayed

    if asked.replay is not None:
        asked.refuse_with_replay(("--answer", answers))
        return replayed(asked.replay, runbook, asked.output)
    if runbook is None:
        raise click.UsageError("name a runbook; `runbook list` lists them")
    from runbook_engine.api import load

    plan = load(runbook)
    if answers:
        from runbook_engine.cli.answers import check_answers

        check_answers(plan, answers)
    return carry_out(plan, asked, answers)
