"""Pages that readers follow do what they say: their files are written, their commands carried out, and their outputs come."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from tests.docs.blocks import DOCS, Block, blocks

FOLLOWED = (
    "tutorial.md",
    "how-to/editors.md",
    "how-to/environments.md",
    "how-to/knowledge.md",
    "how-to/own-template.md",
)
RECORDING = Path(__file__).with_name("run.jsonl")
"""What stands for the recording that a reader has."""
PORT = "8000"
SERVER = f"python -m http.server {PORT} --bind 127.0.0.1"
INSTALLED = ("pip install .",)
"""What is there already."""

OTHERS = ("RUNBOOK_", "AWS_", "PAGE_", "SHOP_", "STAGING_")
"""Variables of the machine that runs the tests, which a reader need not have."""

Start = Callable[..., "subprocess.Popen[bytes]"]


class Reader:
    """Who follows a page, in a folder of their own, on a free port."""

    def __init__(self, folder: Path, start: Start) -> None:
        self.folder = folder
        self.start = start
        self.port = str(_free_port())
        self.server: subprocess.Popen[bytes] | None = None
        bin_folder = str(Path(sys.executable).parent)
        self.environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith(OTHERS)},
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "RUNBOOK_STATE": str(folder / "state"),
            "NO_COLOR": "1",
        }
        self.here = folder
        self.said = ""

    def write(self, block: Block) -> None:
        """A whole file, a part in place of that in the file that begins with the same line, or an addition at its end."""
        file = self.here / block.title
        file.parent.mkdir(parents=True, exist_ok=True)
        text = block.text.replace(PORT, self.port)
        first = text.partition("\n")[0]
        before = file.read_text() if file.is_file() else ""
        if first in before.splitlines():
            text = _replaced(before, first, text)
        elif first.startswith(" "):
            text = before + text
        file.write_text(text)

    def type(self, commands: str) -> str:
        """What commands write to standard output."""
        done = subprocess.run(
            ["bash", "-c", f"{commands.replace(PORT, self.port)}\npwd > '{self.folder}/where'"],
            cwd=self.here,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.here = Path((self.folder / "where").read_text().strip())
        assert "command not found" not in done.stderr, done.stderr
        self.said = done.stderr
        return done.stdout.replace(self.port, PORT)

    def serve(self) -> None:
        command = SERVER.replace(PORT, self.port).split()
        self.server = self.start(
            [sys.executable, *command[1:]], cwd=self.here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with closing(socket.socket()) as client:
                client.settimeout(1)
                if client.connect_ex(("127.0.0.1", int(self.port))) == 0:
                    return
        raise TimeoutError("the server does not listen")

    def stop(self) -> None:
        assert self.server is not None
        self.server.terminate()
        self.server.wait(10)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _replaced(text: str, first: str, part: str) -> str:
    """The section that begins with the line ``first`` and all that is deeper below it, replaced."""
    lines = text.splitlines()
    begin = lines.index(first)
    depth = len(first) - len(first.lstrip())
    end = begin + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > depth):
        end += 1
    lines[begin:end] = [*part.rstrip("\n").splitlines(), ""]
    return "\n".join(lines) + "\n"


_VARYING: Mapping[str, str] = {
    r"\d+(\.\d+)? (µs|ms|s)\b": "TIME",
    r"run [0-9a-f]{8}-[0-9a-f]{8}": "run ID",
    r"\d{4}-\d\d-\d\dT[\d:.]+Z": "DATE",
    r"\s+": " ",
}
"""What differs from run to run, and where lines are broken. Thresholds are written without a space before their unit."""


def same(text: str) -> str:
    for pattern, name in _VARYING.items():
        text = re.sub(pattern, name, text)
    return text.strip()


@pytest.fixture
def reader(tmp_path: Path, start: Start) -> Iterator[Reader]:
    found = Reader(tmp_path, start)
    yield found
    if found.server is not None:
        found.server.kill()


@pytest.mark.parametrize("page", FOLLOWED)
def test_everything_on_a_page_works_and_says_what_is_shown(
    page: str, reader: Reader, request: pytest.FixtureRequest
) -> None:
    (reader.here / "run.jsonl").write_bytes(RECORDING.read_bytes())
    shown: list[tuple[Block, str]] = []
    said: dict[str, str] = {}
    output = ""
    for block in blocks(DOCS / page):
        if block.mark == "stop the server":
            reader.stop()
        if block.title:
            reader.write(block)
        elif block.language == "sh" and block.text.strip() == SERVER:
            reader.serve()
        elif block.language == "sh" and block.text.strip() not in INSTALLED:
            output = reader.type(block.text)
        elif block.language == "text":
            shown.append((block, output))
            said[str(block)] = reader.said
        else:
            assert block.text.strip() in INSTALLED, f"{block}: say in which file it stands"
    if request.config.getoption("--update-golden"):
        _rewrite(DOCS / page, shown)
        texts = [each for each in blocks(DOCS / page) if each.language == "text"]
        shown = [(block, output) for block, (_, output) in zip(texts, shown, strict=True)]

    assert shown
    for block, came in shown:
        assert same(block.text) == same(came), (
            f"{block} shows something else; write it anew with: make golden\n{said.get(str(block), '')}"
        )
    told = reader.type("runbook check .") if page != "how-to/own-template.md" else "no mistakes"
    assert "no mistakes" in told


def _rewrite(file: Path, shown: list[tuple[Block, str]]) -> None:
    """Outputs that say something else than is shown, from the last to the first, so that offsets stay right."""
    page = file.read_text("utf-8")
    for block, came in reversed(shown):
        if same(block.text) != same(came):
            page = page[: block.start] + came.rstrip() + "\n" + page[block.end :]
    file.write_text(page, encoding="utf-8")


def test_what_differs_from_run_to_run_is_told_from_what_does_not() -> None:
    one = "1 of 1 step ran in 97.5 ms.\nshop 1.0.0, run 6b048053-4ac7a435, 2026-11-23T18:05:07.649Z"
    other = "1 of 1 step ran in 1.2 s.\nshop 1.0.0, run 00000000-00000000, 2027-01-01T00:00:00.000Z"
    assert same(one) == same(other)
    assert same("status 404 ≠ 200") != same("status 500 ≠ 200")
    assert same("> 500ms") != same("> 600ms")
