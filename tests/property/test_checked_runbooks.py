"""What is proven of a runbook holds when it runs: over random runbooks, and random readings inside the declared bounds."""

import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from tests.property.random_runbooks import (
    ANY,
    ERRORS,
    INPUT_TYPES,
    INPUTS,
    PARTLY,
    WHOLE,
    Drawn,
    Types,
    open_steps,
    readings,
    runbooks,
    values_of,
    visible,
)

import runbook_engine as rb
from runbook_engine.conditions import Name, needed
from runbook_engine.conditions.tree import Arithmetic, walk
from runbook_engine.document import Diagnostic, load
from runbook_engine.engine.events import (
    BlindSpot,
    CallStarted,
    RunStarted,
    StepAnswered,
    StepDecided,
    StepFailed,
    StepMeasured,
)
from runbook_engine.engine.trace import Trace
from runbook_engine.graph.compile import CompiledRunbook, Compiler
from runbook_engine.graph.plan import Plan
from runbook_engine.ids import StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Dimension, ProbeError
from runbook_engine.probe.fake import FakeProbe
from runbook_engine.quantity import Value
from runbook_engine.quantity import parse as read


class World:
    """The fakes that answer for the steps of some runbooks, and a directory in which the runbooks lie."""

    def __init__(self, directory: Path, *drawn: Drawn) -> None:
        self.drawn = drawn
        self.fakes = {
            step: FakeProbe(f"fake.{step}", {}, like=PARTLY if step in each.partly else WHOLE)
            for each in drawn
            for step, written in each.document["steps"].items()
            if "probe" in written
        }
        self.registry = rb.Registry.of(*(each.probe for each in self.fakes.values()))
        self.library = rb.Library((directory,))
        self.answers: dict[str, object] = {}

    def check(self, which: Drawn) -> CompiledRunbook:
        """As ``runbook check`` does it."""
        for each in self.drawn:
            (self.library.directories[0] / f"{each.name}.yaml").write_text(each.text(), encoding="utf-8")
        compiler = Compiler(self.registry, self.library, thorough=True)
        return compiler.loaded(load(which.text(), "random.yaml"), self.library.directories[0] / "random.yaml")

    def measure(self, draw: st.DataObject) -> None:
        """Draw what the fakes answer, and what a person does."""
        for each in self.drawn:
            for step, types in each.metrics.items():
                if step in self.fakes:
                    asked = {name: known for name, known in types.items() if each.asks(step, name)}
                    answer = draw.draw(st.one_of(*[readings(asked)] * 7, st.sampled_from(ERRORS)), step)
                    failed = isinstance(answer, ErrorKind)
                    self.fakes[step].answers = (ProbeError(answer, "failed") if failed else {**ANY, **answer},)
                elif "answer" in types:
                    self.answers[step] = draw.draw(values_of(types["answer"], optional=True), step)

    def answer(self, step: str, values: Mapping[str, Value | None]) -> None:
        """Just these values: what is missing and may not be is not a number, or the whole reading fails."""
        types = self.fakes[step].probe.metrics
        lacking = [types[name] for name, value in values.items() if value is None and not types[name].optional]
        if any(each.integer or not each.dimension.is_numeric for each in lacking):
            self.fakes[step].answers = (ProbeError(ErrorKind.REFUSED, "failed"),)
            return
        given = {
            name: math.nan if value is None and not types[name].optional else value for name, value in values.items()
        }
        self.fakes[step].answers = ({**ANY, **given},)

    def run(self, plan: Plan, inputs: Mapping[str, object]) -> Trace:
        given = {step: answer for step, answer in self.answers.items() if answer is not None}
        # Steps of the called runbook are named by the way to them.
        calls = [step for step, each in plan.steps.items() if each.child is not None]
        called = {f"{call}/{step}": answer for call in calls for step, answer in given.items()}
        return rb.run(plan, inputs=inputs, answers={**given, **called}, environ={}, knowledge=None)


