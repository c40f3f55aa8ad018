"""What is proven of a policy of incidents: that it leaves no hole, and that everything in it can come to something."""

from collections.abc import Iterator, Mapping, Sequence

from runbook_engine.conditions import ConditionSyntaxError, Expression, Name, Problem, check, names, parse
from runbook_engine.conditions.regions import analyse
from runbook_engine.document import Diagnostic
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.incident_policy import Audience, Fact, FactType, IncidentPolicy, MessageKind
from runbook_engine.document.incident_policy_load import LoadedIncidentPolicy
from runbook_engine.document.playbook_load import load_playbook_file
from runbook_engine.errors import closest, did_you_mean
from runbook_engine.graph.mistakes import Mistakes, Path
from runbook_engine.library import Library
from runbook_engine.quantity import Dimension, MetricType, show

_TYPES: Mapping[FactType, MetricType] = {
    FactType.BOOL: MetricType(Dimension.BOOL),
    FactType.PERCENT: MetricType(Dimension.PERCENT, lower=0, upper=100),
    FactType.DURATION: MetricType(Dimension.DURATION, lower=0),
    FactType.NUMBER: MetricType(Dimension.NUMBER),
}
_NEEDED = (
    MessageKind.OPENED,
    MessageKind.ESCALATED,
    MessageKind.STATUS_UPDATE,
    MessageKind.MITIGATED,
    MessageKind.RESOLVED,
)
"""What those who work here must be told of, whatever the priority."""


def fact_type(fact: Fact) -> MetricType:
    return _TYPES[fact.type]


def check_incident_policy(loaded: LoadedIncidentPolicy, library: Library | None = None) -> tuple[Diagnostic, ...]:
    """All mistakes of shape and of meaning, in the order of the text. With a library, its playbooks are those that exist."""
    found = Mistakes(loaded.source, list(loaded.diagnostics), checking=True)
    if loaded.partial is not None and loaded.document is not None:
        for check_ in (_priorities, _matrix, _hours, _rules, _firing, _routing):
            check_(loaded.partial, found)
        if library is not None:
            _playbooks(loaded.partial, library, found)
    return found.sorted()


def _priorities(policy: IncidentPolicy, found: Mistakes) -> None:
    before: tuple[str, float] | None = None
    for priority, spec in policy.priorities.items():
        at: Path = ("priorities", priority)
        if priority == "after":
            found.add(
                "RB711", 'a priority cannot be called "after"', at, key=True, help="that is when a row is reached"
            )
        if before is not None and spec.response < before[1]:
            message = (
                f"{priority} stands below {before[0]} and must be answered sooner, within {_time(spec.response)} "
                f"instead of {_time(before[1])}"
            )
            found.add("RB714", message, at, help="write the worst first", key=True)
        before = (priority, spec.response)
        if not isinstance(spec.escalation, str):
            _in_time(policy, priority, spec.response, spec.escalation, found)
    _priority(policy, policy.otherwise, ("otherwise",), found)
    for index, route in enumerate(policy.routing):
        for place, each in enumerate(route.priorities or ()):
            _priority(policy, each, ("routing", index, "priorities", place), found)


def _priority(policy: IncidentPolicy, name: str, at: Path, found: Mistakes, *, key: bool = False) -> None:
    known = dict.fromkeys(map(str, policy.priorities), "")
    if name not in known:
        message = f"there is no priority {quoted(name)}{did_you_mean(name, known)}"
        guess = closest(name, known)
        found.add("RB711", message, at, key=key, help=f"priorities: {', '.join(known)}", write=guess)


def _playbooks(policy: IncidentPolicy, library: Library, found: Mistakes) -> None:
    known = library.playbooks()
    for priority, spec in policy.priorities.items():
        if spec.playbook is not None:
            at: Path = ("priorities", priority, "playbook")
            _known("playbook", spec.playbook, known, at, found)
            book = load_playbook_file(known[spec.playbook]).partial if spec.playbook in known else None
            if book is not None and book.priorities and priority not in book.priorities:
                message = (
                    f"{quoted(spec.playbook)} leads through {', '.join(book.priorities)}, and not through a {priority}"
                )
                found.add("RB717", message, at, help="name another playbook, or add the priority to that one")


