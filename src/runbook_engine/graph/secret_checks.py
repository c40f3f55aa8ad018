"""What is told of secrets that go where they are seen, or where nobody meant them to go."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from runbook_engine.document import DiagnosticLevel
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan
from runbook_engine.graph.secret_flows import Flow, flows

_HELP: Mapping[str, str] = {
    "RB230": "hand it over in a header, such as Authorization, or in another parameter of the probe",
    "RB231": "take the host from an input, which each environment gives; where it is meant, say why in a comment",
    "RB232": "take the host from an input: whoever answers that probe would choose who gets the secret",
}


def check_secrets(plan: Plan, mistakes: Mistakes) -> None:
    """Secrets in URLs, secrets to a host that the runbook itself names, and secrets to one that a probe's answer chooses.

    What a called runbook does by itself is told there; here, what it does with what it is given.
    """
    told_there = {
        (f"{step_id}/{flow.step}", code)
        for step_id, step in plan.steps.items()
        if step.child is not None
        for flow in flows(step.child)
        for code, _, _ in _problems(flow)
    }
    for flow in flows(plan):
        for code, message, level in _problems(flow):
            if (flow.step, code) not in told_there:
                mistakes.add(code, message, flow.place, help=_HELP[code], level=level)


def _problems(flow: Flow) -> Iterator[tuple[str, str, DiagnosticLevel]]:
    if not flow.is_secret:
        return
    if flow.in_url:
        message = f'the secret {flow.name} stands in the URL of step "{flow.step}", which servers write into their logs'
        yield "RB230", message, DiagnosticLevel.WARNING
    host = flow.host
    if host is None or flow.names_host:
        return
    goes = f'the secret {flow.name} of step "{flow.step}" goes to'
    if host.measured:
        yield "RB232", f"{goes} a host that {' and '.join(host.measured)} chooses", DiagnosticLevel.ERROR
    elif host.is_written and not _is_here(host.text):
        yield "RB231", f'{goes} "{host.text}", which the runbook itself names', DiagnosticLevel.WARNING
    elif host.default and not host.is_written and not _is_here(host.default):
        yield "RB231", f'{goes} {host.text}, which is "{host.default}" by default', DiagnosticLevel.NOTE


def _is_here(host: str) -> bool:
    """Whether this machine itself is meant."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
