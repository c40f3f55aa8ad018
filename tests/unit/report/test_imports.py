"""Formats are paid for by those who ask for them."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from runbook_engine.engine.events import *
from runbook_engine.engine.trace import fold
document = {"runbook": "one", "title": "One", "start": "a", "steps": {"a": {"probe": "fake.one"}}}
trace = fold([RunStarted(0.0, "1", "one", "1", "", {"one": document}, {}, "")])
import runbook_engine.report as report
print(len(report.render(trace, report.ReportFormat("FORMAT"))) > 0)
print(*sorted({"jinja2", "networkx", "markupsafe", "rich", "xml.etree.ElementTree"} & set(sys.modules)))
"""


def loaded(format_: str) -> list[str]:
    program = PROGRAM.replace("FORMAT", format_)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    rendered, modules = done.stdout.splitlines()
    assert rendered == "True"
    return modules.split()


@pytest.mark.parametrize(
    ("format_", "modules"),
    [
        ("json", []),
        ("junit", ["xml.etree.ElementTree"]),
        ("text", []),
        ("markdown", ["jinja2", "markupsafe"]),
        ("html", ["jinja2", "markupsafe"]),
    ],
)
def test_a_format_loads_what_it_needs_and_no_more(format_: str, modules: list[str]) -> None:
    assert loaded(format_) == modules


def test_the_names_of_the_formats_cost_nothing() -> None:
    program = "import sys, runbook_engine.report as r; print(*r.ReportFormat); print(*{'pydantic', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "text markdown html json junit\n\n"


def test_what_the_package_exports_is_there() -> None:
    import runbook_engine.report

    assert all(callable(getattr(runbook_engine.report, name)) for name in runbook_engine.report.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        runbook_engine.report.nothing  # noqa: B018
