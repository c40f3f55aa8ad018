"""What the tests of documents share."""

from collections.abc import Callable

import pytest

from runbook_engine.document import Loaded, load


@pytest.fixture
def runbook_text() -> Callable[..., str]:
    """A small sound runbook as text; ``extra`` lines follow at the top level, ``step`` replaces the body of its step."""

    def text(*extra: str, step: str = '{ask: "Is it slow?"}') -> str:
        return "\n".join(["runbook: small", "title: Small", "start: first", "steps:", f"  first: {step}", *extra, ""])

    return text


@pytest.fixture
def messages() -> Callable[[str], list[str]]:
    """The diagnostics of a text as ``line:column CODE message`` lines."""

    def read(text: str) -> list[str]:
        loaded: Loaded = load(text, "r.yaml")
        return [f"{each.span.line}:{each.span.column} {each.code} {each.message}" for each in loaded.diagnostics]

    return read
