"""Alarms of CloudWatch: as an action sends them by SNS, as an action of Lambda gets them, and as an event of EventBridge.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from runbook_engine.alerting.alerts import Alert, AlertError, Body, Status
from runbook_engine.alerting.derived import derive
from runbook_engine.alerting.part import Part
from runbook_engine.document.triggers import AlertSource

CHANGED = "CloudWatch Alarm State Change"
"""The kind of event that says that an alarm fires or is over."""
_STATES = {"ALARM": Status.FIRING, "OK": Status.RESOLVED}
_UNKNOWN = "INSUFFICIENT_DATA"


class _State(Struct, frozen=True):
    """What one of the three forms says of an alarm. ``state_at`` is the path of its state."""

    name: str
    state: str
    state_at: str
    at: float
    arn: str
    reason: str
    description: str
    labels: Mapping[str, str]


class _Metric(Struct, frozen=True):
    """A metric that an alarm looks at; an alarm by metric math has several."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def is_alarm(body: Part) -> bool:
    return body.has("AlarmName") and body.has("NewStateValue")


def is_event(body: Part) -> bool:
    """Whether it is an event of EventBridge, of an alarm or of something else."""
    return body.has("detail-type") and body.has("detail")


def is_lambda_action(body: Part) -> bool:
    return body.has("alarmData") and body.has("alarmArn")


def read_alarm(alarm: Part) -> Body:
    """An alarm as SNS carries it: its dimensions are labels, beside Namespace, MetricName, Region and AWSAccountId."""
    arn = alarm.identifier("AlarmArn")
    own = {key: alarm.name(key, "") for key in ("Region", "AWSAccountId")}
    return _body(
        alarm,
        _State(
            name=alarm.name("AlarmName"),
            state=alarm.text("NewStateValue"),
            state_at=alarm.at("NewStateValue"),
            at=alarm.time("StateChangeTime"),
            arn=arn,
            reason=alarm.text("NewStateReason", ""),
            description=alarm.text("AlarmDescription", ""),
            labels={**_labels(alarm, _of_trigger(alarm.optional_part("Trigger"))), **_there(own)},
        ),
    )


def read_event(event: Part) -> Body:
    """An alarm as EventBridge carries it. Raises AlertError for another kind of event."""
    said = event.name("detail-type")
    if said != CHANGED:
        raise AlertError(f"the event is {said!r}, and what is read is {CHANGED!r}; let the rule send only those")
    resources = event.value.get("resources")
    arn = resources[0] if isinstance(resources, list) and resources and isinstance(resources[0], str) else ""
    return _body(event, _configured(event.part("detail"), arn, event.name("account", "")))


def read_lambda_action(event: Part) -> Body:
    """An alarm as a function gets it that is an action of the alarm."""
    return _body(event, _configured(event.part("alarmData"), event.name("alarmArn"), event.name("accountId", "")))


def _configured(alarm: Part, arn: str, account: str) -> _State:
    state, configuration = alarm.part("state"), alarm.optional_part("configuration")
    return _State(
        name=alarm.name("alarmName"),
        state=state.text("value"),
        state_at=state.at("value"),
        at=state.time("timestamp"),
        arn=arn,
        reason=state.text("reason", ""),
        description=configuration.text("description", ""),
        labels={**_labels(alarm, _of_configuration(configuration)), **_there({"AWSAccountId": account})},
    )


def _body(part: Part, said: _State) -> Body:
    if said.state == _UNKNOWN:
        note = f"the alarm {said.name} has too few data, so that nothing is done: {said.reason}"
        return Body(source=AlertSource.CLOUDWATCH, alerts=(), notes=(note.rstrip(": "),), odd=tuple(part.odd), blind=1)
    if said.state not in _STATES:
        raise AlertError(f"{said.state_at} is {said.state!r}, where ALARM, OK or INSUFFICIENT_DATA is expected")
    alert = Alert(
        source=AlertSource.CLOUDWATCH,
        name=said.name,
        status=_STATES[said.state],
        starts_at=said.at,
        labels=said.labels,
        annotations={"summary": said.description or said.reason, "description": said.reason},
        fingerprint=said.arn or said.name,
        group_key=said.arn or said.name,
    )
    return Body(source=AlertSource.CLOUDWATCH, alerts=(derive(alert, said.arn),), odd=tuple(part.odd))


def _labels(alarm: Part, metrics: Iterable[_Metric]) -> Mapping[str, str]:
    """What all metrics agree on. A dimension that has several values is no label, and that is told."""
    listed = list(metrics)
    values: dict[str, list[str]] = {}
    for each in listed:
        for name, value in each.dimensions:
            among = values.setdefault(name, [])
            among += [value] if value not in among else []
    for name, among in values.items():
        if len(among) > 1:
            shown = ", ".join(among[:5])
            alarm.odd.append(
                f"the metrics of the alarm have several values of the dimension {name}: {shown}; it is no label"
            )
    found = {name: each[0] for name, each in values.items() if len(each) == 1}
    for label, names in (
        ("Namespace", {each.namespace for each in listed if each.namespace}),
        ("MetricName", {each.name for each in listed if each.name}),
    ):
        if len(names) == 1:
            found[label] = names.pop()
    return found


def _there(labels: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in labels.items() if value}


def _of_trigger(trigger: Part) -> Iterator[_Metric]:
    """One metric, or those of metric math and of anomaly detection; none of an alarm of other alarms."""
    if trigger.has("Dimensions") or trigger.has("MetricName"):
        yield _metric(trigger)
    for each in trigger.readable_parts("Metrics"):
        if each.has("MetricStat"):
            yield _metric(each.optional_part("MetricStat").optional_part("Metric"))


def _metric(part: Part) -> _Metric:
    dimensions = []
    for each in part.readable_parts("Dimensions"):
        try:
            dimensions.append((_either(each, "name"), _either(each, "value")))
        except AlertError as error:
            each.set_aside(error)
    return _Metric(_quiet(part, "Namespace"), _quiet(part, "MetricName"), tuple(dimensions))


def _of_configuration(configuration: Part) -> Iterator[_Metric]:
    for each in configuration.readable_parts("metrics"):
        if each.has("metricStat"):
            metric = each.optional_part("metricStat").optional_part("metric")
            yield _Metric(
                _quiet(metric, "namespace"), _quiet(metric, "name"), tuple(metric.texts("dimensions").items())
            )


def _quiet(part: Part, key: str) -> str:
    try:
        return part.name(key, "")
    except AlertError as error:
        part.set_aside(error)
        return ""


def _either(part: Part, key: str) -> str:
    """SNS writes ``name``, the API ``Name``."""
    return part.name(key if part.has(key) else key.capitalize())
