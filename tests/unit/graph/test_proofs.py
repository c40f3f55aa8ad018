"""What a thorough check proves of a runbook, and what it says where a proof fails."""

import pytest

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.document.policy_load import load_policy
from runbook_engine.graph.advice import unproven
from runbook_engine.graph.compile import CompiledRunbook, Compiler
from runbook_engine.probe import Dimension, MetricType, Params, ProbeContext, Reading, probe
from runbook_engine.probe.fake import FakeProbe

METRICS = {
    "p95": MetricType(Dimension.DURATION, lower=0),
    "error_rate": MetricType(Dimension.PERCENT, lower=0, upper=100),
    "used": MetricType(Dimension.PERCENT, lower=0, upper=100),
    "sessions": MetricType(Dimension.NUMBER, lower=0, integer=True),
    "state": MetricType(Dimension.TEXT, members=("up", "down", "unknown")),
    "name": MetricType(Dimension.TEXT),
}
VALUE = FakeProbe("fake.value", metrics=METRICS).probe


class ScriptParams(Params):
    CODE = ("script",)

    script: str
    words: tuple[str, ...] = ()


class Nothing(Reading):
    ok: bool


@probe("fake.script", command=lambda params: params.script)
async def script(params: ScriptParams, ctx: ProbeContext) -> Nothing:
    """Runs code."""
    return Nothing(ok=True)


POLICY = """
policy: metrics
title: Ours
inputs: {full: {type: percent, default: 80%}}
metrics:
  load:
    title: Load
    probe: fake.value
    with: {kind: cpu}
    metric: used
    thresholds:
      - {level: warning, above: inputs.full, action: Look}
      - {level: critical, above: 95%, action: Run}
    runbook: example
"""

HEAD = "runbook: example\ntitle: An example\nstart: one\n"
TAIL = """
findings:
  bad: {level: warning, title: Bad, resolution: fix}
  worse: {level: critical, title: Worse, resolution: fix}
resolutions:
  fix: {title: Fix, steps: [Fix it]}
"""


def compiled(steps: str, head: str = HEAD) -> CompiledRunbook:
    policy = load_policy(POLICY, "policy.yaml").policy
    assert policy is not None
    compiler = Compiler(rb.Registry.of(VALUE, script), rb.Library(()), thorough=True, policies=(policy,))
    return compiler.loaded(load(f"{head}steps:\n{steps}{TAIL}", "example.yaml"))


def told(steps: str, head: str = HEAD, *, but: tuple[str, ...] = ("RB208", "RB206")) -> list[str]:
    return [
        f"{each.level}[{each.code}] {each.message}"
        for each in compiled(steps, head).diagnostics
        if each.code not in but
    ]


def one(*branches: str) -> str:
    listed = "".join(f"      - {{{each}}}\n" for each in branches)
    return f"  one:\n    probe: fake.value\n    branches:\n{listed}"


def test_the_value_that_a_literal_flowchart_leaves_undecided_is_shown() -> None:
    assert told(one("when: p95 > 1000ms, finding: bad", "when: p95 < 1000ms, goto: end")) == [
        'error[RB301] no branch of step "one" covers p95 = 1 s (branches cover p95 > 1000ms and p95 < 1000ms)'
    ]
    assert told(one("when: error_rate > 5%, finding: bad", "when: error_rate < 5%, goto: end")) == [
        'error[RB301] no branch of step "one" covers error_rate = 5 % '
        "(branches cover error_rate > 5% and error_rate < 5%)"
    ]


@pytest.mark.parametrize(
    "branches",
    [
        ("when: p95 > 1s, finding: bad", "when: p95 <= 1s, goto: end"),
        ("when: error_rate > 5%, finding: bad", "when: error_rate <= 5%, goto: end"),
        ("when: sessions == 0, finding: bad", "when: sessions >= 1, goto: end"),
        ("when: 'state == \"down\"', finding: bad", 'when: \'state in ["up", "unknown"]\', goto: end'),
        ("when: p95 > 1s and used > 50%, finding: bad", "when: p95 <= 1s or used <= 50%, goto: end"),
    ],
)
def test_branches_that_cover_every_value_need_no_else(branches: tuple[str, ...]) -> None:
    found = compiled(one(*branches))
    assert found.plan is not None
    assert told(one(*branches), but=("RB208", "RB206", "RB306")) == []


