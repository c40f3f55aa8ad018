"""What people do after an incident: each decides from the incident as it is, and comes to events. No clock is read here."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.errors import IncidentError
from runbook_engine.incidents import events as e
from runbook_engine.incidents.acting import Decide
from runbook_engine.incidents.horizons import today_of, window
from runbook_engine.incidents.incident import Action, Incident
from runbook_engine.incidents.meeting import attendees, latest, next_meeting, wall
from runbook_engine.incidents.moments import moment
from runbook_engine.incidents.policy import of_document


def remark(at: float, by: str, section: e.Section, text: str) -> Decide:
    """A sentence for the postmortem."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        _said(text, "the remark")
        return (e.Remarked(at=_after(incident, at), by=by, section=section, text=text),)

    return decide


def pin(at: float, by: str, seq: int, *, pinned: bool = True) -> Decide:
    """Have the timeline of the postmortem show an event, by its number, or leave it out."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        if not 0 <= seq < len(incident.events):
            raise IncidentError(
                f"incident {incident.id} has no event {seq}; they are numbered 0 to {len(incident.events) - 1}, "
                "as `runbook incident show` lists them"
            )
        if isinstance(incident.events[seq], e.Pinned):
            raise IncidentError(f"event {seq} is about the timeline itself and cannot stand in it; choose another one")
        if incident.pins.get(seq) is pinned:
            return ()
        return (e.Pinned(at=_after(incident, at), by=by, seq=seq, pinned=pinned),)

    return decide


def schedule(  # a meeting has its own words
    at: float,
    by: str,
    *,
    begins: datetime | None = None,
    minutes: int | None = None,
    place: str | None = None,
    invited: Sequence[str] = (),
    late_because: str = "",
) -> Decide:
    """When the postmortem meets. What is not given is as it was; else as the policy says, at the next business hour.

    ``begins`` without a time zone is in the policy's. Later than the policy's limit only with a reason, which is noted.
    """

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        policy, now, before = of_document(incident.policy_document), _after(incident, at), incident.meeting
        shortest, longest = policy.post_incident.minutes
        length = minutes or (before.minutes if before is not None else shortest)
        if not shortest <= length <= longest:
            raise IncidentError(
                f"the policy wants {shortest} to {longest} minutes, not {length}; give --minutes {shortest}"
            )
        if begins is not None:
            start = _begin(begins, policy, now)
        elif before is not None and before.begins > now:
            start = before.begins
        else:
            start = next_meeting(incident, policy, now, length)
        moved = before is None or before.begins != start
        late = moved and _late(incident, policy, start, late_because)
        scheduled = e.MeetingScheduled(
            at=now,
            by=by,
            begins=start,
            minutes=length,
            attendees=tuple(dict.fromkeys((*attendees(incident, policy, now), *invited))),
            place=place if place is not None else (before.place if before is not None else ""),
        )
        noted = e.Noted(at=now, by=by, text=f"The postmortem meets later than the policy wants: {late_because}")
        return (scheduled, noted) if late else (scheduled,)

    return decide


def _begin(begins: datetime, policy: IncidentPolicy, now: float) -> float:
    zone = ZoneInfo(policy.timezone)
    found = wall(begins, zone) if begins.tzinfo is None else begins.timestamp()
    if found is None:
        raise IncidentError(
            f"there is no {begins:%H:%M} on {begins:%Y-%m-%d} in {policy.timezone}: clocks are put forward over it; "
            "choose another time"
        )
    if found < now:
        raise IncidentError(f"{moment(found, zone)} lies in the past; it is {moment(now, zone)}")
    return found


def _late(incident: Incident, policy: IncidentPolicy, start: float, because: str) -> bool:
    """Whether it is later than the policy wants. Raises IncidentError where nobody says why."""
    limit = latest(incident, policy)
    if limit is None or start <= limit:
        return False
    if not because.strip():
        raise IncidentError(
            f"the policy wants people to meet by {moment(limit, ZoneInfo(policy.timezone))}, "
            f"{policy.post_incident.meeting_within / 3600:g} hours after it was resolved; "
            "choose an earlier time, or say why it is later with --late-because"
        )
    return True


def add_action(  # an action has its own words
    at: float,
    by: str,
    title: str,
    owner: str,
    *,
    horizon: e.Horizon = e.Horizon.SHORT_TERM,
    due: date | None = None,
    link: str = "",
) -> Decide:
    """Something to be done by ``owner``, in the end by the last day of its horizon."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        _said(title, "the action")
        same = [each for each in incident.actions.values() if _same(each, title) and each.link == link]
        if still := [each for each in same if each.done_at is None]:
            raise IncidentError(
                f"action {still[0].id} says that already ({still[0].owner}, due {still[0].due}); "
                f"when it is done: runbook incident actions done {still[0].id}"
            )
        return (_added(incident, at, by, title, owner, horizon, due, link),)

    return decide


