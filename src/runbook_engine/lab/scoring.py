"""What a diagnosis of the lab is worth: which causes it should have found, and which it did."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from runbook_engine.engine.events import Outcome
from runbook_engine.engine.trace import Trace
from runbook_engine.lab.faults import Fault


class Verdict(Struct, frozen=True, kw_only=True):
    """One fault, diagnosed once. ``unnamed`` are the things that a blind spot had to name and that none did."""

    fault: str
    runbook: str
    expected: tuple[str, ...]
    found: tuple[str, ...]
    symptoms: tuple[str, ...]
    blind: tuple[str, ...]
    unnamed: tuple[str, ...]
    outcome: Outcome
    inconclusive_expected: bool = False
    seconds: float

    @property
    def healthy_expected(self) -> bool:
        return not self.expected and not self.inconclusive_expected

    @property
    def missed(self) -> tuple[str, ...]:
        return tuple(each for each in self.expected if each not in self.found)

    @property
    def false_alarm(self) -> bool:
        """Something was found in a system in which all is well."""
        return self.healthy_expected and self.outcome is not Outcome.HEALTHY

    @property
    def confidently_wrong(self) -> bool:
        """A cause that is none, or a clean bill of health for a system that is broken."""
        wrong = set(self.found) - set(self.expected)
        return bool(wrong) or (not self.healthy_expected and self.outcome is Outcome.HEALTHY)

    @property
    def right(self) -> bool:
        """Every cause found and nothing else; of what cannot be seen, said so with the reason."""
        if self.inconclusive_expected:
            return self.outcome is Outcome.INCONCLUSIVE and not self.unnamed and not self.found
        if self.healthy_expected:
            return not self.false_alarm and not self.blind
        return not self.missed and not self.confidently_wrong and not self.blind


def verdict(fault: Fault, trace: Trace) -> Verdict:
    """What the run says of the lab that it was made in."""
    told = [f"{each.message}; {each.remedy}" for each in trace.blind_spots]
    return Verdict(
        fault=fault.name,
        runbook=trace.runbook,
        expected=tuple(sorted(fault.expects)),
        found=tuple(sorted({each.finding for each in trace.causes})),
        symptoms=tuple(sorted({each.finding for each in trace.symptoms})),
        blind=tuple(f"{each.scope}/{each.step}".lstrip("/") for each in trace.blind_spots),
        unnamed=tuple(each for each in fault.blind if not any(each in line for line in told)),
        outcome=trace.outcome,
        inconclusive_expected=bool(fault.blind),
        seconds=trace.duration,
    )


class Score(Struct, frozen=True, kw_only=True):
    """All verdicts, counted."""

    diagnosed: int
    right: int
    broken: int
    healthy: int
    unseeable: int
    false_alarms: int
    confidently_wrong: int

    @property
    def perfect(self) -> bool:
        return self.right == self.diagnosed


def score(verdicts: Sequence[Verdict]) -> Score:
    healthy = sum(each.healthy_expected for each in verdicts)
    unseeable = sum(each.inconclusive_expected for each in verdicts)
    return Score(
        diagnosed=len(verdicts),
        right=sum(each.right for each in verdicts),
        broken=len(verdicts) - healthy - unseeable,
        healthy=healthy,
        unseeable=unseeable,
        false_alarms=sum(each.false_alarm for each in verdicts),
        confidently_wrong=sum(each.confidently_wrong for each in verdicts),
    )


def sentences(counted: Score) -> list[str]:
    """The score, for people."""
    return [
        f"{counted.right} of {counted.diagnosed} diagnoses are right: "
        f"{counted.broken} broken systems, {counted.healthy} healthy ones, {counted.unseeable} that cannot be seen.",
        f"False alarms on healthy systems: {counted.false_alarms}.",
        f"Wrong but confident: {counted.confidently_wrong}.",
    ]


def table(verdicts: Iterable[Verdict]) -> list[tuple[str, ...]]:
    """Rows of texts, with the heading first."""
    rows: list[tuple[str, ...]] = [("fault", "runbook", "expected causes", "found causes", "outcome", "right")]
    for each in verdicts:
        expected = ", ".join(each.expected) or ("none can be seen" if each.inconclusive_expected else "none")
        found = ", ".join(each.found) or "none"
        rows.append((each.fault, each.runbook, expected, found, each.outcome.value, "yes" if each.right else "NO"))
    return rows
