"""``runbook audit-alerts``."""

from pathlib import Path

import click

from runbook_engine.cli.examples import examples


@click.command(
    "audit-alerts",
    epilog=examples(
        "runbook audit-alerts rules.yaml",
        "runbook audit-alerts alerts/ --url https://runbooks.example.com/",
        "runbook audit-alerts alerts/ --notes --format github",
    ),
)
@click.argument("rules", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="PREFIX",
    help="How the addresses of runbooks begin; others are left alone. May be given again.",
)
@click.option("--notes", is_flag=True, help="Say what is only worth knowing, too: addresses of others ...")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, for code scanning, or as annotations of a GitHub workflow.",
)
def command(rules: tuple[Path, ...], urls: tuple[str, ...], format_: str, *, notes: bool) -> int:
    """Report alerts without a runbook, and runbooks without an alert. RULES are Prometheus' files of rules, or directories.

    An alert has a runbook if its annotation runbook_url ends in the name of one, or if a runbook's trigger matches it.
    Runbooks are those of the current directory and of RUNBOOK_PATH; where there are none, the shipped ones.
    Ends with 78 where there is an error, 0 where there are only warnings.
    """
    from runbook_engine.alerting.audit import audit
    from runbook_engine.cli.check_command import INVALID, show_checked
    from runbook_engine.cli.check_files import CheckedFile
    from runbook_engine.library import Library

    found = audit(_files(rules), Library.default(), urls)
    checked = [CheckedFile(each.file, each.text, each.diagnostics) for each in found]
    show_checked(checked if notes else [each.without_notes() for each in checked], format_)
    return INVALID if any(each.errors for each in checked) else 0


def _files(paths: tuple[Path, ...]) -> list[Path]:
    from runbook_engine.errors import UsageError
    from runbook_engine.library import SUFFIXES

    found: dict[Path, None] = {}
    for path in paths:
        inside = [path]
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES and each.name[0] != ".")
            if not inside:
                raise UsageError(f"{path} has no files that end in {' or '.join(SUFFIXES)}")
        found |= dict.fromkeys(inside)
    return list(found)
