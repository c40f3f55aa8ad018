"""Streams that nobody reads, and what must never be written to them."""

import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Port = Callable[..., str]


@pytest.fixture
def nobody() -> Iterator[int]:
    """A pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "port.yaml", "-s", "postgres://u:hunter22@db/app"),
        ("run", "port.yaml", "-s", "port=1", "postgres://u:hunter22@db/app"),
        ("run", "postgres://u:hunter22@db/app"),
        ("show", "postgres://u:hunter22@db/app"),
        ("postgres://u:hunter22@db/app",),
        ("run", "port.yaml", "--deadline", "postgres://u:hunter22@db/app"),
    ],
)
def test_a_mistyped_command_shows_no_password(shell: Any, port_runbook: Port, arguments: tuple[str, ...]) -> None:
    port_runbook()
    done = shell(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "hunter22" not in done.stderr


def test_a_secret_of_the_environment_is_masked_where_it_was_typed_as_a_name(shell: Any) -> None:
    done = shell("run", "s3cr3t-t0ken", APP_TOKEN="s3cr3t-t0ken")
    assert done.returncode == 2
    assert "s3cr3t-t0ken" not in done.stderr


def test_a_run_whose_progress_nobody_reads_still_reports(
    shell: Any, port_runbook: Port, closed: int, nobody: int
) -> None:
    command = [*shell.command, "run", port_runbook(closed), "--no-input"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=nobody, text=True, check=False, env=shell.environ, cwd=shell.folder
    )
    assert done.returncode == 1
    assert f"Port {closed} is closed" in done.stdout


def test_a_reader_who_has_seen_enough_changes_no_exit_code(
    shell: Any, port_runbook: Port, closed: int, nobody: int
) -> None:
    command = [*shell.command, "run", port_runbook(closed), "--no-input", "-q"]
    done = subprocess.run(
        command, stdout=nobody, stderr=subprocess.PIPE, text=True, check=False, env=shell.environ, cwd=shell.folder
    )
    assert done.returncode == 1
    assert done.stderr == ""


def test_a_usage_error_that_nobody_reads_still_ends_with_2(shell: Any, nobody: int) -> None:
    done = subprocess.run([*shell.command, "rnu"], stderr=nobody, check=False, env=shell.environ, cwd=shell.folder)
    assert done.returncode == 2
