"""The command where streams are closed or full, files are few, and somebody ends it: a sentence, an exit code, the report."""

import os
import resource
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Port = Callable[..., str]

SLOW = """runbook: slow
title: One refuses, one says nothing
start: [closed, silent]
steps:
  closed:
    probe: tcp.connect
    with: {{host: 127.0.0.1, port: {closed}}}
    on_error: [{{kind: refused, finding: shut}}]
  silent:
    probe: http.get
    with: {{url: "http://127.0.0.1:{listening}/"}}
    timeout: 60s
    branches: [{{when: total > 5s, finding: shut}}, {{else: end}}]
findings: {{shut: {{level: critical, title: It is shut, resolution: fix}}}}
resolutions: {{fix: {{title: Fix, steps: [Fix it]}}}}
"""


def small_files() -> None:
    """No file of more than 2 KiB, for a process that begins."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))


def run_by_sh(shell: Any, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A line of a shell in which ``runbook`` is the command."""
    return subprocess.run(
        ["bash", "-c", f'runbook() {{ {shell.command[0]} "$@"; }}; {script}'],
        capture_output=True,
        text=True,
        check=False,
        env={**shell.environ, **environ},
        cwd=shell.folder,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "command",
    [
        "run {file} -q",
        "run {file} -q --format json",
        "list",
        "check .",
        "check . --format json",
        "probes",
        "--help",
        "schema",
    ],
)
@pytest.mark.parametrize(("to", "why"), [(">/dev/full", "No space left on device"), (">&-", "it is closed")])
def test_what_cannot_be_shown_is_told(
    shell: Any, port_runbook: Port, closed: int, command: str, to: str, why: str
) -> None:
    file = port_runbook(closed)
    done = run_by_sh(shell, f"runbook {command.format(file=file)} {to}")
    assert f"standard output cannot be written: {why}" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize("closing", ["2>&-", "<&-", "2>/dev/full", "<&- 2>&-"])
def test_a_report_needs_neither_standard_error_nor_standard_input(
    shell: Any, port_runbook: Port, closed: int, closing: str
) -> None:
    done = run_by_sh(shell, f"runbook run {port_runbook(closed)} {closing}")
    assert done.returncode == 1
    assert f"Port {closed} is closed" in done.stdout


def test_a_report_in_a_file_needs_no_stream_at_all(shell: Any, port_runbook: Port, closed: int) -> None:
    done = run_by_sh(shell, f"runbook run {port_runbook(closed)} -o report.txt <&- >&- 2>&-")
    assert done.returncode == 1
    assert f"Port {closed} is closed" in Path(shell.folder / "report.txt").read_text()


def test_what_is_said_never_reaches_a_file_that_took_the_number_of_a_closed_stream(
    shell: Any, port_runbook: Port, closed: int
) -> None:
    state = shell.folder / "state"
    for closing in ("2>&-", ">&-", "<&- >&- 2>&-"):
        run_by_sh(shell, f"runbook run {port_runbook(closed)} {closing}", RUNBOOK_STATE=str(state))
    done = shell("history", RUNBOOK_STATE=str(state))
    assert done.stdout.count("critical") == 3, done.stderr
    assert {each.name.partition("-")[0] for each in state.iterdir()} == {"journal.sqlite3"}


