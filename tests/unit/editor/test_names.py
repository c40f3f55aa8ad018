"""Where names are defined and used, and what happens to a document in which one is called something else."""

from collections.abc import Callable

import pytest

from runbook_engine.document.fixes import Fix, fixed
from runbook_engine.editor.index import Definition, Index, NameKind
from runbook_engine.editor.renaming import occurrences, rename
from runbook_engine.errors import UsageError

DOCUMENT = """\
runbook: slow
title: Slow pages
inputs:
  limit: {type: duration, default: 1s}
start: [page]
steps:
  page:
    probe: http.latency
    with: {url: "https://example.com/{{ inputs.limit }}"}
    branches:
      - {when: 'p95 > inputs.limit and mean > 0.5 * inputs.limit', finding: slow, goto: [database]}
      - {else: database}
  database:
    probe: postgres.activity
    with: {dsn: "x"}
    branches:
      - when: >-
          utilization > 80%
          and page.p95 > 1s
        finding: slow
      - {when: 'page.p95 > 2s and "page.p95" == "page.p95"', goto: end}
      - {else: end}
findings:
  slow: {level: warning, title: "{{ page.p95 }} of {{ inputs.limit | default('page.p95') }}", resolution: tune}
resolutions:
  tune: {title: Tune the page, steps: [Look at the page]}
"""


def found(read: Callable[[str], tuple[Index, int]], old: str, new: str) -> tuple[Index, Definition]:
    index, offset = read(DOCUMENT.replace(old, new, 1))
    name = index.at(offset)
    assert name is not None
    definition = index.find(name.kind, name.name)
    assert definition is not None
    return index, definition


@pytest.mark.parametrize(
    ("old", "new", "kind", "count"),
    [
        ("[page]", "[pa¦ge]", NameKind.STEP, 5),
        ("inputs.limit and", "inputs.li¦mit and", NameKind.INPUT, 5),
        ("finding: slow", "finding: sl¦ow", NameKind.FINDING, 3),
        ("resolution: tune", "resolution: tu¦ne", NameKind.RESOLUTION, 2),
        ("{else: database}", "{else: data¦base}", NameKind.STEP, 3),
    ],
)
def test_every_place_of_a_name_is_found_and_nothing_else(
    old: str, new: str, kind: NameKind, count: int, read: Callable[[str], tuple[Index, int]]
) -> None:
    index, definition = found(read, old, new)
    assert definition.kind is kind
    places = occurrences(index, definition)
    assert {DOCUMENT[each.start : each.end] for each in places} == {definition.name}
    assert len(places) == count
    assert len(occurrences(index, definition, defined=False)) == count - 1


def test_a_renamed_document_says_the_same_with_the_new_name(read: Callable[[str], tuple[Index, int]]) -> None:
    index, definition = found(read, "[page]", "[pa¦ge]")
    made = fixed(DOCUMENT, [Fix("", tuple(rename(index, definition, "front")))]).text
    assert "start: [front]" in made
    assert "  front:\n" in made
    assert "and front.p95 > 1s" in made
    assert '\'front.p95 > 2s and "page.p95" == "page.p95"\'' in made
    assert "{{ front.p95 }}" in made
    assert "Tune the page" in made
    back, again = read(made.replace("[front]", "[fro¦nt]"))
    name = back.at(again)
    assert name is not None
    assert fixed(made, [Fix("", tuple(rename(back, name, "page")))]).text == DOCUMENT


@pytest.mark.parametrize(
    ("new", "says"),
    [("Page", "is not a name"), ("end", "choose another"), ("inputs", "choose another"), ("database", "already")],
)
def test_a_name_that_cannot_be_is_refused(new: str, says: str, read: Callable[[str], tuple[Index, int]]) -> None:
    index, definition = found(read, "[page]", "[pa¦ge]")
    with pytest.raises(UsageError, match=says):
        rename(index, definition, new)


def test_names_are_found_in_a_document_with_a_line_that_is_no_yaml(read: Callable[[str], tuple[Index, int]]) -> None:
    index, offset = read(DOCUMENT.replace("title: Slow pages", "title: [Slow: pages").replace("[page]", "[pa¦ge]"))
    assert index.at(offset) is not None
    assert [each.name for each in index.names(NameKind.STEP)] == ["page", "database"]
