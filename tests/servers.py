"""What only a distribution carries: where it is missing, the tests that need it are skipped by name, or fail."""

import os
from typing import NamedTuple

import pytest

from runbook_engine.lab.binaries import is_installed

HOW = "not installed: apt-get install "
EVERYTHING = "RUNBOOK_TESTS_SKIP_NOTHING"


class Program(NamedTuple):
    """A program, what people call it, and the package of Debian that has it."""

    name: str
    title: str
    package: str


PGBOUNCER = Program("pgbouncer", "PgBouncer", "pgbouncer")
NGINX = Program("nginx", "nginx", "nginx-light")
PROMTOOL = Program("promtool", "Prometheus' own checker", "prometheus")


def need(program: Program) -> None:
    """Skip the test that runs where a program is missing; fail it where RUNBOOK_TESTS_SKIP_NOTHING is set, as in CI."""
    if is_installed(program.name):
        return
    told = f"{program.title} is {HOW}{program.package}"
    if os.environ.get(EVERYTHING):
        pytest.fail(told, pytrace=False)
    pytest.skip(told)


def packages(reasons: list[str]) -> list[str]:
    """The packages that the reasons of skipped tests name, each once."""
    return sorted({reason.partition(HOW)[2].split()[0] for reason in reasons if HOW in reason})
