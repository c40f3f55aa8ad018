"""Documents damaged at every byte, checked in this process: it prints what it cost as JSON.

::

    python tests/fuzz/damage.py tests/fuzz/documents/runbook.yaml replace 2
"""

import json
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from runbook_engine.cli.check_files import CheckedFile, Checker
from runbook_engine.document import render_all
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

NASTY = (
    b"\0", b"\x07", b"\x1b", b"\x7f", b'"', b"'", b"{", b"}", b"[", b"]", b"\t", b"\n", b"\r", b" ", b":", b"- ", b",",
    "漢".encode(), "🙂".encode(), b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"&a ", b"*a ", b"*said",
    b"!!python/object/apply:os.system ", b"<<: ", b"? ", b"---\n", b"...\n", b"%", b"@", b"`", b"|", b">-", b"\\", b"#",
    b"9" * 400, b"1e999", b"-.inf", b".nan", b"0x", b"{{ ", b"}}", b"{% ", b"(" * 60, b"not " * 40, b" / 0 ", b"**",
    b"# runbook: ignore[", b"[" * 300, b"a" * 5000,
)  # fmt: skip
"""What means something to YAML, to conditions, to templates or to nobody, and what is not even text."""

LONGEST_S = 20.0
"""A check that takes longer than this hangs, whatever else the machine does: it takes some milliseconds."""


def damaged(content: bytes, how: str, rounds: int) -> Iterator[bytes]:
    """The content without each of its bytes, or with something else in its place or before it."""
    for at in range(len(content)):
        if how == "delete":
            yield content[:at] + content[at + 1 :]
            continue
        for turn in range(rounds):
            token = NASTY[(at + turn * 17) % len(NASTY)]
            yield content[:at] + token + content[at + (how == "replace") :]


def check(content: bytes, checker: Checker, file: Path) -> CheckedFile:
    """As ``runbook check`` does it, down to what is printed."""
    file.write_bytes(content)
    found = checker.file(file)
    render_all(found.diagnostics, {found.file: found.text})
    return found


def peak_mb() -> float:
    """The most memory that this process has had. What the system tells of children begins with what their parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def sweep(document: Path, how: str, rounds: int) -> dict[str, object]:
    signal.signal(signal.SIGALRM, _hangs)
    raised: list[str] = []
    checked, diagnostics, slowest = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as directory:
        for each in document.parent.glob("*.yaml"):
            Path(directory, each.name).write_bytes(each.read_bytes())
        file = Path(directory, document.name)
        checker = Checker(Registry(), Library((Path(directory),)))
        for content in damaged(document.read_bytes(), how, rounds):
            begun = time.process_time()
            signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
            try:
                diagnostics += len(check(content, checker, file).diagnostics)
            except (Exception, HangsError):  # noqa: BLE001 - that there is none is what is looked for
                raised.append(f"{content!r}\n{traceback.format_exc()}")
            signal.setitimer(signal.ITIMER_REAL, 0)
            checked += 1
            slowest = max(slowest, time.process_time() - begun)
    return {
        "checked": checked,
        "diagnostics": diagnostics,
        "raised": raised[:3],
        "slowest_s": slowest,
        "peak_mb": peak_mb(),
    }


class HangsError(BaseException):
    """Nothing on the way may take it for a mistake of the document."""


def _hangs(_number: int, _frame: FrameType | None) -> NoReturn:
    raise HangsError(f"checked for longer than {LONGEST_S} s")


if __name__ == "__main__":
    print(json.dumps(sweep(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))  # noqa: T201 - read by the test