def test_a_run_is_not_held_up_by_what_only_the_checker_asks() -> None:
    registry = rb.Registry.of(VALUE)
    text = f"{HEAD}steps:\n{one('when: p95 > 1s, finding: bad', 'when: p95 > 2s, finding: worse', 'else: end')}{TAIL}"
    assert Compiler(registry, rb.Library(())).loaded(load(text, "example.yaml")).diagnostics == ()


def test_what_cannot_be_proven_needs_an_else() -> None:
    (found,) = told(
        one(
            "when: 'name matches \"^a\"', finding: bad",
            "when: 'name matches \"^[^a]\"', goto: end",
            "when: 'name == \"\"', goto: end",
        )
    )
    assert found.startswith('error[RB301] it cannot be proven that the branches of step "one" cover every value: ')
    assert told(one("when: 'name matches \"^a\"', finding: bad", "else: end")) == []


@pytest.mark.parametrize(
    ("branches", "expected"),
    [
        (
            ("when: p95 > 1s, finding: bad", "when: p95 > 2s, finding: worse", "else: end"),
            'warning[RB305] the branch "p95 > 2s" can never win: "p95 > 1s" before it takes everything that it covers',
        ),
        (
            ("when: used > 50%, goto: end", "when: used < 60%, goto: end", "when: used == 55%, finding: bad"),
            'warning[RB305] the branch "used == 55%" can never win: "used > 50%" before it takes everything that it covers',
        ),
        (
            ("when: p95 > 1s, finding: bad", "when: p95 <= 1s, goto: end", "else: end"),
            'warning[RB307] nothing is left for the else of step "one": its branches cover every value',
        ),
        (
            ("when: p95 > 2s and p95 < 1s, finding: bad", "else: end"),
            'warning[RB308] "p95 > 2s and p95 < 1s" is always false, whatever is measured',
        ),
        (
            ("when: p95 > 1s or p95 < 2s, finding: bad", "else: end"),
            'warning[RB308] "p95 > 1s or p95 < 2s" is always true, whatever is measured',
        ),
        (
            ("when: p95 > 2s, finding: worse", "when: p95 > 1s, finding: bad", "else: end"),
            'note[RB306] at p95 = 3 s both "p95 > 2s" and "p95 > 1s" hold, and the first wins',
        ),
        (
            ("when: p95 > 1s, finding: bad", "when: used > 50%, finding: bad", "else: end"),
            'note[RB207] branches 1 and 2 of step "one" raise and lead to the same',
        ),
    ],
)
def test_a_branch_that_is_not_what_it_seems_is_told(branches: tuple[str, ...], expected: str) -> None:
    found = told(one(*branches))
    if expected.startswith("note[RB306]"):
        (only,) = found
        assert only.startswith("note[RB306] at p95 = ")
        assert only.endswith('both "p95 > 2s" and "p95 > 1s" hold, and the first wins')
    else:
        assert expected in found


def test_the_inputs_may_have_any_value() -> None:
    head = HEAD.replace(
        "start: one", "start: one\ninputs: {a: {type: duration, default: 1s}, b: {type: duration, default: 2s}}"
    )
    assert told(one("when: p95 > inputs.a, finding: bad", "when: p95 <= inputs.a, goto: end"), head) == []
    (found,) = told(one("when: p95 > inputs.a, finding: bad", "when: p95 < inputs.a, goto: end"), head)
    assert found.startswith('error[RB301] no branch of step "one" covers p95 = ')
    (ladder,) = told(
        one("when: p95 > inputs.b, finding: bad", "when: p95 > inputs.a, finding: worse", "else: end"), head
    )
    assert ladder.startswith("note[RB306]")


def test_a_branch_that_an_earlier_step_excludes_is_told() -> None:
    steps = one("when: p95 > 1s, goto: two", "else: end") + (
        "  two:\n    probe: fake.value\n    branches:\n"
        "      - {when: one.p95 < 500ms, finding: bad}\n      - {else: end}\n"
    )
    assert told(steps, but=("RB208", "RB214")) == [
        'warning[RB309] the branch "one.p95 < 500ms" can never win: the steps before lead here only where it does not hold'
    ]
    possible = steps.replace("500ms", "5s")
    assert told(possible, but=("RB208", "RB214")) == []


