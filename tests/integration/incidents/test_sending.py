"""Messages to real servers: what arrives, what is tried again, what is given up, and what is never sent twice."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.integration.incidents.conftest import Endpoint, Mailbox

from runbook_engine.document.incident_policy import Audience, IncidentPolicy, MessageKind
from runbook_engine.document.models import Severity
from runbook_engine.incidents import acting, telling
from runbook_engine.incidents import events as e
from runbook_engine.incidents import services as services_module
from runbook_engine.incidents.delivery import waits
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.messages import LONGEST_SEND_S, PAUSES_S, MessageState, Outgoing, outbox
from runbook_engine.incidents.policy import load_policy, of_document
from runbook_engine.incidents.sending import Sender, Sent, again, drop
from runbook_engine.incidents.sentences import sentences
from runbook_engine.incidents.services import Verdict, from_environment
from runbook_engine.incidents.store import IncidentStore
from runbook_engine.library import Library
from runbook_engine.living import this_process

OPENED = 1_795_000_000.0
KEY = "R0123456789ABCDEF0123456789ABCDE"


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.at = OPENED

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class Sending:
    """An incident in a journal, and somebody who sends its messages."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        priority: str = "P0",
        title: str = "Shop down",
        policy: IncidentPolicy | None = None,
    ) -> None:
        self.clock = Clock()
        self.store = IncidentStore(folder / "journal.sqlite3")
        self.environ = environ
        events = acting.opening(policy or load_policy(), title, Severity(priority), OPENED, "ann")
        self.number = self.store.open(events).id

    def act(self, decide: acting.Decide) -> Incident:
        return self.store.act(self.number, decide)

    def send(self, *keys: str, patience: float = 15.0) -> Mapping[str, Sent]:
        library = Library.default()
        sender = Sender(self.store, from_environment(self.environ), library, "bob", clock=self.clock, patience=patience)
        return {each.message.key: each for each in sender.send(self.number, keys)}

    @property
    def box(self) -> Mapping[str, Outgoing]:
        incident = self.store.load(self.number)
        found = outbox(incident, of_document(incident.policy_document), self.clock.now())
        return {each.message.key: each for each in found}

    def state(self, key: str) -> MessageState:
        return self.box[key].state


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[Callable[..., Sending]]:
    made: list[Sending] = []

    def open_one(environ: Mapping[str, str], **about: Any) -> Sending:
        made.append(Sending(tmp_path, environ, **about))
        return made[-1]

    yield open_one
    for each in made:
        each.store.close()


def pager(endpoint: Endpoint) -> dict[str, str]:
    return {"RUNBOOK_PAGERDUTY_KEY": f"http://{KEY}@127.0.0.1:{endpoint.port}/v2/enqueue"}


def hook(endpoint: Endpoint) -> dict[str, str]:
    return {"RUNBOOK_SLACK_URL": f"json://127.0.0.1:{endpoint.port}/hooks/T0KENT0KEN"}


def mail(mailbox: Mailbox) -> dict[str, str]:
    """The variables of all channels with mail, each with an address of its own."""
    url = f"mailto://127.0.0.1:{mailbox.port}/?from=runbook@example.com&to="
    own = {
        f"RUNBOOK_{name.upper()}_EMAIL_URL": f"{url}{name}@example.com"
        for name in ("support", "compliance", "security", "legal")
    }
    return {"RUNBOOK_EMAIL_URL": f"{url}incidents@example.com", **own}


def with_address(name: str, address: str) -> IncidentPolicy:
    """The shipped policy, in which a channel of those who work here has an address of its own."""
    policy = load_policy()
    internal = [
        each.model_copy(update={"address": address}) if each.name == name else each
        for each in policy.communication.internal
    ]
    return policy.model_copy(
        update={"communication": policy.communication.model_copy(update={"internal": tuple(internal)})}
    )


