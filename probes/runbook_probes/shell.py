"""Runs a program or a script of one's own, where the run allows it."""

import shlex
from typing import Annotated, ClassVar, Self

import anyio
from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from runbook_engine.hostile import one_line
from runbook_engine.pasteable import operands, pasteable
from runbook_engine.probe import (
    Count,
    Document,
    DocumentReading,
    Duration,
    ErrorKind,
    NoCertainValueError,
    Params,
    ProbeContext,
    ProbeError,
    Secret,
    cut_at,
    in_thread_if_large,
    probe,
    read_json,
)
from runbook_engine.quantity import Dimension, show
from runbook_probes.http_params import Size
from runbook_probes.network import within
from runbook_probes.shell_process import Ended, Job, Watched

SHELL_STRING = "shell-string"
MOST_WORDS = 1_000
MOST_WORD = 100_000
MOST_OUTPUT = 4 * 1024 * 1024
_SIGNALS_FROM = 128


def _word(value: object) -> object:
    """Numbers are texts here, as YAML has ``--hours, 1`` for what a shell would give as a text."""
    if isinstance(value, Secret):
        raise ValueError(  # noqa: TRY004 - pydantic collects it
            "a secret cannot be an argument, which every user of the machine may read; give it in variables"
        )
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _plain(text: str) -> str:
    if "\0" in text:
        raise ValueError("no program can be given a NUL")
    return text


def _variables(variables: dict[str, str | Secret]) -> dict[str, str | Secret]:
    for name, value in variables.items():
        if not name or "=" in name or "\0" in name:
            raise ValueError(f"{name!r} is not the name of a variable; write for example PGHOST")
        _plain(value.reveal() if isinstance(value, Secret) else value)
    return {name: value for name, value in variables.items() if value}


Word = Annotated[
    str,
    Field(max_length=MOST_WORD),
    AfterValidator(_plain),
    BeforeValidator(_word, json_schema_input_type=str | int | float),
]


class RunParams(Params):
    CODE = ("script",)

    argv: Annotated[tuple[Word, ...], Field(max_length=MOST_WORDS)] = Field(
        (), description="The program and its arguments, each one a text of its own; no shell reads them"
    )
    script: Word = Field("", description="Instead of argv: a line for /bin/sh; needs shell: true")
    shell: bool = Field(False, description="Let /bin/sh read the script; the run must allow shell-string as well")
    directory: Annotated[str, AfterValidator(_plain)] = Field(
        "", description="Where it runs; without it, where the runbook runs"
    )
    variables: Annotated[dict[str, str | Secret], AfterValidator(_variables)] = Field(
        default_factory=dict,
        description="Environment variables, beside PATH, HOME, the user and the language; one without a text is not set",
    )
    needs: Annotated[tuple[Annotated[str, AfterValidator(_plain)], ...], Field(max_length=MOST_WORDS)] = Field(
        (), description="Files without which it can tell nothing, such as the script that an interpreter is given"
    )
    most_output: Size = Field(
        64 * 1024, ge=0, le=MOST_OUTPUT, description="Its output is kept up to here; more is read and counted"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.argv) == bool(self.script):
            raise ValueError("give either argv, the program with its arguments, or a script")
        if self.argv and not self.argv[0]:
            raise ValueError("the first word of argv is the program, and it is empty")
        if self.script and not self.shell:
            raise ValueError("a script is read by a shell: write shell: true beside it, or better give argv")
        if self.argv and self.shell:
            raise ValueError("shell: true is for a script; argv needs no shell")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        return ("/bin/sh", "-c", self.script) if self.shell else self.argv


class RunReading(DocumentReading):
    DOCUMENT = Document(
        'What it printed to standard output where that is JSON, and `{"text": "…"}` where it is not',
        example={"text": "lag: 17\n"},
    )
    LATENCIES = ("time",)
    FAILURES = ("succeeded", "exit_code")
    LOGS = ("errors", "output")
    PARTIAL: ClassVar = {"output": "most_output"}

    exit_code: Count = Field(description="0 where it succeeded; 128 and the number of the signal that ended it")
    succeeded: bool = Field(description="Whether the exit code is 0")
    lines: Count = Field(description="Lines on standard output, also of what was not kept")
    output: str | None = Field(
        description="What it printed to standard output; missing where that is more than most_output"
    )
    time: Duration = Field(description="How long it took")


