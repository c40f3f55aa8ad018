"""``runbook incident classify`` and ``open``."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.incident_names import PriorityName
from runbook_engine.cli.incident_shared import (
    by_option,
    clean,
    format_option,
    now,
    open_store,
    own_policy,
    person,
    send_option,
    show,
    trace_of,
)
from runbook_engine.cli.streams import data, out
from runbook_engine.cli.streams import note as tell

if TYPE_CHECKING:
    from runbook_engine.document.incident_policy import IncidentPolicy
    from runbook_engine.incidents.classify import Known

F = TypeVar("F", bound=Callable[..., Any])


def _answers() -> Callable[[F], F]:
    return click.option(
        "--answer",
        "answers",
        multiple=True,
        metavar="FACT=VALUE",
        help="What is known: yes, no, unsure, or a value such as 7%; may be given again.",
    )


def _run_option() -> Callable[[F], F]:
    return click.option("--run", "run", metavar="RUN", help="Take what a past run found for answers, too.")


def _policy_option() -> Callable[[F], F]:
    return click.option(
        "--policy",
        "policy_file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="A policy of yours  [default: policy/incidents.yaml of the library]",
    )


@click.command("classify", epilog=examples("runbook incident classify --answer outage=no --answer error_rate=7%"))
@_answers()
@_run_option()
@_policy_option()
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@format_option()
def classify_command(
    *, answers: tuple[str, ...], run: str | None, policy_file: Path | None, no_input: bool, format_: str
) -> None:
    """Say how bad it is, from answers or from a run's findings, and by which rule of the policy.

    On a terminal, what was not told is asked until a rule decides. When unsure, the higher priority counts.
    """
    import msgspec

    from runbook_engine.cli.incident_view import classified
    from runbook_engine.incidents.classify import classify

    policy = own_policy(policy_file)
    known = _known(policy, answers, run, ask=not no_input and not answers and run is None and sys.stdin.isatty())
    found = classify(policy, known)
    if format_ == "json":
        data(msgspec.json.format(msgspec.json.encode(msgspec.to_builtins(found)), indent=2).decode() + "\n")
    else:
        out(classified(found, policy))


@click.command("open", epilog=examples("runbook incident open 'Checkout answers with errors' --answer payment=yes"))
@click.argument("title")
@click.option(
    "-p", "--priority", type=PriorityName(), metavar="PRIORITY", help="How bad it is; else the answers decide."
)
@_answers()
@_run_option()
@click.option("--description", default="", help="More about it.")
@_policy_option()
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@send_option()
@by_option()
@format_option()
def open_command(
    *,
    title: str,
    priority: str | None,
    answers: tuple[str, ...],
    run: str | None,
    description: str,
    policy_file: Path | None,
    no_input: bool,
    send: bool,
    by: str | None,
    format_: str,
) -> int:
    """Open an incident; who should be there now is told at once.

    Its priority is given, or follows from the answers and the run. The policy is kept with it.
    """
    from runbook_engine.cli.incident_sending import deliver
    from runbook_engine.incidents import acting
    from runbook_engine.incidents.classify import classify
    from runbook_engine.incidents.events import Source
    from runbook_engine.incidents.policy import playbook_of, priority_named

    policy = own_policy(policy_file)
    if priority is None:
        ask = not no_input and not answers and run is None and sys.stdin.isatty()
        known = _known(policy, answers, run, ask=ask)
        if not known:
            raise click.UsageError(
                "how bad is it? give --priority, --answer FACT=VALUE or --run RUN, or answer on a terminal"
            )
        found = classify(policy, known)
        chosen, because = found.priority, found.sentences
    else:
        chosen, because = priority_named(policy, priority), ("chosen by who opened it",)
    name, at = person(by), now()
    source = Source.RUN if run is not None else Source.PERSON
    with open_store() as store:
        incident = store.open(
            acting.opening(
                policy,
                clean(title),
                chosen,
                at,
                name,
                because=[clean(each) for each in because],
                description=clean(description),
                source=source,
                playbook=playbook_of(policy, chosen),
            )
        )
        if run is not None:
            incident = store.act(incident.id, acting.attach_run(at, name, trace_of(run)))
        show(incident, format_)
        return deliver(store, incident.id, name, send=send)


COMMANDS = (classify_command, open_command)


def _known(policy: "IncidentPolicy", answers: tuple[str, ...], run: str | None, *, ask: bool) -> "Mapping[str, Known]":
    """What is told: by the run, by the answers, which count more, and by a person."""
    from runbook_engine.incidents.classify import from_trace, read_answer

    known = dict(from_trace(policy, trace_of(run))) if run is not None else {}
    for each in answers:
        name, sign, value = each.partition("=")
        if not sign:
            raise click.UsageError(f"--answer {each!r} has no value; write {each}=yes, {each}=no or {each}=unsure")
        known[name] = read_answer(policy, name, value)
    return _asked(policy, known) if ask else known


def _asked(policy: "IncidentPolicy", known: "dict[str, Known]") -> "Mapping[str, Known]":
    """Ask one fact after the other, until a rule decides."""
    from runbook_engine.errors import UsageError
    from runbook_engine.incidents.classify import classify, read_answer

    tell("Answer yes, no, a value such as 7%, or nothing where you are not sure.")
    for name, fact in policy.facts.items():
        while name not in known:
            text = str(click.prompt(fact.ask, default="", show_default=False, err=True))
            try:
                known[name] = read_answer(policy, name, text)
            except UsageError as error:
                tell(f"  {error}")
        if classify(policy, known).rule is not None:
            break
    return known
