"""``runbook lab diagnose``: every fault, diagnosed on real servers, against what should have been found."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_engine.engine.events import Event
from runbook_engine.lab.faults import Fault
from runbook_engine.lab.scoring import Verdict, score, sentences, table, verdict

if TYPE_CHECKING:
    from runbook_engine.engine.trace import Trace

UNHURRIED = ("high-latency",)
"""Runbooks that measure how fast the lab is: nothing else may keep this machine busy meanwhile."""

Told = Callable[[Verdict], None]


def diagnose(faults: Sequence[Fault], *, jobs: int, record: Path | None, told: Told) -> list[Verdict]:
    """One lab for each fault, ``jobs`` of them at a time; ``told`` hears of each as it is done.

    The verdicts come in the order of ``faults``.
    """

    def one(fault: Fault) -> Verdict:
        trace = diagnosed(fault, record)
        found = verdict(fault, trace)
        told(found)
        return found

    hurried = [each for each in faults if each.runbook not in UNHURRIED]
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        done = dict(zip((each.name for each in hurried), pool.map(one, hurried), strict=True))
    done.update({each.name: one(each) for each in faults if each.runbook in UNHURRIED})
    return [done[each.name] for each in faults]


def diagnosed(fault: Fault, record: Path | None = None) -> "Trace":
    """The fault's own runbook, run in a lab that has the fault. ``record`` is a folder for the recording of the run."""
    from runbook_engine import api
    from runbook_engine.engine.replay import write_recording
    from runbook_engine.lab import open_lab

    plan = api.load(fault.runbook)
    with open_lab(fault.name) as lab:
        known = {name: value for name, value in lab.inputs.items() if name in plan.runbook.inputs}
        trace = api.run(
            plan, inputs=known, source="lab", environ={**os.environ, **lab.environ}, allow=("shell",), answers={}
        )
        homes = (str(lab.home), str(Path(lab.inputs["ca_file"]).parent))
    if record is not None:
        record.mkdir(parents=True, exist_ok=True)
        write_recording(anywhere(trace.events, homes), record / f"{fault.name}.jsonl")
    return trace


def anywhere(events: Sequence[Event], homes: Sequence[str], called: str = "/lab") -> list[Event]:
    """The same events with the lab's folders called ``/lab``: where they were is of no interest once they are gone."""
    from runbook_engine.engine.codec import decode, encode

    lines = [encode(each) for each in events]
    for home in homes:
        lines = [line.replace(home, called) for line in lines]
    return [decode(line) for line in lines]


def as_markdown(verdicts: Sequence[Verdict]) -> str:
    """The table, with its score above."""
    heading, *rows = table(verdicts)
    lines = [
        "# What the shipped runbooks find",
        "",
        "Every fault of the lab, injected into real servers on loopback and diagnosed by the runbook that is meant for it.",
        "`make diagnosis-table` makes this page anew.",
        "",
        *(f"- {line}" for line in sentences(score(verdicts))),
        "",
        f"| {' | '.join(heading)} |",
        f"|{'---|' * len(heading)}",
        *(f"| {' | '.join(_code(row))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _code(row: tuple[str, ...]) -> list[str]:
    fault, runbook, *causes, outcome, right = row
    written = [", ".join(f"`{each}`" if "_" in each else each for each in cell.split(", ")) for cell in causes]
    return [f"`{fault}`", runbook, *written, outcome, right]


def as_text(verdicts: Sequence[Verdict]) -> str:
    """The table in columns, with its score below."""
    rows = table(verdicts)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", *sentences(score(verdicts))]) + "\n"
