"""How fast it is. `make bench` prints the figures; none is ever asserted."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.plan import Plan
from runbook_engine.probe import Dimension, MetricType
from runbook_engine.probe.contract import Probe, ProbeContext, Reading
from runbook_engine.probe.fake import AnyParams, FakeProbe, reading_type

READING = reading_type({"value": MetricType(Dimension.DURATION, lower=0)})
ONE = READING.model_validate({"value": 0.2})


class Counter:
    """How often something was measured."""

    times = 0


async def measure(params: AnyParams, ctx: ProbeContext) -> Reading:
    Counter.times += 1
    return ONE


def measured(run: Callable[[], rb.Trace]) -> int:
    """How many measurements one run makes."""
    before = Counter.times
    run()
    return Counter.times - before


MEMORY = Probe("memory.value", AnyParams, READING, measure, lambda params: "memory", frozenset(), "In memory.")
REGISTRY = rb.Registry.of(MEMORY)


def chain(length: int) -> str:
    lines = ["runbook: chain", "title: A chain", "start: s0", "steps:"]
    for index in range(length):
        following = f"s{index + 1}" if index + 1 < length else "end"
        lines += [
            f"  s{index}:",
            f"    title: Step number {index}",
            "    probe: memory.value",
            f"    with: {{number: {index}}}",  # parameters of its own: one measurement may serve all steps that ask the same
            "    branches:",
            f"      - {{when: value > 1s, finding: very_slow, goto: {following}}}",
            f"      - {{when: value > 500ms, finding: slow, goto: {following}}}",
            f"      - {{else: {following}}}",
        ]
    lines += [
        "findings:",
        "  slow: {level: warning, title: Slow, resolution: fix}",
        "  very_slow: {level: critical, title: Very slow, resolution: fix}",
        "resolutions:",
        "  fix: {title: Fix, steps: [Fix it]}",
    ]
    return "\n".join(lines) + "\n"


def compiled(text: str, registry: rb.Registry = REGISTRY) -> Plan:
    found = Compiler(registry, rb.Library(())).loaded(load(text, "chain.yaml"))
    assert found.plan is not None, [str(each) for each in found.diagnostics]
    return found.plan


def note_per_step(benchmark: BenchmarkFixture, steps: int) -> None:
    if benchmark.stats is not None:  # None when the benchmarks are only tried out
        benchmark.extra_info["us per step"] = round(benchmark.stats.stats.median / steps * 1e6, 1)


@pytest.mark.parametrize("length", [100, 1_000, 3_000])
def test_a_chain_of_steps_in_memory(benchmark: BenchmarkFixture, length: int) -> None:
    plan = compiled(chain(length))
    trace = benchmark(lambda: rb.run(plan, environ={}))
    assert len(trace.path) == length
    assert measured(lambda: rb.run(plan, environ={})) == length
    note_per_step(benchmark, length)


def test_a_chain_of_a_thousand_steps_committed_to_sqlite(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    plan = compiled(chain(1_000))
    with rb.SqliteJournal(tmp_path / "journal.sqlite3") as journal:
        trace = benchmark(lambda: rb.run(plan, environ={}, journal=journal))
        assert len(journal.events(trace.run_id)) == len(trace.events)
    note_per_step(benchmark, 1_000)


def test_eight_probes_of_200_ms_side_by_side(benchmark: BenchmarkFixture) -> None:
    slow = FakeProbe("slow.value", {"value": 0.2}, metrics={"value": MetricType(Dimension.DURATION)}, delay=0.2)
    names = [f"s{index}" for index in range(8)]
    text = f"runbook: wide\ntitle: Wide\nstart: [{', '.join(names)}]\nsteps:\n"
    text += "".join(f"  {name}: {{probe: slow.value}}\n" for name in names)
    plan = compiled(text, rb.Registry.of(slow.probe))
    trace = benchmark.pedantic(lambda: rb.run(plan, environ={}), rounds=5)
    assert len(trace.path) == 8


@pytest.mark.parametrize("length", [1_000, 3_000])
def test_loading_checking_and_compiling_a_file(benchmark: BenchmarkFixture, length: int) -> None:
    text = chain(length)
    assert len(benchmark(lambda: compiled(text)).steps) == length


def runbook(*arguments: str) -> Callable[[], subprocess.CompletedProcess[bytes]]:
    environ = {**os.environ, "RUNBOOK_STATE": os.environ.get("PYTEST_BENCHMARK_STATE", "/nonexistent/state")}
    command = [str(Path(sys.executable).with_name("runbook")), *arguments]
    return lambda: subprocess.run(command, capture_output=True, check=False, env=environ)


def test_start_up_of_help(benchmark: BenchmarkFixture) -> None:
    assert benchmark.pedantic(runbook("--help"), rounds=10, warmup_rounds=1).returncode == 0


def test_start_up_of_list(benchmark: BenchmarkFixture) -> None:
    assert benchmark.pedantic(runbook("list"), rounds=10, warmup_rounds=1).returncode == 0


def test_a_one_step_run_from_the_shell(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(
        "runbook: one\ntitle: One step\nstart: port\n"
        "steps:\n  port:\n    probe: tcp.connect\n    with: {host: 127.0.0.1, port: 1}\n"
    )
    done = benchmark.pedantic(runbook("run", str(file), "--no-input"), rounds=10, warmup_rounds=1)
    assert done.returncode == 3, done.stderr


def test_an_empty_interpreter_for_comparison(benchmark: BenchmarkFixture) -> None:
    benchmark.pedantic(lambda: subprocess.run([sys.executable, "-c", ""], check=True), rounds=10, warmup_rounds=1)
