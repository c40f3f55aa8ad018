"""Documents that atheris makes, guided by which code they reach. It ends with an error where a check raises or hangs.

::

    python tests/fuzz/coverage_guided.py -max_total_time=30 -rss_limit_mb=400 CORPUS…
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["runbook_engine.document", "runbook_engine.conditions", "runbook_engine.graph"]
):
    import runbook_engine.conditions
    import runbook_engine.document.cases
    import runbook_engine.document.environment
    import runbook_engine.document.knowledge
    import runbook_engine.document.policy_load
    import runbook_engine.graph.advice
    import runbook_engine.graph.compile
    import runbook_engine.graph.known
    import runbook_engine.graph.proofs
    import runbook_engine.graph.triage_checks  # noqa: F401 - what is imported here is watched

from runbook_engine.cli.check_files import Checker
from runbook_engine.document import render_all
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

DOCUMENTS = Path(__file__).parent / "documents"


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for each in DOCUMENTS.glob("*.yaml"):
            Path(directory, each.name).write_bytes(each.read_bytes())
        file = Path(directory, "fuzzed.yaml")
        checker = Checker(Registry(), Library((Path(directory),)))

        def check(content: bytes) -> None:
            file.write_bytes(content)
            found = checker.file(file)
            render_all(found.diagnostics, {found.file: found.text})

        atheris.Setup(sys.argv, check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
