"""The list of what aws.call may call, against the models of the installed botocore."""

import re
from collections.abc import Iterator

import botocore
import pytest
from tests.integration.probes_aws.reading_operations import FILE, REFUSED, REVIEWED, against, models, names_secret

from runbook_probes.aws.reads import operations

MADE_FOR = tuple(map(int, re.findall(r"\d+", FILE.read_text().splitlines()[0])))
INSTALLED = tuple(map(int, re.findall(r"\d+", botocore.__version__)))


def reviewed(service: str) -> list[str]:
    return REVIEWED.get(service, "").split()


def speaks_against() -> Iterator[str]:
    for service, model in models():
        for name in set(operations().get(service, {}).values()) & set(model.operation_names):
            for reason in against(model.operation_model(name)):
                if name not in reviewed(service) and not (INSTALLED < MADE_FOR and told_by_a_later_model(reason)):
                    yield f"{service} {name}: {reason}"


def told_by_a_later_model(reason: str) -> bool:
    """Earlier models declare of less that it is read-only, and mark as sensitive what later ones no longer do."""
    return reason.startswith(("it is asked with", "its answer has"))


def test_nothing_speaks_against_an_operation_on_the_list_that_nobody_has_looked_at() -> None:
    assert list(speaks_against()) == []


def test_the_list_has_what_was_looked_at_and_nothing_that_was_refused() -> None:
    for service, names in REVIEWED.items():
        assert set(names.split()) <= set(operations()[service].values())
    for service, names in REFUSED.items():
        assert not set(names.split()) & set(operations()[service].values())


@pytest.mark.parametrize(
    ("service", "names"),
    [(service, names.split()) for service, names in REVIEWED.items()],
    ids=list(REVIEWED),
)
def test_each_exception_exists_and_needs_to_be_one(service: str, names: list[str]) -> None:
    if INSTALLED < MADE_FOR:
        names = []
    model = next((each for name, each in models() if name == service), None)
    assert model is not None
    assert [each for each in names if not any(against(model.operation_model(each)))] == []


@pytest.mark.parametrize("member", ["MasterUserPassword", "SessionToken", "Url", "documentPresignedUrl", "UserData"])
def test_members_that_hold_secrets_or_links_are_known_by_their_names(member: str) -> None:
    assert names_secret(member)


@pytest.mark.parametrize(
    "member", ["NextToken", "QueueUrl", "PasswordLastUsed", "HttpTokens", "KeyName", "TokenExpires"]
)
def test_members_that_only_sound_like_it_are_none(member: str) -> None:
    assert not names_secret(member)