def test_a_name_that_need_not_be_measured_on_the_way_is_told() -> None:
    steps = (
        one("when: p95 > 1s, goto: two", "else: three")
        + "  two:\n    probe: fake.value\n    branches: [{else: three}]\n"
        + "  three:\n    probe: fake.value\n    with: {a: '{{ one.p95 }}'}\n    branches:\n"
        + "      - {when: two.used > 50%, finding: bad}\n      - {else: end}\n"
    )
    assert told(steps, but=("RB208", "RB214")) == [
        'warning[RB213] step "two" need not have measured anything when step "three" runs: two.used may be missing'
    ]
    asked = steps.replace("two.used > 50%", "two.used is not missing and two.used > 50%")
    assert told(asked, but=("RB208", "RB214")) == []


@pytest.mark.parametrize(
    "step",
    [
        "{probe: fake.value, title: 'Full at {{ two.used }}?', branches: [{else: end}]}",
        "{probe: fake.value, description: 'After {{ two.used }}', branches: [{else: end}]}",
        "{ask: 'Is {{ two.used }} too much?', branches: [{else: end}]}",
    ],
    ids=["title", "description", "question"],
)
def test_a_name_in_what_people_read_before_a_step_is_told_where_it_need_not_be_measured(step: str) -> None:
    steps = (
        one("when: p95 > 1s, finding: bad, goto: two", "else: three")
        + "  two:\n    probe: fake.value\n    branches: [{else: three}]\n"
        + f"  three: {step}\n"
    )
    assert told(steps, but=("RB208", "RB214")) == [
        'warning[RB213] step "two" need not have measured anything when step "three" runs: two.used may be missing'
    ]
    stood_in = steps.replace("two.used }}", 'two.used | default("unknown") }}')
    assert told(stood_in, but=("RB208", "RB214")) == []


def test_steps_that_a_way_leads_to_together_know_of_each_other_where_they_join() -> None:
    steps = (
        one("when: p95 > 1s, goto: [two, three]", "else: end")
        + "  two:\n    probe: fake.value\n    branches: [{else: four}]\n"
        + "  three:\n    probe: fake.value\n    branches: [{else: four}]\n"
        + "  four:\n    probe: fake.value\n    branches:\n"
        + "      - {when: two.used > 50% and three.used > 50%, finding: bad}\n      - {else: end}\n"
    )
    assert told(steps, but=("RB208", "RB214")) == []


def test_a_step_reached_by_the_error_of_another_does_not_know_what_that_one_measured() -> None:
    steps = (
        one("when: p95 > 1s, goto: two", "else: end")
        + "    on_error: [{else: two}]\n"
        + "  two:\n    probe: fake.value\n    branches:\n"
        + "      - {when: one.used > 50%, finding: bad}\n      - {else: end}\n"
    )
    assert told(steps) == [
        'warning[RB213] step "one" need not have measured anything when step "two" runs: one.used may be missing'
    ]


def test_a_condition_that_could_not_hold_without_a_value_knows_it() -> None:
    steps = (
        one("when: p95 > 1s, goto: two", "else: three")
        + "  two:\n    probe: fake.value\n    branches: [{else: three}]\n"
        + "  three:\n    probe: fake.value\n    branches:\n"
        + "      - {when: two.used is not missing, goto: four}\n      - {else: end}\n"
        + "  four:\n    probe: fake.value\n    with: {a: '{{ two.used }}'}\n"
    )
    assert told(steps, but=("RB208", "RB214")) == []


def test_a_finding_that_says_nothing_to_do_is_told() -> None:
    tail = one("when: p95 > 1s, finding: lost", "else: end") + "findings:\n  lost: {level: warning, title: Lost}\n"
    text = f"{HEAD}steps:\n{tail}"
    found = (
        Compiler(rb.Registry.of(VALUE), rb.Library(()), thorough=True).loaded(load(text, "example.yaml")).diagnostics
    )
    assert [each.message for each in found] == [
        'finding "lost" has no resolution: whoever reads it is not told what to do'
    ]


