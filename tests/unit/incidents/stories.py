"""Incidents that were lived through to their end, and what was said of them afterwards."""

from collections.abc import Sequence

from runbook_engine.document.models import Severity
from runbook_engine.engine.events import Outcome
from runbook_engine.incidents import acting, afterwards, telling
from runbook_engine.incidents import events as e
from runbook_engine.incidents.acting import Decide
from runbook_engine.incidents.incident import Incident, fold
from runbook_engine.incidents.policy import load_playbook_named, load_policy

OPENED = 1_795_000_000.0
"""Wednesday 2026-11-18 11:06:40 UTC."""
MINUTE = 60.0
RUN = "0199f3c2"


def at(minutes: float) -> float:
    return OPENED + minutes * MINUTE


def attached(minutes: float, by: str, runbook: str, outcome: Outcome, **more: object) -> Decide:
    """A run of two minutes that is attached when it is done."""
    event = e.RunAttached(
        at=at(minutes),
        by=by,
        run_id=f"{RUN}{int(minutes):03}",
        runbook=runbook,
        outcome=outcome,
        started_at=at(minutes - 2),
        finished_at=at(minutes),
        **more,  # type: ignore[arg-type] # findings and blind spots
    )
    return lambda _: (event,)


def sent(minutes: float, channel: str = "slack", before: int = 1) -> Decide:
    """What the event says that came last, or so many events ago, was delivered."""
    return lambda incident: (e.MessageSent(at=at(minutes), by="ann", key=f"{len(incident.events) - before}/{channel}"),)


SLOW = e.AttachedFinding("api_very_slow", "symptom", "critical", "P95 response time is 4.2 s")
LOCKED = e.AttachedFinding(
    "lock_contention",
    "cause",
    "critical",
    "38 sessions wait for one lock",
    "A migration holds it: ALTER TABLE orders",
    "end_blocker",
    "End the blocker: end the session that holds the lock; run the migration with a lock_timeout",
)
FORBIDDEN = e.AttachedBlindness(
    "container",
    "forbidden",
    "AccessDenied: ecs:DescribeServices",
    "grant ecs:DescribeServices to the role of the runbook",
)


def lived(incident: Incident, decisions: Sequence[Decide]) -> Incident:
    for decide in decisions:
        incident = fold(incident.id, (*incident.events, *decide(incident)))
    return incident


def shop_down() -> Incident:
    """A P0 with everything: roles, escalation, runs, a playbook, updates, remarks, pins, a meeting and actions."""
    policy, playbook = load_policy(), load_playbook_named("p0-critical")
    opening = acting.opening(
        policy,
        "Nobody can pay in the shop",
        Severity.P1,
        OPENED,
        "ann",
        because=["payment issues (rule 7: payment)"],
        description="Checkout answers with 503 since about noon.",
    )
    return lived(
        fold(7, opening),
        [
            acting.acknowledge(at(4), "bob"),
            acting.assign(at(5), "ann", "technical_lead", "bob"),
            attached(9, "bob", "high-latency", Outcome.CRITICAL, findings=(SLOW,), blind_spots=(FORBIDDEN,)),
            acting.reprioritise(at(10), "bob", Severity.P0, "nothing answers any more", playbook),
            acting.acknowledge(at(12), "bob"),
            acting.assign(at(13), "ann", "incident_commander", "ann"),
            acting.finish_task(at(14), "ann", "confirm_severity", "all requests fail"),
            acting.finish_task(at(19), "ann", "assign_incident_commander"),
            acting.escalate(at(20), "ann", ["communications_lead"], "customers ask"),
            acting.assign(at(21), "ann", "communications_lead", "eve@example.com"),
            telling.update(at(25), "eve@example.com", "Payments fail. We know where to look."),
            sent(25),
            attached(31, "bob", "database-connections", Outcome.CRITICAL, findings=(LOCKED,)),
            acting.note(
                at(33), "dora", "The migration of orders was started by the deployment of 2.4.2", happened=at(-6)
            ),
            acting.skip_task(at(34), "bob", "scale_resources", "load is low"),
            acting.mitigate(at(38), "bob", "Migration ended, locks are gone"),
            telling.update(at(80), "eve@example.com", "Payments work again; we watch them."),
            sent(80),
            acting.resolve(at(95), "bob", "Migration rewritten to run without the lock"),
            afterwards.remark(
                at(200), "ann", e.Section.IMPACT, "Nobody could pay for 44 minutes; about 1,200 orders were lost"
            ),
            afterwards.remark(
                at(201), "bob", e.Section.ROOT_CAUSE, "A migration took an exclusive lock on orders at peak time"
            ),
            afterwards.remark(at(202), "bob", e.Section.WENT_WELL, "The runbook named the session that held the lock"),
            afterwards.remark(at(203), "ann", e.Section.WENT_BADLY, "Customers heard nothing for 55 minutes"),
            afterwards.remark(
                at(204), "ann", e.Section.LESSON, "Migrations run outside of peak times, and with a lock timeout"
            ),
            afterwards.pin(at(205), "ann", 9),
            afterwards.pin(at(205), "ann", 2, pinned=False),
            afterwards.schedule(at(206), "ann", place="https://meet.example.com/pm-7"),
            afterwards.add_action(
                at(207), "ann", "Set lock_timeout for migrations", "bob", horizon=e.Horizon.IMMEDIATE
            ),
            afterwards.add_action(
                at(208),
                "ann",
                "Rehearse migrations on a copy",
                "dora",
                horizon=e.Horizon.LONG_TERM,
                link="https://wiki.example.com/mig",
            ),
            afterwards.document(at(209), "ann", "ann"),
            afterwards.finish_action(at(60 * 24 * 2), "bob", 1, "5 s everywhere"),
            acting.close(at(60 * 24 * 2 + 1), "ann"),
        ],
    )


NOW = at(60 * 24 * 30)
"""A month later: what was to be done within four weeks is overdue."""
