"""Completion of names, without importing what it can do without."""

import click
from click.shell_completion import CompletionItem


class RunbookName(click.ParamType[str]):
    """A runbook, by name or as a file."""

    name = "runbook"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from runbook_engine.library import Library

        found = [CompletionItem(name) for name in Library.default().files() if name.startswith(incomplete)]
        # Only where no name fits: bash forgets all names once it is told to offer files.
        return found or [CompletionItem(incomplete, type="file")]


class ProbeName(click.ParamType[str]):
    """A probe's name, or the beginning of some."""

    name = "probe"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from runbook_engine.probe.registry import Registry

        return [CompletionItem(name) for name in Registry().names() if name.startswith(incomplete)]


class FaultName(click.ParamType[str]):
    """A fault of the lab."""

    name = "fault"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from runbook_engine.lab import FAULTS

        return [CompletionItem(name, help=each.title) for name, each in FAULTS.items() if name.startswith(incomplete)]


class EnvironmentName(click.ParamType[str]):
    """An environment, by name or as a file."""

    name = "environment"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from runbook_engine.library import Library

        found = [CompletionItem(name) for name in Library.default().environments() if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]
