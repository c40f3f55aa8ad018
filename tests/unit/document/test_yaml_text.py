import math
from collections.abc import Callable

import pytest
import yaml

from runbook_engine.document import load, yaml_text
from runbook_engine.document.syntax import MOST_DEPTH
from runbook_engine.document.yaml_text import (
    MOST_CHARACTERS,
    MOST_NODES,
    MOST_PROBLEMS,
    MOST_REPEATED,
    compose,
)


def value(text: str) -> object:
    composed = compose(text, "r.yaml")
    assert composed.diagnostics == ()
    return composed.value


def codes(text: str) -> list[str]:
    return [each.code for each in compose(text, "r.yaml").diagnostics]


@pytest.fixture(params=["libyaml", "pure Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers: wheels have libyaml, some platforms have not."""
    if request.param == "pure Python":
        monkeypatch.setattr(yaml_text, "_Loader", yaml.SafeLoader)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1e3", -1000.0),
        ("6.02E+23", 6.02e23),
        (".inf", math.inf),
        ("-.INF", -math.inf),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(written: str, meant: object) -> None:
    assert value(f"a: {written}") == {"a": meant}
    assert type(value(f"- {written}")[0]) is type(meant)  # type: ignore[index] # a list, as written


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "off",
        "yes",
        "no",
        "y",
        "12:30:00",
        "1_0",
        "08",
        "007",
        "2024-01-01",
        "1.0.0",
        "0b1",
        "1e",
        ".",
        "+.x",
        "truE",
        "500ms",
        "80%",
        "9" * 70,
    ],
)
def test_what_other_versions_convert_stays_a_text(text: str) -> None:
    assert value(f"a: {text}") == {"a": text}


def test_not_a_number_is_one() -> None:
    read = value("a: .nan")

    assert isinstance(read, dict)
    assert math.isnan(read["a"])


def test_quoted_scalars_are_texts() -> None:
    assert value("a: 'true'\nb: \"12\"\nc: |\n  5\n") == {"a": "true", "b": "12", "c": "5\n"}


@pytest.mark.usefixtures("parser")
def test_a_key_given_twice_is_refused_with_both_places_and_the_first_stays() -> None:
    composed = compose("a: 1\nb:\n  c: 1\n  c: 2\n  d: 3\n", "r.yaml")

    (diagnostic,) = composed.diagnostics
    assert (diagnostic.code, diagnostic.span.line, diagnostic.span.column) == ("RB104", 4, 3)
    assert diagnostic.label == "first given at line 3, column 3"
    assert composed.value == {"a": 1, "b": {"c": 1, "d": 3}}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("key", ["1", "true", "null", "~", "1.5", "[a]", "{a: b}", "? [a]\n"])
def test_keys_that_are_not_texts_are_refused(key: str) -> None:
    composed = compose(f"{key}: x\nb: 2\n", "r.yaml")

    assert [each.code for each in composed.diagnostics] == ["RB105"]
    assert composed.value == {"b": 2}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("tag", ["!!python/object:os.system", "!!str", "!own", "!<tag:x>"])
def test_tags_are_refused_and_nothing_is_made_of_them(tag: str) -> None:
    assert codes(f"a: {tag} 1") == ["RB106"]
    assert codes(f"a: {tag} [1]") == ["RB106"]
    assert codes(f"a: {tag} {{b: 1}}") == ["RB106"]


def test_merge_keys_are_refused_and_a_quoted_one_is_a_key() -> None:
    assert codes("a: &x {b: 1}\nc:\n  <<: *x\n") == ["RB106"]
    assert value('"<<": 1') == {"<<": 1}


def test_several_documents_are_refused_and_the_first_is_read() -> None:
    composed = compose("a: 1\n---\nb: {\n", "r.yaml")

    assert [(each.code, each.span.line) for each in composed.diagnostics] == [("RB106", 2)]
    assert composed.value == {"a": 1}


