"""Runs made by hand, for every test of a report."""

import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from runbook_engine.engine.trace import Trace


def _module() -> ModuleType:
    name = "hand_made_traces"
    if name not in sys.modules:
        spec = spec_from_file_location(name, Path(__file__).with_name("traces.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def traces() -> Mapping[str, Trace]:
    """By name: healthy, warning, critical, called, inconclusive, interrupted."""
    factories: Mapping[str, Callable[[], Trace]] = _module().TRACES
    return {name: make() for name, make in factories.items()}


@pytest.fixture(scope="session")
def hostile() -> Callable[[str], Trace]:
    """Plants a text wherever somebody else writes one."""
    plant: Callable[[str], Trace] = _module().hostile
    return plant
