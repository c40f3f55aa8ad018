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
    ("inputs", "slow"): Filled(0.5, Dimension.DURATION),
    ("inputs", "dsn"): Filled(Secret("postgresql://u:pw@h/d", "$DATABASE_URL")),
    ("look", "used"): Filled(87.5, Dimension.PERCENT),
    ("look", "gone"): Filled(None),
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
        ("{{ inputs.url | urlencode }}", "https%3A%2F%2Fapi.example.com"),
        ('{{ look.gone | default("none") | upper }}', "none"),
        ("{{ look.gone }}", "unknown"),
        ("{{ inputs.dsn }}", "$DATABASE_URL"),
        ("a { b } c", "a { b } c"),
    ],
)
def test_a_text_for_people(text: str, expected: str) -> None:
    assert parse(text).text(look_up, unknown="unknown") == expected


def test_a_single_name_keeps_its_own_type_for_a_program() -> None:
    assert parse("{{ inputs.slow }}").value(look_up) == 0.5
    assert parse("{{ inputs.dsn }}").value(look_up) == Secret("postgresql://u:pw@h/d")


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
