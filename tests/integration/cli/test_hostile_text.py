"""Text that others wrote, pushed through every command that shows it: no terminal obeys it, and nothing of it hides."""

import io
import json
import re
import stat
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.cli import streams

EVIL = "\x1b[1;31mEVIL\x1b[8m\x1b]0;owned\x07\x9b2J\u202egnp\u2066\x7f\x1b[2K\x1b[1AEVIL\r\x00\u200b\u2028end"
IN_FILES = EVIL.replace("\x00", "").replace("\r", "").replace("\x7f", "")
ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
COLORS = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|1A|2?K)|\r")
"""What our own texts are painted with, and what the live view draws over its lines with."""
RUNBOOK = {
    "runbook": "evil",
    "title": f"Title {IN_FILES}",
    "description": f"Description {IN_FILES}",
    "symptoms": [f"Symptom {IN_FILES}"],
    "triggers": [{"alert": "*", "with": {"word": "word"}}],
    "inputs": {"word": {"default": f"default {IN_FILES}", "help": f"help {IN_FILES}"}},
    "start": "first",
    "steps": {
        "first": {
            "title": f"First {IN_FILES}",
            "description": f"About {IN_FILES}",
            "probe": "shell.run",
            "with": {"argv": ["./evil.sh", "{{ inputs.word }}"]},
            "extract": {"word": {"path": "text", "type": "string"}},
            "branches": [{"when": "succeeded", "finding": "bad", "goto": "second"}, {"else": "end"}],
            "on_error": [{"else": "end"}],
        },
        "second": {"title": f"Second {IN_FILES}", "ask": f"Question {IN_FILES} {{{{ first.word }}}}?"},
    },
    "findings": {
        "bad": {
            "level": "critical",
            "title": f"Finding {IN_FILES} {{{{ first.word }}}} {{{{ inputs.word }}}}",
            "cause": f"Cause {IN_FILES}",
            "resolution": "mend",
        }
    },
    "resolutions": {"mend": {"title": f"Mend {IN_FILES}", "steps": [f"Step {IN_FILES}"]}},
    "prevention": [f"Prevention {IN_FILES}"],
    "references": [{"title": f"Reference {IN_FILES}", "url": f"https://{IN_FILES}"}],
}
KNOWLEDGE = {
    "knowledge": "ours",
    "title": f"Ours {IN_FILES}",
    "entries": {
        "full": {
            "messages": ["evil * end"],
            "title": f"Known {IN_FILES}",
            "cause": f"Cause {IN_FILES}",
            "solution": f"Solution {IN_FILES}",
            "source": {"title": f"Source {IN_FILES}"},
        }
    },
}
ENVIRONMENT = {
    "environment": "ours",
    "title": f"Ours {IN_FILES}",
    "values": {"wrod": f"value {IN_FILES}", "word": IN_FILES},
}
RULES = {
    "groups": [
        {
            "name": f"g {IN_FILES}",
            "rules": [
                {
                    "alert": f"Rule {IN_FILES}",
                    "expr": "up == 0",
                    "annotations": {"runbook_url": f"https://x/{IN_FILES}"},
                }
            ],
        }
    ]
}
BODY = {
    "version": "4",
    "groupKey": EVIL,
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": f"Shop {EVIL}", "word": f"label {EVIL}", EVIL: EVIL},
            "annotations": {"summary": f"Summary {EVIL}", "description": f"Description {EVIL}"},
            "startsAt": "2026-11-23T14:05:31Z",
            "generatorURL": f"https://x/{EVIL}",
        }
    ],
}  # fmt: skip
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("check", "runbooks/evil.yaml"),
    ("check", "runbooks"),
    ("check", "broken\x1b[2J\u202e.yaml"),
    ("check", "gone" + EVIL.replace("\0", "")),
    ("show", "evil"),
    ("graph", "evil"),
    ("list",),
    ("probes", "shell.run"),
    ("run", "evil", "--allow", "shell", "--no-input"),
    ("run", "evil", "--allow", "shell", "--no-input", "--format", "markdown"),
    ("run", "evil", "--allow", "shell", "--no-input", "--format", "html"),
    ("run", "evil", "--allow", "shell", "--no-input", "--format", "json"),
    ("run", "evil", "--allow", "shell", "--no-input", "--format", "junit"),
    ("run", "evil", "--no-input", "-e", "ours"),
    ("run", "evil", "--no-input", "-s", "word=" + IN_FILES, "--allow", "shell"),
    ("run", "evil", "-s", IN_FILES),
    ("run", "evil", "-s", f"{IN_FILES}=1"),
    ("run", "evil", "-e", IN_FILES),
    ("run", "evil", "--explain-inputs"),
    ("run", IN_FILES),
    ("run", "--replay", "broken\x1b[2J\u202e.yaml"),
    ("history",),
    ("history", IN_FILES),
    ("explain", f"EVIL {IN_FILES}"),
    ("explain", "--all"),
    ("measure", "shell.run", 'argv=["./evil.sh"]', "--allow", "shell"),
    ("measure", "shell.run", IN_FILES),
    ("alert", "body.json", "--dry-run"),
    ("alert", "body.json", "--open", "--allow", "shell"),
    ("alert", "--list"),
    ("audit-alerts", "rules.yaml"),
    ("incident", "note", f"Note {IN_FILES}"),
    ("incident", "update", f"Update {IN_FILES}"),
    ("incident", "show"),
    ("incident", "list"),
    ("incident", "messages"),
    ("incident", "tasks"),
    ("incident", "resolve", f"Resolved {IN_FILES}"),
    ("incident", "postmortem"),
    ("incident", "done", IN_FILES),
    ("new", IN_FILES),
    ("test", "--generate", "evil", "-o", "-"),
    (IN_FILES,),
    ("run", f"--{IN_FILES}"),
)


