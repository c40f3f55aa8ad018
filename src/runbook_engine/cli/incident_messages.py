"""``runbook incident messages``, ``tell`` and ``update``."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_names import ChannelName, MessageKey, TaskName
from runbook_engine.cli.incident_sending import SHOWN, deliver, messages_of
from runbook_engine.cli.incident_shared import (
    act,
    by_option,
    clean,
    format_option,
    now,
    number_of,
    open_store,
    person,
    send_option,
    which_option,
)
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import data, out
from runbook_engine.cli.streams import note as say

if TYPE_CHECKING:
    from runbook_engine.incidents.messages import Outgoing
    from runbook_engine.incidents.store import IncidentStore
    from runbook_engine.incidents.wording import Wording

AUDIENCES = ("internal", "customers", "regulators", "executives")
_KINDS = ("opened", "escalated", "status_update", "mitigated", "resolved", "postmortem", "custom")


@click.command(
    "messages",
    epilog=examples(
        "runbook incident messages",
        "runbook incident messages --send",
        "runbook incident messages 7/slack --again --send",
        "runbook incident messages 7/sms --by-hand",
        "runbook incident messages 7/sms --drop --because 'It is wrong'",
    ),
)
@click.argument("keys", nargs=-1, type=MessageKey(), metavar="[KEY]...")
@click.option("--send", is_flag=True, help="Send what waits; without it, messages are only shown.")
@click.option("--again", is_flag=True, help="Send these also that were given up, or of which nobody knows.")
@click.option("--by-hand", "told", is_flag=True, help="Say that you told these yourself; they count as sent.")
@click.option("--drop", is_flag=True, help="Never send these.")
@click.option("--because", default="", help="Why they are dropped.")
@click.option("--all", "every", is_flag=True, help="Show those, too, that were sent or came too late.")
@which_option()
@by_option()
@format_option()
def messages_command(
    *,
    keys: tuple[str, ...],
    send: bool,
    again: bool,
    told: bool,
    drop: bool,
    because: str,
    every: bool,
    number: int | None,
    by: str | None,
    format_: str,
) -> int:
    """Show the messages that an incident asks for, as they would be sent; with --send, send them.

    They follow from what happened and from the policy's routing. Each is sent once; what fails is tried again and, after some
    tries, given up. KEY stands for one message, such as 7/slack: what event 7 says, to Slack.
    """
    from runbook_engine.incidents.sending import again as send_again
    from runbook_engine.incidents.sending import by_hand
    from runbook_engine.incidents.sending import drop as forget

    if (again or drop or told) and not keys:
        raise click.UsageError("say which messages: runbook incident messages KEY… --again, --by-hand or --drop")
    if again + drop + told > 1:
        raise click.UsageError("a message is either sent again, told by hand or dropped")
    changes = send or again or drop or told
    with open_store(reading=not changes) as store:
        which, name = number_of(store, number), person(by)
        _known(store, which, keys)
        for key in keys if again or told or drop else ():
            if drop:
                store.act(which, forget(now(), name, key, clean(because)))
                say(f"{key} will not be sent")
            else:
                store.act(which, (by_hand if told else send_again)(now(), name, key))
                say(f"{key} counts as sent: you told it by hand" if told else f"{key} is sent again")
        if send:
            return deliver(store, which, name, send=True, keys=keys)
        found = [each for each in messages_of(store, which) if _is_shown(each, keys, every=every or drop or told)]
        texts = [_wording(store, which, each) for each in found]
    if format_ == "json":
        shown = [_as_json(each, text) for each, text in zip(found, texts, strict=True)]
        data(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    elif found:
        pages = (_page(each, text) for each, text in zip(found, texts, strict=True))
        out("\n".join("".join(f"{line}\n" for line in page) for page in pages))
        if any(each.is_due for each in found):
            say("nothing was sent; --send sends what waits")
    else:
        say("no message waits; --all shows those that were sent")
    return 0


@click.command(
    "tell",
    epilog=examples(
        "runbook incident tell customers 'Orders are safe; we are working on it' --send",
        "runbook incident tell regulators 'Names of 12 people were seen by others' --channel compliance_mail",
        "runbook incident tell executives --message resolved",
    ),
)
@click.argument("audience", type=click.Choice(AUDIENCES))
@click.argument("text", required=False, default="")
@click.option(
    "--message", "kind", type=click.Choice(_KINDS), help="What it says  [default: custom, which is your text]"
)
@click.option(
    "--channel",
    "channels",
    type=ChannelName(),
    multiple=True,
    metavar="NAME",
    help="Where it goes; may be given again.",
)
@click.option(
    "--task",
    type=TaskName(),
    metavar="TASK",
    default="",
    help="The task that it does  [default: the one that is left and says this]",
)
@send_option()
@which_option()
@by_option()
def tell_command(
    *,
    audience: str,
    text: str,
    kind: str | None,
    channels: tuple[str, ...],
    task: str,
    send: bool,
    number: int | None,
    by: str | None,
) -> int:
    """Tell an AUDIENCE something, in words that are made for it, by the channels of the policy.

    Nobody outside is told anything by itself: customers, regulators and executives only when somebody says so.
    """
    from runbook_engine.document.incident_policy import Audience, MessageKind
    from runbook_engine.incidents import telling

    which = MessageKind(kind or "custom")
    if which is MessageKind.CUSTOM and not text.strip():
        raise click.UsageError("what shall they be told? give a TEXT, or --message")

    return act(
        number,
        by,
        lambda at, name: telling.tell(
            at, name, Audience(audience), clean(text), kind=which, channels=channels, task=task
        ),
        send=send,
    )


@click.command(
    "update",
    epilog=examples(
        "runbook incident update 'Payments work again; we watch them'",
        "runbook incident update 'Payments work again' --tell customers --send",
    ),
)
@click.argument("text")
@click.option(
    "--tell", "audiences", multiple=True, type=click.Choice(AUDIENCES), help="Tell these, too; may be given again."
)
@send_option()
@which_option()
@by_option()
def update_command(*, text: str, audiences: tuple[str, ...], send: bool, number: int | None, by: str | None) -> int:
    """Write how it stands. Those who wait are told when it is sent; from then on the policy counts to the next update."""
    from runbook_engine.document.incident_policy import Audience
    from runbook_engine.incidents import telling

    chosen = [Audience(each) for each in audiences]
    return act(number, by, lambda at, name: telling.update(at, name, clean(text), chosen), send=send)


COMMANDS = (messages_command, tell_command, update_command)


def _known(store: "IncidentStore", number: int, keys: Sequence[str]) -> None:
    from runbook_engine.errors import IncidentError, did_you_mean

    known = [each.message.key for each in messages_of(store, number)]
    for key in keys:
        if key not in known:
            hint = "`runbook incident messages --all` lists them"
            raise IncidentError(f"there is no message {key!r}{did_you_mean(key, known)}; {hint}")


def _is_shown(each: "Outgoing", keys: Sequence[str], *, every: bool) -> bool:
    if keys:
        return each.message.key in keys
    return every or str(each.state) not in ("sent", "obsolete", "dropped")


def _wording(store: "IncidentStore", number: int, each: "Outgoing") -> "Wording":
    from runbook_engine.incidents.policy import of_document
    from runbook_engine.incidents.wording import worded
    from runbook_engine.library import Library

    incident = store.load(number)
    return worded(each.message, incident, of_document(incident.policy_document), Library.default())


def _page(each: "Outgoing", text: "Wording") -> Iterator[str]:
    message = each.message
    to = f"{message.destination.title}{f' <{message.destination.recipient}>' if message.destination.recipient else ''}"
    yield f"{message.key}  {message.kind} for {message.audience}, by {visible(to)}: {_how_far(each)}"
    lines = [text.title, "", *text.body.splitlines()] if text.title and text.body else [text.title or text.body]
    yield from (f"    {visible(line)}".rstrip() for line in lines)


def _how_far(each: "Outgoing") -> str:
    from runbook_engine.incidents.moments import clock

    state, delivery = str(each.state), each.delivery
    if state == "sent" and delivery.sent_at is not None:
        return f"sent {clock(delivery.sent_at)}"
    error = f" ({visible(delivery.error)})" if delivery.error else ""
    if delivery.retry_at is not None and state == "retry":
        return f"tried {delivery.attempts} times{error}, again {clock(delivery.retry_at)}"
    return f"{state}{error}{f': {SHOWN[state]}' if state in SHOWN else ''}"


def _as_json(each: "Outgoing", text: "Wording") -> dict[str, object]:
    from datetime import UTC, datetime

    message, delivery = each.message, each.delivery
    times = {"at": message.at, "sent_at": delivery.sent_at, "retry_at": delivery.retry_at}
    return {
        "key": message.key,
        "kind": message.kind,
        "audience": message.audience,
        "channel": message.destination.name,
        "service": message.destination.kind,
        "state": each.state,
        "due": each.is_due,
        **{
            name: None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
            for name, at in times.items()
        },
        "attempts": delivery.attempts,
        "error": delivery.error,
        "reference": delivery.reference,
        "title": text.title,
        "body": text.body,
    }
