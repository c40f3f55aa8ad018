"""Every fault of the lab is found, and named, by the command as a responder would type it; a healthy system is healthy."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runbook_engine.lab import FAULTS


@pytest.mark.parametrize("fault", list(FAULTS))
def test_high_latency_names_the_injected_fault(fault: str, state: Path) -> None:
    command = [str(Path(sys.executable).with_name("runbook"))]
    command += ["run", "high-latency", "--lab", fault, "--no-input", "--format", "json"]
    environ = {**os.environ, "RUNBOOK_STATE": str(state)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=120)
    report = json.loads(done.stdout)
    causes = sorted(each["id"] for each in report["findings"] if each["kind"] == "cause")
    told = {each["id"]: (each["status"], each["branch"], each["reading"], each["error"]) for each in report["steps"]}
    assert causes == sorted(FAULTS[fault].expects), told
    assert report["blind_spots"] == []
    assert report["symptom"]["confirmed"] == any(each["kind"] == "symptom" for each in report["findings"])
    if fault in ("none", "cpu_high"):
        assert not report["symptom"]["confirmed"]
        assert "p95" in report["symptom"]["why"]
    if fault == "none":
        assert report["findings"] == []
        assert (report["outcome"], done.returncode) == ("healthy", 0)
    else:
        assert report["outcome"] in ("warning", "critical")
        assert done.returncode == 1