def written(shell: Any) -> Any:
    """A folder in which everything is hostile."""
    (shell.folder / "runbooks" / "environments").mkdir(parents=True)
    shell.write("runbooks/evil.yaml", json.dumps(RUNBOOK))
    shell.write("runbooks/knowledge.yaml", json.dumps(KNOWLEDGE))
    shell.write("runbooks/environments/ours.yaml", json.dumps(ENVIRONMENT))
    shell.write("broken\x1b[2J\u202e.yaml", json.dumps({**RUNBOOK, IN_FILES: 1, "start": IN_FILES}))
    shell.write("rules.yaml", json.dumps(RULES))
    shell.write("body.json", json.dumps(BODY))
    octal = "".join(f"\\{byte:03o}" for byte in EVIL.encode())
    shell.write("evil.sh", f"#!/bin/sh\nprintf 'out {octal}'\nprintf 'err {octal}' >&2\n")
    script = shell.folder / "evil.sh"
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return shell


def acting(text: str) -> list[str]:
    """What is left in it that a terminal would obey or that hides, with what stands around."""
    return [text[max(0, found.start() - 40) : found.end() + 20] for found in ACTS.finditer(text)]


def test_no_command_writes_what_a_terminal_obeys(shell: Any) -> None:
    written(shell)
    seen = ""
    for arguments in COMMANDS:
        done = shell(*arguments)
        assert done.returncode != 70, (arguments, done.stderr)
        text = done.stdout + done.stderr
        assert acting(text) == [], (arguments, acting(text))
        seen += text
    # Otherwise nothing was tried.
    for shown in ("Title", "Finding", "Cause", "Question", "out", "err", "Summary", "Note", "Known"):
        assert re.search(f"{shown}.{{0,12}}EVIL", seen), shown


def test_on_a_terminal_only_our_own_colours_act(shell: Any, terminal: Callable[..., Any]) -> None:
    written(shell)
    seen = ""
    for arguments in COMMANDS:
        screen = terminal(*arguments)
        screen.type("\x04")
        screen.end(60.0)
        # What is typed on the command line is no part of it: nothing here echoes.
        text = screen.seen.replace("^D\b\b", "")
        assert "\x1b[1;31mEVIL" not in text, arguments
        assert "\x1b[8m" not in text, arguments
        assert "\x1b[1AEVIL" not in text, arguments
        rest = COLORS.sub("", text)
        assert acting(rest) == [], (arguments, acting(rest))
        seen += rest
    assert "␛[1;31mEVIL" in seen


@given(st.text(), st.booleans())
def test_whatever_is_written_to_a_guarded_stream_is_seen(text: str, painted: bool) -> None:
    sink = io.BytesIO()
    stream = streams._Guarded(io.BufferedWriter(_Raw(sink)), encoding="utf-8", errors="backslashreplace")
    stream.write(text)
    streams._put(stream, f"\x1b[1m{text}", painted=painted)
    stream.flush()
    assert acting(sink.getvalue().decode()) == []


class _Raw(io.RawIOBase):
    def __init__(self, sink: io.BytesIO) -> None:
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._sink.write(data)


@pytest.mark.parametrize(
    "text", ["\x1b[8mhidden", "\x1b[2J", "\x1b[31;40mx", "\x1b[38;5;0mx", "\x1b]8;;http://evil\x07"]
)
def test_a_painted_text_has_colours_and_nothing_else(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    sink = io.StringIO()
    monkeypatch.setattr(streams, "colored", lambda _stream: True)
    streams._put(sink, f"\x1b[1;31m{text}\x1b[0m", painted=True)
    assert re.sub(r"\A\x1b\[1;31m|\x1b\[0m\Z", "", sink.getvalue()).count("\x1b") == 0
    assert sink.getvalue().startswith("\x1b[1;31m␛")
