"""The command ``runbook``: click, thin. Each command is a file of its own, imported when it is called."""

import atexit
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    # Looking for pydantic plug-ins reads every installed package's metadata; we have none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Much is made while modules load, and all of it stays: looking for garbage meanwhile finds nothing.
    gc.set_threshold(100_000, 20, 20)
    from runbook_engine.cli.streams import guard_streams

    guard_streams()
    from runbook_engine.cli.ending import ended

    code = ended(sys.argv[1:])
    # The system frees everything at once; taking module after module apart takes a tenth of a short run.
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls, in the order in which it would
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # none, nobody who reads it, or closed
            stream.flush()
    os._exit(code)
