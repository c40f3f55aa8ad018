"""What people read on the command line, as it was approved."""

from collections.abc import Callable
from pathlib import Path

import pytest

FILES = Path(__file__).parent / "files"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("show", ("show", "port-closed")),
        ("check", ("check", "runbooks")),
        ("check-sound", ("check", "port-closed")),
        ("run-with-mistakes", ("run", "broken")),
        ("run-wrong-inputs", ("run", "port-closed", "-s", "prot=1", "-s", "port=many")),
        ("no-such-probe", ("probes", "tcp.conect")),
        ("probe", ("probes", "tcp.connect")),
        ("probe-json", ("probes", "tcp.connect", "--format", "json")),
        ("history-empty", ("history",)),
    ],
)
def test_a_command_reads_as_it_was_approved(
    name: str, arguments: tuple[str, ...], typed: Callable[..., str], golden: Callable[[Path, str], None]
) -> None:
    golden(FILES / f"{name}.out", typed(*arguments))


def test_the_list_has_each_runbook_with_its_place_and_tells_broken_ones(typed: Callable[..., str]) -> None:
    lines = [line.split(maxsplit=2) for line in typed("list").splitlines()]
    at = lines.index(["no-steps", "--", "has mistakes: runbook check runbooks/no-steps.yaml"])
    assert lines[at + 1] == ["runbooks/no-steps.yaml"]
    at = lines.index(["port-closed", "P2", "Nothing answers on the port"])
    assert lines[at + 1] == ["runbooks/port-closed.yaml", "2.1.0"]
    assert any(line[:2] == ["high-latency", "P2"] for line in lines)
    assert lines[-1] == ["[0]"]
