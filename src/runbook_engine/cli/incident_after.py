"""``runbook incident postmortem``, ``remark``, ``pin``, ``meeting``, ``stats``: what is learned from incidents."""

import sys
from datetime import datetime
from pathlib import Path

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_shared import (
    acted,
    by_option,
    clean,
    format_option,
    now,
    number_of,
    open_store,
    output_option,
    which_option,
    written,
)
from runbook_engine.cli.streams import note as tell
from runbook_engine.cli.streams import out

SECTIONS = ("impact", "root_cause", "went_well", "went_badly", "lesson")
_ENOUGH_MONTHS = 120


@click.command(
    "postmortem",
    epilog=examples(
        "runbook incident postmortem",
        "runbook incident postmortem --format html --output postmortem.html",
        "runbook incident postmortem --format ics --output meeting.ics",
    ),
)
@which_option()
@format_option("text", "markdown", "html", "json", "ics", "csv")
@output_option()
@click.option("--names", is_flag=True, help="Name people; else they appear by their role.")
def postmortem_command(*, number: int | None, format_: str, output: Path | None, names: bool) -> None:
    """Render the blameless postmortem: impact, root cause, timeline, how the response went, lessons, actions.

    It is made from what happened, what runbooks found, and what was said with remark, pin, meeting and actions. The format
    ics is its meeting for a calendar, csv its actions for a spreadsheet.
    """
    from runbook_engine.cli.screen import width
    from runbook_engine.incidents.rendering import PostmortemFormat, render

    with open_store(reading=True) as store:
        incident = store.load(number_of(store, number))
    at = max(now(), incident.last_at)
    text = render(incident, at, PostmortemFormat(format_), names=names, width=width() if sys.stdout.isatty() else 100)
    written(text, output, "the postmortem")


@click.command(
    "remark",
    epilog=examples(
        "runbook incident remark impact 'Nobody could pay for 34 minutes; 1,200 orders were lost'",
        "runbook incident remark lesson 'A rollback must not need a second approval'",
    ),
)
@click.argument("section", type=click.Choice(SECTIONS))
@click.argument("text")
@which_option()
@by_option()
def remark_command(*, section: str, text: str, number: int | None, by: str | None) -> None:
    """Write a sentence for a SECTION of the postmortem: TEXT. It may be written at any time, also when all is over."""
    from runbook_engine.incidents.afterwards import remark
    from runbook_engine.incidents.events import Section

    incident = acted(number, by, lambda at, name: remark(at, name, Section(section), clean(text)))
    out(f"kept for the postmortem of incident {incident.id}: {section}\n")


@click.command("pin", epilog=examples("runbook incident pin 14", "runbook incident pin 3 --remove"))
@click.argument("seq", metavar="EVENT", type=click.IntRange(min=0))
@click.option("--remove", is_flag=True, help="Leave it out.")
@which_option()
@by_option()
def pin_command(*, seq: int, remove: bool, number: int | None, by: str | None) -> None:
    """Have the timeline of the postmortem show an EVENT, by its number in ``runbook incident show``, or leave it out."""
    from runbook_engine.incidents.afterwards import pin

    incident = acted(number, by, lambda at, name: pin(at, name, seq, pinned=not remove))
    told = "leaves out" if remove else "shows"
    out(f"the timeline of the postmortem of incident {incident.id} {told} event {seq}\n")


@click.command(
    "meeting",
    epilog=examples(
        "runbook incident meeting",
        "runbook incident meeting --at '2026-11-25 10:00' --minutes 90 --place https://meet.example.com/pm",
    ),
)
@click.option("--at", "begins", metavar="'DATE TIME'", help="When it begins, in the time zone of the policy.")
@click.option("--minutes", type=click.IntRange(min=1), help="How long it is; as the policy allows.")
@click.option("--place", help="Where people meet: a room, or an address.")
@click.option("--invite", "invited", multiple=True, metavar="NAME", help="Somebody else; may be given again.")
@click.option("--late-because", default="", help="Why it is later than the policy wants.")
@which_option()
@by_option()
def meeting_command(
    *,
    begins: str | None,
    minutes: int | None,
    place: str | None,
    invited: tuple[str, ...],
    late_because: str,
    number: int | None,
    by: str | None,
) -> None:
    """Schedule the postmortem's meeting, or move it.

    Without --at it begins at the next hour of business that lies within the policy's limit. Those who are engaged or acted
    are invited; who has an e-mail address for a name is so in the calendar file, too.
    """
    from runbook_engine.cli.screen import visible
    from runbook_engine.incidents.afterwards import schedule
    from runbook_engine.incidents.policy import of_document
    from runbook_engine.incidents.postmortem import meeting_of

    start = _time(begins) if begins is not None else None
    incident = acted(
        number,
        by,
        lambda at, name: schedule(
            at,
            name,
            begins=start,
            minutes=minutes,
            place=None if place is None else clean(place),
            invited=[clean(each) for each in invited],
            late_because=clean(late_because),
        ),
    )
    found = meeting_of(incident, of_document(incident.policy_document))
    if found is None:
        return
    where = f", {found.place}" if found.place else ""
    out(f"postmortem of incident {incident.id}: {visible(f'{found.shown}, {found.minutes} minutes{where}')}\n")
    out(f"with {visible(', '.join(found.attendees))}\n")
    tell(f"for a calendar: runbook incident postmortem -i {incident.id} --format ics --output meeting.ics")


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or len(text.strip()) <= len("2026-11-25"):
        raise click.BadParameter(f"{text!r} is not a time; write for example '2026-11-25 10:00'", param_hint="--at")
    return found


@click.command("stats", epilog=examples("runbook incident stats", "runbook incident stats --months 12 --format csv"))
@click.option(
    "--months", type=click.IntRange(1, _ENOUGH_MONTHS), default=3, show_default=True, help="How far to look back."
)
@format_option("text", "json", "csv")
@output_option()
def stats_command(*, months: int, format_: str, output: Path | None) -> None:
    """Tell how long incidents took until they were acknowledged, diagnosed, mitigated and resolved.

    By month, priority and runbook; and which runbooks found the cause, which were inconclusive, and for want of what.
    """
    from runbook_engine.incidents import stats

    with open_store(reading=True) as store:
        incidents = [store.load(each) for each in store.numbers()]
    found = stats.stats(incidents, now(), months)
    if format_ != "text":
        written(stats.as_json(found) if format_ == "json" else stats.as_csv(found), output, "the statistics")
    elif not found.incidents:
        older = "; look further back with --months" if incidents else "; open one: runbook incident open TITLE"
        tell(f"no incident was opened in the last {months} month{'' if months == 1 else 's'}{older}")
    else:
        from runbook_engine.incidents.stats_text import text

        written(text(found), output, "the statistics")


COMMANDS = (postmortem_command, remark_command, pin_command, meeting_command, stats_command)
