"""Which secrets of a runbook go to which hosts, for people."""

from collections.abc import Sequence

from runbook_engine.graph.plan import Plan
from runbook_engine.graph.secret_flows import Flow, flows

_MOST_STEPS = 4


def listed(plan: Plan) -> Sequence[str]:
    """One line for each secret and host: ``$API_TOKEN goes to the host of inputs.api_url (steps health, version)``."""
    steps: dict[str, list[str]] = {}
    for flow in flows(plan):
        if flow.is_secret or _is_named(flow):
            steps.setdefault(f"{flow.variable} goes to {_whereto(flow)}", []).append(flow.step)
    return [f"{goes} ({_steps(list(dict.fromkeys(each)))})" for goes, each in steps.items()]


def sent(plan: Plan) -> Sequence[str]:
    """What is sent to hosts that the runbook names or a measurement chooses: ``$API_TOKEN to api.example.com``."""
    found = (f"{flow.variable} to {_whereto(flow)}" for flow in flows(plan) if _is_named(flow))
    return list(dict.fromkeys(found))


def _is_named(flow: Flow) -> bool:
    host = flow.host
    return host is not None and not flow.names_host and bool(host.is_written or host.default or host.measured)


def _whereto(flow: Flow) -> str:
    if flow.names_host:
        return "the host that it names"
    if flow.host is None:
        return f"the probe {flow.probe}"
    default = f", by default {flow.host.default}" if flow.host.default and not flow.host.is_written else ""
    return f"{flow.host.text}{default}"


def _steps(steps: Sequence[str]) -> str:
    shown = ", ".join(steps[:_MOST_STEPS])
    more = f" and {len(steps) - _MOST_STEPS} more" if len(steps) > _MOST_STEPS else ""
    return f"step{'' if len(steps) == 1 else 's'} {shown}{more}"