INPUT_VALUES = st.fixed_dictionaries(
    {},
    optional={name: values_of(INPUT_TYPES[f"inputs.{name}"]) for name in INPUTS},
)


def errors(compiled: CompiledRunbook) -> list[Diagnostic]:
    return [each for each in compiled.diagnostics if each.level == "error"]


def repaired(world: World, drawn: Drawn) -> CompiledRunbook:
    """Checked, with an else wherever the check asks for one."""
    found = world.check(drawn)
    for each in errors(found):
        assert each.code == "RB301", each
        step = re.search(r'step "(\w+)"', each.message)
        assert step is not None
        drawn.document["steps"][step[1]]["branches"].append({"else": "end"})
    again = world.check(drawn) if found.plan is None else found
    assert errors(again) == []
    return again


class Seen:
    """What happened to the steps of one runbook of a run."""

    def __init__(self, plan: Plan, scope: str, trace: Trace) -> None:
        self.plan = plan
        events = [each for each in trace.events if getattr(each, "scope", None) == scope]
        self.decided = {each.step: each for each in events if isinstance(each, StepDecided)}
        self.failed = {each.step for each in events if isinstance(each, StepFailed)}
        self.blind = {each.step: each.message for each in events if isinstance(each, BlindSpot)}
        self.measured: dict[str, Mapping[str, Value | None]] = {}
        for each in events:
            if isinstance(each, StepMeasured):
                self.measured[each.step] = each.metrics
            elif isinstance(each, StepAnswered):
                self.measured[each.step] = {"answer": each.answer}
        starts = (each for each in trace.events if isinstance(each, RunStarted | CallStarted))
        self.inputs = next(each.inputs for each in starts if scope_of(each) == scope)

    def value(self, name: Name, step: str) -> Value | None:
        if name.is_input:
            return self.inputs[name.name].value
        return self.measured.get(name.scope or step, {}).get(name.name)

    def lacks(self, step: str) -> bool:
        """Whether some condition of a step needs what was not measured."""
        conditions = [way.expression for way in self.plan.steps[StepId(step)].ways if way.expression is not None]
        return any(self.value(name, step) is None for each in conditions for name in needed(each))

    def is_without_result(self, step: str) -> bool:
        """Whether some condition of a step divides by zero."""
        conditions = [way.expression for way in self.plan.steps[StepId(step)].ways if way.expression is not None]
        divisors = [
            each.right
            for condition in conditions
            for each in walk(condition)
            if isinstance(each, Arithmetic) and each.operator == "/"
        ]
        return any(isinstance(each, Name) and self.value(each, step) == 0 for each in divisors)


def scope_of(started: RunStarted | CallStarted) -> str:
    """The scope that begins with an event."""
    return "" if isinstance(started, RunStarted) else f"{started.scope}/{started.step}".lstrip("/")


def scopes(plan: Plan, trace: Trace) -> Iterator[Seen]:
    yield Seen(plan, "", trace)
    for each in trace.events:
        if isinstance(each, CallStarted):
            child = plan.steps[StepId(each.step)].child
            assert child is not None
            yield Seen(child, scope_of(each), trace)


@given(st.data())
@settings(max_examples=50)
def test_what_is_proven_of_a_runbook_holds_whatever_is_measured(data: st.DataObject) -> None:
    """Every value that is asked for and measured is decided; what cannot win does not; what must be known is known."""
    with tempfile.TemporaryDirectory() as directory:
        child = data.draw(runbooks("child"))
        drawn = data.draw(runbooks(calls="child"))
        world = World(Path(directory), drawn, child)
        told = {each.name: Told(each, repaired(world, each)) for each in (child, drawn)}
        plan = told["random"].plan
        for _ in range(3):
            world.measure(data)
            for seen in scopes(plan, world.run(plan, data.draw(INPUT_VALUES, "inputs"))):
                found = told[seen.plan.runbook.runbook]
                hold_decided(seen, found)
                hold_never(seen, found)
                hold_known(seen, found)


LOSES = ("RB305", "RB307", "RB309")


