import re
from collections.abc import Callable

import pytest
from pydantic import JsonValue

from runbook_engine.document.models import Runbook
from runbook_engine.graph.drawing import Overlay, mermaid

Make = Callable[..., Runbook]


def test_steps_and_ways_are_nodes_and_arrows(runbook: Make) -> None:
    chart = mermaid(
        runbook({"a": {"title": "First", "branches": [{"when": "p95 > 1s", "goto": "b"}, {"else": "end"}]}, "b": {}})
    )
    assert "flowchart TD" in chart
    assert '  s_a["First<br/><small>fake.one</small>"]' in chart
    assert "  start --> s_a" in chart
    assert '  s_a -->|"p95 #gt; 1s"| s_b' in chart


def test_ways_that_lead_to_several_steps_meet_in_one_node(runbook: Make) -> None:
    ways: list[JsonValue] = [{"when": "p95 > 2s", "finding": "bad", "goto": ["b", "c"]}, {"else": ["b", "c"]}]
    chart = mermaid(runbook({"a": {"branches": ways}, "b": {}, "c": {}}))
    assert '  fork1["p95 #gt; 2s ⛔ bad<br/>else"]' in chart
    assert [line.strip() for line in chart.splitlines() if " --> " in line] == [
        "start --> s_a",
        "s_a --> fork1",
        "fork1 --> s_b",
        "fork1 --> s_c",
    ]


def test_error_routes_are_dotted(runbook: Make) -> None:
    chart = mermaid(runbook({"a": {"on_error": [{"kind": ["dns", "tls"], "goto": "b"}]}, "b": {}}))
    assert '  s_a -.->|"dns or tls"| s_b' in chart


def test_a_finding_after_which_nothing_follows_is_a_node(runbook: Make) -> None:
    chart = mermaid(runbook({"a": {"branches": [{"when": "x > 1", "finding": "mild"}, {"else": "end"}]}}))
    assert '(["⚠ mild"])' in chart
    assert "else" not in chart


def test_the_path_taken_is_thick(runbook: Make) -> None:
    steps: dict[str, dict[str, JsonValue]] = {
        "a": {"branches": [{"when": "x > 1", "goto": "b"}, {"else": "c"}]},
        "b": {},
        "c": {},
    }
    overlay = Overlay(status={"a": "passed", "c": "blind", "b": "skipped"}, taken={"a": ("branches", 1)})
    chart = mermaid(runbook(steps), overlay)
    arrows = [line for line in chart.splitlines() if re.search(r" -(\.-)?->", line)]
    thick = re.search(r"linkStyle ([\d,]+) ", chart)
    assert thick is not None
    assert [arrows[int(number)].split()[-1] for number in thick.group(1).split(",")] == ["s_a", "s_c"]
    assert "  class s_c blind" in chart
    assert "  class s_b skipped" in chart


def test_no_step_is_named_like_a_word_of_mermaid(runbook: Make) -> None:
    chart = mermaid(runbook({"graph": {"branches": [{"else": "style"}]}, "style": {}}, start="graph"))
    assert "  s_graph --> s_style" in chart


@pytest.mark.parametrize(
    "text", ['a"]; click s_a "javascript:alert(1)', "<b>x</b>", "one\ntwo --> three", "`code`", "#35;", "\x1b[1m"]
)
def test_text_of_others_stays_inside_its_quotes(runbook: Make, text: str) -> None:
    def steps(each: str) -> dict[str, dict[str, JsonValue]]:
        return {"a": {"title": each, "branches": [{"when": each, "finding": "bad"}]}}

    benign, chart = (mermaid(runbook(steps(each), title=each)) for each in ("plain", text))
    outside = [re.sub(r'"[^"]*"', '""', each) for each in (benign, chart)]
    assert outside[0].splitlines()[3:] == outside[1].splitlines()[3:]
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", chart)


def test_a_list_marker_is_not_read_as_markdown(runbook: Make) -> None:
    assert '"1#46; First' in mermaid(runbook({"a": {"title": "1. First"}}))
