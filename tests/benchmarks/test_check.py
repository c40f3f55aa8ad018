"""How fast documents are checked. None of the figures is ever asserted."""

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from runbook_engine.api import load
from runbook_engine.cli.check_files import Checker
from runbook_engine.cli.show_command import page
from runbook_engine.library import Library, shipped_directory
from runbook_engine.probe.registry import Registry


def wide(steps: int) -> str:
    """A runbook in which each step has three branches with thresholds of its own, and leads to two others."""
    lines = ["runbook: wide", "title: Many steps", "start: s0", "steps:"]
    for index in range(steps):
        near, far = f"s{index + 1}", f"s{min(index + 7, steps)}"
        slow = 500 + index
        lines += [
            f"  s{index}:",
            "    probe: http.get",
            '    with: {url: "https://shop.example.com"}',
            "    branches:",
            f"      - {{when: total > {2 * slow}ms, finding: slow, goto: [{near}, {far}]}}",
            f"      - {{when: total > {slow}ms and status == 200, goto: {near}}}",
            f"      - {{else: {far}}}",
            "    on_error:",
            f"      - {{else: {near}}}",
        ]
    lines += [f"  s{steps}: {{ask: Is that all?, branches: [{{when: answer, finding: slow}}, {{else: end}}]}}"]
    lines += ["findings:", "  slow: {level: warning, title: It is slow, resolution: look}"]
    return "\n".join([*lines, "resolutions:", "  look: {title: Look, steps: [Look]}"]) + "\n"


def chain(steps: int) -> str:
    """A runbook in which each step leads to the next one whatever it measures, and asks for the first one's answer."""
    lines = ["runbook: chain", "title: One after the other", "start: s0"]
    lines += ["inputs: {api: {type: url, default: https://shop.example.com}}", "steps:"]
    for index in range(steps):
        after = f"s{index + 1}" if index + 1 < steps else "end"
        first = " and s0.total > 100ms" if index else ""
        lines += [
            f"  s{index}:",
            "    probe: http.get",
            f'    with: {{url: "{{{{ inputs.api }}}}/{index}"}}',
            "    branches:",
            f"      - {{when: total > 1s{first}, finding: slow, goto: {after}}}",
            f"      - {{else: {after}}}",
        ]
    return "\n".join([*lines, "findings:", "  slow: {kind: symptom, level: warning, title: It is slow}"]) + "\n"


@pytest.mark.parametrize("steps", [1_000, 3_000, 10_000])
def test_a_chain_of_steps(benchmark: BenchmarkFixture, steps: int) -> None:
    text = chain(steps)
    checker = Checker(Registry(), Library.default(), notes=False)
    found = benchmark.pedantic(lambda: checker.text(text, "chain.yaml", Path("chain.yaml")), rounds=1)
    assert found.errors == 0


@pytest.mark.parametrize("steps", [1_000, 3_000, 10_000])
def test_the_page_of_a_chain(benchmark: BenchmarkFixture, steps: int, tmp_path: Path) -> None:
    file = tmp_path / "chain.yaml"
    file.write_text(chain(steps))
    plan = load(file)
    lines = benchmark.pedantic(lambda: list(page(plan)), rounds=1)
    assert len(lines) > 4 * steps


@pytest.mark.parametrize("steps", [1_000, 3_000, 10_000])
def test_a_runbook_with_three_branches_in_each_step(benchmark: BenchmarkFixture, steps: int) -> None:
    text = wide(steps)
    found = benchmark.pedantic(
        lambda: Checker(Registry(), Library.default(), notes=False).text(text, "wide.yaml", Path("wide.yaml")), rounds=1
    )
    assert found.errors == 0


def test_the_shipped_directory(benchmark: BenchmarkFixture) -> None:
    files = sorted(shipped_directory().rglob("*.yaml"))
    checker = Checker(Registry(), Library.default(), notes=False)
    found = benchmark.pedantic(lambda: [checker.file(each) for each in files], rounds=3)
    assert sum(each.errors for each in found) == 0
