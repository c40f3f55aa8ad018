"""What is told of a word."""

from collections.abc import Callable

import pytest

from runbook_engine.editor.hover import Hover

DOCUMENT = """\
runbook: slow
title: Slow pages
inputs:
  limit: {type: duration, default: 1500ms, env: LIMIT, help: The longest}
start: page
steps:
  page:
    probe: http.latency
    with: {url: "https://example.com"}
    branches:
      - {when: p95 > inputs.limit or error_rate > 0.5%, finding: slow, goto: parts}
      - {else: end}
    on_error:
      - {kind: refused, finding: slow}
  # runbook: ignore[RB208] because the mobile team uses it next week
  parts:
    call: ecs-service
    branches: [{else: end}]
findings:
  slow: {level: warning, title: "🐌 {{ page.p95 }}", resolution: tune}
resolutions:
  tune: {title: Tune it, steps: [Look]}
"""


@pytest.mark.parametrize(
    ("old", "new", "word", "says"),
    [
        ("http.latency", "http.la¦tency", "http.latency", "Asks a URL several times"),
        ("http.latency", "http.la¦tency", "http.latency", "`url` (required)"),
        ("http.latency", "http.la¦tency", "http.latency", "`p95`: duration, at least 0 s (in s)"),
        ("when: p95", "when: p¦95", "p95", "duration, at least 0 s (in s)"),
        ("inputs.limit", "inputs.li¦mit", "limit", "type duration; default 1500ms; from `$LIMIT`"),
        ("inputs.limit", "inputs.li¦mit", "limit", "The longest"),
        ("0.5%", "0.¦5%", "0.5%", "percent"),
        ("goto: parts", "goto: par¦ts", "parts", "step"),
        ("call: ecs-service", "call: ecs-¦service", "ecs-service", "`ecs_cluster` (string)"),
        ("resolution: tune", "resolution: tu¦ne", "tune", "Tune it"),
        ("    with:", "    wi¦th:", "with", "The probe's parameters"),
        ("kind: refused", "kind: ref¦used", "refused", "**refused**"),
        ("page.p95 }}", "page.p¦95 }}", "page.p95", "duration"),
        ("page.p95 }}", "pa¦ge.p95 }}", "page", "measured by `http.latency`"),
        ("RB208", "RB2¦08", "RB208", "nothing uses"),
    ],
)
def test_a_word_is_told_with_its_place(
    old: str, new: str, word: str, says: str, told: Callable[[str], Hover | None]
) -> None:
    found = told(DOCUMENT.replace(old, new, 1))
    assert found is not None
    assert DOCUMENT[found.start : found.end] == word
    assert says in found.told


def test_a_literal_is_told_in_the_units_that_people_read(told: Callable[[str], Hover | None]) -> None:
    found = told(DOCUMENT.replace("0.5%", "1 and max > 15¦00ms"))
    assert found is not None
    assert found.told == "**1500ms** — duration: 1.5 s"


@pytest.mark.parametrize("old", ["Slow pages", "https://example.com", "Tune it"])
def test_nothing_is_told_of_free_text(old: str, told: Callable[[str], Hover | None]) -> None:
    assert told(DOCUMENT.replace(old, f"{old[:3]}¦{old[3:]}", 1)) is None
