"""The policy of incidents as a frozen tree of models: how bad they are, who is called when, who is told, what is learned.

It says here only what is written; ``runbook_engine.graph.incident_policy`` proves that it leaves no hole.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer

from runbook_engine import quantity
from runbook_engine.document.models import DURATION_PATTERN, Model, Name, PriorityName, RunbookNameField, Text
from runbook_engine.document.triggers import LabelName
from runbook_engine.quantity import Dimension

INCIDENTS: Literal["incidents"] = "incidents"
NEXT_BUSINESS_DAY = "next business day"
_IMMEDIATE = "immediate"
_LONGEST_S = 400 * 86400.0
_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_DATE = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


def _elapsed(value: object) -> object:
    """``15min`` -> 900.0; nothing at all is 0min."""
    if isinstance(value, str):
        try:
            number, dimension = quantity.parse(value)
        except ValueError:
            number, dimension = -1.0, Dimension.NUMBER
        if dimension is not Dimension.DURATION:
            raise ValueError("not a duration; write for example 15min, 4h or 7d")
        return number
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"a duration without a unit; write {value}min or {value}h")  # noqa: TRY004 - pydantic collects it
    return value


def _begins(value: object) -> object:
    """``immediate`` -> 0min; ``next business day`` stays."""
    if isinstance(value, str) and value.strip().lower() == _IMMEDIATE:
        return 0.0
    if isinstance(value, str) and " ".join(value.lower().split()) == NEXT_BUSINESS_DAY:
        return NEXT_BUSINESS_DAY
    try:
        return _elapsed(value)
    except ValueError:
        raise ValueError(f"not a time for escalation; write immediate, a duration, or {NEXT_BUSINESS_DAY}") from None


def _written(seconds: float | str) -> str:
    return seconds if isinstance(seconds, str) else f"{seconds!r}s"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("not a time zone; write for example UTC or Europe/Berlin") from None
    return name


Elapsed = Annotated[
    float,
    BeforeValidator(_elapsed, json_schema_input_type=Annotated[str, Field(pattern=DURATION_PATTERN)]),
    PlainSerializer(_written, return_type=str, when_used="json"),
    Field(ge=0, le=_LONGEST_S),
]
Begins = Annotated[
    Literal["next business day"] | Annotated[float, Field(ge=0, le=_LONGEST_S)],
    BeforeValidator(_begins, json_schema_input_type=str),
    PlainSerializer(_written, return_type=str, when_used="json"),
]
Zone = Annotated[str, AfterValidator(_known_zone)]
TimeOfDay = Annotated[str, Field(pattern=_TIME)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Priorities = Annotated[tuple[PriorityName, ...], Field(min_length=1)]
Roles = Annotated[tuple[Name, ...], Field(min_length=1)]


class Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class BusinessHours(Model):
    """Days on which people work, by the clocks of the policy's time zone."""

    days: tuple[Weekday, ...] = Field(tuple(Weekday)[:5], min_length=1, description="The days of the week")
    begin: TimeOfDay = Field("09:00", description="When a business day begins")
    end: TimeOfDay = Field("17:00", description="When it ends")
    holidays: tuple[Annotated[str, Field(pattern=_DATE)], ...] = Field(
        (), description="Dates that are none, as 2026-12-25"
    )


class Role(Model):
    """What somebody is there for."""

    title: Text = Field(description="What the role is called")
    responsibilities: str = Field("", description="What it is there for")
    contact: str = Field("", description="How it is reached")


class Priority(Model):
    """How an incident is dealt with that is as bad as that."""

    title: Text = Field(description="What it is called")
    impact: Text = Field(description="What it means for those who use the system")
    response: Elapsed = Field(description="Within what time somebody must be on it")
    escalation: Begins = Field(description="When it is escalated: immediate, a duration, or next business day")
    updates: Elapsed | None = Field(None, description="How often those who wait are told how it stands")
    playbook: RunbookNameField | None = Field(None, description="The playbook that leads through it")
    examples: tuple[Text, ...] = Field(min_length=1, description="What is as bad as that")


class Rung(Model):
    """A row of the escalation matrix: who is called after so long, for each priority by its name."""

    model_config = ConfigDict(extra="allow")

    after: Elapsed = Field(description="How long after it was opened; 0min for at once")
    __pydantic_extra__: dict[str, Roles] = Field(init=False)

    @property
    def called(self) -> Mapping[str, tuple[str, ...]]:
        """The roles that are called then, by priority."""
        return self.__pydantic_extra__

    def roles(self, priority: str) -> tuple[str, ...]:
        return self.called.get(priority, ())


