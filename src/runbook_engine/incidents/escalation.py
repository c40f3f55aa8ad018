"""Who should be engaged, as a pure function of the policy's matrix, of what happened, and of the time.

The rules:

- A clock begins when an incident is opened. The first row of the matrix (0 minutes) is reached at once, each other one when
  the clock has counted its time. Where the policy escalates on the next business day, the clock stands still until then.
- An acknowledgement holds the clock until it runs out. It stands still, too, while the incident is mitigated or resolved.
- A priority that is raised begins a clock of its own, which no earlier acknowledgement holds: nobody has answered for that
  priority yet. Whoever was engaged stays so.
- A priority that is lowered keeps the clock. Engaged are those whom the lower priority engages after as much time; the others
  are released.
- An incident that an alert opens again begins a clock of its own, too; engaged are those whom the matrix calls from then on.
- Somebody may call roles before the matrix does; they are engaged from then on.

A clock counts seconds that pass, not hours on the wall: where clocks are put forward or back, nothing comes early or late.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from runbook_engine.incidents.business import Calendar


class Rung(Struct, frozen=True):
    """A cell of the matrix: these roles are engaged after so many seconds."""

    after: float
    roles: tuple[str, ...]


class Ladder(Struct, frozen=True):
    """A column of the matrix. With ``calendar``, it is climbed from the next business day on."""

    rungs: tuple[Rung, ...]
    calendar: Calendar | None = None


class Hold(Struct, frozen=True):
    """The clock stands still between two moments; for good, where the second is None."""

    since: float
    until: float | None


class Phase(Struct, frozen=True):
    """While an incident had one priority. ``clock`` is when the clock began that counts in it.

    With ``anew`` people are called in it as they were at first: nobody is engaged from before.
    """

    priority: str
    since: float
    clock: float
    holds: tuple[Hold, ...] = ()
    anew: bool = False


class Call(Struct, frozen=True):
    """Roles that somebody called."""

    at: float
    roles: tuple[str, ...]
    by: str


class Engagement(Struct, frozen=True):
    """A role that should be there. ``after`` is the row that says so, in seconds; None where somebody called it."""

    role: str
    since: float
    after: float | None
    by: str = ""


class Reached(Struct, frozen=True):
    """A row that was reached, or will be if nothing else happens.

    With ``carried``, it would have been reached earlier, had the incident had its priority from the beginning.
    """

    at: float
    after: float
    roles: tuple[str, ...]
    priority: str
    carried: bool


class Escalation(Struct, frozen=True):
    """How far it has come. ``held_until`` is given while an acknowledgement holds; ``elapsed`` is what the clock shows."""

    engaged: tuple[Engagement, ...]
    reached: tuple[Reached, ...]
    next: Reached | None
    elapsed: float
    held_until: float | None = None


def escalation(ladders: Mapping[str, Ladder], phases: Sequence[Phase], calls: Sequence[Call], now: float) -> Escalation:
    """What the matrix says at ``now``. Phases follow each other; holds are sorted and apart."""
    reached: list[Reached] = []
    engaged: dict[str, Engagement] = {}
    for index, phase in enumerate(phases):
        if phase.since > now:
            break
        end = phases[index + 1].since if index + 1 < len(phases) else None
        if index and (phase.anew or phase.clock == phases[index - 1].clock):
            engaged = {}
        for row in _rows(ladders[phase.priority], phase):
            if row.at > now or (end is not None and row.at >= end):
                break
            reached.append(row)
            for role in row.roles:
                engaged.setdefault(role, Engagement(role, row.at, row.after))
    since = max((each.since for each in phases if each.anew and each.since <= now), default=phases[0].since)
    for call in calls:
        for role in call.roles if since <= call.at <= now else ():
            if role not in engaged or call.at < engaged[role].since:
                engaged[role] = Engagement(role, call.at, None, call.by)
    last = next(each for each in reversed(phases) if each.since <= now or each is phases[0])
    rows = list(_rows(ladders[last.priority], last))
    coming = next((each for each in rows if each.at > now), None)
    begun = _beginning(ladders[last.priority], last.clock)
    held = next((each for each in last.holds if each.since <= now and (each.until is None or now < each.until)), None)
    return Escalation(
        tuple(sorted(engaged.values(), key=lambda each: each.since)),
        tuple(reached),
        coming,
        _counted(begun, last.holds, now),
        held.until if held is not None else None,
    )


def _rows(ladder: Ladder, phase: Phase) -> Iterator[Reached]:
    """Each row with when it is reached, in order; those that a stopped clock never reaches are left out."""
    begun = _beginning(ladder, phase.clock)
    for rung in ladder.rungs:
        at = phase.clock if rung.after == 0 else _when(begun, phase.holds, rung.after)
        if at is None:
            return
        yield Reached(max(at, phase.since), rung.after, rung.roles, phase.priority, carried=at < phase.since)


def _beginning(ladder: Ladder, clock: float) -> float:
    return ladder.calendar.next_day(clock) if ladder.calendar is not None else clock


def _when(begun: float, holds: Sequence[Hold], seconds: float) -> float | None:
    """When the clock has counted so many seconds."""
    at = begun
    for hold in holds:
        if hold.until is not None and hold.until <= at:
            continue
        if hold.since >= at:
            if at + seconds <= hold.since:
                return at + seconds
            seconds -= hold.since - at
        if hold.until is None:
            return None
        at = hold.until
    return at + seconds


def _counted(begun: float, holds: Sequence[Hold], now: float) -> float:
    """What the clock shows."""
    held = sum(max(0.0, min(now, now if hold.until is None else hold.until) - max(begun, hold.since)) for hold in holds)
    return max(0.0, now - begun - held)


def joined(holds: Sequence[Hold]) -> tuple[Hold, ...]:
    """The same times without overlaps, sorted."""
    found: list[Hold] = []
    for hold in sorted(holds, key=lambda each: each.since):
        last = found[-1] if found else None
        if last is None or (last.until is not None and last.until < hold.since):
            found.append(hold)
        elif last.until is not None and (hold.until is None or hold.until > last.until):
            found[-1] = Hold(last.since, hold.until)
    return tuple(found)
