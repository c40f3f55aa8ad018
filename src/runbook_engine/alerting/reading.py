"""From the bytes that somebody sent to alerts, whoever that was."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from runbook_engine.alerting import cloudwatch, envelopes, grafana, text_list
from runbook_engine.alerting.alertmanager import read_alertmanager
from runbook_engine.alerting.alerts import AlertError, Body
from runbook_engine.alerting.json_text import read_json
from runbook_engine.alerting.part import Part, kind

KNOWN = (
    "a body of Alertmanager or Grafana (with alerts), or an alarm of CloudWatch (by SNS, SQS, EventBridge or Lambda, or with "
    "AlarmName)"
)
MOST_ODD = 20
"""Sentences about what was set aside."""


def read_body(data: bytes) -> Body:
    """The alerts of a body, in its order. Raises AlertError, and nothing else whatever the bytes."""
    value = read_json(data)
    if not isinstance(value, dict):
        raise AlertError(f"the body is {kind(value)}, where an object is expected: {KNOWN}")
    found = _read(Part(value), 0)
    if len(found.odd) > MOST_ODD:
        found = replace(found, odd=(*found.odd[:MOST_ODD], f"and {len(found.odd) - MOST_ODD} more such things"))
    return found


def _read(body: Part, depth: int) -> Body:
    if depth > envelopes.MOST_ENVELOPES:
        raise AlertError(f"there are more than {envelopes.MOST_ENVELOPES} envelopes, one in the other")
    if envelopes.is_batch(body):
        return _batch(body, depth)
    if envelopes.is_sns(body):
        return _letter(envelopes.of_sns(body), body, depth)
    if envelopes.is_from_queue(body):
        return _read(envelopes.of_queue(body), depth + 1)
    if envelopes.is_request(body):
        return _read(envelopes.of_request(body), depth + 1)
    reader = next((read for is_one, read in _READERS if is_one(body)), None)
    if reader is not None:
        return reader(body)
    grafana.refuse_legacy(body)
    if body.path.endswith("Message"):
        raise AlertError(f"{body.path} is no alarm of CloudWatch: it has no AlarmName and NewStateValue")
    what = f"{body.path} is nothing that is known here" if body.path else "nobody known here sends such a body"
    raise AlertError(f"{what}; what is read is {KNOWN}")


_READERS: Sequence[tuple[Callable[[Part], bool], Callable[[Part], Body]]] = (
    (cloudwatch.is_alarm, cloudwatch.read_alarm),
    (cloudwatch.is_event, cloudwatch.read_event),
    (cloudwatch.is_lambda_action, cloudwatch.read_lambda_action),
    (grafana.is_grafana, grafana.read_grafana),
    (lambda body: body.has("alerts"), read_alertmanager),
)


def _letter(letter: envelopes.Letter, body: Part, depth: int) -> Body:
    if not letter.text:
        return _read(letter.part, depth + 1)
    if text_list.is_list(letter.text):
        return text_list.read_list(letter.text, letter.sent_at)
    topic = body.name("TopicArn")
    raise AlertError(
        f"Message is no alarm of CloudWatch, but a text for people; take the topic {topic} for alarms only"
    )


def _batch(body: Part, depth: int) -> Body:
    """All messages of a batch that can be read; what cannot is told. Raises AlertError where none can."""
    found: list[Body] = []
    wrong: list[AlertError] = []
    for each in envelopes.of_batch(body):
        try:
            found.append(_read(Part(each.value, each.path, []), depth + 1))
        except AlertError as error:
            wrong.append(error)
    if wrong and not found:
        raise wrong[0]
    return _merged(found, wrong)


def _merged(bodies: Sequence[Body], wrong: Sequence[AlertError]) -> Body:
    if not bodies:
        raise AlertError("there is no message in the batch")
    return Body(
        source=bodies[0].source,
        alerts=tuple(alert for each in bodies for alert in each.alerts),
        truncated=sum(each.truncated for each in bodies),
        notes=tuple(note for each in bodies for note in each.notes),
        odd=(*(odd for each in bodies for odd in each.odd), *(f"{each}; it is set aside" for each in wrong)),
        unread=sum(each.unread for each in bodies) + len(wrong),
        blind=sum(each.blind for each in bodies),
    )