def _in_time(policy: IncidentPolicy, priority: str, response: float, escalation: float, found: Mistakes) -> None:
    """Somebody is called by when the priority says, and before its response time is over."""
    at: Path = ("priorities", priority, "escalation")
    if escalation > response:
        message = (
            f"a {priority} is escalated after {_time(escalation)}, when its response time of {_time(response)} is over"
        )
        found.add("RB715", message, at, help="escalate no later than somebody must be on it")
    called = [row.after for row in policy.escalation if (row.after > 0) == (escalation > 0)]
    if not any(after <= escalation for after in called):
        message = f"a {priority} is to be escalated after {_time(escalation)}, and the matrix calls nobody by then"
        found.add("RB715", message, at, help="add a row to the escalation matrix, or escalate later")


def _matrix(policy: IncidentPolicy, found: Mistakes) -> None:
    before: float | None = None
    for index, row in enumerate(policy.escalation):
        at: Path = ("escalation", index)
        if before is None and row.after != 0:
            found.add(
                "RB712", "the first row of the matrix does not call anybody at once", (*at, "after"), help="write 0min"
            )
        if before is not None and row.after <= before:
            message = (
                f"this row of the matrix comes after {_time(row.after)}, and the one above it after {_time(before)}"
            )
            found.add("RB712", message, (*at, "after"), help="each row comes later than the one above it")
        before = row.after
        for priority, roles in row.called.items():
            _priority(policy, priority, (*at, priority), found, key=True)
            for place, role in enumerate(roles):
                _known("role", role, policy.roles, (*at, str(priority), place), found)
        lacking = [str(each) for each in policy.priorities if each not in row.called]
        if lacking:
            message = f"this row of the matrix calls nobody in a {' or '.join(lacking)}"
            found.add(
                "RB712",
                message,
                at,
                help="say for each priority whom it calls; the same as the row above, if nobody else",
            )


def _hours(policy: IncidentPolicy, found: Mistakes) -> None:
    hours = policy.business_hours
    if hours.end <= hours.begin:
        message = f"a business day ends at {hours.end}, before it begins at {hours.begin}"
        found.add("RB716", message, ("business_hours", "end"), help="write the time at which people go home")


def _rules(policy: IncidentPolicy, found: Mistakes) -> None:
    for index, rule in enumerate(policy.rules):
        at: Path = ("rules", index)
        _priority(policy, rule.priority, (*at, "priority"), found)
        if index and policy.rank(rule.priority) < policy.rank(policy.rules[index - 1].priority):
            message = f"a rule for {rule.priority} stands below one for {policy.rules[index - 1].priority}"
            found.add("RB714", message, (*at, "priority"), help="the worst first: the first rule that holds decides")
        known = policy.priorities.get(rule.priority)
        if known is not None and rule.because not in (*known.examples, known.impact):
            legal = ", ".join(quoted(each) for each in (*known.examples, known.impact))
            message = f"{quoted(rule.because)} is neither an example of {rule.priority} nor its impact"
            found.add("RB711", message, (*at, "because"), help=f"write one of {legal}")
    for priority, each in policy.priorities.items():
        decided = {rule.because for rule in policy.rules if rule.priority == priority}
        for place, example in enumerate(each.examples if priority != policy.otherwise else ()):
            if example not in decided:
                message = f"no rule decides for the example {quoted(example)} of {priority}"
                found.add("RB714", message, ("priorities", priority, "examples", place), help="write a rule for it")
    conditions = list(_conditions(policy, found))
    parsed = [each for each in conditions if each is not None]
    if len(parsed) == len(conditions):
        _decide(policy, parsed, found)


