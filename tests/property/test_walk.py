"""The concurrent walk does what a slow, obvious walk does, whatever the graph, the readings, the errors and the timings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.engine.events import StepStatus
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.plan import Plan
from runbook_engine.ids import StepId
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Dimension, MetricType, ProbeError
from runbook_engine.probe.contract import Probe, ProbeContext, Reading
from runbook_engine.probe.fake import AnyParams, reading_type

READING = reading_type({"value": MetricType(Dimension.NUMBER)})
KINDS = ("refused", "timeout", "missing")
UNSET = "not configured"


@dataclass(frozen=True)
class Planned:
    """A step of a random graph: what it will measure and where each way leads. ``reading`` None is a missing metric, UNSET a step that needs an
    optional input without a value.
    """

    above: tuple[str, ...]
    middle: tuple[str, ...]
    otherwise: tuple[str, ...]
    routes: Mapping[str, tuple[str, ...]]
    flags: bool
    reading: float | None | str
    delay: float


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Planned], tuple[str, ...]]:
    size = draw(st.integers(1, 9))
    names = [f"s{index}" for index in range(size)]
    steps = {}
    for index, name in enumerate(names):
        later = st.lists(st.sampled_from(names[index + 1 :] or ["end"]), max_size=3, unique=True).map(
            lambda targets: tuple(each for each in targets if each != "end")
        )
        routes = draw(st.dictionaries(st.sampled_from(KINDS), later, max_size=2))
        steps[name] = Planned(
            draw(later),
            draw(later),
            draw(later),
            routes,
            draw(st.booleans()),
            draw(st.sampled_from([0.0, 5.0, 15.0, None, float("nan"), *KINDS, UNSET])),
            draw(st.sampled_from([0.0, 0.0, 0.001, 0.003])),
        )
    start = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)))
    return steps, start


def document(steps: Mapping[str, Planned], start: tuple[str, ...]) -> str:
    def flow(targets: tuple[str, ...]) -> str:
        return f"[{', '.join(targets)}]" if targets else "end"

    lines = ["runbook: random", "title: A random graph", f"start: {flow(start)}"]
    lines += ["inputs: {unset: {optional: true}}", "steps:"]
    for name, step in steps.items():
        finding = ", finding: found" if step.flags else ""
        needs = ', unset: "{{ inputs.unset }}"' if step.reading == UNSET else ""
        lines += [
            f"  {name}:",
            "    probe: fake.value",
            f"    with: {{step: {name}{needs}}}",
            "    branches:",
            f"      - {{when: value > 10{finding}, goto: {flow(step.above)}}}",
            f"      - {{when: value > 3, goto: {flow(step.middle)}}}",
            f"      - {{else: {flow(step.otherwise)}}}",
        ]
        if step.routes:
            lines += [
                "    on_error:",
                *(f"      - {{kind: {kind}, goto: {flow(targets)}}}" for kind, targets in step.routes.items()),
            ]
    lines += ["findings:", "  found: {level: warning, title: Found}"]
    return "\n".join(lines) + "\n"


def reference(steps: Mapping[str, Planned], start: tuple[str, ...]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Slow and obvious: the definition, read aloud. Returns status and chosen targets of every step."""
    leads_to = {
        name: {
            *step.above,
            *step.middle,
            *step.otherwise,
            *(each for targets in step.routes.values() for each in targets),
        }
        for name, step in steps.items()
    }
    decided: dict[str, tuple[str, tuple[str, ...]]] = {}
    while len(decided) < len(steps):
        for name, step in steps.items():
            before = [other for other in steps if name in leads_to[other]]
            if name in decided or any(other not in decided for other in before):
                continue
            chosen = name in start or any(name in decided[other][1] for other in before)
            decided[name] = behave(step) if chosen else ("skipped", ())
    return decided


