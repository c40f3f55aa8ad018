"""What is said about a runbook whose meaning is wrong: every message, at its place."""

import pytest

import runbook_engine as rb
from runbook_engine.document import load
from runbook_engine.graph.compile import CompiledRunbook, Compiler
from runbook_engine.ids import StepId
from runbook_engine.probe import Dimension, Document, DocumentReading, MetricType, Params, ProbeContext, Reading, probe
from runbook_engine.probe.fake import AnyParams, FakeProbe


class LookParams(Params):
    url: str
    samples: int = 20


class LookReading(Reading):
    ok: bool


@probe("look.at", command=lambda params: f"look {params.url}")
async def look(params: LookParams, ctx: ProbeContext) -> LookReading:
    """Looks."""
    return LookReading(ok=True)


class RowsReading(DocumentReading):
    DOCUMENT = Document("The rows", shape=[{"name": str, "load": float}], example=[{"name": "api", "load": 0.3}])


@probe("look.rows", command=lambda _params: "look")
async def rows(params: AnyParams, ctx: ProbeContext) -> RowsReading:
    """Looks at rows."""
    return RowsReading()


VALUE = FakeProbe("fake.value", metrics={"p95": MetricType(Dimension.DURATION, lower=0)}).probe
HEAD = "runbook: example\ntitle: An example\nstart: one\n"
TAIL = "findings:\n  slow: {level: warning, title: Slow, resolution: fix}\nresolutions:\n  fix: {title: Fix, steps: [Fix it]}\n"


def compiled(text: str) -> CompiledRunbook:
    return Compiler(rb.Registry.of(look, rows, VALUE), rb.Library(())).loaded(load(text, "example.yaml"))


def told(text: str) -> list[str]:
    return [f"{each.span.line}:{each.span.column} {each.code} {each.message}" for each in compiled(text).diagnostics]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            "steps:\n  one: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow}, {else: tow}]}\n"
            "  two: {probe: fake.value}\n",
            ['5:79 RB203 step "one" goes to "tow", which does not exist'],
        ),
        (
            "steps:\n  one: {probe: fake.value, branches: [{when: p95 > 1s, finding: slwo}, {else: end}]}\n",
            [
                '5:65 RB202 step "one" raises the finding "slwo", which does not exist',
                '7:3 RB208 finding "slow" is unused: nothing raises it',
            ],
        ),
        (
            "steps:\n  one: {probe: fake.valeu, branches: [{when: p95 > 1s, finding: slow}, {else: end}]}\n",
            ["5:16 RB401 no installed package provides the probe 'fake.valeu'; did you mean \"fake.value\"?"],
        ),
        (
            "steps:\n  one: {probe: look.at, with: {ulr: x}, branches: [{when: ok, finding: slow}, {else: end}]}\n",
            [
                '5:25 RB402 step "one": the probe look.at needs "url"',
                '5:32 RB402 the probe look.at has no parameter "ulr"',
            ],
        ),
        (
            "steps:\n  one: {probe: look.at, with: {url: x, samples: many}, branches: [{when: ok, finding: slow}, {else: end}]}\n",
            ['5:49 RB402 "samples" of look.at: Input should be a valid integer, unable to parse string as an integer'],
        ),
        (
            'steps:\n  one: {probe: look.at, with: {url: "{{ inputs.nope }}"}, branches: [{when: ok, finding: slow}, {else: end}]}\n',
            ['5:41 RB404 there is no input named "nope"'],
        ),
        (
            'steps:\n  one: {probe: look.at, with: {url: "{{ 9 ** 9 }}"}, branches: [{when: ok, finding: slow}, {else: end}]}\n',
            ["5:38 RB403 pow is not allowed in a template"],
        ),
        (
            "steps:\n  one: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow}]}\n",
            ['5:28 RB301 no branch of step "one" covers p95 = 500 ms (its branch covers p95 > 1s)'],
        ),
        (
            "steps:\n  one: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow, goto: two}, {else: end}]}\n"
            "  two: {probe: fake.value, branches: [{else: one}]}\n",
            ["5:3 RB205 steps lead in a circle: one -> two -> one"],
        ),
        (
            "steps:\n  one: {call: nothing, branches: [{when: findings > 3, finding: slow}, {else: end}]}\n",
            ['5:15 RB210 step "one" calls the runbook "nothing", which does not exist'],
        ),
        (
            "steps:\n  one: {probe: fake.value, extract: {x: {path: a}}, branches: [{when: p95 > 1s, finding: slow}, {else: end}]}\n",
            ["5:28 RB405 the probe fake.value measures its metrics itself; there is nothing to extract from"],
        ),
        *(
            (
                f"steps:\n  one: {{probe: look.rows, extract: {{x: {written}}}, "
                "branches: [{when: x > 1, finding: slow}, {else: end}]}\n",
                [f'5:{column} {code} extract "x": {message}'],
            )
            for written, column, code, message in [
                ("{path: load}", 47, "RB407", 'load leads nowhere: "load" is asked of a list of objects with name, load; write [0].load for that of the first item'),
                ('{path: "[0].laod"}', 47, "RB407", '[0].laod leads nowhere: "laod" is asked of an object with name, load; did you mean "load"?'),
                ('{path: "[].load"}', 47, "RB407", "[].load leads to a list, and the type is number"),
                ('{path: "[0]", match: "(a)"}', 47, "RB407", "[0] leads to an object with name, load, and a match is made in a text"),
                ('{path: "sume([].load)"}', 47, "RB406", 'there is no function sume(); did you mean "sum"?; functions: abs, avg, ceil, contains, ends_with, floor, join, keys, length, map, max, max_by, merge, min, min_by, not_null, reverse, sort, sort_by, starts_with, sum, to_array, to_number, to_string, type, values'),
                ('{path: "[0].name", match: "a(b"}', 68, "RB406", 'this "(" is never closed'),
            ]
        ),
    ],
)  # fmt: skip
def test_a_mistake_of_meaning_is_reported_at_its_place(steps: str, expected: list[str]) -> None:
    assert told(HEAD + steps + TAIL) == expected


