"""The command ``runbook``: click, thin. Each command is a file of its own, imported when it is called."""

import gc
import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # Looking for pydantic plug-ins reads every installed package's metadata; we have none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Much is made while modules load, and all of it stays: looking for garbage meanwhile finds nothing.
    gc.set_threshold(100_000, 20, 20)
    from runbook_engine.cli.ending import ended

    sys.exit(ended(sys.argv[1:]))
