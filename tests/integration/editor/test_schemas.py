"""``runbook schema`` as it is set up for an editor."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema

from runbook_engine.document.schema import SCHEMAS
from runbook_engine.document.yaml_text import compose
from runbook_engine.library import shipped_directory


def run(*arguments: str, at: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "runbook_engine", "schema", *arguments],
        cwd=at,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_a_file_is_written_for_each_kind_and_an_editor_is_told_of_them(tmp_path: Path) -> None:
    told = run("--all", "schemas", at=tmp_path)
    assert {each.stem for each in (tmp_path / "schemas").iterdir()} == set(SCHEMAS)
    for file in (tmp_path / "schemas").iterdir():
        jsonschema.Draft202012Validator.check_schema(json.loads(file.read_text("utf-8")))
    settings = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert set(settings["yaml.schemas"]) == {f"schemas/{kind}.json" for kind in SCHEMAS}
    assert "# yaml-language-server: $schema=../schemas/runbook.json" in told


def test_a_schema_has_the_installed_probes_in_it_unless_it_is_asked_not_to(tmp_path: Path) -> None:
    text = (shipped_directory() / "high-latency.yaml").read_text("utf-8").replace("samples:", "sampels:")
    document = compose(text, "r.yaml").value
    assert not jsonschema.Draft202012Validator(json.loads(run(at=tmp_path))).is_valid(document)
    assert jsonschema.Draft202012Validator(json.loads(run("runbook", "--no-probes", at=tmp_path))).is_valid(document)


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "schemas").write_text("a file")
    done = subprocess.run(
        [sys.executable, "-m", "runbook_engine", "schema", "--all", "schemas"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "schemas" in done.stderr
