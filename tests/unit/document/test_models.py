from pathlib import Path

import pytest
from pydantic import ValidationError

from runbook_engine.document import Runbook, load_file
from runbook_engine.document.models import CallStep, ProbeStep

GOLDEN = Path(__file__).parents[2] / "golden" / "document"


def sound() -> Runbook:
    runbook = load_file(GOLDEN / "sound.yaml").runbook
    assert runbook is not None
    return runbook


@pytest.mark.parametrize("exclude_defaults", [False, True])
def test_a_runbook_survives_json_with_its_durations(*, exclude_defaults: bool) -> None:
    runbook = sound()

    again = Runbook.model_validate_json(runbook.model_dump_json(by_alias=True, exclude_defaults=exclude_defaults))

    assert again == runbook


def test_quantities_are_read_into_base_units() -> None:
    steps = {str(name): step for name, step in sound().steps.items()}

    probe, call = steps["response_time"], steps["network"]
    assert isinstance(probe, ProbeStep)
    assert isinstance(call, CallStep)
    assert probe.retry is not None
    assert (probe.retry.wait, probe.retry.max_wait, probe.retry.jitter) == (0.5, 10.0, 20.0)
    assert (probe.timeout, call.timeout) == (15.0, 300.0)


def test_one_step_may_be_written_without_a_list_and_end_is_none() -> None:
    branches = sound().steps["response_time"].branches  # type: ignore[index] # a plain text serves as a StepId

    assert [
        each.model_dump(by_alias=True).get("goto", each.model_dump(by_alias=True).get("else")) for each in branches
    ] == [
        ("database", "memory"),
        ("database",),
        (),
    ]


def test_a_runbook_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        sound().title = "other"  # type: ignore[misc] # what the test is about