@pytest.mark.parametrize("text", ["---\na: 1\n", "a: 1\n...\n", "%YAML 1.2\n---\na: 1\n", "# note\na: 1 # more\n"])
def test_marks_and_comments_of_one_document_are_fine(text: str) -> None:
    assert value(text) == {"a": 1}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "{? "])
def test_depth_is_bounded_without_recursion(opening: str) -> None:
    assert codes(opening * 100_000) == ["RB108"]


def test_the_depth_that_the_yaml_parser_refuses_by_itself_is_told_as_ours_with_its_place() -> None:
    (diagnostic,) = compose("a: " + "[" * 2_000, "r.yaml").diagnostics

    assert diagnostic.code == "RB108"
    assert diagnostic.message == f"lists and mappings are nested more than {MOST_DEPTH} deep here"
    assert diagnostic.span.line == 1


def test_the_deepest_legal_document_is_read() -> None:
    legal, too_deep = (f"a: {'[' * depth}{']' * depth}" for depth in (MOST_DEPTH - 1, MOST_DEPTH))

    assert codes(legal) == []
    assert codes(too_deep) == ["RB108"]


def test_aliases_cannot_explode() -> None:
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
    )

    assert codes(laughs) == ["RB108"]


def test_aliases_cannot_go_deeper_than_text() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{level}: &a{level} [*a{level - 1}]\n" for level in range(1, 60))

    assert codes(chain) == ["RB108"]


def test_an_alias_counts_for_all_that_it_repeats() -> None:
    assert codes(f"a: &a [{'1,' * 60_000}]\nb: [*a, *a]\n") == ["RB108"]


def test_an_alias_is_as_deep_as_what_it_repeats() -> None:
    deep = f"a: &a {'[' * 40}{']' * 40}\n"

    assert codes(f"{deep}b: [[*a]]\n") == []
    assert codes(f"{deep}b: {'[' * 20}*a{']' * 20}\n") == ["RB108"]


def test_an_alias_repeats_a_value_of_its_own() -> None:
    read = value("a: &x {b: [1]}\nc: *x\nd: &s text\ne: *s\n")

    assert isinstance(read, dict)
    assert read == {"a": {"b": [1]}, "c": {"b": [1]}, "d": "text", "e": "text"}
    assert read["a"] is not read["c"]
    assert read["a"]["b"] is not read["c"]["b"]


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("text", ["a: *nowhere", "a: &a [*a]", "&a {b: *a}"])
def test_an_alias_to_nothing_or_to_itself_is_refused(text: str) -> None:
    assert codes(text) == ["RB102"]


def test_the_number_of_values_is_bounded() -> None:
    assert codes(f"[{'1,' * (MOST_NODES - 1)}]") == []
    assert codes(f"[{'1,' * (MOST_NODES + 1)}]") == ["RB108"]


