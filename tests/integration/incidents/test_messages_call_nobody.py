"""What chats and mail servers are really sent when people outside have written into a title or a text.

Each service is apprise's own, and what it posts is taken by a server here in the place of the service's. That a mention is none
with a space without width in it is taken from what the services say of mentions: https://docs.discord.com/developers/reference,
https://docs.slack.dev/messaging/formatting-message-text, https://docs.mattermost.com/collaborate/mention-people.html,
https://developers.google.com/workspace/chat/format-messages, https://core.telegram.org/bots/api#html-style.
"""

import importlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from tests.integration.incidents.conftest import Endpoint, Mailbox
from tests.integration.incidents.test_sending import OPENED, Sending, hook, mail, sending

from runbook_engine.document.incident_policy import Audience, MessageKind
from runbook_engine.incidents import acting, telling
from runbook_engine.incidents.neutral import neutral

__all__ = ["sending"]
TITLE = "Shop @everyone <!here> [Acknowledge](https://evil.example) down"
TEXT = (
    "@here @channel @all @room @ann x@everyone <!channel> <!subteam^S1> <@U123ABC> <@&123> <@123> <#C1> <users/all> <@all> "
    '<at>ann</at> <at user_id="all"></at> @**all** @_**Ann|5** <https://evil.example|Sign in> ![](https://evil.example/x.png) '
    "[x][1]\n[1]: https://evil.example\n<script>alert(1)</script><b>bold</b> & ann@example.com 1 < 2 <= 3"
)  # fmt: skip
MENTION = re.compile(
    r"@(?:everyone|here|channel|all|room)\b|(?<![^\W_])@(?=[\w*])|<[@!#]|<users/|<at\b|<https?:|\]\(|\]:|\]\[",
    re.IGNORECASE,
)
"""What one of the services would act upon; of ``<b>`` and ``<script>`` see the tests of HTML."""
SERVICES = [
    ("discord://1234567890/T0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KE", "discord.NotifyDiscord.notify_url", "/api/webhooks", b""),
    ("discord://1234567890/T0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KE?format=markdown", "discord.NotifyDiscord.notify_url", "/api/webhooks", b""),
    ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/", "slack.NotifySlack.webhook_url", "/services", b"ok"),
    ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?blocks=yes", "slack.NotifySlack.webhook_url", "/services", b"ok"),
    ("mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4", "", "", b"ok"),
    ("rocket://4ccdd113474722377935511fc85d3dd4/aa13@127.0.0.1:{port}/#ops?mode=webhook", "", "", b"{}"),
    ("tgram://123456789:abcdefg_hijklmnop/12315544/", "telegram.NotifyTelegram.notify_url", "/bot", b'{"ok": true}'),
    ("gchat://workspace/webhook-key/webhook-token", "google_chat.NotifyGoogleChat.notify_url", "/{{workspace}}", b"{{}}"),
    ("guilded://1234567890/T0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KE", "guilded.NotifyGuilded.notify_url", "/webhooks", b""),
    ("workflow://127.0.0.1:{port}/643a70a1fed4a1a16bfe4a9a94f4e2ee/signature0123456789", "", "", b""),
    ("matrix://T0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KENT0KE@127.0.0.1:{port}?mode=slack", "", "", b"{}"),
]  # fmt: skip


