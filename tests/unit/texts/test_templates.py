"""Texts with names in them: what they may hold, and what they become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.conditions import Name
from runbook_engine.quantity import Dimension
from runbook_engine.secret import Secret
from runbook_engine.templates import Filled, MissingValueError, TemplateError, parse

VALUES = {
    ("inputs", "url"): Filled("https://api.example.com"),
    ("inputs", "local"): Filled("https://[::1]:8443/path"),
    ("inputs", "plain"): Filled("http://api.example.com"),
    ("inputs", "slow"): Filled(0.5, Dimension.DURATION),
    ("inputs", "dsn"): Filled(Secret("postgresql://u:pw@h/d", "$DATABASE_URL")),
    ("look", "used"): Filled(87.5, Dimension.PERCENT),
    ("look", "gone"): Filled(None),
    ("look", "left"): Filled(12 * 86_400.0, Dimension.DURATION),
    ("look", "past"): Filled(-3 * 86_400.0, Dimension.DURATION),
    ("look", "one"): Filled(1, Dimension.NUMBER),
    ("look", "three"): Filled(3, Dimension.NUMBER),
}


def look_up(name: Name) -> Filled:
    return VALUES[name.scope or "", name.name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{ inputs.url }}/health", "https://api.example.com/health"),
        ("{{ look.used }} in use, over {{ inputs.slow }}", "87.5 % in use, over 500 ms"),
        ("{{ inputs.slow | number }}", "0.5"),
        ("It expires in {{ look.left }}", "It expires in 12 days"),
        ('It {{ look.left | when("expires", "expired") }}', "It expires in 12 days"),
        ('It {{ look.past | when("expires", "expired") }}', "It expired 3 days ago"),
        ('It {{ look.gone | when("expires", "expired") }}', "It unknown"),
        ('{{ look.one | count("session") }}, {{ look.three | count("session") }}', "1 session, 3 sessions"),
        ('{{ look.one | count("query waits", "queries wait") }}', "1 query waits"),
        ('{{ look.three | count("query waits", "queries wait") }}', "3 queries wait"),
        ('{{ look.gone | count("session") }}', "unknown"),
        ("{{ inputs.url | urlencode }}", "https%3A%2F%2Fapi.example.com"),
        ('{{ look.gone | default("none") | upper }}', "none"),
        ("{{ look.gone }}", "unknown"),
        ("{{ inputs.dsn }}", "$DATABASE_URL"),
        ("{{ inputs.url | host }}:{{ inputs.url | port }}", "api.example.com:443"),
        ("{{ inputs.local | host }}:{{ inputs.local | port }}", "::1:8443"),
        ("{{ inputs.plain | port }}", "80"),
        ("{{ look.gone | default(inputs.url | host) }}", "api.example.com"),
        ("{{ look.gone | default(look.gone | default('none')) }}", "none"),
        ("{{ look.gone | default(look.gone) }}", "unknown"),
        ("a { b } c", "a { b } c"),
    ],
)
def test_a_text_for_people(text: str, expected: str) -> None:
    assert parse(text).text(look_up, unknown="unknown") == expected


def test_a_single_name_keeps_its_own_type_for_a_program() -> None:
    assert parse("{{ inputs.slow }}").value(look_up) == 0.5
    assert parse("{{ inputs.dsn }}").value(look_up) == Secret("postgresql://u:pw@h/d")


def test_what_stands_in_for_a_missing_value_keeps_its_type_and_hides_its_secret() -> None:
    assert parse("{{ look.gone | default(inputs.slow) }}").value(look_up) == 0.5
    hidden = parse("{{ look.gone | default(inputs.dsn) }}/x").value(look_up)
    assert (str(hidden), isinstance(hidden, Secret)) == ("$DATABASE_URL/x", True)


def test_all_names_that_a_template_may_need_are_known() -> None:
    assert [str(each) for each in parse("{{ look.gone | default(inputs.url | host) }}").names] == [
        "look.gone",
        "inputs.url",
    ]


def test_a_quantity_in_a_parameter_keeps_its_short_unit() -> None:
    assert parse("within {{ look.left }}").value(look_up) == "within 12 d"


def test_a_text_that_holds_a_secret_is_a_secret_that_shows_the_variable() -> None:
    value = parse("{{ inputs.dsn }}?sslmode=require").value(look_up)
    assert isinstance(value, Secret)
    assert value.reveal() == "postgresql://u:pw@h/d?sslmode=require"
    assert str(value) == "$DATABASE_URL?sslmode=require"


def test_a_missing_value_in_a_parameter_is_named() -> None:
    with pytest.raises(MissingValueError) as caught:
        parse("{{ look.gone }}").value(look_up)
    assert (caught.value.name.scope, caught.value.name.name) == ("look", "gone")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{{ 9 ** (9 ** 9) }}", "pow is not allowed in a template", "write {{ step.metric }} or {{ inputs.name }}"),
        ("{{ 'a' | center(1000000000) }}", "filter 'center' is not allowed", "the filters are default, upper"),
        ('{{ look.one | upper("x") }}', "what filter 'upper' is given is not allowed", "write upper alone"),
        ("{{ look.one | count }}", "what filter 'count' is given is not allowed", 'write count("session")'),
        ("{{ look.one | count(1) }}", "what filter 'count' is given is not allowed", 'write count("session")'),
        ('{{ look.left | when("expires") }}', "what filter 'when' is given is not allowed", "write when("),
        ('{{ look.one | count("a", "b", "c") }}', "what filter 'count' is given", 'write count("session")'),
        ("{{ inputs.url() }}", "call is not allowed", "write {{ step.metric }}"),
        ("{{ a.b.c }}", "getattr is not allowed", "write {{ step.metric }}"),
        ("{{ ''.__class__ }}", "getattr is not allowed", "write {{ step.metric }}"),
        ("{% for x in y %}{% endfor %}", "no statements", "write a branch instead"),
        ("{{ inputs.url", "this is not a template", ""),
        ("{{ " + "(" * 5_000 + " }}", "template", ""),
    ],
)
def test_what_could_hang_or_allocate_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.hint.startswith(hint)
    assert 0 <= caught.value.start <= caught.value.end <= len(text) + 2


@given(st.text(alphabet=st.sampled_from("{}%# ab.|()'\"\n*"), max_size=80))
def test_no_text_makes_the_parser_raise_anything_else(text: str) -> None:
    try:
        template = parse(text)
    except TemplateError:
        return
    template.text(lambda _name: Filled(1.0, Dimension.NUMBER), unknown="unknown")


def test_a_name_goes_through_a_few_filters_at_most() -> None:
    chain = "|urlencode" * 8
    assert parse(f"{{{{ inputs.a{chain} }}}}").names
    with pytest.raises(TemplateError, match="a longer chain of filters is not allowed") as caught:
        parse(f"{{{{ inputs.a{chain}|urlencode }}}}")
    assert caught.value.hint == "a name goes through 8 filters at most"
