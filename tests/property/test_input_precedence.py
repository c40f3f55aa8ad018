"""Whoever gives a value to an input: flag before environment before variable before default, in every combination."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.document.environment import Environment, FromVariable
from runbook_engine.document.models import Input, InputType, Runbook
from runbook_engine.engine.inputs import Around, givers, missing, resolve
from runbook_engine.errors import InputsError
from runbook_engine.secret import Secret

SOURCES = ("command line", "environment staging", "variable ONE", "default")
EVERY = [
    tuple(source for source, gives in zip(SOURCES, who, strict=True) if gives)
    for who in product([True, False], repeat=4)
]
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@pytest.mark.parametrize("who", EVERY, ids=lambda who: ", ".join(who) or "nobody")
@given(values=st.lists(texts, min_size=4, max_size=4, unique=True), by_variable=st.booleans())
def test_the_first_that_gives_a_value_counts(who: tuple[str, ...], values: list[str], by_variable: bool) -> None:
    value = dict(zip(SOURCES, values, strict=True))
    spec = Input(type=InputType.STRING, env="ONE", default=value["default"] if "default" in who else None)
    runbook = Runbook.model_validate(
        {"runbook": "r", "title": "T", "start": "a", "steps": {"a": {"ask": "?"}}, "inputs": {"one": spec}}
    )
    flags = {"one": value["command line"]} if "command line" in who else {}
    environ = {"ONE": value["variable ONE"]} if "variable ONE" in who else {}
    named: dict[str, str | FromVariable] = {"ignored": "x"}
    if "environment staging" in who:
        named["one"] = FromVariable(env="TWO") if by_variable else value["environment staging"]
        environ |= {"TWO": value["environment staging"]} if by_variable else {}
    elif by_variable:
        named["one"] = FromVariable(env="TWO")  # which is not set: it gives nothing, and nothing stands in for it
        who = tuple(each for each in who if each != "variable ONE")
    environment = Environment(environment="staging", title="T", values=named)

    around = Around(flags, environ, {}, "command line", environment)
    assert [(each.source, each.value) for each in givers("one", spec, around)] == [(each, value[each]) for each in who]
    assert missing(runbook, flags, environ, environment) == ({} if who else {"one": spec})
    if not who:
        counts = "TWO" if by_variable else "ONE"
        with pytest.raises(InputsError, match=f"is missing: give -s one=VALUE or set {counts}"):
            resolve(runbook, flags, environ, source="command line", environment=environment)
        return
    found = resolve(runbook, flags, environ, source="command line", environment=environment)["one"]
    assert (found.filled.value, found.source) == (value[who[0]], who[0])
    assert found.shown().source == who[0]
    set_aside = "ONE" in environ and "one" in named and who[0] != "command line"
    assert found.overruled == ("ONE" if set_aside else "")


@given(texts)
def test_a_secret_from_an_environment_shows_the_variable_that_holds_it(secret: str) -> None:
    runbook = Runbook.model_validate(
        {
            "runbook": "r",
            "title": "T",
            "start": "a",
            "steps": {"a": {"ask": "?"}},
            "inputs": {"dsn": {"type": "secret", "env": "DATABASE_URL"}},
        }
    )
    environment = Environment(environment="staging", title="T", values={"dsn": FromVariable(env="STAGING_URL")})
    found = resolve(runbook, {}, {"STAGING_URL": secret}, environment=environment)["dsn"]
    assert isinstance(found.filled.value, Secret)
    assert found.filled.value.reveal() == secret
    assert found.shown().shown == "$STAGING_URL"
