"""Opening a lab: all servers at once, the fault, then the API. Closing it leaves nothing behind."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from runbook_engine.errors import UsageError
from runbook_engine.lab.binaries import INSTALL, BinaryNotFoundError, is_installed
from runbook_engine.lab.faults import fault_named
from runbook_engine.lab.running import Lab

REQUIRED = ("moto", "trustme")


@contextmanager
def open_lab(
    fault: str = "none", *, directory: Path | None = None, progress: Callable[[str], None] | None = None
) -> Iterator[Lab]:
    """A lab with this fault, already showing it. Its files are in a new folder of ``directory`` (default: the system's
    folder for temporary files). ``progress`` is told what happens, line by line, from any thread.

    Raises UsageError for an unknown fault, a directory that does not exist, and where a package or a server of the lab is not
    installed; RunbookError where a server does not start.
    """
    chosen = fault_named(fault)
    lacking = [name for name in REQUIRED if find_spec(name) is None]
    if lacking:
        raise UsageError(f"the lab needs {' and '.join(lacking)}, which is not installed; install it with\n  {INSTALL}")
    if not is_installed(chosen.program):
        raise UsageError(
            f"the fault {chosen.name} needs {chosen.program}, which is not installed here and comes with no wheel; install it"
            f" with\n  apt-get install {chosen.program}"
        )
    if directory is not None and not directory.is_dir():
        raise UsageError(f"{directory} is not a folder; the lab makes its own inside an existing one")
    from runbook_engine.lab.assembly import assemble

    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="runbook-lab-", dir=directory))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        try:
            lab = assemble(chosen, home, stack, progress or (lambda _: None))
        except BinaryNotFoundError as error:
            raise UsageError(str(error)) from error
        yield lab
