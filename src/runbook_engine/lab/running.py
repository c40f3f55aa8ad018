"""A running lab, and how to describe it to a person."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook_engine.lab.fault import Fault
from runbook_engine.pasteable import pasteable

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Lab:
    """A running lab.

    ``inputs`` are those of every shipped runbook, by name: a runbook is given the ones that it has. ``environ`` holds the
    variables that their probes need besides, and ``home`` is the folder with all of the lab's files. ``requests`` tells how
    often each operation of AWS was asked so far: ``{"ecs:DescribeServices": 2}``.
    """

    fault: Fault
    inputs: Mapping[str, str]
    environ: Mapping[str, str]
    home: Path
    requests: Callable[[], Mapping[str, int]]

    def inputs_of(self, runbook: str) -> Mapping[str, str]:
        """Those that the runbook has; what it calls is given inputs of the same name by it."""
        from runbook_engine.library import Library

        loaded = Library.default().load(runbook).runbook
        return {name: value for name, value in self.inputs.items() if loaded is not None and name in loaded.inputs}


def describe(lab: Lab) -> str:
    """What is broken, where everything is, and the command that diagnoses it, ready to paste into a shell."""
    width = max(len(name) for name in lab.inputs)
    lines = [f"{lab.fault.title} ({lab.fault.name})", "", textwrap.fill(lab.fault.explanation, WIDTH), ""]
    lines += [f"  {name:<{width}}  {value}" for name, value in lab.inputs.items()]
    lines += ["", "Diagnose it from another terminal:", ""]
    command = [f"{name}={pasteable(value)}" for name, value in lab.environ.items()]
    command.append(pasteable("runbook", "run", lab.fault.runbook, "--no-input"))
    command += [pasteable("-s", f"{name}={value}") for name, value in lab.inputs_of(lab.fault.runbook).items()]
    lines.append("  " + " \\\n    ".join(command))
    return "\n".join(lines)
