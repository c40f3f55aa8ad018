"""Labels of alerts that choose who gets a secret: refused, but for the hosts that the trigger allows.

Whoever can make an alert fire writes its labels. A runbook that such an alert starts must not carry a token to a host that a
label names, unless the author of the runbook has said which hosts may be named.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from runbook_engine.document import hosts
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.triggers import Trigger
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan
from runbook_engine.graph.scope import INPUTS
from runbook_engine.graph.secret_flows import Flow, handed_over

_PLAIN = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?"
    r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:/[A-Za-z0-9._~/-]*)?"
    r"|[0-9A-Fa-f:.]+"
    r"|/[A-Za-z0-9._~/-]*"
)
"""A host, with a scheme, a port and a path or without, or a path: nothing that ends a host and begins another one."""


def check_label_hosts(plan: Plan, mistakes: Mistakes) -> None:
    """Tell of each trigger that lets a label choose who gets a secret, and allows no hosts."""
    found = handed_over(plan) if any(each.inputs and not each.allowed_hosts for each in plan.runbook.triggers) else ()
    for index, trigger in enumerate(plan.runbook.triggers):
        told: set[tuple[str, str]] = set()
        for flow, name in _chosen(found, trigger.inputs) if not trigger.allowed_hosts else ():
            if (name, flow.name) not in told:
                told.add((name, flow.name))
                message = f"the label {quoted(trigger.inputs[name])} chooses the host that gets {_what(flow)}"
                hint = (
                    'list the hosts that may get it: allowed_hosts: ["api-*.example.com"], or make the input an enum; '
                    "whoever can make the alert fire writes its labels"
                )
                mistakes.add("RB233", message, ("triggers", index, "with", name), help=hint)


def refused(plan: Plan, trigger: Trigger, filled: Collection[str], known: Mapping[str, str | None]) -> Sequence[str]:
    """Why a run must not begin: where a label would send a secret. ``filled`` are the inputs that labels fill.

    ``known`` has the values of all inputs of the runbook; None for those that have none, nothing for secrets.
    """
    problems: dict[str, None] = {}
    for flow, name in _chosen(handed_over(plan, known), filled):
        host = flow.host.default if flow.host is not None else ""
        label, value, what = quoted(trigger.inputs[name]), known.get(name) or "", _what(flow)
        if _PLAIN.fullmatch(value) is None:
            said = f"the label {label} is {quoted(value)}, which is no name of a host, and would choose who gets {what}"
        elif not host:
            said = (
                f"the label {label} is {quoted(value)}, and would choose, with what is not known yet, who gets {what}"
            )
        elif not any(hosts.matches(each, host) for each in trigger.allowed_hosts):
            said = f"the label {label} would send {what} to {quoted(host)}, which allowed_hosts of the trigger does not list"
        else:
            continue
        problems[said] = None
    return list(problems)


def _chosen(flows: Sequence[Flow], filled: Collection[str]) -> Iterator[tuple[Flow, str]]:
    """Each secret whose host an input that is filled can change, with that input."""
    for flow in flows:
        for each in flow.host.chosen_by if flow.host is not None else ():
            scope, _, name = each.partition(".")
            if scope == INPUTS and name in filled:
                yield flow, name


def _what(flow: Flow) -> str:
    secret = flow.name if flow.is_own else f"the secret {flow.name}"
    return f'{secret} of step "{flow.step}"'