def finish_action(at: float, by: str, number: int, text: str = "") -> Decide:
    """An action is done; ``text`` says what came of it."""

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        found = incident.actions.get(number)
        if found is None:
            known = ", ".join(map(str, incident.actions)) or "none"
            raise IncidentError(
                f"incident {incident.id} has no action {number}, it has {known}; `runbook incident actions list` shows them"
            )
        if found.done_at is not None:
            raise IncidentError(f"action {number} was done by {found.done_by} already")
        return (e.ActionDone(at=_after(incident, at), by=by, action=number, note=text),)

    return decide


def document(at: float, by: str, owner: str, horizon: e.Horizon = e.Horizon.SHORT_TERM) -> Decide:
    """What the policy wants to be brought up to date, as actions with links to the runbooks that ran.

    None is added twice: where runbooks have run since, what is added is for those only.
    """

    def decide(incident: Incident) -> Sequence[e.IncidentEvent]:
        policy = of_document(incident.policy_document)
        ran = tuple(dict.fromkeys(each.runbook for each in incident.runs))
        added: list[e.IncidentEvent] = []
        for title in policy.post_incident.documentation:
            there = [each for each in incident.actions.values() if _same(each, title)]
            linked = {name for each in there for name in each.link.split(", ")}
            missing = [name for name in ran if name not in linked]
            if missing or not there:
                number = len(added)
                added.append(_added(incident, at, by, title, owner, horizon, None, ", ".join(missing), number))
        return added

    return decide


def _added(  # an action has its own words
    incident: Incident,
    at: float,
    by: str,
    title: str,
    owner: str,
    horizon: e.Horizon,
    due: date | None,
    link: str,
    further: int = 0,
) -> e.ActionAdded:
    if not owner.strip():
        raise IncidentError("an action needs somebody who does it; say who with --owner")
    policy, now = of_document(incident.policy_document), _after(incident, at)
    found = window(incident, policy, horizon, now)
    day, today = due or found.last, today_of(policy, now)
    if day < today:
        raise IncidentError(f"{day} lies in the past; today is {today}")
    if not found.first <= day <= found.last:
        raise IncidentError(
            f"{day} is not in the horizon {found.title}, which is from {found.first} to {found.last}; "
            "choose a day of it, or another one with --horizon"
        )
    number = max(incident.actions, default=0) + 1 + further
    return e.ActionAdded(
        at=now, by=by, action=number, title=title, owner=owner, due=day.isoformat(), horizon=horizon, link=link
    )


def _same(action: Action, title: str) -> bool:
    return " ".join(action.title.casefold().split()) == " ".join(title.casefold().split())


def _said(text: str, what: str) -> None:
    if not text.strip():
        raise IncidentError(f"{what} says nothing; write what is meant in quotation marks")


def _after(incident: Incident, at: float) -> float:
    """Events never go back in time, though clocks do."""
    return max(at, incident.last_at)