def test_a_resolution_and_a_start_that_do_not_exist_are_named() -> None:
    text = HEAD.replace("start: one", "start: oen") + (
        "steps:\n  one: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow}, {else: end}]}\n"
        "findings:\n  slow: {level: warning, title: Slow, resolution: fxi}\nresolutions:\n  fix: {title: Fix, steps: [Fix it]}\n"
    )
    assert [each.split(" ", 1)[1] for each in told(text)] == [
        'RB201 the runbook starts with "oen", which does not exist',
        'RB204 finding "slow" names the resolution "fxi", which does not exist',
        'RB208 resolution "fix" is unused: nothing points to it',
    ]


def test_a_condition_may_use_only_steps_that_come_before() -> None:
    text = HEAD + (
        "steps:\n"
        "  one: {probe: fake.value, branches: [{when: two.p95 > 1s, finding: slow}, {else: two}]}\n"
        "  two: {probe: fake.value, branches: [{when: one.p95 > 1s, finding: slow}, {else: end}]}\n"
    )
    assert told(text + TAIL) == [
        '5:46 RB304 step "two" does not come before step "one", so its metrics are not known here'
    ]


def test_a_secret_cannot_be_compared() -> None:
    text = HEAD + (
        "inputs:\n  token: {type: secret, env: TOKEN}\n"
        'steps:\n  one: {probe: fake.value, branches: [{when: inputs.token == "x", finding: slow}, {else: end}]}\n'
    )
    assert told(text + TAIL) == ['7:46 RB304 "token" is a secret and cannot be compared']


def test_one_mistake_does_not_bring_others_with_it() -> None:
    text = (
        HEAD
        + "steps:\n  one: {probe: no.such, with: {a: 1}, branches: [{when: anything > 5, finding: slow}, {else: end}]}\n"
    )
    assert [each.split()[1] for each in told(text + TAIL)] == ["RB401"]


def test_runbooks_that_call_each_other_are_refused(tmp_path: pytest.TempPathFactory) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    for name, other in (("ping", "pong"), ("pong", "ping")):
        (folder / f"{name}.yaml").write_text(
            f"runbook: {name}\ntitle: T\nstart: one\nsteps:\n  one: {{call: {other}}}\n"
        )
    found = Compiler(rb.Registry.of(), rb.Library((folder,))).file(folder / "ping.yaml")
    assert found.plan is None
    assert "runbooks call each other in a circle: ping -> pong -> ping" in found.diagnostics[0].message


def test_a_sound_runbook_has_nothing_said_about_it() -> None:
    text = (
        HEAD + "steps:\n  one: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow}, {else: end}]}\n" + TAIL
    )
    found = compiled(text)
    assert found.diagnostics == ()
    assert found.plan is not None
    assert list(found.plan.dag.nodes) == ["one"]


def test_the_plan_is_a_networkx_graph_whose_edges_carry_their_branches() -> None:
    text = HEAD + (
        "steps:\n"
        "  one: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow, goto: two}, {else: two}]}\n"
        "  two: {probe: fake.value}\n"
    )
    plan = compiled(text + TAIL).plan
    assert plan is not None
    assert [edge.label for edge in plan.dag.edges[StepId("one"), StepId("two")]["ways"]] == ["p95 > 1s", "else"]
    assert plan.order == ("one", "two")


def test_a_step_that_nothing_leads_to_is_a_warning() -> None:
    text = HEAD + (
        "steps:\n  one: {probe: fake.value, branches: [{when: p95 > 1s, finding: slow}, {else: end}]}\n"
        "  two: {probe: fake.value}\n"
    )
    found = compiled(text + TAIL)
    assert found.plan is not None
    assert [str(each) for each in found.diagnostics] == [
        'example.yaml:6:3: warning[RB206]: nothing leads to step "two", so it never runs'
    ]