class FactType(StrEnum):
    BOOL = "bool"
    PERCENT = "percent"
    DURATION = "duration"
    NUMBER = "number"


class Fact(Model):
    """What is asked to find out how bad an incident is."""

    ask: Text = Field(description="The question")
    type: FactType = Field(FactType.BOOL, description="What the answer is")
    findings: tuple[Text, ...] = Field(
        (), description="Findings of runbooks that say yes, as runbook/finding, or finding in any runbook"
    )
    metric: Name | None = Field(None, description="The metric of a report that answers it")


class Rule(Model):
    """``{when: error_rate > 5%, priority: P1, because: API errors >5%}``: the first that holds decides."""

    when: Text = Field(description="A condition on facts")
    priority: PriorityName = Field(description="How bad it is then")
    because: Text = Field(description="The example of the priority that it is, word for word")


class Audience(StrEnum):
    """Whom a message is written for."""

    INTERNAL = "internal"
    CUSTOMERS = "customers"
    REGULATORS = "regulators"
    EXECUTIVES = "executives"


class AlertKind(StrEnum):
    PAGERDUTY = "pagerduty"
    SLACK = "slack"
    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"


class Channel(Model):
    """Somewhere to tell people: by hand, or by a service where it has ``kind`` and ``url_env``."""

    title: Text = Field(description="What it is called")
    address: str = Field("", description="Where it is; without it, where the service's own address leads")
    note: str = Field("", description="When it is used")
    name: Name | None = Field(None, description="What routing calls it")
    kind: AlertKind | None = Field(None, description="The kind of service that carries messages to it")
    url_env: VariableName | None = Field(
        None,
        description="The environment variable with the address of that service; e-mail goes to the channel's own "
        "address, if it has one",
    )


class Communication(Model):
    """Where people are told, by who they are."""

    internal: tuple[Channel, ...] = Field(description="Those who work here")
    external: tuple[Channel, ...] = Field(description="Customers and the public")
    regulatory: tuple[Channel, ...] = Field(description="Authorities, lawyers, and who speaks with them")

    def named(self) -> Iterator[tuple[tuple[str, int], Channel]]:
        """The channels that have a name, with where they stand."""
        for group in ("internal", "external", "regulatory"):
            found: tuple[Channel, ...] = getattr(self, group)
            yield from (((group, index), each) for index, each in enumerate(found) if each.name is not None)


class AlertChannel(Model):
    """A service that carries messages."""

    title: Text = Field(description="What it is called")
    purpose: Text = Field(description="What it is for")
    kind: AlertKind = Field(description="The kind of service")
    url_env: VariableName | None = Field(None, description="The environment variable with its address; it is a secret")


