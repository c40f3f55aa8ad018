"""The reference of the command line, from what click knows of each command."""

import re
from collections.abc import Iterator, Mapping, Sequence

import click
from tests.docs.reference.markdown import code, fence, page, prose, sentence, table

from runbook_engine.cli.app import app

EXIT_CODES: Mapping[int, str] = {
    0: "healthy: everything was seen, nothing was found; or the command did what it was asked to",
    1: "a problem was found; tests failed",
    2: "the command could not be understood, or not be carried out here: a full disk, a closed output",
    3: "inconclusive: nothing was found, but something could not be seen",
    70: "a mistake of ours",
    78: "a document has mistakes",
    130: "interrupted; the report so far was still written",
}


def pages() -> Iterator[tuple[str, str]]:
    yield "commands.md", _page()


def commands(group: click.Group, parent: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command that is not hidden, groups before what is in them."""
    for name in group.list_commands(parent):
        found = group.get_command(parent, name)
        if found is None or found.hidden:
            continue
        context = click.Context(found, info_name=name, parent=parent, **found.context_settings)
        yield found, context
        if isinstance(found, click.Group):
            yield from commands(found, context)


def top() -> click.Context:
    return click.Context(app, info_name="runbook", **app.context_settings)


def _page() -> str:
    root = top()
    parts: list[str] = []
    for each, context in commands(app, root):
        deep = context.command_path.count(" ") - 1
        parts += [f"##{'#' * deep} {context.command_path}", *_command(each, context)]
    return page(
        "Commands",
        "The report of a command goes to standard output, progress and warnings to standard error. `NO_COLOR`, `TERM=dumb` and "
        "an output that is no terminal are honoured. `runbook COMMAND --help` prints what stands here.",
        table(["exit code", "meaning"], [(str(number), meaning) for number, meaning in EXIT_CODES.items()]),
        *parts,
    )


def _command(each: click.Command, context: click.Context) -> Iterator[str]:
    yield fence("text", " ".join([context.command_path, *each.collect_usage_pieces(context)]))
    yield prose(_paragraphs(each.help or ""))
    rows = [row for row in (_option(parameter, context) for parameter in each.params) if row is not None]
    if rows:
        yield table(["option", "what it does"], rows)
    examples = re.findall(r"^  (runbook .+)$", each.epilog or "", re.MULTILINE)
    if examples:
        yield fence("sh", "\n".join(examples))


def _option(parameter: click.Parameter, context: click.Context) -> Sequence[str] | None:
    if not isinstance(parameter, click.Option) or parameter.hidden:
        return None
    record = parameter.get_help_record(context)
    if record is None:
        return None
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    choices = parameter.type.choices if isinstance(parameter.type, click.Choice) else ()
    value = "" if parameter.is_flag or choices else parameter.make_metavar(context)
    help_, _, extra = record[1].partition("  [")
    told = sentence(prose(" ".join(help_.split())))
    if choices:
        told += f"\nOne of {', '.join(code(str(each)) for each in choices)}."
    if extra:
        told += f"\n{_capital(prose(extra.rstrip(']')))}."
    return f"{code(names)}{f' {code(value)}' if value else ''}", told


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(each.split()) for each in text.replace("\b", "").split("\n\n"))
