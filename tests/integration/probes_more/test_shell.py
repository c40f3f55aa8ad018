"""What shell.run does with real programs."""

import os
import signal
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import anyio
import pytest

from runbook_engine.probe import ErrorKind, ProbeError, Secret
from runbook_probes.shell import run

pytestmark = pytest.mark.anyio


async def test_a_script_that_succeeds_is_read_with_its_output(measure: Any, script: Any) -> None:
    reading = await measure(run, argv=[script("#!/bin/sh\necho one\nprintf two\n")])
    assert (reading.exit_code, reading.succeeded, reading.lines, reading.output) == (0, True, 2, "one\ntwo")
    assert 0 < reading.time < 5
    assert reading.document == {"text": "one\ntwo"}


async def test_a_script_that_fails_is_a_reading_with_its_last_words(measure: Any, script: Any) -> None:
    reading = await measure(run, argv=[script("#!/bin/sh\necho looking\necho the pool is exhausted >&2\nexit 3\n")])
    assert (reading.exit_code, reading.succeeded, reading.lines) == (3, False, 1)
    assert reading.evidence == {"output": "looking\n", "errors": "the pool is exhausted\n"}


async def test_a_program_that_a_signal_ends_has_the_exit_code_that_shells_give_it(measure: Any, script: Any) -> None:
    reading = await measure(run, argv=[script("#!/bin/sh\nkill -SEGV $$\n")])
    assert (reading.exit_code, reading.succeeded) == (128 + signal.SIGSEGV, False)
    assert reading.evidence["signal"] == "SIGSEGV"


async def test_output_in_json_is_the_document(measure: Any, script: Any) -> None:
    reading = await measure(run, argv=[script('#!/bin/sh\necho \'{"jobs": {"failed": 2}}\'\n')])
    assert reading.document == {"jobs": {"failed": 2}}


@pytest.mark.parametrize("text", ["not json", "[" * 5000, '{"a": 1'])
async def test_output_that_is_not_json_is_a_text(measure: Any, script: Any, text: str) -> None:
    assert (await measure(run, argv=[script(f"#!/bin/sh\nprintf '%s' '{text}'\n")])).document == {"text": text}


async def test_output_in_json_that_says_two_things_is_a_text_out_of_which_nothing_is_taken(
    measure: Any, script: Any
) -> None:
    text = '{"lag": 1, "lag": 900}'
    reading = await measure(run, argv=[script(f"#!/bin/sh\necho '{text}'\n")])
    assert reading.document == {"text": f"{text}\n"}
    assert reading.incomplete == (
        'the output is JSON that cannot be taken for certain: it has the key "lag" twice in one object'
    )


async def test_output_that_was_cut_says_so_with_the_parameter_that_keeps_more(measure: Any, script: Any) -> None:
    reading = await measure(run, argv=[script("#!/bin/sh\necho 1234567\n")], most_output=3)
    assert reading.output == "123"
    assert reading.document == {"text": "123"}
    assert reading.cut == (
        "the program printed 8 B, of which 3 B were kept; raise most_output up to 4 MiB, or let it print less"
    )
    assert (reading.evidence["truncated"], reading.evidence["bytes"]) == (True, 8)


async def test_50_megabytes_of_output_are_counted_and_not_held(measure: Any, script: Any) -> None:
    loud = script(f"#!{sys.executable}\nfor _ in range(50_000):\n    print('x' * 999)\n", "loud.py")
    tracemalloc.start()
    try:
        reading = await measure(run, timeout=30, argv=[loud])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (reading.lines, len(reading.output)) == (50_000, 64 * 1024)
    assert reading.evidence["bytes"] == 50_000_000
    assert most < 2_000_000


async def test_there_is_nothing_to_read(measure: Any, script: Any) -> None:
    reading = await measure(run, argv=[script("#!/bin/sh\ncat; echo done\n")])
    assert reading.output == "done\n"


