"""What a probe says of its document, and the paths that are held against it."""

import contextlib
from typing import Any, Literal

import jmespath
import pytest
from pydantic import JsonValue

from runbook_engine.errors import ProbeContractError
from runbook_engine.probe import Document
from runbook_engine.probe.paths import NowhereError, follow
from runbook_engine.probe.registry import Registry
from runbook_engine.probe.shape import misfits, shape_of

SERVICE = Document(
    "A service",
    shape={
        "name": str,
        "load": float | None,
        "tasks": [{"id": int, "state": Literal["up", "down"]}],
        "tags": dict[str, str],
    },
    example={"name": "api", "load": 0.3, "tasks": [{"id": 1, "state": "up"}], "tags": {"team": "shop"}},
)
ROWS = Document("Rows", shape=[dict[str, Any]], example=[{"a": 1}])


@pytest.mark.parametrize(
    ("document", "path", "leads_to"),
    [
        (SERVICE, "name", "a text"),
        (SERVICE, "load", "a number or nothing"),
        (SERVICE, "tasks[0].state", "a text"),
        (SERVICE, "tasks[-1]", "an object with id, state"),
        (SERVICE, "tasks[*].id", "a list"),
        (SERVICE, "tasks[].id | [0]", "a number"),
        (SERVICE, "tasks[1:3].id", "a list"),
        (SERVICE, "tasks[?state == 'down'].id | [0]", "a number"),
        (SERVICE, "length(tasks)", "a number"),
        (SERVICE, "length(tags)", "a number"),
        (SERVICE, "tags.whatever", "a text"),
        (SERVICE, "tags.*", "a list"),
        (SERVICE, "max_by(tasks, &id).id", "anything"),
        (SERVICE, "sum(tasks[].id)", "a number"),
        (SERVICE, "avg(tasks[].id)", "a number or nothing"),
        (SERVICE, "missing || name", "a text"),
        (SERVICE, "not_null(missing, name)", "anything"),
        (SERVICE, "load > `0.5`", "true or false or nothing"),
        (SERVICE, "!load && name", "a text or true or false"),
        (SERVICE, "{n: name}.n", "a text"),
        (SERVICE, "[name, load] | [1]", "a text or a number or nothing"),
        (SERVICE, "@", "an object with name, load, tasks, tags"),
        (ROWS, "[0].whatever.below", "anything"),
        (ROWS, "length(@)", "a number"),
    ],
)
def test_a_path_is_followed_through_the_shape(document: Document, path: str, leads_to: str) -> None:
    assert follow(jmespath.compile(path).parsed, shape_of(document)).describe() == leads_to


@pytest.mark.parametrize(
    ("document", "path", "problem"),
    [
        (SERVICE, "nmae", '"nmae" is asked of an object with name, load, tasks, tags; did you mean "name"?'),
        (SERVICE, "[0].name", "[0] is asked of an object with name, load, tasks, tags, and only a list has items"),
        (
            SERVICE,
            "tasks.id",
            '"id" is asked of a list of objects with id, state; write [0].id for that of the first item',
        ),
        (SERVICE, "tasks[].status", '"status" is asked of an object with id, state; did you mean "state"?'),
        (
            SERVICE,
            "tasks[?status == 'up'] | [0].id",
            '"status" is asked of an object with id, state; did you mean "state"?',
        ),
        (SERVICE, "name[*]", "[*] is asked of a text, and only a list has items"),
        (SERVICE, "name.*", "* is asked of a text, and only an object has values; [*] goes through a list"),
        (SERVICE, "tags.team.lead", '"lead" is asked of a text'),
        (SERVICE, "length(load)", "length() is asked of a number or nothing, and takes string or array or object"),
        (SERVICE, "missing || also", '"also" is asked of an object with name, load, tasks, tags'),
        (SERVICE, "{n: name}.m", '"m" is asked of an object with n'),
        (SERVICE, "`null`", "it gives nothing, whatever the document holds"),
        (ROWS, "value", '"value" is asked of a list; write [0].value for that of the first item'),
    ],
)
def test_a_path_that_leads_nowhere_in_any_document_says_where_it_ends(
    document: Document, path: str, problem: str
) -> None:
    with pytest.raises(NowhereError) as raised:
        follow(jmespath.compile(path).parsed, shape_of(document))
    assert str(raised.value) == problem


@pytest.mark.parametrize(
    "path",
    [
        "|".join(["{a:@,b:@}"] * 90) + "|*",
        "|".join(["{a:@,b:[@,@]}"] * 70) + ".*",
        "|".join(["[[@,'x'],{a:@}]"] * 60) + "[].a",
        "{" + ",".join(f"k{number}:@" for number in range(120)) + "}.*",
        ".".join(["a"] * 490),
    ],
)
def test_no_path_makes_following_it_grow(path: str) -> None:
    """Each of these would take for ever where what two parts lead to is merged in full."""
    found = jmespath.compile(path).parsed
    with contextlib.suppress(NowhereError, RecursionError):
        follow(found, shape_of(SERVICE))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"name": "api"}, ""),
        ({"name": "api", "load": None}, ""),
        ([{"name": "api"}], "the document is a list, and should be an object with name, load, tasks, tags"),
        ({"nmae": "api"}, "the document has no key 'nmae': it is an object with name, load, tasks, tags"),
        ({"tasks": [{"id": 1}, {"id": "2"}]}, "tasks[1].id is a text, and should be a number"),
        ({"tags": {"team": 3}}, "tags.team is a number, and should be a text"),
    ],
)
def test_a_document_is_held_against_the_shape(value: JsonValue, problem: str) -> None:
    assert next(misfits(value, shape_of(SERVICE)), "") == problem


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({1: str}, "the keys of a document's shape are texts"),
        ([str, int], "a list in a document's shape names what each item is"),
        ("name", "'name' is no part of a document's shape"),
        (object, "is no part of a document's shape"),
        (set[str], "is no part of a document's shape"),
    ],
)
def test_a_shape_that_is_none_breaks_the_contract(shape: object, message: str) -> None:
    with pytest.raises(ProbeContractError, match=message):
        shape_of(Document("Something", shape=shape))


def test_an_example_that_does_not_fit_its_shape_breaks_the_contract() -> None:
    with pytest.raises(ProbeContractError, match="the document is a list, and should be an object with value"):
        shape_of(Document("Something", shape={"value": int}, example=[{"value": 3}]))


def test_every_probe_with_a_document_says_what_it_is_and_shows_one() -> None:
    registry = Registry()
    documents = {name: each for name in registry.names() if (each := registry.get(name).document) is not None}
    assert {"aws.call", "aws.logs_insights", "http.get", "postgres.query", "prometheus.query", "shell.run"} <= set(
        documents
    )
    for name, each in documents.items():
        shape_of(each)
        assert len(each.says) > 20, name
        assert each.example is not None, name
