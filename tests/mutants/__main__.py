"""Holds the tests against small mistakes in the core: ``python -m tests.mutants [MODULE…]``, with cosmic-ray installed.

Of the mutants of each module in modules.yaml, nine of ten are killed by the tests that stand there beside it. Those that
survive stand in survivors.yaml, each with the reason why it may. The target fails where another one survives, where one that
is listed is none any more, and where more survive than one of ten.
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import yaml
from tests.docs.figures import Figure, keep
from tests.mutants.making import Mutant, mutants
from tests.mutants.running import ROOT, Outcome, run

HERE = ROOT / "tests" / "mutants"
LEAST_KILLED = 0.9


class Survivor(NamedTuple):
    """A mutant that may survive: the function it is in, its lines as they are in the module and in the mutant."""

    function: str
    was: str
    now: str


class Judged(NamedTuple):
    """A module's mutants, how many of them were killed, which survive that may, and what is wrong, in sentences."""

    mutants: int
    killed: int
    listed: int
    wrong: tuple[str, ...]


def main(chosen: Sequence[str]) -> int:
    modules: dict[str, list[str]] = yaml.safe_load((HERE / "modules.yaml").read_text("utf-8"))
    unknown = [each for each in chosen if each not in modules]
    if unknown:
        print(f"not in modules.yaml: {', '.join(unknown)}", file=sys.stderr)  # noqa: T201 - this is a command
        return 2
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    may_survive = _listed()
    figures: list[Figure] = []
    wrong: list[str] = []
    for name in chosen or modules:
        begun = time.monotonic()
        judged = _judged(name, modules[name], may_survive.get(name, {}))
        wrong += judged.wrong
        measured = f"{judged.killed} killed, {judged.listed} survive and are explained"
        figures.append(Figure(f"{judged.mutants} mutants of {name}", "9 of 10 killed", measured))
        told = f"{name}: {judged.killed} of {judged.mutants} killed, {judged.listed} listed"
        print(f"{told}, {time.monotonic() - begun:.0f} s", flush=True)  # noqa: T201
        for each in judged.wrong:
            print(f"  {each}", flush=True)  # noqa: T201
    if not chosen and not wrong:
        keep("mutants", figures, made_by="make mutants")
    return 1 if wrong else 0


def _listed() -> dict[str, dict[Survivor, str]]:
    """The mutants that may survive, by module, each with the reason."""
    content: Mapping[str, Sequence[Mapping[str, str]]] = (
        yaml.safe_load((HERE / "survivors.yaml").read_text("utf-8")) or {}
    )
    return {
        module: {Survivor(each["in"], each["was"], each["now"]): each["why"] for each in survivors}
        for module, survivors in content.items()
    }


def _judged(module: str, tests: Sequence[str], may_survive: Mapping[Survivor, str]) -> Judged:
    made = mutants(ROOT / module)
    outcomes = run(ROOT / module, made, tests, _tell)
    survived = [each.mutant for each in outcomes if not each.by]
    known = {_key(each) for each in made}
    unknown = [each for each in survived if _key(each) not in may_survive]
    wrong = [f"survives: {_shown(each)}" for each in unknown]
    wrong += [
        f"listed, but no mutant any more: {each.was}  ->  {each.now}" for each in may_survive if each not in known
    ]
    killed = len(made) - len(survived)
    if killed < LEAST_KILLED * len(made):
        wrong.append(f"only {killed} of {len(made)} are killed")
    return Judged(len(made), killed, len(survived) - len(unknown), tuple(wrong))


def _key(mutant: Mutant) -> Survivor:
    return Survivor(mutant.function, mutant.was, mutant.now)


def _shown(mutant: Mutant) -> str:
    return f"line {mutant.line}, in {mutant.function or 'the module'}: {mutant.was}  ->  {mutant.now}"


def _tell(outcome: Outcome) -> None:
    if "MUTANTS_OUTPUT" in os.environ:
        print(f"{outcome.by or 'SURVIVES'} <- {_shown(outcome.mutant)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