async def test_a_deadline_kills_the_program_and_all_that_it_started(measure: Any, script: Any, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    slow = script(
        f"#!/bin/sh\n(sleep 60 & echo $! >> {pids}; sleep 60) | cat &\necho $$ >> {pids}\necho waiting\nwait\n"
    )
    with pytest.raises(
        ProbeError, match=r"did not end within .* and was killed; the last it wrote is 'waiting'"
    ) as caught:
        await measure(run, timeout=1.0, argv=[slow])
    assert caught.value.kind is ErrorKind.TIMEOUT
    everybody = [int(each) for each in pids.read_text().split()]
    assert len(everybody) == 2
    await _all_gone(everybody)


async def test_a_cancelled_run_kills_the_program_and_all_that_it_started(
    measure: Any, script: Any, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    slow = script(f"#!/bin/sh\nsleep 60 &\necho $! $$ > {pids}\nwait\n")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: measure(run, timeout=30, argv=[slow]))
        text = await anyio.to_thread.run_sync(pids.read_text)
        tasks.cancel_scope.cancel()
    await _all_gone([int(each) for each in text.split()])


async def test_what_a_script_leaves_running_is_killed_and_does_not_hold_the_reading(
    measure: Any, script: Any, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    began = time.monotonic()
    reading = await measure(run, argv=[script(f"#!/bin/sh\nsleep 60 &\necho $! > {pids}\necho done\n")])
    assert time.monotonic() - began < 3
    assert (reading.succeeded, reading.output) == (True, "done\n")
    assert "left_behind" in reading.evidence
    await _all_gone([int(pids.read_text())])


async def test_a_background_program_without_an_output_is_killed_as_well(
    measure: Any, script: Any, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    await measure(run, argv=[script(f"#!/bin/sh\nsleep 60 >/dev/null 2>&1 &\necho $! > {pids}\n")])
    await _all_gone([int(pids.read_text())])


async def test_only_a_small_environment_and_the_given_variables_are_seen(measure: Any, script: Any) -> None:
    environ = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "AWS_SECRET_ACCESS_KEY": "do-not-look", "PYTHONPATH": "/x"}
    reading = await measure(
        run,
        argv=[script("#!/bin/sh\nenv\n")],
        environ=environ,
        variables={"PGHOST": "db", "PGPASSWORD": Secret("hush")},
    )
    seen = dict(line.split("=", 1) for line in reading.output.splitlines())
    assert {name: value for name, value in seen.items() if name not in ("PWD", "SHLVL", "_", "OLDPWD")} == {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PGHOST": "db",
        "PGPASSWORD": "hush",
    }


async def test_a_variable_without_a_text_is_not_set(measure: Any, script: Any) -> None:
    reading = await measure(run, argv=[script('#!/bin/sh\necho "${DB-unset}"\n')], variables={"DB": Secret("")})
    assert reading.output == "unset\n"


async def test_a_program_runs_in_its_directory_and_is_looked_for_there(
    measure: Any, script: Any, tmp_path: Path
) -> None:
    script("#!/bin/sh\nls\n")
    reading = await measure(run, argv=["./look.sh"], directory=str(tmp_path))
    assert reading.output == "look.sh\n"


async def test_words_reach_the_program_as_they_are(measure: Any, script: Any) -> None:
    reading = await measure(run, argv=[script('#!/bin/sh\nprintf "%s|" "$@"\n'), "$(id)", "; ls", "a b", "*", 1, 0.5])
    assert reading.output == "$(id)|; ls|a b|*|1|0.5|"


@pytest.mark.parametrize(
    ("argv", "kind", "message", "remedy"),
    [
        (["no-such-tool", "-v"], ErrorKind.UNAVAILABLE, "no-such-tool is not installed", "install no-such-tool"),
        (["./absent.sh"], ErrorKind.UNAVAILABLE, r"there is no ./absent.sh in ", "give the step its directory"),
        (["./plain.sh"], ErrorKind.FORBIDDEN, "./plain.sh may not be executed by this user", "chmod"),
        (["./folder"], ErrorKind.FORBIDDEN, "./folder is a directory, not a program", ""),
        (["./orphan.sh"], ErrorKind.UNAVAILABLE, "the program which its first line names is not installed", "head -1"),
        (["./noise"], ErrorKind.OTHER, "./noise is not a program of this machine", "#!/bin/sh"),
        (["./look.sh", *["x" * 90_000] * 100], ErrorKind.OTHER, "are too long for the system", ""),
    ],
)
async def test_a_program_that_cannot_be_started_is_an_error_with_a_remedy(
    measure: Any, script: Any, tmp_path: Path, argv: list[str], kind: ErrorKind, message: str, remedy: str
) -> None:
    script("#!/bin/sh\n")
    script("#!/bin/sh\n", "plain.sh", 0o644)
    script("#!/no/such/interpreter\n", "orphan.sh")
    script("\x00\x01 noise", "noise")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ProbeError, match=message) as caught:
        await measure(run, argv=argv, directory=str(tmp_path))
    assert caught.value.kind is kind
    assert remedy in caught.value.remedy


async def test_a_directory_that_does_not_exist_is_missing(measure: Any) -> None:
    with pytest.raises(ProbeError, match="the directory /no/such/place does not exist") as caught:
        await measure(run, argv=["true"], directory="/no/such/place")
    assert caught.value.kind is ErrorKind.MISSING


async def test_a_file_that_is_needed_and_absent_is_missing_and_no_exit_code(measure: Any, tmp_path: Path) -> None:
    given = {"argv": ["sh", "look.sh"], "directory": str(tmp_path), "needs": ["look.sh"]}
    with pytest.raises(ProbeError, match=f"there is no look.sh in {tmp_path}") as caught:
        await measure(run, **given)
    assert caught.value.kind is ErrorKind.MISSING
    (tmp_path / "look.sh").write_text("exit 7\n")
    assert (await measure(run, **given)).exit_code == 7


async def test_a_script_for_a_shell_needs_a_grant_of_its_own(measure: Any) -> None:
    with pytest.raises(ProbeError, match="needs to be allowed: shell-string") as caught:
        await measure(run, script="echo $((6 * 7))", shell=True, grants=("shell",))
    assert caught.value.kind is ErrorKind.FORBIDDEN
    assert "--allow shell-string" in caught.value.remedy
    reading = await measure(run, script="echo $((6 * 7)) | cat", shell=True, grants=("shell", "shell-string"))
    assert reading.output == "42\n"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "give either argv, the program with its arguments, or a script"),
        ({"argv": ["ls"], "script": "ls", "shell": True}, "give either argv"),
        ({"script": "ls"}, "write shell: true beside it"),
        ({"argv": ["ls"], "shell": True}, "argv needs no shell"),
        ({"argv": ["", "x"]}, "the first word of argv is the program, and it is empty"),
        ({"argv": ["ls", "a\0b"]}, "no program can be given a NUL"),
        ({"argv": ["psql", Secret("postgres://u:hush@db/x")]}, "a secret cannot be an argument"),
        ({"argv": ["ls"], "variables": {"A=B": "x"}}, "'A=B' is not the name of a variable"),
    ],
)
def test_parameters_that_make_no_program_are_refused_without_a_secret(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        run.params.model_validate(params)
    assert "hush" not in str(caught.value)


def test_the_command_can_be_pasted_and_shows_no_secret() -> None:
    params = run.params.model_validate(
        {
            "argv": ["./look.sh", "--hours", "1 or 2"],
            "directory": "/srv/my app",
            "variables": {"PGHOST": "db one", "DATABASE_URL": Secret("postgres://u:hush@db/x", "$DATABASE_URL")},
        }
    )
    assert run.command(params) == (
        "cd '/srv/my app' && env PGHOST='db one' DATABASE_URL=\"$DATABASE_URL\" ./look.sh --hours '1 or 2'"
    )


async def _all_gone(pids: list[int]) -> None:
    """Waits until none of the processes is alive; a zombie that nobody has collected yet counts as dead."""
    with anyio.fail_after(3):
        while any(_alive(pid) for pid in pids):
            await anyio.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
