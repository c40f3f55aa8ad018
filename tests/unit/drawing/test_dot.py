import re
from collections.abc import Callable

import pytest
from pydantic import JsonValue

from runbook_engine.document.models import Runbook
from runbook_engine.graph.drawing import Overlay, dot

Make = Callable[..., Runbook]


def test_steps_and_ways_are_nodes_and_arrows(runbook: Make) -> None:
    graph = dot(
        runbook({"a": {"title": "First", "branches": [{"when": "p95 > 1s", "goto": "b"}, {"else": "end"}]}, "b": {}})
    )
    assert graph.startswith('digraph "drawn" {')
    assert '  "a" [label="First\\nfake.one", ' in graph
    assert '  "a" -> "b" [label="p95 > 1s"]' in graph


def test_error_routes_are_dashed_and_the_path_taken_is_thick(runbook: Make) -> None:
    steps: dict[str, dict[str, JsonValue]] = {
        "a": {"branches": [{"else": "b"}], "on_error": [{"kind": "dns", "goto": "b"}]},
        "b": {},
    }
    graph = dot(runbook(steps), Overlay(status={"a": "passed"}, taken={"a": ("on_error", 0)}))
    assert re.search(r'"a" -> "b" \[label="dns", style=dashed, color="#\w+", penwidth=2.4\]', graph)
    assert '  "a" -> "b"\n' in graph


def test_a_blind_step_is_dotted(runbook: Make) -> None:
    graph = dot(runbook({"a": {}}), Overlay(status={"a": "blind"}))
    assert re.search(r'"a" \[.*style="rounded,filled,dotted"\]', graph)


def test_a_finding_after_which_nothing_follows_is_a_node(runbook: Make) -> None:
    graph = dot(runbook({"a": {"branches": [{"when": "x > 1", "finding": "mild"}, {"else": "end"}]}}))
    assert '[label="⚠ mild"' in graph


@pytest.mark.parametrize("text", ['a" ] b', "back\\", "two\nlines", "\x1b[1m", "<b>html</b>"])
def test_text_of_others_stays_inside_its_quotes(runbook: Make, text: str) -> None:
    def steps(each: str) -> dict[str, dict[str, JsonValue]]:
        return {"a": {"title": each, "branches": [{"when": each, "finding": "bad"}]}}

    outside = [re.sub(r'"(?:[^"\\]|\\.)*"', '""', dot(runbook(steps(each), title=each))) for each in ("plain", text)]
    assert outside[0] == outside[1]
    assert "\x1b" not in dot(runbook(steps(text), title=text))
