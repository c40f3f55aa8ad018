"""Readings of a part: what was cut is never judged, and what is missing says how to get the whole."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.engine.border import MOST_JUDGED
from runbook_engine.engine.events import Outcome
from runbook_engine.errors import ProbeContractError
from runbook_engine.graph.compile import Compiler
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Count, DocumentReading, Params, Probe, ProbeContext, Reading, first, probe
from runbook_engine.probe.fake import FakeProbe

TEXT = """
runbook: example
title: An example
start: look
steps:
  look:
    probe: shop.orders
    with: {{most: {most}}}
    extract:
      all: {{path: length(@), type: count}}
      largest: {{path: max(@), type: count}}
    branches: [{{when: '{condition}', finding: found}}, {{else: end}}]
findings:
  found: {{level: warning, title: Found}}
"""


class OrdersParams(Params):
    most: int = 100


class OrdersReading(DocumentReading):
    PARTIAL: ClassVar = {"orders": "most"}

    orders: Count | None
    fast: bool = True


def orders(there: int) -> Probe[OrdersParams, OrdersReading]:
    @probe("shop.orders", command=lambda _params: "orders")
    async def measure(params: OrdersParams, _ctx: ProbeContext) -> OrdersReading:
        """Counts orders."""
        found, cut = first(range(there), params, "most", "orders")
        return OrdersReading(orders=len(found), document=[*found], cut=cut, evidence={"orders": [*found]})

    return measure


def run(condition: str, *, there: int, most: int = 100) -> rb.Trace:
    text = TEXT.format(condition=condition, most=most)
    found = Compiler(rb.Registry.of(orders(there)), rb.Library(())).loaded(load(text, "example.yaml"))
    assert found.plan is not None, [str(each) for each in found.diagnostics]
    return rb.run(found.plan, environ={})


CUT = "there are more than the 100 orders that were read; raise most"


@pytest.mark.parametrize(
    ("condition", "name", "reason"),
    [
        ("orders > 50", "orders", CUT),
        ("orders > 5", "orders", CUT),
        ("all > 500", "all", f"nothing is taken out of the document: {CUT}"),
        ("largest > 500", "largest", f"nothing is taken out of the document: {CUT}"),
    ],
)
def test_nothing_is_judged_by_a_part(tmp_path: Path, condition: str, name: str, reason: str) -> None:
    trace = run(condition, there=1_001)
    assert trace.outcome is Outcome.INCONCLUSIVE
    (spot,) = trace.blind_spots
    assert spot.kind is ErrorKind.MISSING
    assert spot.message == f'"{condition}" cannot be decided: {name} is missing ({reason})'
    assert spot.remedy == CUT
    assert len(list(trace.step("look").evidence["orders"])) == 100  # type: ignore[arg-type]
    assert rb.record(trace, tmp_path / "run.jsonl").replay().events == trace.events


def test_what_is_certain_beside_a_part_is_judged() -> None:
    assert run("fast", there=1_001).outcome is Outcome.WARNING
    assert run("orders is missing", there=1_001).outcome is Outcome.WARNING


@pytest.mark.parametrize("condition", ["orders >= 100", "all == 100", "largest == 99"])
def test_as_many_as_are_read_are_the_whole(condition: str) -> None:
    assert run(condition, there=100).outcome is Outcome.WARNING


def test_a_threshold_beyond_the_parameter_is_refused() -> None:
    text = TEXT.format(condition="orders > 100", most=100)
    found = Compiler(rb.Registry.of(orders(1)), rb.Library(())).loaded(load(text, "example.yaml"))
    assert [each.code for each in found.diagnostics] == ["RB311"]


STATES = """
start: look
steps:
  look:
    probe: fake.value
    branches: [{when: 'CONDITION', finding: found}, {else: end}]
findings:
  found: {level: warning, title: Found}
"""


@pytest.mark.parametrize("condition", ['state contains "lost"', 'state matches "lost$"', 'state == "x"'])
def test_a_text_that_is_too_long_to_be_judged_whole_is_missing(
    plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe], condition: str
) -> None:
    compiled = plan(STATES.replace("CONDITION", condition), fake({"state": "x" * MOST_JUDGED + " lost"}))
    trace = rb.run(compiled, environ={})
    assert trace.outcome is Outcome.INCONCLUSIVE
    assert "state is missing (the text has 10005 characters, more than the 10000 that are kept and judged" in (
        trace.blind_spots[0].message
    )


def test_a_text_is_judged_up_to_its_last_character(
    plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe], tmp_path: Path
) -> None:
    text = "x" * (MOST_JUDGED - 5) + " lost"
    trace = rb.run(plan(STATES.replace("CONDITION", 'state matches "lost$"'), fake({"state": text})), environ={})
    assert trace.outcome is Outcome.WARNING
    assert rb.record(trace, tmp_path / "run.jsonl").replay().outcome is Outcome.WARNING


@pytest.mark.parametrize(
    ("partial", "told"),
    [
        ({"lines": ""}, "which has to be a metric that may be missing"),
        ({"orders": ""}, "which has to be a metric that may be missing"),
        ({"seen": "most"}, "which shop.broken does not have"),
    ],
    ids=["unknown", "never missing", "no such parameter"],
)
def test_a_probe_that_says_it_wrongly_breaks_the_contract(partial: Mapping[str, str], told: str) -> None:
    class Broken(Reading):
        PARTIAL: ClassVar[Mapping[str, str]] = partial

        orders: Count = 0
        seen: Count | None = None

    async def measure(params: Params, ctx: ProbeContext) -> Broken:
        raise NotImplementedError

    measure.__annotations__["return"] = Broken
    declare: Any = probe("shop.broken", command=lambda _params: "")
    with pytest.raises(ProbeContractError, match=told):
        declare(measure)
