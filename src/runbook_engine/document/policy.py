"""The policy of metrics as a frozen tree of models: what is measured, from which value on it is bad, and what to do then.

Like a runbook it says here only what is written; ``runbook_engine.graph.triage`` makes a runbook of it and proves it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictFloat, StrictInt

from runbook_engine.document.models import (
    PROBE_PATTERN,
    ErrorKinds,
    Extract,
    Input,
    Level,
    Model,
    Name,
    Reference,
    RunbookNameField,
    Seconds,
    Text,
)
from runbook_engine.ids import NAME_PATTERN, StepId

METRICS: Literal["metrics"] = "metrics"

Limit = Annotated[str, Field(min_length=1, max_length=200)] | StrictInt | StrictFloat
"""``500ms``, ``80%``, a bare number, or the input that holds the value: ``inputs.slow``."""


class Threshold(Model):
    """``{level: warning, above: inputs.slow, action: Investigate performance}``: exactly the limit itself is still good."""

    level: Level = Field(description="How bad it is beyond the limit")
    above: Limit | None = Field(
        None, description="Bad is what is more than this: a value with its unit, or inputs.NAME"
    )
    below: Limit | None = Field(
        None, description="Bad is what is less than this: a value with its unit, or inputs.NAME"
    )
    errors: ErrorKinds = Field(
        (), description="The kinds of error that mean that the limit is passed, although nothing can be measured"
    )
    action: Text = Field(description="What to do about it, in a few words")

    @property
    def side(self) -> Literal["above", "below"]:
        return "below" if self.above is None else "above"

    @property
    def limit(self) -> str | int | float:
        found = self.below if self.above is None else self.above
        return "" if found is None else found


class Fault(Model):
    """``{when: not name_matches, level: critical, says: is for another name, action: Deploy it}``: wrong at any value.

    With ``errors`` in the place of ``when`` it is wrong that nothing can be measured.
    """

    when: str = Field(
        "",
        max_length=20_000,
        description="The condition, over all metrics of the probe, for example: not name_matches; or else errors",
    )
    errors: ErrorKinds = Field(
        (), description="The kinds of error, in the place of when: it is wrong that nothing can be measured"
    )
    level: Level = Field(description="How bad it is")
    says: Text = Field(
        description="What is wrong, as the end of a sentence that begins with the title: is for another name. It may"
        " hold metrics of the probe, such as {{ chain_expires_in }}, beside when"
    )
    action: Text = Field(description="What to do about it, in a few words")


class PolicyMetric(Model):
    """One metric of a probe, judged by its thresholds, and what may be wrong whatever its value is."""

    title: Text = Field(description="What is measured, as the table calls it")
    description: str = Field("", description="How it is measured, and how to read it")
    probe: Annotated[str, Field(pattern=PROBE_PATTERN)] = Field(description="The probe, for example postgres.activity")
    params: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="The probe's parameters, as values or templates"
    )
    extract: dict[Name, Extract] = Field(
        default_factory=dict, description="Metrics to take out of the document of a generic probe"
    )
    timeout: Seconds = Field(15.0, description="How long the measurement may take")
    metric: Name = Field(description="The metric of the probe that is judged, for example utilization")
    sentence: str = Field(
        "",
        max_length=500,
        description="What the value means, in a sentence with {{ value }}; without it, the title is the value",
    )
    thresholds: tuple[Threshold, ...] = Field(
        min_length=1, max_length=2, description="One for each level, in the order of the levels"
    )
    faults: tuple[Fault, ...] = Field(
        (),
        max_length=20,
        description="What is wrong whatever the metric's value is. Before thresholds of the same level, in this order",
    )
    runbook: RunbookNameField = Field(description="The runbook that finds out why")


class Policy(Model):
    """The metrics to look at first, each with its thresholds: what ``runbook triage`` measures."""

    policy: Literal["metrics"] = Field(description="What the policy is about: metrics")
    title: Text = Field(description="What is looked at, in one line")
    version: str = Field("1.0.0", description="The version of this text")
    owner: str = Field("", description="The team that keeps it")
    description: str = Field("", description="More about it")
    references: tuple[Reference, ...] = Field((), description="What else to read")
    inputs: dict[Name, Input] = Field(default_factory=dict, description="The values that a triage needs, by name")
    metrics: dict[Annotated[StepId, Field(pattern=NAME_PATTERN, max_length=64)], PolicyMetric] = Field(
        min_length=1, description="The metrics, by name, in the order of the table"
    )
