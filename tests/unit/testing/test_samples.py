"""Tests of runbooks give what was sampled with its number."""

from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.probe import ProbeContext, Reading, SampledDuration, SampledPercent, probe
from runbook_engine.probe.fake import AnyParams
from runbook_engine.testing import FileResult, run_file


class Sampling(Reading):
    error_rate: SampledPercent
    p95: SampledDuration


@probe("fake.sampled", command=lambda _params: "look")
async def sampling(params: AnyParams, ctx: ProbeContext) -> Sampling:
    raise AssertionError("a test asks no probe")


RUNBOOK = """
runbook: example
title: An example
start: look
steps:
  look:
    probe: fake.sampled
    branches:
      - {when: error_rate > 1% or p95 > 1s, finding: bad}
      - {else: end}
findings:
  bad: {level: warning, title: Bad}
"""
CASES = """
tests: ./example.yaml
steps: {look: {error_rate: 0%, p95: 10ms}}
cases:
  enough: {steps: {look: {error_rate: {value: 0%, n: 300}}}, expect: {outcome: healthy}}
  too_few: {steps: {look: {error_rate: {value: 0%, n: 20}}}, expect: {outcome: inconclusive, blind_spots: [look]}}
  many_fail: {steps: {look: {error_rate: {value: 15%, n: 20}}}, expect: {outcome: warning, findings: [bad]}}
  exact_again: {steps: {look: {error_rate: 0.5%}}, expect: {outcome: healthy}}
  slow: {steps: {look: {p95: {value: 2s, n: 20, lower: 1.5s}}}, expect: {outcome: warning, findings: [bad]}}
  near: {steps: {look: {p95: {value: 900ms, n: 60, lower: 700ms, upper: 1.2s}}}, expect: {outcome: inconclusive, blind_spots: [look]}}
"""


def run(tmp_path: Path, cases: str) -> FileResult:
    (tmp_path / "example.yaml").write_text(RUNBOOK)
    file = tmp_path / "example.test.yaml"
    file.write_text(cases)
    return run_file(file, probes=rb.Registry.of(sampling))


def test_a_share_is_given_with_its_number_and_a_time_with_its_bounds(tmp_path: Path) -> None:
    result = run(tmp_path, CASES)
    assert [str(each) for each in result.diagnostics] == []
    assert [(each.name, [one.told for one in each.differences]) for each in result.cases if each.differences] == []
    assert len(result.cases) == 6


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("error_rate: {value: 0%}", 'error_rate of step "look" is given no "n"'),
        ("error_rate: {n: 20}", 'error_rate of step "look" is given no "value"'),
        ("error_rate: {value: 0%, n: 0}", 'error_rate of step "look" is of 0 samples'),
        ("error_rate: {value: 0%, n: some}", 'error_rate of step "look" is of "some" samples'),
        ("error_rate: {value: 7%, n: 20}", 'error_rate of step "look" of 20 samples cannot be "7%"'),
        ("error_rate: {value: 120%, n: 20}", 'error_rate of step "look" is "120%", and can only be percent'),
        ("error_rate: {value: 5%, n: 20, lower: 6%}", 'error_rate of step "look" lies outside of its bounds'),
        ("error_rate: {value: 5%, n: 20, uper: 6%}", 'error_rate of step "look" has no "uper", did you mean "upper"?'),
        ("p95: {value: 1s, n: 20}", 'p95 of step "look" is given no lower bound'),
        ("p95: {value: 5, n: 20, lower: 1s}", 'p95 of step "look" is 5, a number without a unit'),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(tmp_path: Path, given: str, told: str) -> None:
    cases = (
        f"tests: ./example.yaml\ncases:\n  one:\n    steps: {{look: {{{given}}}}}\n    expect: {{outcome: healthy}}\n"
    )
    (found,) = run(tmp_path, cases).diagnostics
    assert found.code == "RB804"
    assert found.message.startswith(told)
    assert ":4:" in str(found)
