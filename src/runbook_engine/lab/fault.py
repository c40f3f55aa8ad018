"""What a fault of the lab is, in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which the lab is broken, or in which it is healthy although it looks like another that is not.

    ``explanation`` says what is broken, how it is injected, which symptom one sees and what the diagnosis should say.
    ``expects`` are the findings of ``runbook`` that name the cause; none where all is well. Where nothing can be found, as it
    cannot be looked at, ``blind`` has the texts that the blind spots must name. ``neighbour`` is the fault on the other
    side of the same threshold, and ``joins`` are the faults that this one is at once. ``program`` is one that the lab needs
    for it and that no wheel carries.
    """

    name: str
    title: str
    explanation: str
    expects: tuple[str, ...] = ()
    family: str = "latency"
    runbook: str = "high-latency"
    blind: tuple[str, ...] = ()
    neighbour: str = ""
    joins: tuple[str, ...] = ()
    program: str = ""

    @property
    def is_healthy(self) -> bool:
        """Nothing is broken, and all of it can be seen."""
        return not self.expects and not self.blind
