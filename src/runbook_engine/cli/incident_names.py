"""Completion of what stands in incidents: their numbers, roles, tasks, channels and messages. Nothing of it fails loudly."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from runbook_engine.incidents.incident import Incident


class IncidentNumber(click.IntRange):
    """The number of an incident; those that are not closed are offered."""

    def __init__(self) -> None:
        super().__init__(min=1)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        found: dict[str, str] = {}
        with suppress(Exception):  # completion is silent: whoever presses Enter gets the error
            from runbook_engine.cli.incident_shared import open_store

            with open_store(reading=True) as store:
                for number in store.numbers(still_open=True):
                    incident = store.load(number)
                    found[str(number)] = f"{incident.priority} {incident.title}"
        return _items(found, incomplete)


class _Known(click.ParamType[str]):
    """Something that an incident knows the names of."""

    name = "name"

    def known(self, incident: "Incident") -> Mapping[str, str]:
        """Names with what they are."""
        raise NotImplementedError

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        found: Mapping[str, str] = {}
        with suppress(Exception):
            from runbook_engine.cli.incident_shared import number_of, open_store

            with open_store(reading=True) as store:
                found = self.known(store.load(number_of(store, _number(ctx.params))))
        return _items(found, incomplete)


class RoleName(_Known):
    name = "role"

    def known(self, incident: "Incident") -> Mapping[str, str]:
        from runbook_engine.incidents.policy import of_document

        return {name: each.title for name, each in of_document(incident.policy_document).roles.items()}


class TaskName(_Known):
    name = "task"

    def known(self, incident: "Incident") -> Mapping[str, str]:
        from runbook_engine.incidents.tasks import placed_tasks

        left = [each for each in placed_tasks(incident) if each.id not in incident.tasks or each.task.every is not None]
        return {each.name: each.task.title for each in left}


class ChannelName(_Known):
    name = "channel"

    def known(self, incident: "Incident") -> Mapping[str, str]:
        from runbook_engine.incidents.policy import of_document

        return {name: each.title for name, each in of_document(incident.policy_document).channels().items()}


class MessageKey(_Known):
    name = "key"

    def known(self, incident: "Incident") -> Mapping[str, str]:
        from runbook_engine.cli.incident_shared import now
        from runbook_engine.incidents.messages import outbox
        from runbook_engine.incidents.policy import of_document

        found = outbox(incident, of_document(incident.policy_document), max(now(), incident.last_at))
        return {each.message.key: f"{each.message.kind}, {each.state}" for each in found if each.state != "sent"}


class PlaybookName(click.ParamType[str]):
    """A playbook, by name or as a file."""

    name = "playbook"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from runbook_engine.library import Library

        found = [CompletionItem(name) for name in Library.default().playbooks() if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


class PriorityName(click.ParamType[str]):
    """A priority of a policy."""

    name = "priority"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        found: dict[str, str] = {}
        with suppress(Exception):
            from runbook_engine.incidents.policy import load_policy

            policy = load_policy(ctx.params.get("policy_file"))
            found = {str(name): each.title for name, each in policy.priorities.items()}
        return _items(found, incomplete)


def _number(params: Mapping[str, Any]) -> int | None:
    number = params.get("number")
    return number if isinstance(number, int) else None


def _items(found: Mapping[str, str], incomplete: str) -> list[CompletionItem]:
    fitting: Iterable[tuple[str, str]] = ((name, told) for name, told in found.items() if name.startswith(incomplete))
    return [CompletionItem(name, help=" ".join(told.split())) for name, told in fitting]
