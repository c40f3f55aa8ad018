"""A fresh machine measures nobody: no packet goes anywhere but to what the user named, whatever the command."""

import json
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.library import Library, shipped_directory

WATCH = """
import os, sys

def watch(event, args, _file=os.environ["WATCHED"], _clients=("psycopg", "redis", "boto3", "botocore")):
    if event == "import":
        if args[0] not in _clients:  # what is done in C is not audited, so its library counts
            return
        told = "import " + args[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        told = event + " " + repr(args[1])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen"):
        told = event + " " + repr(args[:2])
    else:
        return
    with open(_file, "a") as out:
        print(told, file=out)

sys.addaudithook(watch)
"""
ALERT = {
    "alerts": [{"status": "firing", "labels": {"alertname": "ApiLatencyHigh"}, "startsAt": "2026-01-01T00:00:00Z"}]
}
SHIPPED = sorted(Library((shipped_directory(),)).files())


@pytest.fixture
def watched(shell: Any, tmp_path: Path) -> Any:
    """The command in an empty home without a variable of ours, and every packet, look-up and program that it begins."""
    spy = tmp_path / "spy"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(WATCH)
    log = tmp_path / "watched.txt"

    def run(*arguments: str) -> tuple[Any, list[str]]:
        log.write_text("")
        done = shell(*arguments, PYTHONPATH=str(spy), WATCHED=str(log))
        return done, log.read_text().splitlines()

    return run


@pytest.mark.parametrize("runbook", SHIPPED)
@pytest.mark.parametrize("more", [(), ("-e", "production"), ("-e", "staging")], ids=["", "production", "staging"])
def test_a_shipped_runbook_asks_for_what_it_measures(watched: Any, runbook: str, more: tuple[str, ...]) -> None:
    done, seen = watched("run", runbook, "--no-input", "--no-journal", *more)

    assert seen == []
    if runbook == "diagnostic-scripts":  # its programs are refused
        assert done.returncode == 3
    else:
        assert (done.returncode, "is missing: give -s" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("triage", "--no-input", "--no-journal"),
        ("triage", "--no-input", "--no-journal", "-e", "production"),
        ("list",),
        ("check", str(shipped_directory())),
        ("test", str(shipped_directory() / "high-latency.test.yaml")),
        ("show", "system-health"),
        ("graph", "system-health"),
        ("explain", "connection refused"),
        ("probes",),
        ("run", "system-health", "--explain-inputs"),
        ("history",),
    ],
    ids=lambda each: " ".join(each[:2]).partition("/")[0],
)
def test_no_other_command_does(watched: Any, arguments: tuple[str, ...]) -> None:
    _, seen = watched(*arguments)

    assert seen == []


def test_an_alert_does_not_either(watched: Any, shell: Any) -> None:
    body = shell.write("body.json", json.dumps(ALERT))

    done, seen = watched("alert", body)

    assert seen == []
    assert done.returncode != 0


@pytest.mark.parametrize("runbook", ["high-latency", "high-error-rate"])
def test_of_a_system_only_what_was_named_is_asked(watched: Any, runbook: str) -> None:
    _, seen = watched("run", runbook, "--no-input", "--no-journal", "-s", "api_url=http://127.0.0.1:1")

    assert seen
    assert [each for each in seen if "'127.0.0.1', 1" not in each] == []


def test_what_is_watched_would_be_seen(watched: Any) -> None:
    _, seen = watched("run", "redis-cache", "--no-input", "--no-journal", "-s", "redis_url=redis://127.0.0.1:1")

    assert "import redis" in seen
    assert any("'127.0.0.1', 1" in each for each in seen)
