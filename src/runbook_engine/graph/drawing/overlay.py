"""What a run made of a runbook, as far as a picture shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Overlay:
    """``status`` is ``passed``, ``flagged``, ``blind``, ``skipped``, ``answered`` or ``not asked``; a step that is
    absent was not reached.

    ``taken`` is the place of the branch that a step chose, such as ``("branches", 0)``; ``why`` that branch's condition
    with the measured values; ``note`` a word beside the step, such as how long it took.
    """

    status: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    note: Mapping[str, str] = field(default_factory=dict)