class MessageKind(StrEnum):
    """What somebody is told. Custom is what a person writes; a summary is of many incidents."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    STATUS_UPDATE = "status_update"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"
    CUSTOM = "custom"
    SUMMARY = "summary"


class Route(Model):
    """Which channels a message goes to. Those who work here are told of what happens, others when somebody says so."""

    messages: tuple[MessageKind, ...] = Field(min_length=1, description="The messages")
    priorities: Priorities | None = Field(None, description="For incidents of these priorities; without them, of all")
    audience: Audience = Field(Audience.INTERNAL, description="Whom they are written for")
    channels: tuple[Name, ...] = Field(
        min_length=1, description="Where they go: names of alerts, or of channels of communication"
    )

    def is_for(self, priority: str) -> bool:
        return self.priorities is None or priority in self.priorities


class Firing(Model):
    """What becomes of an alert that fires: how bad it is where no run says so, and when it opens an incident again."""

    labels: tuple[LabelName, ...] = Field(
        ("severity", "priority"),
        min_length=1,
        description="The labels that say how bad it is; the first that is known counts",
    )
    priorities: dict[Text, PriorityName] = Field(
        default_factory=dict,
        description="What each value of such a label means; the name of a priority, in any case, means that priority",
    )
    reopen_within: Elapsed = Field(
        86400.0,
        description="An alert that fires again within this time after its incident was resolved opens that incident again; "
        "later, and with 0min always, it opens the next one",
    )


class ProcessStep(Model):
    title: Text = Field(description="What is done")
    note: str = Field("", description="By when")
    items: tuple[Text, ...] = Field(min_length=1, description="What belongs to it")


_PERIOD = re.compile(r"(\d+)-(\d+) (day|week|month)s\Z")
_DAYS: Mapping[str, int] = {"day": 1, "week": 7, "month": 30}


class Horizon(Model):
    """By when actions are wanted."""

    title: Text = Field(description="What it is called")
    period: Annotated[str, Field(pattern=r"^\d+-\d+ (days|weeks|months)$")] = Field(
        description="From when to when after the incident, as 1-4 weeks"
    )
    purpose: Text = Field(description="What kind of actions")

    @property
    def days(self) -> tuple[int, int]:
        """From how many days on, and within how many."""
        found = _PERIOD.match(self.period)
        if found is None:
            raise ValueError(f"{self.period!r} is not a period")
        unit = _DAYS[found[3]]
        return int(found[1]) * unit, int(found[2]) * unit


class Horizons(Model):
    immediate: Horizon = Field(description="What must be done now")
    short_term: Horizon = Field(description="What must be done soon")
    long_term: Horizon = Field(description="What must be done in the end")


class PostIncident(Model):
    """What is learned, and how."""

    meeting_within: Elapsed = Field(description="Within what time after it is resolved people meet")
    minutes: tuple[Annotated[int, Field(ge=1, le=1440, strict=True)], ...] = Field(
        min_length=2, max_length=2, description="How long they meet, from and to, in minutes"
    )
    process: tuple[ProcessStep, ...] = Field(min_length=1, description="What is done, in its order")
    horizons: Horizons = Field(description="By when actions are wanted")
    documentation: tuple[Text, ...] = Field(min_length=1, description="What is brought up to date afterwards")


class IncidentPolicy(Model):
    """A policy of incidents: priorities, roles, the escalation matrix, who is told, and what is done afterwards."""

    policy: Literal["incidents"] = Field(description="Always incidents")
    title: Text = Field(description="What the policy is for, in one line")
    version: str = Field("1.0.0", description="The version of this text")
    owner: str = Field("", description="The team that keeps it")
    description: str = Field("", description="More about it")
    timezone: Zone = Field("UTC", description="The time zone that business days are counted in")
    business_hours: BusinessHours = Field(BusinessHours(), description="When people work")
    acknowledgement: Elapsed = Field(1800.0, description="How long an acknowledgement holds the escalation back", gt=0)
    roles: dict[Name, Role] = Field(min_length=1, description="The roles, by name")
    priorities: dict[PriorityName, Priority] = Field(
        min_length=2, max_length=9, description="Two to nine priorities by name, the worst first"
    )
    escalation: tuple[Rung, ...] = Field(min_length=1, description="The escalation matrix, row by row")
    facts: dict[Name, Fact] = Field(min_length=1, description="What the priority depends on, by name")
    rules: tuple[Rule, ...] = Field(min_length=1, description="How the facts decide; the first that holds wins")
    otherwise: PriorityName = Field(description="The priority where no rule holds")
    firing: Firing = Field(Firing(), description="What becomes of an alert that fires")
    communication: Communication = Field(description="Where people are told")
    alerts: dict[Name, AlertChannel] = Field(min_length=1, description="The services that carry messages, by name")
    routing: tuple[Route, ...] = Field(min_length=1, description="Which message goes where; all that fit count")
    post_incident: PostIncident = Field(description="What is done afterwards")

    @property
    def order(self) -> tuple[str, ...]:
        """The priorities, the worst first."""
        return tuple(self.priorities)

    def rank(self, priority: str) -> int:
        """0 for the worst priority; one that is none comes last."""
        return self.order.index(priority) if priority in self.order else len(self.order)

    def weight(self, priority: str) -> float:
        """From 0 for the worst priority to 1 for the least bad one."""
        return min(1.0, self.rank(priority) / (len(self.order) - 1))

    def of_label(self, value: str) -> str | None:
        """The priority that the value of a label means, in whatever case it is written; None where nobody says."""
        meant: dict[str, str] = {each.casefold(): each for each in self.priorities}
        meant |= {each.casefold(): priority for each, priority in self.firing.priorities.items()}
        return meant.get(value.strip().casefold())

    def rungs(self, priority: str) -> tuple[tuple[float, tuple[str, ...]], ...]:
        """The column of a priority: seconds, and the roles that are called then."""
        return tuple((each.after, each.roles(priority)) for each in self.escalation)

    def channels(self) -> Mapping[str, "AlertChannel | Channel"]:
        """Whatever a message can be sent to, by the name that routing has for it."""
        named = {str(each.name): each for _, each in self.communication.named()}
        return {**named, **self.alerts}

    def route(self, kind: MessageKind, audience: Audience, priority: str) -> tuple[str, ...]:
        """The channels that a message goes to, each once, in the order of the routes."""
        fitting = (
            each
            for each in self.routing
            if kind in each.messages and each.is_for(priority) and audience is each.audience
        )
        return tuple(dict.fromkeys(name for each in fitting for name in each.channels))
