"""What is said about a policy that is not sound: each mistake at its place, with what is legal instead."""

from collections.abc import Callable

import pytest

from runbook_engine.document import render_all
from runbook_engine.document.policy_load import load_policy, load_policy_file
from runbook_engine.graph.triage_checks import CompiledPolicy

Told = Callable[[str], list[str]]


def test_a_sound_policy_has_nothing_to_say(told: Told, small_text: str) -> None:
    assert told(small_text) == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("metric: p95", "metric: p59", '13:13 RB501 the probe small.latency has no metric "p59"'),
        ("metric: p95", "metric: state", '13:13 RB502 "state" of small.latency is text, and has no threshold'),
        ("above: inputs.slow", "above: 500", "15:33 RB502 p95 is a duration, and 500 has no unit"),
        ("above: inputs.slow", "above: 5%", "15:33 RB502 p95 is a duration, and 5% a percentage"),
        ("below: 10", "below: 10%", "24:33 RB502 left is a number, and 10% a percentage"),
        ("above: inputs.slow", "above: inputs.name", "15:33 RB502 p95 is a duration and inputs.name a text"),
        ("above: inputs.slow", "above: inputs.token", '15:33 RB502 "token" is a secret and cannot be compared'),
        (
            "above: inputs.slow",
            "above: inputs.slwo",
            '15:33 RB304 there is no input named "slwo"; did you mean "slow"?',
        ),
        ("above: inputs.slow", "above: 1s or true", '15:33 RB502 "1s or true" is not a limit'),
        ("above: inputs.slow", "above: p95", '15:33 RB502 "p95" is not a limit'),
        ("above: inputs.slow", "above: later", '15:33 RB502 "later" is not a limit'),
        (
            "default: 1s",
            "default: 500ms",
            '16:34 RB503 metric "response_time" is critical above 500 ms already, and a warning only above 500 ms',
        ),
        (
            "above: inputs.very_slow",
            "above: 100ms",
            '16:34 RB503 metric "response_time" is critical above 100 ms already, and a warning only above 500 ms',
        ),
        (
            "level: critical, above",
            "level: critical, below",
            '16:9 RB503 the thresholds of metric "response_time" look to both sides: one above, one below',
        ),
        (
            "level: critical,",
            "level: warning,",
            '16:9 RB503 the thresholds of metric "response_time" are not in the order of their levels, one for each',
        ),
        ("below: 10, ", "", '24:9 RB505 threshold 1 of metric "stock" has neither "above" nor "below"'),
        ("below: 10", "below: 10, above: 9", '24:9 RB505 threshold 1 of metric "stock" has both "above" and "below"'),
        ("level: warning, below", "level: bad, below", '24:17 RB114 "level" of threshold 1 of metric "stock" is "bad"'),
        ("  stock:", "  end:", '18:3 RB124 metric "end" has a name that means something else where it is used'),
        (
            "metric: left",
            "metric: left\n    sentence: '{{ valu }} are left'",
            '23:15 RB404 "valu" is not known in this sentence',
        ),
        (
            "metric: left",
            "metric: left\n    sentence: '{{ value | count }} is left'",
            "23:16 RB403 what filter 'count' is given is not allowed in a template",
        ),
        ("metric: left", "metrik: left", '22:5 RB111 metric "stock" has no key "metrik"'),
        ("    title: Stock\n", "", '18:3 RB112 metric "stock" has no "title"'),
        ("policy: metrics", "policy: roles", '1:9 RB110 this is a policy of "roles", and only one of "metrics"'),
        ("policy: metrics", "runbook: metrics", "1:1 RB110 this is not a policy"),
        ("title: Small", "titel: Small", '2:1 RB111 the policy has no key "titel"'),
        ("probe: small.stock", "probe: small.stok", "20:12 RB401"),
        ('{name: "{{ inputs.name }}"', '{name: "{{ inputs.nam }}"', "21:22 RB404"),
        ("default: api", "default: 5", "6:33 RB121"),
        ("  stock:", "  response_time:", '18:3 RB104 the key "response_time" is given twice'),
    ],
)
def test_a_mistake_is_told_at_its_place(told: Told, small_text: str, before: str, after: str, message: str) -> None:
    assert before in small_text

    assert any(each.startswith(message) for each in told(small_text.replace(before, after))), told(
        small_text.replace(before, after)
    )