class Told:
    """What the check says of a runbook: ways that are never taken, by step; steps that may use what is not known, or divide by zero."""

    def __init__(self, drawn: Drawn, compiled: CompiledRunbook) -> None:
        assert compiled.plan is not None
        self.plan = compiled.plan
        source = load(drawn.text(), "random.yaml").source
        self.never: dict[tuple[str, tuple[str, int]], str] = {}
        self.uncertain: set[str] = set()
        self.divides: set[str] = set()
        for step_id, step in self.plan.steps.items():
            for each in compiled.diagnostics:
                for way in step.ways:
                    path = ("steps", step_id, *way.place)
                    at = (
                        source.span((*path, "else"), key=True) if each.code == "RB307" else source.span((*path, "when"))
                    )
                    if each.span == at and (each.code in LOSES or "is always false" in each.message):
                        event(each.code)
                        self.never[step_id, way.place] = each.message
                if each.code == "RB213" and f'when step "{step_id}" runs' in each.message:
                    self.uncertain.add(step_id)
                if each.code == "RB310" and f'step "{step_id}" is' in each.message:
                    self.divides.add(step_id)


def hold_decided(seen: Seen, told: Told) -> None:
    for step, decided in seen.decided.items():
        ways = seen.plan.steps[StepId(step)].ways
        if not ways or step in seen.failed:
            continue
        assert decided.branch is not None or step in seen.blind
        if not seen.lacks(step) and not (step in told.divides and seen.is_without_result(step)):
            assert decided.branch is not None, seen.blind[step]
            assert decided.branch[0] == "branches", decided


def hold_never(seen: Seen, told: Told) -> None:
    for step, decided in seen.decided.items():
        if decided.branch is not None:
            assert (step, decided.branch) not in told.never, told.never[step, decided.branch]


def hold_known(seen: Seen, told: Told) -> None:
    for step, message in seen.blind.items():
        for owner in re.findall(r'because step "(\w+)" measured nothing', message):
            assert owner in seen.failed or step in told.uncertain, message


@given(open_steps())
@settings(max_examples=100)
def test_with_exactly_the_values_that_no_branch_covers_no_branch_is_taken(drawn: Drawn) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory), drawn)
        told = [each.message for each in errors(world.check(drawn))]
        branches = drawn.document["steps"]["second"]["branches"]
        branches.append({"else": "end"})
        plan = world.check(drawn).plan
        assert plan is not None
        gap = (
            re.match(r'no branch of step "second" covers (.+) \((its branch|branches) cover', told[0]) if told else None
        )
        if gap is None:
            event("nothing is shown" if told else "nothing is open")
            return
        assume("infinite" not in gap[1])  # what is infinite is missing once it is measured
        event("a gap is shown")
        shown = dict(value_shown(each, visible(drawn)) for each in gap[1].split(", ") if gap[1] != "any value")
        # A step is thought to miss each of its metrics by itself, though it may be sure to measure all or none.
        assume("first" in drawn.partly or len({shown[name] is None for name in shown if name.startswith("first.")}) < 2)
        for step, prefix in (("first", "first."), ("second", "")):
            world.answer(step, {name: shown[prefix + name] for name in drawn.metrics[step] if prefix + name in shown})
        seen = Seen(
            plan, "", world.run(plan, {name: shown[f"inputs.{name}"] for name in INPUTS if f"inputs.{name}" in shown})
        )
        assert seen.decided["second"].branch == ("branches", len(branches) - 1), gap[0]


def value_shown(text: str, types: Types) -> tuple[str, Value | None]:
    """``p95 = 1 s``, read again."""
    name, _, written = text.partition(" = ")
    if not written:
        return name.removesuffix(" is missing"), None
    known = types[name]
    if known.dimension is Dimension.TEXT:
        return name, written.strip('"')
    if known.dimension is Dimension.BOOL:
        return name, written == "yes"
    number, _ = read(written.replace("µ", "u"))
    return name, int(number) if known.integer else number
