"""Alarms of CloudWatch, as SNS delivers them to HTTP endpoints, or by themselves ("raw message delivery").

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from typing import Any

from runbook_engine.alerting.alerts import Alert, AlertError, Body, Status
from runbook_engine.alerting.json_text import parse
from runbook_engine.alerting.part import Part, kind
from runbook_engine.document.models import AlertSource

_STATES = {"ALARM": Status.FIRING, "OK": Status.RESOLVED}
_CONFIRMATIONS = {
    "SubscriptionConfirmation": "SNS asks whether the topic {topic} may send here, and sends nothing until somebody confirms "
    "it: aws sns confirm-subscription --topic-arn {topic} --token, with the Token of this body",
    "UnsubscribeConfirmation": "the subscription of the topic {topic} was cancelled, so that no more alarms come; if nobody "
    "meant it, subscribe again: aws sns subscribe --topic-arn {topic}",
}


def is_sns(body: Part) -> bool:
    return body.has("TopicArn") and body.has("Type")


def is_alarm(body: Part) -> bool:
    return body.has("AlarmName") and body.has("NewStateValue")


def read_sns(body: Part) -> Body:
    """The alarm in an envelope of SNS. Raises AlertError; for a confirmation, with what to do. No URL is ever fetched."""
    said, topic = body.name("Type"), body.name("TopicArn")
    if said in _CONFIRMATIONS:
        raise AlertError(_CONFIRMATIONS[said].format(topic=topic))
    if said != "Notification":
        raise AlertError(f"Type is {said[:60]!r}, where Notification is expected")
    message = body.value.get("Message")
    if not isinstance(message, str):
        raise body.wrong("Message", "a text")
    if not message.lstrip().startswith("{"):
        raise AlertError(
            f"Message is no alarm of CloudWatch, but a text for people; take the topic {topic} for alarms only"
        )
    value: Any = parse(message, "Message")
    if not isinstance(value, dict):
        raise AlertError(f"Message is {kind(value)}, where an alarm is expected")
    alarm = Part(value, "Message")
    if not is_alarm(alarm):
        raise AlertError("Message is no alarm of CloudWatch: it has no AlarmName and NewStateValue")
    return read_alarm(alarm)


def read_alarm(alarm: Part) -> Body:
    """An alarm: its dimensions are labels, beside Namespace, MetricName, Region and AWSAccountId. Raises AlertError."""
    name, state = alarm.name("AlarmName"), alarm.text("NewStateValue")
    arn = alarm.identifier("AlarmArn") or name
    if state == "INSUFFICIENT_DATA":
        note = f"the alarm {name} has too few data, so that nothing is done: {alarm.name('NewStateReason', '')}"
        return Body(source=AlertSource.CLOUDWATCH, alerts=(), notes=(note.rstrip(": "),))
    if state not in _STATES:
        raise AlertError(
            f"{alarm.at('NewStateValue')} is {state[:60]!r}, where ALARM, OK or INSUFFICIENT_DATA is expected"
        )
    summary = alarm.text("AlarmDescription", "") or alarm.text("NewStateReason", "")
    alert = Alert(
        source=AlertSource.CLOUDWATCH,
        name=name,
        status=_STATES[state],
        starts_at=alarm.time("StateChangeTime"),
        labels={**_dimensions(alarm), **_places(alarm)},
        annotations={"summary": summary, "description": alarm.text("NewStateReason", "")},
        fingerprint=arn,
        group_key=arn,
    )
    return Body(source=AlertSource.CLOUDWATCH, alerts=(alert,))


def _places(alarm: Part) -> dict[str, str]:
    found = {key: alarm.name(key, "") for key in ("Region", "AWSAccountId")}
    if alarm.has("Trigger"):
        trigger = alarm.part("Trigger")
        found |= {key: trigger.name(key, "") for key in ("Namespace", "MetricName")}
    return {key: value for key, value in found.items() if value}


def _dimensions(alarm: Part) -> dict[str, str]:
    """None for alarms of several metrics or of other alarms, which have no metric of their own."""
    if not (alarm.has("Trigger") and alarm.part("Trigger").has("Dimensions")):
        return {}
    return {_either(each, "name"): _either(each, "value") for each in alarm.part("Trigger").parts("Dimensions")}


def _either(part: Part, key: str) -> str:
    """SNS writes ``name``, the API ``Name``."""
    return part.name(key if part.has(key) else key.capitalize())
