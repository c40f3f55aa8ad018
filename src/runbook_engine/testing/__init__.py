"""Runbooks tested with given readings: no probe is asked, no network is needed, nobody waits.

::

    from runbook_engine.testing import run_file

    result = run_file("runbooks/disk-full.test.yaml")
    assert result.passed, result.told()
"""

from runbook_engine.testing.running import (
    CaseResult,
    CheckedFile,
    Choose,
    FileResult,
    check_file,
    coverage_of,
    find_files,
    run_file,
)

__all__ = ["CaseResult", "CheckedFile", "Choose", "FileResult", "check_file", "coverage_of", "find_files", "run_file"]
