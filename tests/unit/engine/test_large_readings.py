"""What a probe brings back late, large or broken: other measurements go on, and it is not taken for a reading."""

import threading
import time
from typing import Any

import pytest
from pydantic import JsonValue

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.engine import measure as measuring
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.extracting import take
from runbook_engine.probe import DocumentReading, ProbeContext
from runbook_engine.probe.contract import Probe
from runbook_engine.probe.effort import MOST_STEPS
from runbook_engine.probe.fake import AnyParams

TEXT = """
runbook: example
title: An example
start: look
steps:
  look:
    probe: fake.document
    timeout: 100ms
    extract: {many: {path: "length([?@ > `0`])", type: count}}
    branches: [{when: many > 5, finding: many}, {else: end}]
findings: {many: {level: warning, title: "{{ look.many }} of them"}}
"""


def run(document: Any, *, blocked: float = 0.0, timeout: str = "100ms") -> rb.Trace:
    async def measure(params: AnyParams, ctx: ProbeContext) -> DocumentReading:
        assert params is not None
        assert ctx is not None
        time.sleep(blocked)  # noqa: ASYNC251 - as a careless probe does
        return DocumentReading(document=document)

    probe = Probe("fake.document", AnyParams, DocumentReading, measure, lambda _: "fake", frozenset(), "")
    text = TEXT.replace("100ms", timeout)
    found = Compiler(rb.Registry.of(probe), rb.Library(())).loaded(load(text, "example.yaml"))
    assert found.plan is not None, [str(each) for each in found.diagnostics]
    return rb.run(found.plan, environ={}, knowledge=None)


def test_a_reading_that_comes_after_the_deadline_is_none() -> None:
    trace = run([1] * 10, blocked=0.1 + 3 * measuring.MOST_LATE_S)
    assert trace.outcome == "inconclusive"
    assert not trace.findings
    (blind,) = trace.blind_spots
    assert blind.kind == "timeout"
    assert "after its time had run out" in blind.message


def test_a_large_document_is_looked_through_outside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def watched(*arguments: Any) -> Any:
        threads.append(threading.current_thread().name)
        return take(*arguments)

    monkeypatch.setattr(measuring, "take", watched)
    assert run([1] * 100_000, timeout="60s").outcome == "warning"
    assert threads == ["probe"]
    assert run([1] * 10, timeout="60s").outcome == "warning"
    assert threads == ["probe", threading.main_thread().name]


def test_a_document_that_is_more_than_can_be_looked_through_costs_what_is_taken_out_of_it_and_nothing_else() -> None:
    trace = run([[]] * (MOST_STEPS + 1), timeout="60s")
    (blind,) = trace.blind_spots
    assert blind.kind == "missing"
    assert "many is missing (nothing is taken out of the document: the document is more than can be looked through" in (
        blind.message
    )


@pytest.mark.parametrize("document", [[{1, 2}], [object()], [{1: 2}]])
def test_a_document_that_is_not_json_is_malformed(document: JsonValue) -> None:
    (blind,) = run(document, timeout="60s").blind_spots
    assert blind.kind == "malformed"
    assert "gave a document that is not JSON" in blind.message