def test_errors_that_end_a_walk_that_goes_on_otherwise_are_noted() -> None:
    steps = one("when: p95 > 1s, goto: two", "else: end") + "    on_error: [{kind: timeout, goto: two}]\n"
    steps += "  two:\n    probe: fake.value\n"
    (found,) = told(steps)
    assert found.startswith("note[RB214] the errors refused, dns, tls, auth")
    assert (
        found.endswith('of step "one" have a route: the walk ends there with a blind spot') or "have a route" in found
    )


def test_a_run_that_may_take_longer_than_its_time_box_is_told_with_the_path() -> None:
    head = HEAD.replace("start: one", "time_box: 20s\nstart: one")
    steps = (
        one("else: [two, three]")
        + "  two:\n    probe: fake.value\n    timeout: 4s\n  three:\n    probe: fake.value\n    timeout: 6s\n"
    )
    assert told(steps, head, but=("RB208", "RB214")) == [
        "warning[RB215] a run may take 21 s, which is more than its time box of 20 s: one -> three"
    ]
    assert told(steps.replace("6s", "5s"), head, but=("RB208", "RB214")) == []


def test_a_question_without_end_breaks_every_time_box() -> None:
    head = HEAD.replace("start: one", "time_box: 20s\nstart: one")
    assert told("  one:\n    ask: Well?\n", head) == [
        'warning[RB215] nothing bounds how long step "one" waits for a person, so that no time box holds'
    ]


def test_what_cannot_be_proven_to_only_read_is_named() -> None:
    found = compiled("  one:\n    probe: fake.script\n    with: {script: ls}\n")
    assert [each.message for each in found.diagnostics if each.code == "RB216"] == [
        'it cannot be proven that step "one" only reads: fake.script may do more'
    ]
    assert found.plan is not None
    assert unproven(found.plan) == ["one"]
    reading = compiled(one("else: end")).plan
    assert reading is not None
    assert unproven(reading) == []


def test_a_text_filled_into_code_is_refused_and_a_number_is_not() -> None:
    head = HEAD.replace("start: one", "start: one\ninputs: {who: {default: me}, many: {type: int, default: 3}}")
    steps = "  one:\n    probe: fake.script\n    with: {script: 'ps -u {{ inputs.who }}'}\n"
    assert told(steps, head, but=("RB208", "RB216")) == [
        'error[RB217] inputs.who is a text that "script" of fake.script would run as code'
    ]
    assert told(steps.replace("inputs.who", "inputs.many"), head, but=("RB208", "RB216")) == []
    words = "  one:\n    probe: fake.script\n    with: {script: ps, words: ['{{ inputs.who }}']}\n"
    assert told(words, head, but=("RB208", "RB216")) == []


@pytest.mark.parametrize(
    ("branches", "params", "expected"),
    [
        (
            ("when: used > 70%, finding: bad", "else: end"),
            "{kind: cpu}",
            [
                'warning[RB218] "bad" is a warning finding from 70 % on, but the policy of metrics calls Load warning '
                "from 80 % on"
            ],
        ),
        (("when: used > 80%, finding: bad", "else: end"), "{kind: cpu}", []),
        (("when: used > 70%, finding: bad", "else: end"), "{kind: memory}", []),
        (("when: used < 10%, finding: bad", "else: end"), "{kind: cpu}", []),
        (("when: used > 70%, finding: bad", "else: end"), "{kind: '{{ inputs.kind }}'}", []),
        (
            ("when: 96% < used, finding: worse", "else: end"),
            "{kind: cpu}",
            [
                'warning[RB218] "worse" is a critical finding from 96 % on, but the policy of metrics calls Load critical '
                "from 95 % on"
            ],
        ),
    ],
)
def test_a_threshold_that_contradicts_the_policy_is_told(
    branches: tuple[str, ...], params: str, expected: list[str]
) -> None:
    head = HEAD.replace("start: one", "start: one\ninputs: {kind: {default: cpu}}")
    steps = one(*branches).replace("fake.value\n", f"fake.value\n    with: {params}\n")
    assert told(steps, head) == expected
