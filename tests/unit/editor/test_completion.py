"""What is offered while a document is written, wherever the cursor stands."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from runbook_engine.editor.completion import Item, Surroundings, complete
from runbook_engine.editor.hover import hover
from runbook_engine.editor.index import index
from runbook_engine.editor.tree import salvaged
from runbook_engine.library import shipped_directory

Offered = Callable[[str], Sequence[Item]]

DOCUMENT = """\
runbook: slow
title: Slow pages
inputs:
  limit: {type: duration, default: 1s, help: The limit}
  share: {type: percent, default: 5%}
  dsn: {type: secret, env: DSN}
start: page
steps:
  page:
    title: How slow
    probe: http.latency
    with: {url: "https://example.com"}
    branches:
      - {when: p95 > inputs.limit, finding: slow, goto: database}
      - {else: end}
  database:
    probe: postgres.activity
    with:
      dsn: "{{ inputs.dsn }}"
    branches:
      - when: utilization > 80%
        finding: slow
      - else: end
    on_error:
      - {kind: refused, finding: slow}
  certificate:
    probe: tls.certificate
    with:
      host: example.com
    branches:
      - {else: parts}
  parts:
    call: ecs-service
    with:
      ecs_cluster: shop
    branches:
      - {else: question}
  question:
    ask: Which one is it?
    type: enum
    values: [red, blue]
    branches:
      - {when: answer == "red", finding: slow}
      - {else: end}
findings:
  slow:
    level: warning
    title: "P95 is {{ page.p95 }}"
    resolution: tune
resolutions:
  tune: {title: Tune it, steps: [Look]}