FAULTY = """\
    faults:
      - {when: error_rate > 50%, level: warning, says: fails often, action: Look}
      - {when: state == "down", level: critical, says: is down, action: Start it}
    runbook: high-latency
  stock:
"""


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("when: error_rate > 50%", "when: eror_rate > 50%", "18:16 RB304 there is no metric of step"),
        (
            "when: error_rate > 50%",
            "when: error_rate > 50ms",
            "18:29 RB303 error_rate is a percentage, and 50ms a duration",
        ),
        ("when: error_rate > 50%", "when: error_rate >", "18:27 RB302 the condition ends behind"),
        ('when: state == "down"', 'when: stat == "down"', "19:16 RB304 there is no metric of step"),
        ("says: is down", 'says: "is {{ stat }}"', '19:56 RB404 "stat" is not known in this sentence'),
        (
            'when: state == "down", level',
            'errors: [tls], when: state == "down", level',
            '19:9 RB505 fault 2 of metric "response_time" has both "when" and "errors"',
        ),
        (
            'when: state == "down", level',
            "level",
            '19:9 RB505 fault 2 of metric "response_time" has neither "when" nor "errors"',
        ),
        (
            'when: state == "down", level: critical, says: is down',
            'errors: [tls], level: critical, says: "is {{ state }}"',
            '19:48 RB404 "state" is not known in this sentence',
        ),
        ("says: is down, ", "", '19:9 RB112 fault 2 of metric "response_time" has no "says"'),
        ("says: is down", "sais: is down", '19:50 RB111 fault 2 of metric "response_time" has no key "sais"'),
        ("level: critical, says", "level: bad, says", '19:40 RB114 "level" of fault 2 of metric "response_time"'),
    ],
)
def test_a_mistake_in_a_fault_is_told_at_its_place(
    told: Told, small_text: str, before: str, after: str, message: str
) -> None:
    text = small_text.replace("    runbook: high-latency\n  stock:\n", FAULTY)
    assert told(text) == []
    assert before in text

    found = told(text.replace(before, after))
    assert any(each.startswith(message) for each in found), found


def test_a_runbook_that_does_not_exist_is_an_error_and_keeps_nothing_from_being_measured(
    compiled: Callable[[str], CompiledPolicy], small_text: str
) -> None:
    found = compiled(small_text.replace("runbook: high-latency", "runbook: high-latncy", 1))

    assert [str(each) for each in found.diagnostics] == [
        'p.yaml:17:14: error[RB210]: metric "response_time" names the runbook "high-latncy", which does not exist'
    ]
    assert found.diagnostics[0].label == 'did you mean "high-latency"?'
    assert found.plan is not None


def test_the_same_metric_asked_alike_under_two_names_is_told(told: Told, small_text: str) -> None:
    twice = small_text + small_text[small_text.index("  response_time:") : small_text.index("  stock:")].replace(
        "response_time", "latency"
    )

    assert told(twice) == [
        '26:3 RB504 metric "latency" is the same as metric "response_time": p95 of small.latency, asked alike'
    ]


def test_another_metric_of_the_same_measurement_is_no_duplicate(told: Told, small_text: str) -> None:
    second = (
        small_text[small_text.index("  response_time:") : small_text.index("  stock:")]
        .replace("response_time", "errors")
        .replace("metric: p95", "metric: error_rate")
        .replace("inputs.slow", "1%")
        .replace("inputs.very_slow", "5%")
    )

    assert told(small_text + second) == []


def test_an_input_that_nothing_uses_is_a_warning(told: Told, small_text: str) -> None:
    assert told(small_text.replace("inputs:\n", "inputs:\n  idle: {default: x}\n")) == [
        '4:3 RB208 input "idle" is unused: nothing uses it'
    ]


def test_mistakes_of_shape_and_of_meaning_are_told_together(told: Told, small_text: str) -> None:
    broken = small_text.replace("metric: p95", "metric: p59").replace("level: warning, below", "level: bad, below")

    assert [each.split()[1] for each in told(broken)] == ["RB501", "RB114"]


def test_a_policy_says_nothing_of_an_input_whose_user_could_not_be_read(told: Told, small_text: str) -> None:
    broken = small_text.replace("level: warning, below", "level: bad, below")

    assert [each.split()[1] for each in told(broken)] == ["RB114"]


@pytest.mark.parametrize(
    "text", ["", "policy: metrics", "- 1", "policy: {a: b}", "policy: metrics\nmetrics: 3", "a: [", "\x00"]
)
def test_any_text_is_diagnosed_and_none_raises(told: Told, text: str) -> None:
    assert told(text)


def test_a_file_that_cannot_be_read_is_a_diagnostic() -> None:
    loaded = load_policy_file("no/such/file.yaml")

    assert loaded.policy is None
    assert [each.code for each in loaded.diagnostics] == ["RB101"]


def test_diagnostics_show_the_line_of_the_policy(small_text: str, compiled: Callable[[str], CompiledPolicy]) -> None:
    found = compiled(small_text.replace("metric: p95", "metric: p59"))

    assert render_all(found.diagnostics, found.sources).splitlines() == [
        'error[RB501]: the probe small.latency has no metric "p59"',
        "  --> p.yaml:13:13",
        "   |",
        "13 |     metric: p59",
        '   |             ^^^ did you mean "p95"?',
        "   = help: metrics of small.latency: error_rate, p95, state",
        "",
        "1 error in 1 file",
    ]


def test_a_policy_is_not_taken_for_a_runbook(small_text: str) -> None:
    from runbook_engine.document import load

    assert [each.message for each in load(small_text, "p.yaml").diagnostics] == [
        "this is a policy document, and only runbooks can be read here"
    ]
    assert load_policy(small_text, "p.yaml").diagnostics == ()
