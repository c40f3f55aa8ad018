"""Whatever is done to a document, checking it raises nothing, ends soon and needs little memory."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.damage import NASTY, check

from runbook_engine.cli.check_files import Checker
from runbook_engine.document.load import kind_of_text
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

FUZZ = Path(__file__).parents[1] / "fuzz"
DOCUMENTS = FUZZ / "documents"
KINDS = {
    "runbook": "runbook",
    "cases": "tests",
    "environment": "environment",
    "knowledge": "knowledge",
    "policy": "policy",
}
MOST_MB = 200.0
ROUNDS = 12 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1
"""How many of the nasty texts are put at each byte; over the bytes of a document all of them are."""


def document(name: str) -> bytes:
    return (DOCUMENTS / f"{name}.yaml").read_bytes()


@pytest.mark.parametrize("name", KINDS)
def test_the_documents_that_are_damaged_are_of_every_kind_and_broken_in_many_ways(name: str) -> None:
    checker = Checker(Registry(), Library((DOCUMENTS,)))
    found = checker.file(DOCUMENTS / f"{name}.yaml")
    assert kind_of_text(found.text) == KINDS[name]
    assert len({each.code for each in found.diagnostics}) >= 4
    assert name != "runbook" or len(found.text.splitlines()) == 60


@pytest.mark.timeout(1200 if ROUNDS > 1 else 180)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("how", ["delete", "replace", "insert"])
def test_a_broken_document_damaged_at_every_byte_is_checked_without_ado(name: str, how: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz.damage", str(DOCUMENTS / f"{name}.yaml"), how, str(ROUNDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FUZZ.parents[1])
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["raised"] == [], "\n".join(told["raised"])
    assert told["checked"] == len(document(name)) * (1 if how == "delete" else ROUNDS)
    assert told["peak_mb"] < MOST_MB


@st.composite
def damages(draw: st.DrawFn) -> bytes:
    """A document of any kind with several slices removed, doubled, or replaced by something nasty."""
    content = document(draw(st.sampled_from(sorted(KINDS))))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.sampled_from(NASTY), st.just(content[start:end] * 3), st.binary(max_size=4)))
        content = content[:start] + piece + content[end:]
    return content


@given(damages())
@settings(max_examples=200)
def test_any_damage_to_a_broken_document_is_reported_inside_its_text(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    directory = tmp_path_factory.getbasetemp()
    (directory / "sound.yaml").write_bytes(document("sound"))
    found = check(content, Checker(Registry(), Library((directory,))), directory / "damaged.yaml")
    last = found.text.count("\n") + found.text.count("\r") + len(found.text.splitlines()) + 1
    assert all(1 <= each.span.line <= each.span.end_line <= last for each in found.diagnostics)
    assert all(each.message and each.code.startswith("RB") for each in found.diagnostics)


if find_spec("atheris"):  # it has no wheels for every system

    def test_what_atheris_makes_of_the_documents_is_checked_without_ado(tmp_path: Path) -> None:
        (tmp_path / "corpus").mkdir()
        options = ["-max_total_time=15", "-timeout=20", f"-rss_limit_mb={MOST_MB:.0f}", f"-artifact_prefix={tmp_path}/"]
        fuzz = [sys.executable, "-m", "tests.fuzz.coverage_guided", *options, str(tmp_path / "corpus"), str(DOCUMENTS)]
        # A process inherits the peak of the one that it was forked from: a shell's is small, that of a test run is not.
        command = ["sh", "-c", '"$@"; exit $?', "sh", *fuzz]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=FUZZ.parents[1], errors="replace", timeout=120
        )
        assert done.returncode == 0, done.stderr[-4000:]
        assert "Done " in done.stderr
