"""``runbook measure``."""

import click
from click.shell_completion import CompletionItem

from runbook_engine.cli.asked import pairs, shared
from runbook_engine.cli.names import ProbeName
from runbook_engine.cli.streams import data

NOTHING_MEASURED = 3
DEADLINE_S = 15.0


class _Parameter(click.ParamType[str]):
    """``key=value``, of the probe that stands before it."""

    name = "key=value"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from runbook_engine.errors import RunbookError
        from runbook_engine.probe.registry import Registry

        try:
            fields = Registry().get(ctx.params.get("probe") or "").params.model_fields
        except RunbookError:
            return []
        names = [(each.alias or name, each.description or "") for name, each in fields.items()]
        return [CompletionItem(f"{name}=", help=told) for name, told in names if name.startswith(incomplete)]


@click.command(
    "measure",
    epilog="""\b
Examples:
  runbook measure http.get url=https://api.example.com/health
  runbook measure postgres.query 'dsn=$DATABASE_URL' 'sql=SELECT count(*) AS waiting FROM jobs'
  runbook measure shell.run 'argv=[df, -h]' --allow shell
  runbook measure dns.resolve name=example.com --format json
\b
Exit codes: 0 measured, 2 usage, 3 nothing was measured.""",
)
@click.argument("probe", type=ProbeName())
@click.argument("params", type=_Parameter(), nargs=-1, callback=pairs, metavar="[KEY=VALUE]...")
@shared("allow", "deadline")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def command(probe: str, params: dict[str, str], allow: tuple[str, ...], deadline: float | None, format_: str) -> int:
    """Measure once with PROBE, outside of any runbook: its metrics, its document, and the lines of YAML that would use them.

    KEY=VALUE are its parameters, lists and mappings as in YAML. A value '$NAME', in single quotes, is what the environment
    variable holds: so no password stands on the command line. `runbook probes PROBE` lists the parameters.
    """
    import os

    import anyio

    from runbook_engine.authoring.suggesting import step_for
    from runbook_engine.cli.measured import as_json, as_text
    from runbook_engine.cli.streams import out
    from runbook_engine.engine.events import Failure
    from runbook_engine.engine.grants import granted
    from runbook_engine.engine.measuring import measure_by_hand, read_params
    from runbook_engine.probe.registry import Registry

    found = Registry().get(probe)
    given = read_params(found, params, os.environ)
    grants = frozenset(granted(allow, os.environ, None))
    measured = anyio.run(
        measure_by_hand, found, given, os.environ, grants, deadline if deadline is not None else DEADLINE_S
    )
    step = step_for(measured, given)
    if format_ == "json":
        data(as_json(measured, step))
    else:
        out(as_text(measured, step), painted=True)
    return NOTHING_MEASURED if isinstance(measured.result, Failure) else 0
