"""What each shipped runbook makes of what it measures: the steps walked, what it finds, and what it cannot see.

The tables are in ``cases``: a healthy system with what is ``given``, and what must come of it.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import runbook_engine as rb
from runbook_engine.engine.judgement import UNKNOWN
from runbook_engine.graph.edges import edges
from runbook_engine.library import shipped_directory

Case = Mapping[str, Any]
Edge = tuple[str, str, str, int]

_CASES = Path(__file__).with_name("cases")
TABLES: Mapping[str, list[Case]] = {
    file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(_CASES.glob("*.yaml"))
}


def walked(walk: Callable[..., Any], runbook: str, case: Case) -> tuple[rb.Trace, list[str]]:
    found: tuple[rb.Trace, list[str]] = walk(
        runbook, case.get("given", {}), case.get("inputs", {}), tuple(case.get("without", ()))
    )
    return found


@pytest.mark.parametrize(
    ("runbook", "case"),
    [pytest.param(name, each, id=f"{name}: {each['case']}") for name, table in TABLES.items() for each in table],
)
def test_what_is_measured_leads_where_it_must(walk: Callable[..., Any], runbook: str, case: Case) -> None:
    trace, _ = walked(walk, runbook, case)

    ran = [step for scope, step in trace.path if not scope]
    found = sorted({each.finding for each in trace.findings})
    blind = sorted(f"{each.scope}/{each.step}".lstrip("/") for each in trace.blind_spots)
    unasked = sorted(f"{each.scope}/{each.id}".lstrip("/") for each in trace.not_asked)
    assert (sorted(ran), found, blind, unasked, trace.outcome.value) == (
        sorted(case["runs"]),
        sorted(case.get("finds", [])),
        sorted(case.get("blind", [])),
        sorted(case.get("not_asked", [])),
        case["outcome"],
    )
    for text in case.get("says", []):
        assert any(text in line for line in _said(trace)), list(_said(trace))


def _said(trace: rb.Trace) -> Iterator[str]:
    for finding in trace.findings:
        yield f"{finding.title}: {finding.cause}"
    for spot in trace.blind_spots:
        yield f"{spot.message}; {spot.remedy}"


@pytest.mark.parametrize("runbook", TABLES)
def test_a_finding_tells_what_was_measured(walk: Callable[..., Any], runbook: str) -> None:
    """No title and no cause is left with a hole where a value should stand."""
    for case in TABLES[runbook]:
        trace, _ = walked(walk, runbook, case)
        assert [each.title for each in trace.findings if UNKNOWN in f"{each.title} {each.cause}"] == []


@pytest.mark.parametrize("runbook", TABLES)
def test_every_way_and_every_finding_is_reached(walk: Callable[..., Any], runbook: str) -> None:
    document = rb.load(shipped_directory() / f"{runbook}.yaml").runbook
    ways = {(each.source, *each.branch) for each in edges(document)}
    raised: set[str] = set()
    reached: set[tuple[str, str, int]] = set()
    for case in TABLES[runbook]:
        trace, _ = walked(walk, runbook, case)
        raised |= {each.finding for each in trace.findings if not each.scope}
        reached |= {(step, *found.branch) for (scope, step), found in trace.steps.items() if not scope and found.branch}

    assert sorted(ways - reached) == []
    assert sorted(set(document.findings) - raised) == []


def test_every_shipped_runbook_of_the_guide_has_its_table() -> None:
    assert set(TABLES) == {
        "database-connections",
        "ecs-service",
        "high-error-rate",
        "high-latency",
        "memory",
        "redis-cache",
        "system-health",
        "tls-certificate",
    }


@pytest.mark.parametrize("runbook", TABLES)
def test_the_same_readings_give_the_same_path_and_findings_again(walk: Callable[..., Any], runbook: str) -> None:
    for case in TABLES[runbook]:
        first, second = (walked(walk, runbook, case)[0] for _ in range(2))
        assert first.path == second.path
        assert [(each.scope, each.finding, each.title) for each in first.findings] == [
            (each.scope, each.finding, each.title) for each in second.findings
        ]