"""


def labels(items: Sequence[Item]) -> list[str]:
    return [each.label for each in items]


def at(old: str, new: str) -> str:
    assert old in DOCUMENT
    return DOCUMENT.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [
        ("title: Slow pages\n", "title: Slow pages\n¦\n", ["version", "owner", "severity"]),
        ("title: Slow pages\n", "title: Slow pages\nsev¦\n", ["version", "owner", "severity"]),
        ("title: Slow pages\n", "title: Slow pages\nseverity: ¦\n", ["P0", "P1", "P2", "P3"]),
        ("    title: How slow\n", "    title: How slow\n    ti¦\n", ["description", "on_error", "retry", "timeout"]),
        ("probe: http.latency", "probe: http.¦", ["aws.acm_certificate", "aws.autoscaling"]),
        ('{url: "https://example.com"}', '{url: "https://example.com", ¦}', ["method", "headers"]),
        ('{url: "https://example.com"}', '{url: "https://example.com", sam¦', ["method", "headers"]),
        ("      host: example.com\n", "      ¦\n      host: example.com\n", ["port"]),
        ("      ecs_cluster: shop\n", "      ecs_cluster: shop\n      ¦\n", ["aws_region", "ecs_service"]),
        ("goto: database", "goto: da¦", ["database", "certificate", "parts", "question", "end"]),
        ("goto: database", "goto: [database, ¦", ["database", "certificate"]),
        ("finding: slow, goto", "finding: ¦, goto", ["slow"]),
        ("start: page", "start: ¦", ["page", "database"]),
        ("start: page", "start:\n  - ¦", ["page", "database"]),
        ("- else: end", "- else: ¦", ["page", "certificate"]),
        ("call: ecs-service", "call: ¦", ["database-connections", "diagnostic-scripts"]),
        ("kind: refused", "kind: [refused, ¦]", ["refused", "timeout", "dns", "tls"]),
        ("level: warning", "level: ¦", ["warning", "critical"]),
        ("resolution: tune", "resolution: ¦", ["tune"]),
        ("{type: duration,", "{type: ¦,", ["string", "int", "number"]),
        ("      - when: utilization", "      - ¦\n      - when: utilization", ["when", "else", "finding", "goto"]),
        ("p95 > inputs.limit", "¦", ["p50", "p95", "p99"]),
        ("p95 > inputs.limit", "p95 > ¦", ["inputs.limit", "p50"]),
        ("p95 > inputs.limit", "p95 ¦", [">", ">=", "<", "<="]),
        ("p95 > inputs.limit", "p95 > 5¦", ["5ns", "5us", "5ms", "5s"]),
        ("utilization > 80%", "utilization > 80¦", ["80%"]),
        ('answer == "red"', "'answer == ¦'", ['"red"', '"blue"']),
        ("{{ page.p95 }}", "{{ ¦ }}", ["inputs.limit", "inputs.share", "inputs.dsn", "page.p50"]),
        ("{{ page.p95 }}", "{{ page.p95 | ¦ }}", ["upper", "lower", "trim", "urlencode", "number", "default"]),
    ],
)
def test_what_may_stand_there_is_offered_the_likeliest_first(
    old: str, new: str, first: list[str], offered: Offered
) -> None:
    found = labels(offered(at(old, new)))
    assert [each for each in found if each in first] == first
    assert found[0] == first[0]


FROM_INPUTS = ["inputs.limit", "inputs.share", "inputs.dsn"]


@pytest.mark.parametrize(
    ("old", "new", "also", "never"),
    [
        ("title: Slow pages", 'title: "Slow {{ ¦ }}"', [], ["page.p95", "error.kind"]),
        ("title: Slow pages", 'title: T\nsymptoms: ["Slow {{ ¦', [], ["page.p95", "error.kind"]),
        ("title: How slow", 'title: "How slow {{ ¦ }}?"', [], ["page.p95", "database.used", "error.kind"]),
        ("    probe: postgres.activity", '    title: "{{ ¦ }}"\n    probe: postgres.activity', ["page.p95"], ["database.used"]),
        ("    probe: tls.certificate", '    description: "{{ p¦ }}"\n    probe: tls.certificate', ["page.p95"], ["parts.outcome"]),
        ("ask: Which one is it?", "ask: Is it {{ ¦ }}?", ["page.p95", "parts.outcome"], ["question.answer"]),
        ("ask: Which one is it?", 'ask: "Is it {{ ¦', ["page.p95", "parts.outcome"], ["question.answer"]),
        ("steps: [Look]", 'steps: ["Look {{ ¦ }}"]', ["page.p95", "database.used", "question.answer"], ["error.kind"]),
        ("title: Tune it", 'title: "Tune {{ ¦ }}"', ["page.p95", "question.answer"], ["error.kind"]),
        ("resolutions:", 'prevention: ["Do {{ ¦ }}"]\nresolutions:', ["page.p95", "question.answer"], ["error.kind"]),
        ("{{ page.p95 }}", "{{ ¦ }}", ["page.p95", "error.kind", "error.message"], []),
        ("host: example.com", 'host: "{{ ¦ }}"', ["page.p95"], ["certificate.time", "parts.outcome"]),
    ],
)  # fmt: skip
def test_names_are_offered_in_every_text_that_is_filled_and_only_those_that_it_may_have(
    old: str, new: str, also: list[str], never: list[str], offered: Offered
) -> None:
    found = labels(offered(at(old, new)))
    assert found[:3] == FROM_INPUTS
    assert [each for each in also if each not in found] == []
    assert [each for each in never if each in found] == []


def test_nothing_is_offered_in_a_text_that_is_never_filled(offered: Offered) -> None:
    assert labels(offered(at("help: The limit", 'help: "The {{ ¦ }}"'))) == []


@pytest.mark.parametrize(("key", "names"), [("path", ["inputs.where"]), ("unit", ["inputs.unit"])])
def test_an_extract_is_offered_the_inputs_that_can_give_it(key: str, names: list[str], offered: Offered) -> None:
    inputs = "  where: {type: jmespath}\n  unit: {type: enum, values: [ms, s]}\n"
    given = at("inputs:\n", f"inputs:\n{inputs}")
    probe = '    probe: http.get\n    extract:\n      took: {KEY: "{{ ¦ }}"}\n'.replace("KEY", key)
    assert labels(offered(given.replace("    probe: http.latency\n", probe, 1))) == names


@pytest.mark.parametrize(
    ("old", "new", "not_offered"),
    [
        (
            "    title: How slow\n",
            "    title: How slow\n    ¦\n",
            ["title", "probe", "with", "branches", "extract", "metric"],
        ),
        ("title: Slow pages\n", "title: Slow pages\n¦\n", ["runbook", "title", "steps", "start"]),
        ("utilization > 80%", "utilization > 80¦", ["80ms", "80B"]),
        ("goto: database", "goto: ¦", ["page"]),
    ],
)
def test_what_is_there_already_or_does_not_fit_is_not(
    old: str, new: str, not_offered: list[str], offered: Offered
) -> None:
    assert not set(labels(offered(at(old, new)))) & set(not_offered)


@pytest.mark.parametrize(
    "new",
    ["title: Sl¦ow pages\n", "title: Slow pages # ¦\n", "# nothing ¦\ntitle: Slow pages\n"],
    ids=["free text", "comment behind", "comment"],
)
def test_nothing_is_offered_where_anything_may_stand(new: str, offered: Offered) -> None:
    assert offered(at("title: Slow pages\n", new)) == ()


def test_a_choice_takes_the_place_of_the_whole_word(chosen: Callable[[str, str], str]) -> None:
    assert chosen(at("goto: database", "goto: da¦tab"), "database") == DOCUMENT
    assert chosen(at("probe: http.latency", "probe: http.¦lat"), "http.latency") == DOCUMENT
    assert chosen(at("utilization > 80%", "utilization > 80¦"), "80%") == DOCUMENT
    assert chosen(at("    title: How slow", "    ti¦"), "title") == at("    title: How slow", "    title: ")


def test_choices_say_what_they_are(offered: Offered) -> None:
    by_name = {each.label: each for each in offered(at("p95 > inputs.limit", "¦"))}
    assert by_name["p95"].detail == "duration, at least 0 s"
    assert by_name["inputs.share"].detail.startswith("percent")
    (url,) = [each for each in offered(at('with: {url: "https://example.com"}', "with: {¦}")) if each.label == "url"]
    assert "required" in url.detail
    assert "http" in url.told
    (refused,) = [each for each in offered(at("kind: refused", "kind: ¦")) if each.label == "refused"]
    assert refused.told


@pytest.mark.parametrize(
    ("marked", "wanted"),
    [
        ("environment: staging\n¦\n", "values"),
        ("knowledge: shop\nentries:\n  one:\n    ¦\n", "cause"),
        ("policy: metrics\nmetrics:\n  cpu:\n    probe: aws.cloudwatch\n    metric: ¦\n", "average"),
        ("tests: ¦\n", "high-latency"),
        ("tests: high-latency\ncases:\n  one:\n    expect: {outcome: ¦}\n", "healthy"),
        ("run¦", "runbook"),
    ],
    ids=["environment", "knowledge", "policy", "tests", "expectation", "empty"],
)
def test_documents_of_every_kind_are_completed(marked: str, wanted: str, offered: Offered) -> None:
    assert wanted in labels(offered(marked))


def test_no_damage_to_a_document_makes_choices_or_words_fail(around: Surroundings) -> None:
    text = (shipped_directory() / "redis-cache.yaml").read_text("utf-8")
    for cut in range(0, len(text), 61):
        for damaged in (text[:cut], text[:cut] + text[cut + 7 :], text[:cut] + "{{ [\t'" + text[cut:]):
            read: Any = index(damaged, salvaged(damaged), "runbook")
            complete(read, min(cut, len(damaged)), around)
            hover(read, max(min(cut, len(damaged)) - 3, 0), around)