def _firing(policy: IncidentPolicy, found: Mistakes) -> None:
    values: dict[str, str] = {}
    for value, priority in policy.firing.priorities.items():
        at: Path = ("firing", "priorities", value)
        _priority(policy, priority, at, found)
        before = values.setdefault(value.casefold(), value)
        if before != value:
            message = f"{quoted(value)} and {quoted(before)} are the same value, and both say what it means"
            found.add("RB711", message, at, key=True, help="write one of them; case does not count")


def _decide(policy: IncidentPolicy, conditions: Sequence[Expression], found: Mistakes) -> None:
    """Each rule may decide, and each fact matters."""
    types = {name: fact_type(fact) for name, fact in policy.facts.items()}
    for index, facts in enumerate(analyse(conditions, lambda name: types.get(name.name)).branches):
        if facts.shadowed_by:
            others = " or ".join(f"rule {each + 1}" for each in facts.shadowed_by)
            message = f"this rule can never decide: {others} holds whenever it does"
            found.add("RB714", message, ("rules", index, "when"), help="take it out, or move it up")
    used = {name.name for each in conditions for name in names(each)}
    for fact in policy.facts:
        if fact not in used:
            found.add("RB714", f"no rule asks for the fact {quoted(fact)}", ("facts", fact), key=True, help="use it")


def _conditions(policy: IncidentPolicy, found: Mistakes) -> Iterator[Expression | None]:
    def resolve(name: Name) -> MetricType | Problem | None:
        fact = policy.facts.get(name.name) if name.scope is None else None
        if fact is not None:
            return fact_type(fact)
        message = f"there is no fact {quoted(str(name))}{did_you_mean(str(name), policy.facts)}"
        return Problem(message, name.start, name.end, f"facts: {', '.join(policy.facts)}")

    for index, rule in enumerate(policy.rules):
        at: Path = ("rules", index, "when")
        try:
            expression = parse(rule.when)
        except ConditionSyntaxError as error:
            found.add("RB302", error.message, at, help=error.hint, within=(error.start, error.end))
            yield None
            continue
        problems = check(expression, resolve)
        for each in problems:
            code = "RB304" if each.message.startswith("there is no fact") else "RB303"
            found.add(code, each.message, at, help=each.hint, within=(each.start, each.end))
        yield None if problems else expression


def _routing(policy: IncidentPolicy, found: Mistakes) -> None:
    known: dict[str, Path] = {name: ("alerts", name) for name in policy.alerts}
    for place, channel in policy.communication.named():
        at: Path = ("communication", *place, "name")
        name = str(channel.name)
        if name in known:
            message = f"there is another channel called {quoted(name)}"
            found.add("RB711", message, at, help="the names of channels and of alerts are different")
        known.setdefault(name, at)
        if channel.kind is None or channel.url_env is None:
            lacking = "kind" if channel.kind is None else "url_env"
            message = f'the channel {quoted(name)} has a name and no "{lacking}": no message can go there'
            found.add("RB713", message, at, help="say kind and url_env, or take the name out")
    for index, route in enumerate(policy.routing):
        for order, channel_name in enumerate(route.channels):
            _known("channel", channel_name, known, ("routing", index, "channels", order), found)
    reached = {channel for route in policy.routing for channel in route.channels}
    for name, at in known.items():
        if name not in reached:
            found.add("RB713", f"nothing is sent to {quoted(name)}", at, key=True, help="add it to a route")
    internal = [each for each in policy.routing if each.audience is Audience.INTERNAL]
    for kind in _NEEDED:
        lacking_for = [
            str(priority)
            for priority in policy.priorities
            if not any(kind in route.messages and route.is_for(priority) for route in internal)
        ]
        if lacking_for:
            message = f'the message "{kind}" reaches nobody for {", ".join(lacking_for)}'
            found.add("RB713", message, ("routing",), key=True, help="add a route for it")


def _known(what: str, name: str, known: Mapping[str, object], at: Path, found: Mistakes) -> None:
    if name not in known:
        message = f"there is no {what} {quoted(name)}{did_you_mean(name, known)}"
        found.add("RB711", message, at, help=f"{what}s: {', '.join(known)}")


def _time(seconds: float) -> str:
    return show(seconds, Dimension.DURATION)