def _command(params: RunParams) -> str:
    given = [f"{pasteable(name)}={pasteable(value)}" for name, value in params.variables.items()]
    # A script is the document's own text, and keeps its lines.
    words = f"/bin/sh -c {shlex.quote(params.script)}" if params.shell else pasteable(*params.argv)
    line = " ".join(["env", *given, words] if given else [words])
    return f"{pasteable('cd', *operands(params.directory))} && {line}" if params.directory else line


@probe("shell.run", command=_command, grants=frozenset({"shell"}))
async def run(params: RunParams, ctx: ProbeContext) -> RunReading:
    """Runs a program with nothing to read, and reads what it prints. Any exit code is a reading, also one that is not 0.

    It must only look, and change nothing. When the deadline passes, it is killed with all that it started. It sees PATH,
    HOME, the user, the language and the given variables, and nothing else of the environment.
    """
    if params.shell and SHELL_STRING not in ctx.grants:
        raise ProbeError(
            ErrorKind.FORBIDDEN,
            f"a script that a shell reads needs to be allowed: {SHELL_STRING}",
            remedy=f"run with --allow {SHELL_STRING}, or give argv, which needs no shell",
        )
    watched = Watched(params.most_output)
    name = params.words[0] if params.argv else "the script"

    def gave_up(seconds: float) -> ProbeError:
        said = one_line(watched.errors.last_line or watched.output.last_line)
        last = f"; the last it wrote is {said!r}" if said else ""
        return ProbeError(
            ErrorKind.TIMEOUT,
            f"{name} did not end within {show(seconds, Dimension.DURATION)} and was killed{last}",
            remedy="give the step a longer timeout, or see what it waits for",
        )

    variables = {key: value.reveal() if isinstance(value, Secret) else value for key, value in params.variables.items()}
    job = Job(params.words, params.directory, variables, ctx.environ, params.needs)
    with within(ctx, gave_up):
        started = anyio.current_time()
        ended = await job.run(watched)
        time = anyio.current_time() - started
    return await in_thread_if_large(watched.output.size, lambda: _reading(params, ended, watched, time))


def _reading(params: RunParams, ended: Ended, watched: Watched, time: float) -> RunReading:
    code = ended.code if ended.code >= 0 else _SIGNALS_FROM - ended.code
    text = watched.output.text
    document: JsonValue = {"text": text}
    incomplete = ""
    if not watched.output.cut:
        try:
            document = read_json(text)
        except NoCertainValueError as error:
            incomplete = f"the output is JSON that cannot be taken for certain: {error}"
        except ValueError:
            pass  # it is a text
    return RunReading(
        exit_code=code,
        succeeded=code == 0,
        lines=watched.output.lines,
        output=text,
        time=time,
        document=document,
        cut=_more(params, watched) if watched.output.cut else "",
        incomplete=incomplete,
        evidence=_evidence(ended, watched),
    )


def _more(params: RunParams, watched: Watched) -> str:
    kept, whole = (show(size, Dimension.BYTES) for size in (watched.output.most, watched.output.size))
    why = f"the program printed {whole}, of which {kept} were kept"
    return cut_at(params, "most_output", why, shown=show(MOST_OUTPUT, Dimension.BYTES), instead="let it print less")


def _evidence(ended: Ended, watched: Watched) -> dict[str, JsonValue]:
    evidence: dict[str, JsonValue] = {}
    if watched.output.size:
        evidence["output"] = watched.output.shown
    if watched.errors.size:
        evidence["errors"] = watched.errors.shown
    if watched.output.cut:
        evidence |= {"truncated": True, "bytes": watched.output.size}
    if ended.signal:
        evidence["signal"] = ended.signal
    if ended.left_behind:
        evidence["left_behind"] = "it ended before what it had started, which was killed"
    return evidence
