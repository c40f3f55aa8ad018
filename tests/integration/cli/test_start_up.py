"""What each command loads: time at start is modules at start."""

import subprocess
import sys
from pathlib import Path

import pytest

CLIENTS = {"httpcore", "httpx", "psycopg", "redis", "boto3", "botocore", "dns"}
HEAVY = {"yaml", "pydantic", "networkx", "jinja2", "anyio", "rich"}


def loaded(folder: str, *arguments: str) -> set[str]:
    program = (
        f"import atexit, sys; sys.argv = {['runbook', *arguments]!r}\n"
        "atexit.register(lambda: print('\\n'.join({name.partition('.')[0] for name in sys.modules}), file=sys.stderr))\n"
        "from runbook_engine.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=folder)
    found = set(done.stderr.split())
    assert "click" in found
    return found


def test_what_is_to_happen_at_the_end_happens_and_the_exit_code_is_kept(tmp_path: Path) -> None:
    program = (
        "import atexit, sys; sys.argv = ['runbook', 'show', 'nothing-of-that-name']\n"
        "atexit.register(lambda: print('cleaned up'))\n"
        "from runbook_engine.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "cleaned up\n")


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("incident", "--help"), ("incident", "actions", "--help"), ("measure", "--help")],
)
def test_help_loads_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert loaded(str(tmp_path), *arguments) & (HEAVY | CLIENTS) == set()


def test_list_loads_no_networkx_and_no_client(tmp_path: Path) -> None:
    found = loaded(str(tmp_path), "list")
    assert found & (CLIENTS | {"networkx", "jinja2", "rich"}) == set()
    assert "yaml" in found


def test_probes_are_listed_without_importing_one(tmp_path: Path) -> None:
    assert loaded(str(tmp_path), "probes") & (CLIENTS | {"runbook_probes", "networkx"}) == set()


def test_a_run_loads_only_the_client_that_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(
        "runbook: one\ntitle: T\nstart: a\nsteps: {a: {probe: tcp.connect, with: {host: 127.0.0.1, port: 1}}}\n"
    )
    assert (
        loaded(str(tmp_path), "run", str(file), "-q", "--no-journal") & (CLIENTS | {"networkx", "jinja2", "rich"})
        == set()
    )
