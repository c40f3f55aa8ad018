"""What other people install: the wheel, and a probe of their own."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pip_install(source: Path, target: Path) -> None:
    """As `pip install`, into a folder; without a network, since hatchling is here already."""
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--target", str(target)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def runbook(folder: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(folder), "RUNBOOK_STATE": str(cwd / "state")}
    command = [sys.executable, "-c", "from runbook_engine.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, cwd=cwd)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(folder),
            str(ROOT),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_engine_probes_runbooks_and_templates(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for expected in (
        "runbook_engine/__init__.py",
        "runbook_engine/py.typed",
        "runbook_engine/_runbooks/high-latency.yaml",
        "runbook_engine/document/codes/RB301.md",
        "runbook_probes/http.py",
        "runbook_probes/py.typed",
    ):
        assert expected in names
    for folder in ("report", "incidents"):
        assert any(name.startswith(f"runbook_engine/{folder}/templates/") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "examples/", "src/"))]


def test_the_installed_wheel_finds_its_runbooks_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    pip_install(wheel, tmp_path / "installed")
    done = runbook(tmp_path / "installed", "list", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (found,) = [each for each in json.loads(done.stdout) if each["name"] == "high-latency"]
    assert str(tmp_path / "installed") in found["path"]
    assert runbook(tmp_path / "installed", "check", "high-latency", cwd=tmp_path).returncode == 0


def test_a_third_party_probe_installs_and_runs(tmp_path: Path) -> None:
    pip_install(ROOT / "examples" / "own_probe", tmp_path / "installed")
    file = str(ROOT / "examples" / "own_probe" / "disk-full.yaml")
    shown = runbook(tmp_path / "installed", "probes", "disk.usage", cwd=tmp_path)
    assert "disk-probe" in shown.stdout, shown.stderr
    done = runbook(
        tmp_path / "installed", "run", file, "-s", "full=0%", "-s", f"path={tmp_path}", "--format", "json", cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert [each["id"] for each in report["findings"]] == ["disk_full"]
    assert report["steps"][0]["command"] == f"df -h {tmp_path}"


def test_without_the_third_party_probe_the_runbook_is_refused_by_name(tmp_path: Path) -> None:
    file = str(ROOT / "examples" / "own_probe" / "disk-full.yaml")
    done = runbook(tmp_path, "run", file, cwd=tmp_path)
    assert done.returncode == 78
    assert "no installed package provides the probe 'disk.usage'" in done.stderr
