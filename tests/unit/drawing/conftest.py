"""Runbooks to draw."""

from collections.abc import Callable, Mapping

import pytest
from pydantic import JsonValue

from runbook_engine.document.models import Runbook

Make = Callable[..., Runbook]


@pytest.fixture(scope="session")
def runbook() -> Make:
    """``runbook({"a": {...}, "b": {...}}, start="a", title="…")``: steps without a kind get a probe."""

    def make(
        steps: Mapping[str, dict[str, JsonValue]], start: str | list[str] = "a", title: str = "A runbook"
    ) -> Runbook:
        whole = {
            name: step if {"ask", "call", "probe"} & set(step) else {"probe": "fake.one", **step}
            for name, step in steps.items()
        }
        findings = {"mild": {"level": "warning", "title": "Mild"}, "bad": {"level": "critical", "title": "Bad"}}
        return Runbook.model_validate(
            {"runbook": "drawn", "title": title, "start": start, "steps": whole, "findings": findings}
        )

    return make
