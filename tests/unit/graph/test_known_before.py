"""What is known of the steps before a step, from the only way that leads to it."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runbook_engine as rb
from runbook_engine.conditions import Expression, names, unparse
from runbook_engine.conditions.tree import renamed
from runbook_engine.document import DiagnosticLevel, load
from runbook_engine.graph import known_before as module
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.known_before import chosen, known_before
from runbook_engine.graph.plan import Plan, Way
from runbook_engine.ids import StepId
from runbook_engine.probe import Dimension, MetricType
from runbook_engine.probe.fake import FakeProbe

VALUE = FakeProbe("fake.value", metrics={"p95": MetricType(Dimension.DURATION, lower=0)}).probe


def plan_of(steps: Sequence[str], start: str = "s0") -> Plan:
    head = f"runbook: example\ntitle: An example\nstart: {start}\nsteps:\n"
    compiled = Compiler(rb.Registry.of(VALUE), rb.Library(())).loaded(load(head + "".join(steps), "example.yaml"))
    assert compiled.plan is not None, compiled.diagnostics
    return compiled.plan


def step(number: int, *branches: str, on_error: str = "") -> str:
    lines = "".join(f"      - {{{branch}}}\n" for branch in branches)
    return f"  s{number}:\n    probe: fake.value\n    branches:\n{lines}" + (
        f"    on_error: [{{else: {on_error}}}]\n" if on_error else ""
    )


def known(plan: Plan) -> dict[str, list[str]]:
    found = known_before(plan.steps, frozenset(plan.runbook.start))
    return {each: list(map(unparse, facts)) for each, facts in found.items() if facts}


def test_a_step_knows_of_those_before_it_only_what_it_asks_for_the_nearest_first() -> None:
    plan = plan_of(
        [
            step(0, "when: p95 > 1s, goto: s1", "else: end"),
            step(1, "when: p95 > 2s, goto: end", "else: s2"),
            step(2, "when: s0.p95 > 3s and s1.p95 > 3s, goto: s3", "else: end"),
            step(3, "when: s1.p95 > 4s, goto: end", "else: end"),
        ]
    )
    assert known(plan) == {"s2": ["not s1.p95 > 2s", "s0.p95 > 1s"], "s3": ["not s1.p95 > 2s"]}


def test_nothing_is_known_beyond_a_step_that_several_lead_to_or_an_error() -> None:
    ways = [
        step(0, "when: p95 > 1s, goto: [s1, s2]", "else: end"),
        step(1, "when: p95 > 2s, goto: s2", "else: end"),
        step(2, "when: s0.p95 > 3s, goto: end", "else: end"),
    ]
    assert known(plan_of(ways)) == {}
    failed = [
        step(0, "when: p95 > 1s, goto: s1", "else: end", on_error="s1"),
        step(1, "when: s0.p95 > 3s, goto: end", "else: end"),
    ]
    assert known(plan_of(failed)) == {}


def test_steps_side_by_side_know_only_of_their_own_way() -> None:
    plan = plan_of(
        [
            step(0, "when: p95 > 1s, goto: [s1, s3]", "else: end"),
            step(1, "when: p95 > 2s, goto: s2", "else: end"),
            step(2, "when: s0.p95 > 3s, goto: end", "else: end"),
            step(3, "when: p95 > 4s, goto: end", "when: s0.p95 > 5s, goto: end", "else: end"),
        ]
    )
    assert known(plan) == {"s2": ["s0.p95 > 1s"], "s3": ["s0.p95 > 1s"]}


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Steps of which each leads to some later ones, and asks for metrics of any before it."""
    many = draw(st.integers(2, 8))
    before: dict[int, set[int]] = {0: set()}
    steps = []
    for number in range(many):
        # What nothing has led to so far is a beginning.
        scopes = ["", *(f"s{each}." for each in sorted(before.setdefault(number, set())))]
        targets = [
            draw(st.lists(st.integers(number + 1, many - 1), max_size=2, unique=True)) if number + 1 < many else []
            for _ in range(draw(st.integers(2, 4)))
        ]
        for each in (later for way in targets for later in way):
            before.setdefault(each, set()).update({number}, before[number])
        ways = [f"[{', '.join(f's{each}' for each in way)}]" if way else "end" for way in targets]
        failed = ways.pop() if draw(st.booleans()) else ""
        conditions = [
            f"when: {draw(st.sampled_from(scopes))}p95 > {len(ways) - index}s, goto: {way}"
            for index, way in enumerate(ways[:-1])
        ]
        steps.append(step(number, *conditions, f"else: {ways[-1]}", on_error=failed))
    begins = [f"s{number}" for number in range(many) if not before[number]]
    return plan_of(steps, f"[{', '.join(begins)}]")


def slowly(plan: Plan, here: StepId) -> list[Expression]:
    """The same by going back from one step, way by way."""
    asked = {
        name.scope for way in plan.steps[here].ways if way.expression is not None for name in names(way.expression)
    }
    found: list[Expression] = []
    while here not in plan.runbook.start:
        ways = [
            (owner, way)
            for owner, each in plan.steps.items()
            for way in (*each.ways, *each.routes)
            if here in way.targets
        ]
        owners = {owner for owner, _ in ways}
        if len(owners) != 1 or any(way.place[0] == "on_error" for _, way in ways):
            break
        (owner,) = owners
        fact = chosen(plan.steps[owner].ways, [way for _, way in ways])
        if fact is not None and owner in asked:
            found.append(renamed(fact, owner))
        here = owner
    return found


@given(plans())
@settings(max_examples=100)
def test_what_is_known_is_what_going_back_from_each_step_finds(plan: Plan) -> None:
    found = known_before(plan.steps, frozenset(plan.runbook.start))
    assert found == {each: slowly(plan, each) for each in plan.steps}


@pytest.mark.parametrize("many", [100, 400])
def test_each_way_of_a_chain_is_looked_at_once(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [
        step(each, f"when: {'s0.p95' if each else 'p95'} > 1s, goto: s{each + 1}", f"else: s{each + 1}")
        for each in range(many)
    ]
    plan = plan_of([*steps, step(many, "when: s0.p95 > 1s, goto: end", "else: end")])
    looked_at: list[object] = []

    def counted(ways: Sequence[Way], taken: Sequence[Way]) -> Expression | None:
        looked_at.append(taken)
        return chosen(ways, taken)

    monkeypatch.setattr(module, "chosen", counted)
    assert known_before(plan.steps, frozenset(plan.runbook.start))
    assert len(looked_at) <= many


def test_a_way_to_a_step_that_does_not_exist_leads_nowhere() -> None:
    text = "runbook: example\ntitle: An example\nstart: s0\nsteps:\n" + step(0, "when: p95 > 1s, goto: s9", "else: end")
    compiler = Compiler(rb.Registry.of(VALUE), rb.Library(()), thorough=True)
    found = compiler.loaded(load(text, "example.yaml")).diagnostics
    assert {each.code for each in found if each.level is DiagnosticLevel.ERROR} == {"RB203"}
