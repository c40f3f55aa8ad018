"""How bad it is: the rules of the policy, over what is known, what is unsure, and what nobody said."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from runbook_engine import conditions
from runbook_engine.conditions import Name, names, parse
from runbook_engine.document.incident_policy import FactType, IncidentPolicy
from runbook_engine.engine.events import Outcome
from runbook_engine.engine.trace import Trace
from runbook_engine.errors import UsageError, did_you_mean
from runbook_engine.quantity import Dimension, Value, show
from runbook_engine.quantity import parse as parse_quantity

UNSURE = "unsure"
_YES = frozenset({"yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})
_DIMENSIONS = {
    FactType.PERCENT: Dimension.PERCENT,
    FactType.DURATION: Dimension.DURATION,
    FactType.NUMBER: Dimension.NUMBER,
}


class Known(Struct, frozen=True):
    """A fact as it was told: ``value`` is None where it is unsure. ``source`` says who or what told it."""

    value: Value | None
    shown: str
    source: str


class Classification(Struct, frozen=True):
    """``rule`` decided (its number, from 1; None where none held), as ``because`` says.

    ``unsure`` are the facts for whose sake the higher priority was taken; ``assumed`` those of which nobody said anything,
    and which were taken for a no.
    """

    priority: str
    because: str
    rule: int | None = None
    condition: str = ""
    facts: Mapping[str, Known] = {}
    unsure: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Why, in sentences."""
        decided = [self.because]
        told = [f"{name}: {each.shown} ({each.source})" for name, each in self.facts.items()]
        doubt = f"unsure about {', '.join(self.unsure)}, so the higher priority counts" if self.unsure else ""
        assumed = f"taken for a no, because nobody said: {', '.join(self.assumed)}" if self.assumed else ""
        return tuple(each for each in (*decided, *told, doubt, assumed) if each)


def read_answer(policy: IncidentPolicy, name: str, text: str, source: str = "answer") -> Known:
    """``yes``, ``no``, ``unsure``, ``7%``. Raises UsageError with what is legal."""
    fact = policy.facts.get(name)
    if fact is None:
        raise UsageError(
            f"there is no fact {name!r}{did_you_mean(name, policy.facts)}; facts: {', '.join(policy.facts)}"
        )
    word = text.strip().lower()
    if word in (UNSURE, "?", ""):
        return Known(None, UNSURE, source)
    if fact.type is FactType.BOOL:
        if word not in _YES | _NO:
            raise UsageError(f"{text!r} is no answer to {name}: write yes, no or unsure")
        return Known(word in _YES, "yes" if word in _YES else "no", source)
    try:
        value, dimension = parse_quantity(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
    wanted = _DIMENSIONS[fact.type]
    if dimension is not wanted:
        example = {Dimension.PERCENT: "7%", Dimension.DURATION: "2s"}.get(wanted, "12")
        raise UsageError(f"{text!r} is no answer to {name}: write a {wanted}, for example {example}, or unsure")
    return Known(value, show(value, wanted), source)


def from_trace(policy: IncidentPolicy, trace: Trace) -> Mapping[str, Known]:
    """What a run says of the facts. Where it could not see all, what it did not find is unsure."""
    found = {(each.finding, f"{trace.runbook}/{each.finding}") for each in trace.findings}
    ids = {name for pair in found for name in pair}
    known: dict[str, Known] = {}
    source = f"run {trace.run_id}"
    for name, fact in policy.facts.items():
        if fact.findings:
            hit = next((each for each in fact.findings if each in ids), None)
            if hit is not None:
                known[name] = Known(True, "yes", f"{source} found {hit}")
            elif trace.outcome is Outcome.INCONCLUSIVE:
                known[name] = Known(None, UNSURE, f"{source} could not see all")
        elif fact.metric is not None:
            measured = [each.metrics.get(fact.metric) for each in trace.steps.values()]
            numbers = [each for each in measured if isinstance(each, int | float) and not isinstance(each, bool)]
            if numbers:
                known[name] = Known(max(numbers), show(max(numbers), _DIMENSIONS[fact.type]), source)
    return known


def classify(policy: IncidentPolicy, facts: Mapping[str, Known]) -> Classification:
    """The priority, by the first rule that holds. One that might hold, if what is unsure were so, counts as if it did."""

    def lookup(name: Name) -> Value | None:
        known = facts.get(name.name)
        if known is not None:
            return known.value
        return False if policy.facts[name.name].type is FactType.BOOL else None

    passed: list[str] = []
    for number, rule in enumerate(policy.rules, 1):
        expression = parse(rule.when)
        asked = list(dict.fromkeys(each.name for each in names(expression)))
        truth = conditions.compile(expression).evaluate(lookup)
        doubtful = [each.name for each in truth.missing if each.name in facts]
        if truth.value or (truth.value is None and doubtful):
            relevant = {name: facts[name] for name in asked if name in facts}
            unsure = tuple(doubtful) if truth.value is None else ()
            assumed = _unsaid(policy, [*passed, *asked], facts)
            return Classification(rule.priority, rule.because, number, rule.when, relevant, unsure, assumed)
        passed += asked
    because = f"no rule for a higher priority than {policy.otherwise} holds"
    return Classification(policy.otherwise, because, facts=dict(facts), assumed=_unsaid(policy, passed, facts))


def _unsaid(policy: IncidentPolicy, asked: Sequence[str], facts: Mapping[str, Known]) -> tuple[str, ...]:
    return tuple(name for name in policy.facts if name in asked and name not in facts)
