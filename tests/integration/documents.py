"""Documents that real probes gave, held against what the probes say of them."""

from typing import Any

from runbook_engine.document.models import Extract, ExtractType
from runbook_engine.graph.extracting import take
from runbook_engine.probe import Probe, Reading, Value
from runbook_engine.probe.contract import DocumentReading
from runbook_engine.probe.shape import misfits, shape_of


def assert_document_as_declared(probe: Probe[Any, Any], reading: Reading) -> None:
    if probe.document is not None and isinstance(reading, DocumentReading):
        assert list(misfits(reading.document, shape_of(probe.document))) == []


def extracted(reading: Any, path: str, type_: str) -> Value:
    """What a step would take out of it."""
    assert reading.incomplete == ""
    return take(reading.document, Extract(path=path, type=ExtractType(type_)))
