"""Two faults at once: incidents seldom have one cause, and a diagnosis must not stop at the first."""

from runbook_engine.lab.families.certificates import CERTIFICATES
from runbook_engine.lab.families.database import DATABASE
from runbook_engine.lab.families.errors import ERRORS
from runbook_engine.lab.families.latency import LATENCY
from runbook_engine.lab.families.memory import MEMORY
from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

_SINGLE = {fault.name: (fault, plan) for fault, plan in (*LATENCY, *ERRORS, *DATABASE, *MEMORY, *CERTIFICATES)}


def _pair(one: str, other: str, title: str, explanation: str, *, name: str = "") -> tuple[Fault, Plan]:
    """Diagnosed by the runbook of the first."""
    (first, plan), (second, its_plan) = _SINGLE[one], _SINGLE[other]
    fault = Fault(
        name or f"{one}_and_{other}",
        title,
        f"The faults {one} and {other} at once, each injected as it is alone. {explanation}",
        tuple(sorted({*first.expects, *second.expects})),
        family="pairs",
        runbook=first.runbook,
        joins=(one, other),
    )
    return fault, plan.also(its_plan)


PAIRS: tuple[tuple[Fault, Plan], ...] = (
    _pair(
        "slow_queries",
        "cpu_high",
        "A slow report query, and no CPU left",
        "One sees a P95 of about a second. The diagnosis should name both, and not stop at the first.",
        name="two_faults",
    ),
    _pair(
        "cache_down",
        "cpu_high",
        "Redis is not running, and there is no CPU left",
        "What the cache saved is computed anew for each request, and the tasks have no CPU for it; one sees a P95 "
        "above 500 ms. The diagnosis should name the cache and the CPU.",
    ),
    _pair(
        "certificate_29_days",
        "acm_renewal_failed",
        "The certificate expires in 29 days, and ACM could not renew its own",
        "Whoever renews by hand what clients see would still lose HTTPS at the next renewal. The diagnosis should "
        "name the certificate that expires and the renewal that failed.",
    ),
    _pair(
        "connections_81",
        "maintenance_pending",
        "81 of 100 connections are in use, and a restart is due",
        "When RDS restarts the instance, all clients connect again at once. The diagnosis should name the "
        "connections and the pending maintenance.",
    ),
    _pair(
        "idle_in_transaction",
        "disk_86",
        "A transaction was left open, and the disk fills",
        "An open transaction keeps vacuum from removing dead rows, and storage grows: one causes the other. The "
        "diagnosis should name the transaction and the storage.",
    ),
    _pair(
        "memory_91",
        "out_of_memory_error",
        "The service uses 91 % of its memory and logs OutOfMemoryError",
        "Tasks and heap are both at their limits. The diagnosis should name the memory of the tasks and the errors "
        "in the logs.",
    ),
    _pair(
        "tasks_killed",
        "memory_climbing",
        "Memory climbs, and tasks are killed for it",
        "A leak, and what comes of it in the end. The diagnosis should name the killed tasks and the memory that climbs.",
    ),
    _pair(
        "dependency_down",
        "errors_after_deployment",
        "The external API is down, and a deployment brought errors",
        "The one is an excuse for the other: requests fail because of the new release, which has nothing to do with "
        "the dependency. The diagnosis should name the dependency and the deployment.",
    ),
    _pair(
        "client_abuse",
        "cache_down",
        "Somebody tries log-ins by the thousand, and Redis is not running",
        "Without its cache, the API does more work for each request, and gets many more than usual. The diagnosis "
        "should name the errors of the clients and the cache that refuses connections.",
    ),
)
"""Every pair, with the plans of both."""