@pytest.mark.parametrize(
    ("command", "code"),
    [("run port.yaml -q", 1), ("check broken.yaml", 78), ("list", 0), ("check broken.yaml --format json", 78)],
)
def test_a_reader_of_one_line_changes_no_exit_code(
    shell: Any, port_runbook: Port, closed: int, command: str, code: int
) -> None:
    port_runbook(closed)
    shell.write("broken.yaml", "runbook: broken\ntitle: B\nstart: nowhere\nsteps: {}\n")
    done = run_by_sh(shell, f"runbook {command} | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, "error" in done.stderr) == (code, False)


@pytest.mark.parametrize("descriptors", [8, 12, 16, 20, 24])
def test_few_descriptors_end_in_a_sentence_and_never_in_a_mistake_of_ours(
    shell: Any, port_runbook: Port, closed: int, descriptors: int
) -> None:
    done = subprocess.run(
        [*shell.command, "run", port_runbook(closed), "-q"],
        capture_output=True,
        text=True,
        check=False,
        env=shell.environ,
        cwd=shell.folder,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)),
    )
    assert done.returncode in (1, 2, 3), done.stderr
    assert "mistake of runbook itself" not in done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert "ulimit -n" in done.stderr
    else:
        assert f"Port {closed} is closed" in done.stdout or "ulimit -n" in done.stdout


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_whoever_ends_a_job_in_the_background_gets_the_report_so_far(
    shell: Any, closed: int, listening: int, name: str
) -> None:
    shell.write("slow.yaml", SLOW.format(closed=closed, listening=listening))
    running = subprocess.Popen(
        [*shell.command, "run", "slow.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=shell.folder,
        env=shell.environ,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509 - as shells start background jobs
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "It is shut" in line:
            break
    running.send_signal(getattr(signal, name))
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130, err
    assert "It is shut" in out
    done = shell("history")
    assert "interrupted" in done.stdout


def test_a_closed_terminal_does_not_end_what_nohup_started(shell: Any, closed: int, listening: int) -> None:
    shell.write("slow.yaml", SLOW.format(closed=closed, listening=listening))
    running = subprocess.Popen(
        [*shell.command, "run", "slow.yaml", "--deadline", "2s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=shell.folder,
        env=shell.environ,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),  # noqa: PLW1509
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "It is shut" in line:
            break
    running.send_signal(signal.SIGHUP)
    _, err = running.communicate(timeout=20)
    assert running.returncode == 1, err


def test_a_report_on_a_full_disk_leaves_the_old_one_and_is_shown(shell: Any, port_runbook: Port, closed: int) -> None:
    """A full disk is simulated by the limit on a file's size, at which a write fails in the same place."""
    old = "what was written yesterday\n" * 10
    Path(shell.folder / "report.html").write_text(old)
    done = subprocess.run(
        [*shell.command, "run", port_runbook(closed), "-q", "-o", "report.html"],
        capture_output=True,
        text=True,
        check=False,
        env={**shell.environ, "RUNBOOK_STATE": "/proc/nowhere", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=shell.folder,
        preexec_fn=small_files,
    )
    assert done.returncode == 2
    assert "the report cannot be written to report.html" in done.stderr
    assert f"Port {closed} is closed" in done.stdout
    assert Path(shell.folder / "report.html").read_text() == old
    assert not list(shell.folder.glob(".report.html*"))


def test_the_report_comes_before_what_is_said_of_the_recording(shell: Any, port_runbook: Port, closed: int) -> None:
    done = run_by_sh(shell, f"runbook run {port_runbook(closed)} -q --record /no/such/place 2>&1")
    assert done.returncode == 2
    assert done.stdout.index(f"Port {closed} is closed") < done.stdout.index("the recording cannot be written")


@pytest.mark.parametrize("command", ["run {file} -q -o evidence", "run {file} -q --record evidence"])
def test_files_with_evidence_are_for_their_owner_alone_until_told_otherwise(
    shell: Any, port_runbook: Port, closed: int, command: str
) -> None:
    file, written = port_runbook(closed), Path(shell.folder / "evidence")
    shell(*command.format(file=file).split())
    assert written.stat().st_mode & 0o777 == 0o600
    written.chmod(0o644)
    shell(*command.format(file=file).split())
    assert written.stat().st_mode & 0o777 == 0o644


def test_a_device_or_a_pipe_is_written_to_as_it_is(shell: Any, port_runbook: Port, closed: int) -> None:
    done = shell("run", port_runbook(closed), "-q", "-o", "/dev/stdout", "--format", "markdown")
    assert done.returncode == 1
    assert f"Port {closed} is closed" in done.stdout
    fifo = shell.folder / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True) as reader:
        shell("run", port_runbook(closed), "-q", "-o", "fifo")
        assert f"Port {closed} is closed" in reader.communicate(timeout=20)[0]


READING = (
    "history",
    "incident list",
    "incident show",
    "incident tasks",
    "incident stats",
    "incident messages",
    "alert --list",
)


@pytest.fixture
def kept(shell: Any, port_runbook: Port, closed: int) -> Path:
    """The folder of a journal with a run and an incident."""
    state = Path(shell.folder / "state")
    shell("run", port_runbook(closed), "-q", RUNBOOK_STATE=str(state))
    opened = shell("incident", "open", "Shop down", "-p", "P0", RUNBOOK_STATE=str(state))
    assert opened.returncode == 0, opened.stderr
    return state


def test_looking_needs_no_lock(shell: Any, kept: Path) -> None:
    with sqlite3.connect(kept / "journal.sqlite3", isolation_level=None) as other:
        other.execute("begin exclusive")
        for command in READING:
            done = shell(*command.split(), RUNBOOK_STATE=str(kept))
            assert done.returncode == 0, (command, done.stderr)


def test_looking_needs_no_permission_to_write(shell: Any, kept: Path) -> None:
    """The folder is mounted for reading alone: root may write wherever permissions say that nobody may."""
    script = (
        f"mount --bind {kept} {kept} && mount -o remount,bind,ro {kept} && "
        f"! touch {kept}/probe 2>/dev/null && {shell.command[0]} history && {shell.command[0]} incident list"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**shell.environ, "RUNBOOK_STATE": str(kept)},
        cwd=shell.folder,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr or "mount failed" in done.stderr:
        for each in (*kept.iterdir(), kept):
            each.chmod(each.stat().st_mode & ~0o222)
        done = shell("history", RUNBOOK_STATE=str(kept))
    assert done.returncode == 0, done.stderr
    assert "critical" in done.stdout


@pytest.mark.parametrize("command", [*READING, "incident open again -p P1", "incident ack"])
def test_a_journal_of_a_newer_version_is_told_of_by_every_command(shell: Any, kept: Path, command: str) -> None:
    with sqlite3.connect(kept / "journal.sqlite3") as journal:
        journal.execute("pragma user_version = 99")
    done = shell(*command.split(), RUNBOOK_STATE=str(kept))
    assert done.returncode == 2
    assert "was written by a newer version of runbook-engine; upgrade it" in done.stderr


@pytest.mark.parametrize("command", [*READING, "incident open again -p P1"])
def test_a_broken_journal_is_told_of_by_every_command(shell: Any, kept: Path, command: str) -> None:
    for each in kept.iterdir():
        each.write_bytes(b"spoilt" * 1_000)
    done = shell(*command.split(), RUNBOOK_STATE=str(kept))
    assert done.returncode == 2
    assert f"the journal {kept / 'journal.sqlite3'} cannot be opened: file is not a database" in done.stderr


@pytest.mark.parametrize("command", ["history", "incident list", "incident stats", "alert --list"])
def test_looking_at_nothing_makes_no_file(shell: Any, command: str) -> None:
    done = shell(*command.split(), RUNBOOK_STATE=str(shell.folder / "none"))
    assert done.returncode == 0, done.stderr
    assert not (shell.folder / "none").exists()