def told(sending: Callable[..., Sending], url: str) -> Sending:
    it = sending({"RUNBOOK_SLACK_URL": url}, title=TITLE)
    it.act(telling.update(OPENED, "ann", TEXT))
    sent = it.send("1/slack")
    assert sent["1/slack"].is_sent, sent["1/slack"]
    return it


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    ("url", "place", "path", "reply"), SERVICES, ids=[f"{each[0].partition(':')[0]}{at}" for at, each in enumerate(SERVICES)]
)  # fmt: skip
def test_no_chat_finds_anybody_to_call_or_a_link_in_what_others_wrote(
    sending: Callable[..., Sending],
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    place: str,
    path: str,
    reply: bytes,
) -> None:
    endpoint.reply = reply
    if place:
        module, name, attribute = place.split(".")
        plugin = getattr(importlib.import_module(f"apprise.plugins.{module}"), name)
        monkeypatch.setattr(plugin, attribute, f"http://127.0.0.1:{endpoint.port}{path}")
    if url.startswith("workflow"):  # which would only speak TLS
        send = requests.post
        monkeypatch.setattr(requests, "post", lambda to, **more: send(to.replace("https:", "http:"), **more))
    told(sending, url.replace("{port}", str(endpoint.port)))
    written = [text for body in endpoint.bodies for text in texts(body)]
    assert any("Shop @\u200beveryone" in text for text in written)
    mail_address = "ann@\u200bexample.com" if url.startswith("discord") else "ann@example.com"
    assert any(mail_address in text.replace("\\", "") for text in written)
    for text in written:
        if "evil.example" in text or "Shop" in text:
            assert MENTION.search(text) is None, text
    assert all("allow_mentions" not in body for body in endpoint.bodies)
    if url.startswith("workflow"):
        (card,) = [each["content"] for each in endpoint.bodies[0]["attachments"]]
        assert "entities" not in card["msteams"]
    if url.startswith("tgram"):
        assert endpoint.bodies[0]["parse_mode"] == "HTML"
        assert "<script" not in endpoint.bodies[0]["text"]
        assert "<\u200bb>" not in endpoint.bodies[0]["text"]


def test_a_program_gets_the_text_as_it_was_written(sending: Callable[..., Sending], endpoint: Endpoint) -> None:
    told(sending, hook(endpoint)["RUNBOOK_SLACK_URL"])
    assert TEXT.splitlines()[0] in endpoint.bodies[0]["message"]
    assert json.dumps(endpoint.bodies[0]).count("\\u200b") == 0


@pytest.mark.parametrize("format_", ["text", "html"])
def test_a_mail_in_html_shows_what_others_wrote_and_does_nothing_of_it(
    sending: Callable[..., Sending], mailbox: Mailbox, format_: str
) -> None:
    environ = {name: f"{url}&format={format_}" for name, url in mail(mailbox).items()}
    it = sending(environ, title=TITLE)
    it.act(telling.tell(OPENED, "ann", Audience.EXECUTIVES, TEXT, kind=MessageKind.CUSTOM))
    it.send("1/incidents_mail")
    ((_, message),) = mailbox.got
    rich = message.get_body(("html",))
    plain = message.get_body(("plain",))
    assert plain is not None
    assert "ann@example.com" in plain.get_content()
    if rich is not None:
        tags = set(re.findall(r"</?([a-z]+)", rich.get_content()))
        assert tags <= {"html", "head", "body", "p", "br", "div"}
        assert "&lt;script&gt;" in rich.get_content()
    assert (rich is not None) is (format_ == "html")


def test_pieces_of_a_text_full_of_mentions_are_not_longer_than_the_service_takes(
    sending: Callable[..., Sending], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.discord import NotifyDiscord

    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://127.0.0.1:{endpoint.port}/api/webhooks")
    it = sending({"RUNBOOK_SLACK_URL": SERVICES[0][0]}, title="@here " * 40)
    it.act(telling.update(OPENED, "ann", "@here " * 900))
    assert it.send("1/slack")["1/slack"].is_sent
    assert len(endpoint.bodies) > 2
    assert all(len(body["content"]) <= 2000 for body in endpoint.bodies)
    assert sum(body["content"].count("@\u200bhere") for body in endpoint.bodies) >= 900


@given(st.text(st.sampled_from("@<>![](): \nabhere#&*_|/1é\u200b"), max_size=40))
@example("_@here")
@example("@@all")
@example("<<@U1>")
def test_whatever_is_written_nothing_of_it_is_a_mention_and_it_reads_the_same(text: str) -> None:
    made = neutral(text)
    assert MENTION.search(made) is None
    assert made.replace("\u200b", "") == text.replace("\u200b", "")


def test_who_acknowledges_by_a_hostile_name_calls_nobody(sending: Callable[..., Sending], endpoint: Endpoint) -> None:
    port = endpoint.port
    endpoint.reply = b"ok"
    it = sending({"RUNBOOK_SLACK_URL": f"mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4"})
    it.act(acting.note(OPENED, "@channel", "x"))
    it.act(telling.update(OPENED, "@channel", "Fine"))
    it.send("2/slack")
    assert endpoint.bodies
    assert all(MENTION.search(text) is None for body in endpoint.bodies for text in texts(body))