def test_the_number_of_values_that_aliases_write_out_is_bounded_closer() -> None:
    row = f"a: &a [{'1,' * 99}]\nb:\n"
    assert codes(row + "  - *a\n" * (MOST_REPEATED // 100)) == []
    assert codes(row + "  - *a\n" * (MOST_REPEATED // 100 + 1)) == ["RB108"]


def test_the_size_is_bounded() -> None:
    assert codes("#" * MOST_CHARACTERS) == []
    assert codes("#" * (MOST_CHARACTERS + 1)) == ["RB108"]


def test_reading_stops_after_many_mistakes() -> None:
    assert len(codes("a: 1\n" * 5000)) == MOST_PROBLEMS + 1


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\ufffe", "\ud800"])
def test_characters_that_yaml_does_not_allow_are_named(character: str) -> None:
    (diagnostic,) = compose(f"a: 1\nb: x{character}", "r.yaml").diagnostics

    assert diagnostic.code == "RB101"
    assert f"U+{ord(character):04X}" in diagnostic.message
    assert (diagnostic.span.line, diagnostic.span.column) == (2, 5)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    "text",
    [
        "a:\n\tb: 1\n",
        "a:\n  b: 1\n\tc: 2\n",
        "a:\n  \tb: 1\n  c: 2\n",
    ],
)
def test_a_tab_in_the_indentation_is_called_one(text: str) -> None:
    (diagnostic,) = compose(text, "r.yaml").diagnostics

    assert diagnostic.code == "RB103"
    assert text.splitlines()[diagnostic.span.line - 1][diagnostic.span.column - 1] == "\t"


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a: {{ inputs.x }}", "{{ inputs.x }}"),
        ("a: {{ inputs.x }} # note", "{{ inputs.x }}"),
        ("{a: {{x}}, b: 1}", "{{x}}"),
        ("a: {{ x | round(2) }}", "{{ x | round(2) }}"),
    ],
)
def test_an_unquoted_template_is_reported_and_read_as_a_text(written: str, read: str) -> None:
    composed = compose(written, "r.yaml")

    assert [each.code for each in composed.diagnostics] == ["RB107"]
    assert isinstance(composed.value, dict)
    assert composed.value["a"] == read


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    "written", ["a: {{ x }}/health", "a: {{ x }} and {{ y }}", "- {{ x }}y", "a: [{{ x }}y]", 'a: {{ x["y"] }}s']
)
def test_an_unquoted_template_with_text_is_reported_as_one(written: str) -> None:
    (diagnostic,) = compose(written, "r.yaml").diagnostics

    assert diagnostic.code == "RB107"
    assert written[diagnostic.span.column - 1 :].startswith("{{")


@pytest.mark.usefixtures("parser")
def test_an_unquoted_colon_in_a_condition_is_explained() -> None:
    (diagnostic,) = compose("b:\n  - when: p95 > 1s: x\n", "r.yaml").diagnostics

    assert (diagnostic.code, diagnostic.span.line, diagnostic.span.column) == ("RB102", 2, 19)
    assert '":"' in diagnostic.message
    assert "quotes" in diagnostic.label


def test_unquoted_conditions_need_no_quotes_otherwise() -> None:
    text = 'when: utilization > 80% # of all\nor: status in ["a", \'b\'] and x == "y"\nthen: a:b{c}[d]\n'

    assert value(text) == {
        "when": "utilization > 80%",
        "or": 'status in ["a", \'b\'] and x == "y"',
        "then": "a:b{c}[d]",
    }


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('a: "never closed\nb: 1\n', (1, 4), "not closed"),
        ("a: 'never closed\nb: 1\n", (1, 4), "not closed"),
        ("a: [1, 2\nb: 3\n", (1, 4), "comma"),
        ("a: {b: 1\nc: 2\n", (1, 4), "comma"),
        ("a: @x\n", (1, 4), '"@"'),
        ("a: `x`\n", (1, 4), '"`"'),
        ('a: "\\q"\n', (1, 5), "backslash"),
        ("a: 1\nb\nc: 2\n", (2, 1), '":"'),
        ("a: - b\n", (1, 4), '"-"'),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "does not continue"),
    ],
)
def test_each_mistake_of_syntax_is_explained_at_its_place(text: str, place: tuple[int, int], words: str) -> None:
    (diagnostic,) = compose(text, "r.yaml").diagnostics

    assert diagnostic.code == "RB102"
    assert (diagnostic.span.line, diagnostic.span.column) == place
    assert words in diagnostic.message


def test_mistakes_before_the_end_of_yaml_are_reported_with_it() -> None:
    assert codes("a: 1\na: 2\nb: [\n") == ["RB104", "RB102"]


@pytest.mark.usefixtures("parser")
def test_byte_order_mark_and_line_ends_do_not_matter(runbook_text: Callable[..., str]) -> None:
    text = runbook_text()

    assert load(text, "r.yaml").runbook is not None
    for written in ("\ufeff" + text, text.replace("\n", "\r\n"), text.replace("\n", "\r")):
        assert load(written, "r.yaml").runbook == load(text, "r.yaml").runbook
        assert load(written, "r.yaml").diagnostics == ()
