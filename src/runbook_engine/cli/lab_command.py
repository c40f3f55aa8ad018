"""``runbook lab``."""

import json
import textwrap
import threading
from pathlib import Path

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import FaultName
from runbook_engine.cli.streams import data, note, say


@click.group(
    "lab",
    epilog=examples(
        "runbook lab faults", "runbook lab start lock_contention", "runbook run high-latency --lab lock_contention"
    ),
)
def command() -> None:
    """A small copy of a production system on loopback, with real servers and real faults.

    Needs no root, no Docker and no cloud account: pip install 'runbook-engine[lab]'
    """


@command.command("faults", epilog="Example: runbook lab faults")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def faults(format_: str) -> None:
    """Explain the faults that the lab can have."""
    from runbook_engine.cli.screen import width
    from runbook_engine.lab import FAULTS

    if format_ == "json":
        plain = [
            {
                "name": each.name,
                "family": each.family,
                "runbook": each.runbook,
                "title": each.title,
                "explanation": each.explanation,
                "expects": list(each.expects),
            }
            for each in FAULTS.values()
        ]
        data(json.dumps(plain, indent=2) + "\n")
        return
    for each in FAULTS.values():
        say(f"{click.style(each.name, bold=True)}: {each.title}", painted=True)
        say(textwrap.indent(textwrap.fill(" ".join(each.explanation.split()), width() - 4), "    "))
        say(f"    runbook run {each.runbook} --lab {each.name}\n")


@command.command("start", epilog="Example: runbook lab start lock_contention")
@click.argument("fault", type=FaultName(), default="none")
def start(fault: str) -> None:
    """Start the lab with a FAULT in it and keep it up until Ctrl-C."""
    from runbook_engine.lab import describe, open_lab

    with open_lab(fault, progress=lambda line: note(f"lab: {line}")) as lab:
        say(describe(lab))
        note("\nCtrl-C ends the lab.")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            note("ending the lab")


@command.command(
    "diagnose",
    epilog=examples(
        "runbook lab diagnose", "runbook lab diagnose slow_queries cpu_high", "runbook lab diagnose --record recordings"
    ),
)
@click.argument("names", metavar="[FAULT]...", type=FaultName(), nargs=-1)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For people, for a page, or for programs.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the table to a file.")
@click.option("--record", type=click.Path(path_type=Path, file_okay=False), help="Keep each run in this folder.")
@click.option("--jobs", type=click.IntRange(1, 16), default=2, show_default=True, help="Labs at a time.")
def diagnose(names: tuple[str, ...], format_: str, output: Path | None, record: Path | None, jobs: int) -> int:
    """Diagnose each FAULT (all of them, if none is named) and tell whether its causes were found.

    Exit code 0 means that every diagnosis was right, 1 that one was not.
    """
    import msgspec

    from runbook_engine.cli.lab_diagnosis import as_markdown, as_text
    from runbook_engine.cli.lab_diagnosis import diagnose as diagnose_all
    from runbook_engine.lab import FAULTS
    from runbook_engine.lab.binaries import is_installed
    from runbook_engine.lab.faults import fault_named
    from runbook_engine.lab.scoring import Verdict

    faults = [fault_named(name) for name in dict.fromkeys(names)]
    if not faults:
        faults = [fault for fault in FAULTS.values() if is_installed(fault.program)]
        for fault in FAULTS.values():
            if fault not in faults:
                note(f"left out {fault.name}: {fault.program} is not installed here")
    done = 0

    def told(verdict: Verdict) -> None:
        nonlocal done
        done += 1
        found = ", ".join(verdict.found) or verdict.outcome.value
        right = "right" if verdict.right else "WRONG"
        note(f"{done}/{len(faults)} {verdict.fault}: {found} ({right}, {verdict.seconds:.1f} s)")

    verdicts = diagnose_all(faults, jobs=jobs, record=record, told=told)
    match format_:
        case "json":
            text = msgspec.json.format(msgspec.json.encode(verdicts), indent=2).decode() + "\n"
        case "markdown":
            text = as_markdown(verdicts)
        case _:
            text = as_text(verdicts)
    if output is None:
        data(text)
    else:
        from runbook_engine.files import write_whole

        write_whole(output, text)
        note(f"table written to {output}")
    return 0 if all(each.right for each in verdicts) else 1
