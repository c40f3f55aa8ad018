"""An editor that speaks to ``runbook lsp`` as editors do."""

import itertools
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pytest

LONGEST_S = 60.0

Json = dict[str, Any]


class Editor:
    """Sends messages, and keeps what comes until it is asked for. ``code`` is what the server ended with."""

    def __init__(self, process: "subprocess.Popen[bytes]", root: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.root = root
        self.stdin: IO[bytes] = process.stdin
        self.came: queue.Queue[Json | None] = queue.Queue()
        self.kept: list[Json] = []
        self.numbers = itertools.count(1)
        self.versions: dict[str, int] = {}
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def _read(self, stdout: IO[bytes]) -> None:
        while True:
            length = 0
            while (line := stdout.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if not length:
                self.came.put(None)
                return
            self.came.put(json.loads(stdout.read(length)))

    def send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def write(self, raw: bytes) -> None:
        self.stdin.write(raw)
        self.stdin.flush()

    def wait(self, fits: Callable[[Json], bool]) -> Json:
        """The next message that fits; others are kept."""
        for each in self.kept:
            if fits(each):
                self.kept.remove(each)
                return each
        while True:
            message = self.came.get(timeout=LONGEST_S)
            assert message is not None, "the server ended"
            if fits(message):
                return message
            self.kept.append(message)

    def ask(self, method: str, params: Any = None) -> Any:
        number = next(self.numbers)
        self.send(id=number, method=method, params=params)
        answer = self.wait(lambda each: each.get("id") == number and "method" not in each)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def tell(self, method: str, params: Any = None) -> None:
        self.send(method=method, params=params)

    def initialize(self, capabilities: Mapping[str, Any] | None = None) -> Json:
        folder = {"uri": self.root.as_uri(), "name": "root"}
        answer: Json = self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": self.root.as_uri(),
                "workspaceFolders": [folder],
                "capabilities": capabilities or {},
            },
        )
        self.tell("initialized", {})
        return answer

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def open(self, name: str, text: str) -> list[Json]:
        """The diagnostics of a document that is opened; ``text`` need not be what is saved."""
        self.versions[name] = 1
        document = {"uri": self.uri(name), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return self.diagnostics(name)

    def change(self, name: str, text: str) -> None:
        self.versions[name] += 1
        document = {"uri": self.uri(name), "version": self.versions[name]}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def diagnostics(self, name: str) -> list[Json]:
        """Those of the document as it was last told."""
        uri, version = self.uri(name), self.versions[name]

        def fits(message: Json) -> bool:
            params = message.get("params", {})
            told = message.get("method") == "textDocument/publishDiagnostics"
            return told and params["uri"] == uri and params.get("version") == version

        found: list[Json] = self.wait(fits)["params"]["diagnostics"]
        return found

    def at(self, name: str, line: int, character: int) -> Json:
        return {"textDocument": {"uri": self.uri(name)}, "position": {"line": line, "character": character}}

    def end(self) -> int:
        """Say goodbye as the protocol wants it; the exit code."""
        self.ask("shutdown")
        self.tell("exit")
        return self.code()

    def code(self) -> int:
        found: int = self.process.wait(LONGEST_S)
        return found


@pytest.fixture
def place() -> Callable[[str, str], Json]:
    """Where a word first stands in a text, as editors count: in units of UTF-16."""

    def found(text: str, word: str) -> Json:
        before, _, _ = text.partition(word)
        line = before.count("\n")
        start = len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
        end = start + len(word.encode("utf-16-le")) // 2
        return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}

    return found


@pytest.fixture
def connect(start: Callable[..., Any], tmp_path: Path) -> Callable[[], Editor]:
    """Starts a server of its own, in a folder with ``runbooks``."""
    (tmp_path / "runbooks").mkdir()

    def connected() -> Editor:
        process = start(
            [sys.executable, "-m", "runbook_engine", "lsp"],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return Editor(process, tmp_path)

    return connected


@pytest.fixture
def editor(connect: Callable[[], Editor]) -> Iterator[Editor]:
    """One that was greeted already."""
    made = connect()
    made.initialize()
    yield made
    assert made.process.poll() is not None or made.end() == 0
