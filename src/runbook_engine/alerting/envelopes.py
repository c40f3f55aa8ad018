"""Envelopes in which AWS hands on what others say: of SNS, of SQS, of functions, and several of them one in the other.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import base64
import binascii
from collections.abc import Iterator

from msgspec import Struct

from runbook_engine.alerting.alerts import AlertError
from runbook_engine.alerting.json_text import MOST_BYTES, parse
from runbook_engine.alerting.part import Part, kind
from runbook_engine.pasteable import pasteable

MOST_ENVELOPES = 5
"""One in the other."""
_CONFIRMATIONS = {
    "SubscriptionConfirmation": "SNS asks whether the topic {topic} may send here, and sends nothing until somebody confirms "
    "it: aws sns confirm-subscription --topic-arn {quoted} --token, with the Token of this body",
    "UnsubscribeConfirmation": "the subscription of the topic {topic} was cancelled, so that no more alarms come; if nobody "
    "meant it, subscribe again: aws sns subscribe --topic-arn {quoted}",
}
_BY_SQS = ("body", "Body")


class Letter(Struct, frozen=True):
    """What was in an envelope: a ``part``, or a ``text`` for people that was sent at a time."""

    part: Part
    text: str = ""
    sent_at: float = 0.0


def is_sns(body: Part) -> bool:
    return body.has("TopicArn") and body.has("Type")


def is_batch(body: Part) -> bool:
    """Whether it is what a function gets of SNS or SQS, or what a queue gives."""
    return isinstance(body.value.get("Records"), list) or isinstance(body.value.get("Messages"), list)


def is_from_queue(body: Part) -> bool:
    """Whether it is one message of a queue."""
    return any(body.has(key) for key in ("messageId", "MessageId")) and any(body.has(key) for key in _BY_SQS)


def is_request(body: Part) -> bool:
    """Whether it is what a function gets of API Gateway or of a function URL."""
    return body.has("body") and (body.has("requestContext") or body.has("httpMethod"))


def of_sns(body: Part) -> Letter:
    """What a topic carries. Raises AlertError; for a confirmation, with what to do. No URL is ever fetched."""
    said, topic = body.name("Type"), body.name("TopicArn")
    if said in _CONFIRMATIONS:
        raise AlertError(_CONFIRMATIONS[said].format(topic=topic, quoted=pasteable(topic)))
    if said != "Notification":
        raise AlertError(f"Type is {said!r}, where Notification is expected")
    message = body.value.get("Message")
    if not isinstance(message, str):
        raise body.wrong("Message", "a text")
    if not message.lstrip().startswith("{"):
        return Letter(body, message, body.time("Timestamp") if body.has("Timestamp") else 0.0)
    return Letter(_object(message, body, "Message", written_by_hand=True))


def of_batch(body: Part) -> Iterator[Part]:
    """The messages of a batch, each still in its own envelope."""
    for each in body.parts("Records" if body.has("Records") else "Messages"):
        if each.has("Sns"):
            yield each.part("Sns")
        elif any(each.has(key) for key in _BY_SQS):
            yield each
        else:
            source = each.value.get("eventSource") or each.value.get("EventSource")
            told = f" is of {source!r}, which" if isinstance(source, str) else ""
            raise AlertError(f"{each.path}{told} carries no alerts" if told else f"{each.path} has no Sns and no body")


def of_queue(message: Part) -> Part:
    key = next(each for each in _BY_SQS if message.has(each))
    return _object(message.value.get(key), message, key)


def of_request(request: Part) -> Part:
    text = request.value.get("body")
    if request.value.get("isBase64Encoded") is True and isinstance(text, str):
        try:
            text = base64.b64decode(text[: 2 * MOST_BYTES], validate=True).decode("utf-8-sig")
        except (binascii.Error, ValueError):
            raise AlertError(f"{request.at('body')} is no text in base64") from None
    return _object(text, request, "body")


def _object(text: object, owner: Part, key: str, *, written_by_hand: bool = False) -> Part:
    """The object that a text says. What a template wrote may have line breaks in its texts."""
    if not isinstance(text, str):
        raise owner.wrong(key, "a text")
    path = owner.at(key)
    value = parse(text, path, strict=not written_by_hand)
    if not isinstance(value, dict):
        raise AlertError(f"{path} is {kind(value)}, where an object is expected")
    return Part(value, path, owner.odd)
