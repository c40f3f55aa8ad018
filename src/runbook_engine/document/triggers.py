"""What stands in ``triggers`` of a runbook: for which alerts it is run, and what their labels may decide."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from runbook_engine.ids import NAME_PATTERN


class AlertSource(StrEnum):
    """Who sends alerts, as triggers call them."""

    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    CLOUDWATCH = "cloudwatch"


Pattern = Annotated[str, Field(min_length=1, max_length=200)]
InputName = Annotated[str, Field(pattern=NAME_PATTERN, max_length=64)]
LabelName = Annotated[str, Field(min_length=1, max_length=200)]
HostPattern = Annotated[str, Field(min_length=1, max_length=255)]


class Trigger(BaseModel):
    """``{alert: "Redis*", labels: {severity: critical}}``: alerts for which the runbook is run by ``runbook alert``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, defer_build=True)

    alert: Pattern = Field(
        description="The alert's name; * stands for any text, ? for one character, [ab] for one of them"
    )
    labels: dict[LabelName, Pattern] = Field(
        default_factory=dict,
        max_length=50,
        description="Labels that the alert must have, with their values or patterns",
    )
    source: AlertSource | None = Field(None, description="Who sends the alert; without it, anybody")
    inputs: dict[InputName, LabelName] = Field(
        default_factory=dict, alias="with", description="Inputs that take their value from a label of the alert"
    )
    allowed_hosts: tuple[HostPattern, ...] = Field(
        (),
        max_length=200,
        description="Hosts that may get a secret where a label chooses the host: names, in which * stands for any text "
        "without a dot, addresses, and networks such as 10.2.0.0/16",
    )

    @property
    def shown(self) -> str:
        """``alert "Redis*", severity "critical"``, for people."""
        labels = "".join(f', {name} "{pattern}"' for name, pattern in self.labels.items())
        return f'alert "{self.alert}"{labels}{f", of {self.source}" if self.source else ""}'
