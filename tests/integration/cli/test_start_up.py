"""What each command loads: time at start is modules at start."""

import subprocess
import sys
from typing import Any

import pytest

CLIENTS = {"httpcore", "httpx", "psycopg", "redis", "boto3", "botocore", "dns"}
HEAVY = {"yaml", "pydantic", "networkx", "jinja2", "anyio", "rich"}


def loaded(folder: str, *arguments: str) -> set[str]:
    program = (
        f"import sys; sys.argv = {['runbook', *arguments]!r}\n"
        "from runbook_engine.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\n'.join({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_loads_nothing_heavy(tmp_path: Any, arguments: tuple[str, ...]) -> None:
    assert loaded(str(tmp_path), *arguments) & (HEAVY | CLIENTS) == set()


def test_list_loads_no_networkx_and_no_client(tmp_path: Any) -> None:
    found = loaded(str(tmp_path), "list")
    assert found & (CLIENTS | {"networkx", "jinja2", "rich"}) == set()
    assert "yaml" in found


def test_probes_are_listed_without_importing_one(tmp_path: Any) -> None:
    assert loaded(str(tmp_path), "probes") & (CLIENTS | {"runbook_probes", "networkx"}) == set()


def test_a_run_loads_only_the_client_that_it_needs(tmp_path: Any) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(
        "runbook: one\ntitle: T\nstart: a\nsteps: {a: {probe: tcp.connect, with: {host: 127.0.0.1, port: 1}}}\n"
    )
    assert loaded(str(tmp_path), "run", str(file), "-q", "--no-journal") & (CLIENTS | {"networkx", "rich"}) == set()
