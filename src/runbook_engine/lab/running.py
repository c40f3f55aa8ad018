"""A running lab, and how to describe it to a person."""

import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from runbook_engine.lab.faults import Fault

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Lab:
    """A running lab.

    ``inputs`` are those of the runbook ``high-latency``; ``environ`` holds the variables that its probes need besides.
    """

    fault: Fault
    inputs: Mapping[str, str]
    environ: Mapping[str, str]


def describe(lab: Lab) -> str:
    """What is broken, where everything is, and the command that diagnoses it, ready to paste into a shell."""
    width = max(len(name) for name in lab.inputs)
    lines = [f"{lab.fault.title} ({lab.fault.name})", "", textwrap.fill(lab.fault.explanation, WIDTH), ""]
    lines += [f"  {name:<{width}}  {value}" for name, value in lab.inputs.items()]
    lines += ["", "Diagnose it from another terminal:", ""]
    command = [f"{name}={shlex.quote(value)}" for name, value in lab.environ.items()]
    command.append("runbook run high-latency --no-input")
    command += [f"-s {shlex.quote(f'{name}={value}')}" for name, value in lab.inputs.items()]
    lines.append("  " + " \\\n    ".join(command))
    return "\n".join(lines)
