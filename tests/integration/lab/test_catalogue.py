"""The lab's faults as a whole: how many there are, and that each says what it is."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from unittest.mock import Mock

import pytest

from runbook_engine import load
from runbook_engine.graph.plan import Plan as RunbookPlan
from runbook_engine.lab import FAULTS
from runbook_engine.lab.faults import PLANS
from runbook_engine.lab.plans import Plan

CALLABLES = ("aws", "disturb", "later", "seen")
PAIRS = [name for name, fault in FAULTS.items() if fault.joins]


def causes(plan: RunbookPlan) -> set[str]:
    """Those that a run may find: of the runbook, and of all that it calls."""
    own = {name for name, finding in plan.runbook.findings.items() if finding.kind == "cause"}
    return own.union(*(causes(step.child) for step in plan.steps.values() if step.child is not None))


def settings(plan: Plan) -> dict[str, object]:
    """What it wants, without what can only be called."""
    return {each.name: getattr(plan, each.name) for each in fields(plan) if each.name not in CALLABLES}


def wants(plan: Plan) -> set[str]:
    """In which parts it differs from the healthy one."""
    return {each.name for each in fields(plan) if getattr(plan, each.name) != getattr(Plan(), each.name)}


def test_there_are_enough_of_every_kind() -> None:
    assert len(FAULTS) >= 45
    assert len(PAIRS) >= 8
    assert len([fault for fault in FAULTS.values() if fault.neighbour]) >= 6
    assert list(PLANS) == list(FAULTS)
    assert next(iter(FAULTS)) == "none"


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_explained_in_a_paragraph(name: str) -> None:
    fault = FAULTS[name]
    assert fault.name == name
    assert 10 < len(fault.title) < 80
    assert fault.family
    assert len(fault.explanation) > 150
    assert "diagnosis should" in fault.explanation
    assert not (fault.expects and fault.blind)


def test_no_two_faults_have_the_same_title_or_explanation() -> None:
    for words in ([each.title for each in FAULTS.values()], [each.explanation for each in FAULTS.values()]):
        assert [text for text, count in Counter(words).items() if count > 1] == []


@pytest.mark.parametrize("runbook", sorted({fault.runbook for fault in FAULTS.values()}))
def test_every_expected_cause_can_be_found_by_the_runbook(runbook: str) -> None:
    expected = {cause for fault in FAULTS.values() if fault.runbook == runbook for cause in fault.expects}
    assert expected <= causes(load(runbook))


def test_every_family_has_a_healthy_twin() -> None:
    families = {fault.family for fault in FAULTS.values() if not fault.joins}
    assert families == {"latency", "service", "errors", "database", "memory", "cache", "certificates", "names"}
    assert families == {fault.family for fault in FAULTS.values() if fault.is_healthy}


def test_only_what_has_no_cause_is_like_the_healthy_lab() -> None:
    alike = [name for name, plan in PLANS.items() if not wants(plan) - {"seen"}]
    assert alike == ["none"]


def test_neighbours_stand_on_both_sides_of_a_threshold() -> None:
    for name, fault in FAULTS.items():
        if fault.neighbour:
            other = FAULTS[fault.neighbour]
            assert other.neighbour == name
            assert other.runbook == fault.runbook
            assert fault.is_healthy != other.is_healthy
            assert wants(PLANS[name]) <= wants(PLANS[other.name]) or wants(PLANS[other.name]) <= wants(PLANS[name])


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_is_both_of_its_faults(name: str) -> None:
    fault = FAULTS[name]
    one, other = (FAULTS[each] for each in fault.joins)
    assert set(fault.expects) == {*one.expects, *other.expects}
    assert len(fault.expects) == 2
    assert fault.family == "pairs"
    wanted = settings(Plan())
    for single in (one, other):
        own = settings(PLANS[single.name])
        wanted |= {key: value for key, value in own.items() if key in wants(PLANS[single.name])}
    assert settings(PLANS[name]) == wanted


@contextmanager
def noted(called: list[str], name: str, database: str, cache: str) -> Iterator[None]:
    called.append(f"{name} of {database} and {cache}")
    yield


def test_the_parts_that_are_called_are_called_for_both_of_a_pair() -> None:
    called: list[str] = []
    shown = {"one": True, "other": False}
    aws, view = Mock(), Mock()

    def plan(name: str) -> Plan:
        return Plan(
            aws=lambda _: called.append(name),
            disturb=partial(noted, called, name),
            later=partial(noted, called, f"later {name}"),
            seen=lambda _: shown[name],
        )

    both = plan("one").also(plan("other"))
    both.aws(aws)
    assert called == ["one", "other"]
    with both.disturb("database", "cache"):
        assert called[2:] == ["one of database and cache", "other of database and cache"]
    with both.later("database", "cache"):
        assert called[4:] == ["later one of database and cache", "later other of database and cache"]
    assert not both.seen(view)
    shown["other"] = True
    assert both.seen(view)


def test_plans_that_want_different_things_of_one_part_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match=r"memory_percent: 91\.0 and 89\.0"):
        PLANS["memory_91"].also(PLANS["memory_89"])
