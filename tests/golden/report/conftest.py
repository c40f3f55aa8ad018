"""The same hand-made runs as the unit tests of reports."""

import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from runbook_engine.engine.trace import Trace

_FILE = Path(__file__).parents[2] / "unit" / "report" / "traces.py"


@pytest.fixture(scope="session")
def traces() -> Mapping[str, Trace]:
    """By name: healthy, warning, critical, called, inconclusive, interrupted."""
    spec = spec_from_file_location("hand_made_traces", _FILE)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["hand_made_traces"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    factories: Mapping[str, Callable[[], Trace]] = module.TRACES
    return {name: make() for name, make in factories.items()}