def behave(step: Planned) -> tuple[str, tuple[str, ...]]:
    reading = step.reading
    if reading == UNSET:
        return "not_asked", step.routes.get("missing", ())
    if isinstance(reading, str):
        return "blind", step.routes.get(reading, ())
    if reading is None or reading != reading:  # noqa: PLR0124 - NaN
        return "blind", step.routes.get("missing", ())
    if reading > 10:
        return ("flagged" if step.flags else "passed"), step.above
    return "passed", (step.middle if reading > 3 else step.otherwise)


def probe(steps: Mapping[str, Planned]) -> Probe[AnyParams, Reading]:
    async def measure(params: AnyParams, ctx: ProbeContext) -> Reading:
        step = steps[str((params.model_extra or {})["step"])]
        await anyio.sleep(step.delay)
        assert step.reading != UNSET
        if isinstance(step.reading, str):
            raise ProbeError(ErrorKind(step.reading), "told to fail")
        return READING.model_validate({"value": step.reading})

    return Probe("fake.value", AnyParams, READING, measure, lambda params: "fake", frozenset(), "A fake.")


def compiled(text: str, registry: rb.Registry) -> Plan:
    found = Compiler(registry, rb.Library(())).loaded(load(text, "random.yaml"))
    assert found.plan is not None, [str(each) for each in found.diagnostics]
    return found.plan


@given(graphs())
@settings(max_examples=100)
def test_the_walk_agrees_with_the_definition(graph: tuple[dict[str, Planned], tuple[str, ...]]) -> None:
    steps, start = graph
    registry = rb.Registry.of(probe(steps))
    trace = rb.run(compiled(document(steps, start), registry), environ={})
    expected = reference(steps, start)
    assert {name: trace.step(name).status for name in steps} == {
        name: StepStatus(status) for name, (status, _) in expected.items()
    }
    assert {name: trace.step(name).goto for name in steps} == {name: targets for name, (_, targets) in expected.items()}
    flagged = [name for name, (status, _) in expected.items() if status == "flagged"]
    blind = [name for name, (status, _) in expected.items() if status == "blind"]
    assert sorted(each.step for each in trace.findings) == flagged
    assert sorted(each.step for each in trace.blind_spots) == blind
    unasked = [name for name, (status, _) in expected.items() if status == "not_asked"]
    looked_at = any(status == "passed" for status, _ in expected.values())
    assert [each.id for each in trace.not_asked] == unasked
    assert trace.outcome == ("warning" if flagged else "healthy" if looked_at and not blind else "inconclusive")


@given(graphs())
@settings(max_examples=50)
def test_a_recording_walked_again_is_the_same_event_for_event(
    tmp_path_factory: pytest.TempPathFactory, graph: tuple[dict[str, Planned], tuple[str, ...]]
) -> None:
    steps, start = graph
    trace = rb.run(compiled(document(steps, start), rb.Registry.of(probe(steps))), environ={})
    file: Path = tmp_path_factory.mktemp("recordings") / "run.jsonl"
    again = rb.record(trace, file).replay()
    assert again.outcome == trace.outcome
    assert again.steps == trace.steps
    assert again.not_asked == trace.not_asked
    assert again.findings == trace.findings
    assert again.blind_spots == trace.blind_spots
    assert again.path == trace.path
    assert (again.run_id, again.started_at, again.finished_at) == (trace.run_id, trace.started_at, trace.finished_at)


def test_a_step_runs_only_after_all_that_lead_to_it_are_decided() -> None:
    steps = {
        "s0": Planned(("s1", "s2"), (), (), {}, False, 15.0, 0.0),
        "s1": Planned(("s3",), (), (), {}, False, 15.0, 0.02),
        "s2": Planned(("s3",), (), (), {}, False, 15.0, 0.0),
        "s3": Planned((), (), (), {}, False, 0.0, 0.0),
    }
    trace = rb.run(compiled(document(steps, ("s0",)), rb.Registry.of(probe(steps))), environ={})
    assert trace.path[-1] == ("", StepId("s3"))
    late, slow = trace.step("s3").started_at, trace.step("s1").finished_at
    assert late is not None
    assert slow is not None
    assert late >= slow
