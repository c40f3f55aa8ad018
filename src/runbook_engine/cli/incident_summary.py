"""``runbook incident summary``."""

import os
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_sending import NOT_SENT
from runbook_engine.cli.incident_shared import now, open_store
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import note as say
from runbook_engine.cli.streams import out

if TYPE_CHECKING:
    from runbook_engine.incidents.messages import Message
    from runbook_engine.incidents.services import Services
    from runbook_engine.incidents.store import IncidentStore
    from runbook_engine.incidents.wording import Wording


@click.command("summary", epilog=examples("runbook incident summary", "runbook incident summary --days 7 --send"))
@click.option(
    "--days", type=click.IntRange(1, 366), default=1, show_default=True, help="Of how many days, up to yesterday."
)
@click.option("--send", is_flag=True, help="Send it where the policy routes summaries to; without it, it is shown.")
@click.option("--again", is_flag=True, help="Send it also where it was sent already.")
def summary_command(*, days: int, send: bool, again: bool) -> int:
    """Sum up the incidents of the last days: opened, resolved, open, and actions that are overdue.

    A summary of the same days is sent once to each channel, so that cron may ask for it as often as it likes.
    """
    from runbook_engine.incidents.policy import load_policy
    from runbook_engine.incidents.services import from_environment
    from runbook_engine.incidents.summary import last_days, summary, summary_messages
    from runbook_engine.library import Library

    library, policy = Library.default(), load_policy()
    with open_store(reading=not send) as store:
        period = last_days(policy, days, now())
        text = summary([store.load(each) for each in reversed(store.numbers())], period, now(), library)
        if not send:
            out(f"{text.title}\n\n{text.body}")
            return 0
        messages = summary_messages(policy, period)
        if not messages:
            say("the policy routes no summaries: add messages: [summary] to a route")
            return NOT_SENT
        services = from_environment(os.environ)
        sent = [_sent(store, services, each, text, again=again) for each in messages]
    return 0 if any(sent) else NOT_SENT


def _sent(store: "IncidentStore", services: "Services", message: "Message", text: "Wording", *, again: bool) -> bool:
    """Send a summary by one channel, unless it was sent. Whether it has surely gone out, now or before."""
    from runbook_engine.incidents.services import NoServiceError, Verdict
    from runbook_engine.incidents.splitting import split
    from runbook_engine.incidents.wording import Wording

    title = message.destination.title
    try:
        service = services(message.destination)
        pieces = split(text.body, service.most(text))
    except (NoServiceError, ValueError) as problem:
        say(f"not sent by {title}: {problem}")
        return False
    before = store.claim_summary(message.key, now(), again=again)
    if before is not None:
        known = f"sent by {title} already"
        unknown = f"nobody knows whether it was sent by {title}: whoever began to send it was cut off"
        say(f"{unknown if before.sent_at is None else known}; --again sends it once more")
        return before.sent_at is not None
    answers = []
    for piece in pieces:
        answers.append(service.send(message, Wording(text.title, piece)))
        if answers[-1].verdict is not Verdict.SENT:
            break
    last = answers[-1]
    if last.verdict is Verdict.SENT:
        store.keep_summary(message.key, now())
        say(f"sent by {title}")
        return True
    if len(answers) == 1 and last.verdict is not Verdict.UNKNOWN:
        store.keep_summary(message.key, None)
        say(f"not sent by {title}: {visible(last.error)}")
    else:
        say(f"nobody knows whether it was sent by {title}: {visible(last.error)}; --again sends it once more")
    return False