def test_pagerduty_gets_events_that_belong_together_by_their_keys(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending(pager(endpoint))
    it.send()
    it.clock.at = OPENED + 900
    it.send()
    it.act(acting.acknowledge(OPENED + 960, "ann"))
    it.send()
    it.clock.at = OPENED + 1000
    it.act(acting.resolve(OPENED + 1000, "ann"))
    it.send()
    it.send()
    told = [(body["event_action"], body["dedup_key"].removeprefix("runbook-1-")) for body in endpoint.bodies]
    base, row = "1795000000000", "1795000000000-P0+15min"
    assert told == [
        ("trigger", base),
        ("trigger", row),
        ("acknowledge", base),
        ("acknowledge", row),
        ("resolve", base),
        ("resolve", row),
    ]
    first = endpoint.bodies[0]
    assert first["routing_key"] == KEY
    assert first["payload"]["severity"] == "critical"
    assert first["payload"]["summary"] == "[P0] Incident 1 opened: Shop down"
    assert "Incident Commander: not assigned, +1-555-IC-LEAD" in first["payload"]["custom_details"]["text"]
    assert endpoint.got[0][0] == "/v2/enqueue"


def test_what_was_never_opened_at_pagerduty_is_not_resolved_there(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending(pager(endpoint))
    it.act(acting.resolve(OPENED + 5, "ann"))
    it.clock.at = OPENED + 10
    assert {key: each.is_sent for key, each in it.send().items() if "pagerduty" in key} == {}
    assert endpoint.got == []
    assert it.state("1/pagerduty") is MessageState.OBSOLETE


def test_a_message_is_tried_again_later_and_later_and_then_given_up(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending(hook(endpoint))
    endpoint.usual = 429
    sent = it.send("0/slack")["0/slack"]
    assert sent.answer is not None
    assert (sent.answer.verdict, "429" in sent.answer.error) == (Verdict.FAILED, True)
    assert it.clock.at == OPENED + PAUSES_S[0] + PAUSES_S[1]  # it waits for those that come soon
    assert it.state("0/slack") is MessageState.RETRY
    for pause in PAUSES_S[2:]:
        it.send("0/slack", patience=0)
        assert len(endpoint.got) == 3 + PAUSES_S[2:].index(pause)  # too early
        it.clock.at += pause
        it.send("0/slack", patience=0)
    assert len(endpoint.got) == 1 + len(PAUSES_S)
    assert it.state("0/slack") is MessageState.DEAD
    it.clock.at += 86400
    it.send("0/slack")
    assert len(endpoint.got) == 1 + len(PAUSES_S)
    endpoint.usual = 200
    it.act(again(it.clock.at, "ann", "0/slack"))
    assert it.send("0/slack")["0/slack"].is_sent
    assert it.state("0/slack") is MessageState.SENT


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_message_that_may_have_arrived_is_sent_once_and_told_to_be_uncertain(
    sending: Callable[..., Sending], endpoint: Endpoint, status: int
) -> None:
    it = sending({**hook(endpoint), **pager(endpoint)})
    endpoint.usual = status
    sent = it.send("0/slack", "0/pagerduty")
    assert it.state("0/slack") is MessageState.UNCERTAIN
    assert it.state("0/pagerduty") is MessageState.RETRY  # it knows its messages by their key
    assert sent["0/slack"].answer is not None
    assert str(status) in sent["0/slack"].answer.error
    it.clock.at += 600
    it.send("0/slack", "0/pagerduty")
    paths = [path for path, _, _ in endpoint.got]
    assert (paths.count("/hooks/T0KENT0KEN"), paths.count("/v2/enqueue")) == (1, 4)
    assert len({body["dedup_key"] for path, body, _ in endpoint.got if path == "/v2/enqueue"}) == 1
    incident = it.store.load(it.number)
    policy = of_document(incident.policy_document)
    said = sentences(incident, policy, names=False)
    assert any(each.startswith("Message 0/slack may have arrived, or not: ") for each in said)
    assert "1 may have arrived, or not: opened (Slack)" in waits(incident, policy, it.clock.at)


@pytest.mark.parametrize("last", [503, 400])
def test_pagerduty_that_never_said_whether_it_has_a_message_is_left_to_a_person_after_the_last_try(
    sending: Callable[..., Sending], endpoint: Endpoint, last: int
) -> None:
    it = sending(pager(endpoint))
    endpoint.answers = [(503, {})] * len(PAUSES_S)
    endpoint.usual = last
    for pause in (0.0, *PAUSES_S):
        it.clock.at += pause
        sent = it.send("0/pagerduty", patience=0)
    assert len(endpoint.got) == 1 + len(PAUSES_S)
    assert (sent["0/pagerduty"].uncertain, sent["0/pagerduty"].retry_at) == (True, None)
    assert it.state("0/pagerduty") is MessageState.UNCERTAIN
    assert it.send("0/pagerduty") == {}
    assert len(endpoint.got) == 1 + len(PAUSES_S)
    incident = it.store.load(it.number)
    told = waits(incident, of_document(incident.policy_document), it.clock.at)
    assert "1 may have arrived, or not: opened (PagerDuty)" in told
    endpoint.usual = 200
    it.act(again(it.clock.at, "ann", "0/pagerduty"))
    assert it.send("0/pagerduty")["0/pagerduty"].is_sent


def test_what_nobody_answered_once_stays_uncertain_when_later_tries_surely_fail(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending(pager(endpoint))
    endpoint.answers = [(504, {})]
    endpoint.usual = 429
    for pause in (0.0, *PAUSES_S):
        it.clock.at += pause
        it.send("0/pagerduty", patience=0)
    assert it.state("0/pagerduty") is MessageState.UNCERTAIN
    it.act(acting.acknowledge(it.clock.at, "ann"))
    assert it.state("0/pagerduty") is MessageState.UNCERTAIN  # too late to be sent, and it may be there


def test_who_is_killed_while_calling_pagerduty_each_time_leaves_it_to_a_person_at_last(
    sending: Callable[..., Sending], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    gone = structs.replace(this_process(), started="1")

    def die(*_: object, **__: object) -> None:
        raise Killed

    it = sending(pager(endpoint))
    with monkeypatch.context() as patch:
        patch.setattr("runbook_engine.incidents.sending.this_process", lambda: gone)
        patch.setattr(Sender, "_keep", die)
        for _ in range(1 + len(PAUSES_S)):
            with pytest.raises(Killed):
                it.send("0/pagerduty")
    assert len(endpoint.got) == 1 + len(PAUSES_S)
    assert it.send("0/pagerduty") == {}
    assert it.state("0/pagerduty") is MessageState.UNCERTAIN


def test_a_connection_that_is_lost_after_the_request_was_written_leaves_the_message_uncertain(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending(hook(endpoint), title="connection refused: 127.0.0.1 is unreachable (550, b'no')")
    endpoint.silent = threading.Event()
    endpoint.silent.set()  # it reads the request and closes the connection
    it.send("0/slack")
    assert len(endpoint.got) == 1
    assert it.state("0/slack") is MessageState.UNCERTAIN


@pytest.mark.parametrize(("status", "headers"), [(429, {"Retry-After": "3"}), (503, {"Retry-After": "3"})])
def test_pagerduty_that_says_when_to_come_back_has_not_taken_it(
    sending: Callable[..., Sending], endpoint: Endpoint, status: int, headers: Mapping[str, str]
) -> None:
    it = sending(pager(endpoint))
    endpoint.answers = [(status, headers)]
    sent = it.send("0/pagerduty", patience=0)["0/pagerduty"]
    assert sent.answer is not None
    assert (sent.answer.verdict, sent.answer.retry_after) == (Verdict.FAILED, 3.0)


def test_what_is_refused_for_good_is_given_up_at_once(sending: Callable[..., Sending], endpoint: Endpoint) -> None:
    it = sending({**hook(endpoint), **pager(endpoint)})
    endpoint.usual = 403
    it.send()
    assert len(endpoint.got) == 2
    assert {it.state(each) for each in ("0/slack", "0/pagerduty")} == {MessageState.DEAD}


def test_pagerduty_is_left_alone_as_long_as_it_asks(sending: Callable[..., Sending], endpoint: Endpoint) -> None:
    it = sending(pager(endpoint))
    endpoint.answers = [(429, {"Retry-After": "12"})]
    assert it.send()["0/pagerduty"].is_sent
    assert it.clock.at == OPENED + 12


def test_what_nobody_listens_to_is_tried_again(sending: Callable[..., Sending], endpoint: Endpoint) -> None:
    it = sending({"RUNBOOK_SLACK_URL": "json://127.0.0.1:1/x"})
    it.send(patience=0)
    assert it.state("0/slack") is MessageState.RETRY
    assert "not reached" in it.box["0/slack"].delivery.error


def test_a_service_that_takes_it_and_does_not_answer_gets_it_once(
    sending: Callable[..., Sending], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_module, "DEADLINE_S", 0.3)
    monkeypatch.setattr(services_module.in_time, "__defaults__", (0.3,))
    it = sending({**hook(endpoint), **pager(endpoint)})
    endpoint.silent = threading.Event()
    it.send(patience=0)
    assert it.state("0/slack") is MessageState.UNCERTAIN
    assert it.state("0/pagerduty") is MessageState.RETRY  # it knows its messages by their key
    endpoint.silent.set()
    endpoint.silent = None
    it.clock.at += 3600
    it.send("0/slack", "0/pagerduty")
    paths = [path for path, _, _ in endpoint.got]
    assert (paths.count("/hooks/T0KENT0KEN"), paths.count("/v2/enqueue")) == (1, 2)
    it.act(drop(it.clock.at, "ann", "0/slack", "It is there"))
    assert it.state("0/slack") is MessageState.DROPPED


def test_who_was_killed_while_sending_leaves_it_to_a_person_unless_the_service_knows_the_key(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending({**hook(endpoint), **pager(endpoint)})
    for key in ("0/slack", "0/pagerduty"):
        it.act(lambda _, key=key: (e.MessageBegun(at=OPENED, by="ann", key=key),))  # type: ignore[misc]
    assert {each.state for key, each in it.box.items() if key in ("0/slack", "0/pagerduty")} == {MessageState.SENDING}
    assert "0/slack" not in it.send()
    it.clock.at = OPENED + LONGEST_SEND_S
    sent = it.send()
    assert ("0/slack" in sent, sent["0/pagerduty"].is_sent) == (False, True)
    assert it.state("0/slack") is MessageState.UNCERTAIN


def test_a_long_text_is_split_to_what_the_service_takes_and_goes_on_where_it_stopped(
    sending: Callable[..., Sending], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.custom_json import NotifyJSON

    monkeypatch.setattr(NotifyJSON, "body_maxlen", 400)
    it = sending(hook(endpoint))
    it.act(telling.update(OPENED, "ann", " ".join(f"word{number}" for number in range(120))))
    endpoint.answers = [(200, {}), (429, {}), (200, {})]
    it.send("1/slack")
    texts = [str(body["message"]) for body in endpoint.bodies]
    assert all(len(each) <= 400 for each in texts)
    assert texts[1] == texts[2]  # the one that failed, again
    assert texts[0].endswith(f" (1/{len(texts) - 1})")
    joined = "".join(texts)
    assert all(joined.count(f"word{number} ") + joined.count(f"word{number}\n") >= 1 for number in range(120))
    assert it.state("1/slack") is MessageState.SENT


def test_mail_goes_to_whom_the_variable_of_the_channel_names(sending: Callable[..., Sending], mailbox: Mailbox) -> None:
    it = sending(mail(mailbox))
    it.act(telling.tell(OPENED, "ann", Audience.EXECUTIVES, "", kind=MessageKind.OPENED))
    it.act(telling.tell(OPENED, "ann", Audience.REGULATORS, "12 names were seen"))
    assert all(each.is_sent for key, each in it.send().items() if "mail" in key)
    assert [to for to, _ in mailbox.got] == [
        ["incidents@example.com"],
        ["compliance@example.com"],
        ["security@example.com"],
        ["legal@example.com"],
    ]
    told = mailbox.got[0][1]
    assert told["Subject"] == "P0 Critical, incident 1: is open"
    text = told.get_body(("plain", "html"))
    assert text is not None
    assert "Impact: System down, data loss, security breach" in text.get_content()
    regulators = mailbox.got[1][1]
    assert "runbook@example.com" in str(regulators["From"])
    body = regulators.get_body(("plain", "html"))
    assert body is not None
    assert "12 names were seen" in body.get_content()


def test_mail_goes_to_the_address_that_a_policy_gives_a_channel(
    sending: Callable[..., Sending], mailbox: Mailbox
) -> None:
    it = sending(mail(mailbox), policy=with_address("incidents_mail", "boss@example.com"))
    it.act(telling.tell(OPENED, "ann", Audience.EXECUTIVES, "", kind=MessageKind.OPENED))
    it.send()
    assert [to for to, _ in mailbox.got] == [["boss@example.com"]]


@pytest.mark.parametrize(
    ("refusal", "state"), [("451 try later", MessageState.RETRY), ("554 no such place", MessageState.DEAD)]
)
def test_a_mail_server_that_refuses_for_now_is_asked_again(
    sending: Callable[..., Sending], mailbox: Mailbox, refusal: str, state: MessageState
) -> None:
    it = sending(mail(mailbox))
    it.act(telling.tell(OPENED, "ann", Audience.EXECUTIVES, "", kind=MessageKind.OPENED))
    mailbox.refusals = [refusal]
    it.send("1/incidents_mail", patience=0)
    assert it.state("1/incidents_mail") is state
    assert mailbox.got == []


def test_a_hostile_title_makes_no_header_and_calls_nobody(
    sending: Callable[..., Sending], mailbox: Mailbox, endpoint: Endpoint
) -> None:
    hostile = "Down\r\nBcc: eve@example.com\x1b[2J <!channel> @everyone"
    it = sending({**mail(mailbox), **hook(endpoint)}, title=hostile)
    it.act(telling.tell(OPENED, "ann", Audience.EXECUTIVES, "", kind=MessageKind.OPENED))
    it.send()
    (to, told) = mailbox.got[0]
    assert (to, told["Bcc"]) == (["incidents@example.com"], None)
    assert "\x1b" not in told.as_string()
    assert "\n" not in endpoint.bodies[0]["title"]


def test_slack_reads_no_mention_out_of_a_text(
    sending: Callable[..., Sending], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{endpoint.port}/services", raising=False)
    endpoint.reply = b"ok"
    it = sending(
        {"RUNBOOK_SLACK_URL": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"}, title="<!channel> is down"
    )
    it.act(telling.update(OPENED, "ann", "Look here: <!here> & <@U123>"))
    sent = it.send("1/slack")
    assert sent["1/slack"].is_sent, sent
    text = str(endpoint.bodies[0])
    assert "<!channel>" not in text
    assert "<!here>" not in text
    assert "<@U123>" not in text


def test_two_who_send_at_once_send_once(sending: Callable[..., Sending], endpoint: Endpoint, tmp_path: Path) -> None:
    it = sending({**hook(endpoint), **pager(endpoint)})
    gate = threading.Barrier(4)

    def send() -> None:
        with IncidentStore(tmp_path / "journal.sqlite3") as store:
            sender = Sender(store, from_environment(it.environ), Library.default(), "bob", clock=Clock())
            gate.wait(30)
            sender.send(it.number)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(endpoint.got) == 2


def test_an_address_shows_nowhere(
    sending: Callable[..., Sending], endpoint: Endpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    it = sending({**hook(endpoint), "RUNBOOK_PAGERDUTY_KEY": "hunter2!", "RUNBOOK_SMS_URL": "hunter2://hunter2"})
    endpoint.usual = 404
    sent = it.send()
    assert sent["0/pagerduty"].problem.startswith("$RUNBOOK_PAGERDUTY_KEY is neither")
    assert sent["0/sms"].problem.startswith("$RUNBOOK_SMS_URL is no address of a service")
    it.store.close()
    kept = (tmp_path / "journal.sqlite3").read_bytes() + str(sent).encode() + caplog.text.encode()
    assert b"T0KENT0KEN" not in kept
    assert b"hunter2" not in kept


def test_whoever_waits_for_the_next_try_ends_when_there_is_none_any_more(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending(hook(endpoint))
    endpoint.usual = 429
    wait = it.clock.sleep

    def resolve_meanwhile(seconds: float) -> None:
        wait(seconds)
        it.act(drop(it.clock.at, "carl", "0/slack"))

    it.clock.sleep = resolve_meanwhile  # type: ignore[method-assign]
    it.send("0/slack")
    assert len(endpoint.got) == 1


def test_a_mistake_in_a_template_keeps_no_other_message_back(
    sending: Callable[..., Sending],
    endpoint: Endpoint,
    mailbox: Mailbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "runbooks" / "messages").mkdir(parents=True)
    (tmp_path / "runbooks" / "messages" / "internal.j2").write_text("{{ nothing }}")
    monkeypatch.chdir(tmp_path)
    it = sending({**hook(endpoint), **mail(mailbox)})
    it.act(telling.tell(OPENED, "ann", Audience.EXECUTIVES, "", kind=MessageKind.OPENED))
    sent = it.send()
    assert "internal.j2:1: " in sent["0/slack"].problem
    assert sent["1/incidents_mail"].is_sent
    assert it.state("0/slack") is MessageState.WAITING


def test_pagerduty_is_reached_by_the_proxy_of_the_environment(
    sending: Callable[..., Sending], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://ann:hunter2@127.0.0.1:{endpoint.port}")
    it = sending({"RUNBOOK_PAGERDUTY_KEY": f"http://{KEY}@events.pagerduty.test/v2/enqueue"})
    assert it.send("0/pagerduty")["0/pagerduty"].is_sent
    ((path, _, headers),) = endpoint.got
    assert path == "http://events.pagerduty.test/v2/enqueue"
    assert headers["Proxy-Authorization"] == "Basic YW5uOmh1bnRlcjI="
    monkeypatch.setenv("no_proxy", "pagerduty.test")
    it.clock.at += 900
    it.send("P0+15min/pagerduty", patience=0)
    assert len(endpoint.got) == 1


def test_who_was_killed_while_sending_is_known_to_be_gone_at_once(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending({**hook(endpoint), **pager(endpoint)})
    gone = structs.replace(this_process(), started="1")
    for key in ("0/slack", "0/pagerduty"):
        it.act(lambda _, key=key: (e.MessageBegun(at=OPENED, by="ann", key=key, process=gone),))  # type: ignore[misc]
    sent = it.send()
    assert ("0/slack" in sent, sent["0/pagerduty"].is_sent) == (False, True)
    assert it.state("0/slack") is MessageState.UNCERTAIN
    assert [path for path, _, _ in endpoint.got] == ["/v2/enqueue"]


def test_what_a_living_process_is_sending_nobody_else_sends(
    sending: Callable[..., Sending], endpoint: Endpoint
) -> None:
    it = sending(pager(endpoint))
    it.act(lambda _: (e.MessageBegun(at=OPENED, by="ann", key="0/pagerduty", process=this_process()),))
    assert "0/pagerduty" not in it.send()
    assert (it.state("0/pagerduty"), endpoint.got) == (MessageState.SENDING, [])


def test_discord_is_asked_to_call_nobody_whom_a_text_names(
    sending: Callable[..., Sending], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.discord import NotifyDiscord

    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://127.0.0.1:{endpoint.port}/webhooks")
    address = {"RUNBOOK_SLACK_URL": f"discord://{'1' * 18}/{'a' * 68}"}
    it = sending(address, title="@everyone: <@123456> and <@&99> @here")
    assert it.send("0/slack")["0/slack"].is_sent
    text = str(endpoint.bodies)
    assert "is open" in text or "opened" in text
    assert not [each for each in ("@everyone", "@here", "@123456", "@&99") if each in text]
    assert not [
        body for body in endpoint.bodies if body.get("allow_mentions") or body.get("allowed_mentions", {}).get("parse")
    ]
