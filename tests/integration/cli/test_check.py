"""runbook check: what it prints, in every format, and what comments suppress."""

import io
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runbook_engine.cli.check_many import Progress
from runbook_engine.document import CODES

GOLDEN = Path(__file__).parents[2] / "golden" / "check" / "formats"
SOUND = """\
runbook: slow-page
title: Find out why the page is slow
start: slow

steps:
  slow:
    ask: Is the page slow?
    branches:
      - {when: answer, finding: page_slow}
      - {else: end}

findings:
  page_slow: {level: warning, title: The page is slow, resolution: restart}

resolutions:
  restart: {title: Restart, steps: [Restart the page]}
"""
UNUSED = SOUND.replace("findings:\n", "findings:\n  down: {level: critical, title: It is down, resolution: restart}\n")
SUPPRESSED = UNUSED.replace("findings:\n", "findings:\n  # runbook: ignore[RB208] because the mobile team needs it\n")
WRONG = UNUSED.replace("{else: end}", "{else: databse}").replace(
    "\nfindings:", "  database:\n    ask: >-\n      Is the database slow?\n    typ: bool\n\nfindings:"
)


def fills(shell: Any, **documents: str) -> None:
    for name, text in documents.items():
        path = shell.folder / "books" / f"{name.replace('_', '-')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())


@pytest.mark.parametrize("format_", ["text", "json", "sarif", "github"])
def test_every_format_is_as_in_its_golden_file(shell: Any, format_: str, golden: Callable[[Path, str], None]) -> None:
    fills(shell, sound=SOUND, suppressed=SUPPRESSED, wrong=WRONG)

    done = shell("check", "books", "--format", format_)

    assert (done.returncode, done.stderr) == (78, "")
    shown = done.stdout
    if format_ == "sarif":
        log = json.loads(shown)
        # Rules are the pages, which have tests of their own.
        log["runs"][0]["tool"]["driver"]["rules"] = []
        log["runs"][0]["tool"]["driver"]["version"] = log["runs"][0]["tool"]["driver"]["semanticVersion"] = "VERSION"
        for each in log["runs"][0]["results"]:
            del each["ruleIndex"]
        shown = json.dumps(log, indent=2, ensure_ascii=False) + "\n"
    golden(GOLDEN / f"{format_}.out", shown)


def test_suppressed_warnings_are_counted_and_not_shown(shell: Any) -> None:
    fills(shell, sound=SOUND, suppressed=SUPPRESSED)

    done = shell("check", "books")

    assert (done.returncode, done.stdout) == (0, "2 documents: no mistakes in 2 files (1 suppressed)\n")


def test_a_suppression_without_a_reason_fails_the_check(shell: Any) -> None:
    fills(shell, a=SUPPRESSED.replace(" because the mobile team needs it", ""))

    done = shell("check", "books")

    assert done.returncode == 78
    assert "error[RB125]: a suppression without a reason" in done.stdout
    assert "warning[RB208]" in done.stdout


def strict(**properties: Any) -> dict[str, Any]:
    """An object that has these properties and no others; those that end in ``_`` need not be there."""
    return {
        "type": "object",
        "properties": {name.rstrip("_"): each for name, each in properties.items()},
        "required": [name for name in properties if not name.endswith("_")],
        "additionalProperties": False,
    }


def several(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
NUMBER = {"type": "integer", "minimum": 1}
INDEX = {"type": "integer", "minimum": 0}
MESSAGE = strict(text=TEXT, markdown_=TEXT)
LEVEL = {"enum": ["none", "note", "warning", "error"]}
REGION = strict(startLine=NUMBER, startColumn=NUMBER, endLine=NUMBER, endColumn=NUMBER)
ARTIFACT = strict(uri=TEXT, uriBaseId_=TEXT)
PLACE = strict(artifactLocation=ARTIFACT, region=REGION)
SARIF = strict(
    **{"$schema": TEXT},
    version={"const": "2.1.0"},
    runs=several(
        strict(
            tool=strict(
                driver=strict(
                    name=TEXT,
                    fullName=TEXT,
                    version=TEXT,
                    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                    rules=several(
                        strict(
                            id=TEXT,
                            shortDescription=MESSAGE,
                            fullDescription=MESSAGE,
                            help=MESSAGE,
                            defaultConfiguration=strict(level=LEVEL),
                        )
                    ),
                )
            ),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            originalUriBaseIds={"type": "object", "additionalProperties": strict(description=MESSAGE)},
            results=several(
                strict(
                    ruleId=TEXT,
                    ruleIndex=INDEX,
                    level=LEVEL,
                    message=MESSAGE,
                    locations=several(strict(physicalLocation=PLACE)),
                    relatedLocations_=several(strict(id=INDEX, message=MESSAGE, physicalLocation=PLACE)),
                    partialFingerprints={"type": "object", "additionalProperties": TEXT},
                    suppressions=several(
                        strict(
                            kind={"enum": ["inSource", "external"]}, status={"const": "accepted"}, justification=TEXT
                        )
                    ),
                    fixes_=several(
                        strict(
                            description=MESSAGE,
                            artifactChanges=several(
                                strict(
                                    artifactLocation=ARTIFACT,
                                    replacements=several(
                                        strict(deletedRegion=REGION, insertedContent=strict(text={"type": "string"}))
                                    ),
                                )
                            ),
                        )
                    ),
                )
            ),
        )
    ),
)
"""What of https://docs.oasis-open.org/sarif/sarif/v2.1.0/ is written, each object closed."""


def test_sarif_has_the_shape_of_its_standard_and_a_rule_with_help_for_every_code(shell: Any) -> None:
    fills(shell, suppressed=SUPPRESSED, wrong=WRONG.replace("start: slow\n", "start: slow\nstart: database\n"))

    log = json.loads(shell("check", "books", "--format", "sarif").stdout)

    jsonschema.Draft202012Validator(SARIF).validate(log)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == list(CODES)
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    assert all(each["help"]["markdown"].startswith(f"# {each['id']}: ") for each in rules)
    assert {each["id"]: each["defaultConfiguration"]["level"] for each in rules}["RB208"] == "warning"
    found = {each["ruleId"]: each for each in reversed(run["results"])}
    assert [each["justification"] for each in found["RB208"]["suppressions"]] == ["the mobile team needs it"]
    (related,) = found["RB104"]["relatedLocations"]
    assert related["physicalLocation"]["region"]["startLine"] == 3
    (change,) = found["RB203"]["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"] == {"text": "database"}
    assert replacement["deletedRegion"] == found["RB203"]["locations"][0]["physicalLocation"]["region"]


def test_sarif_of_what_has_no_mistakes_has_no_results(shell: Any) -> None:
    fills(shell, sound=SOUND)

    done = shell("check", "books", "--format", "sarif")

    assert done.returncode == 0
    assert json.loads(done.stdout)["runs"][0]["results"] == []


def test_paths_are_relative_to_the_current_directory_and_with_forward_slashes(shell: Any, tmp_path: Path) -> None:
    fills(shell, **{"a b,c:d%e": WRONG})
    name = "books/a b,c:d%e.yaml"

    github = shell("check", str(shell.folder / name), "--format", "github").stdout
    sarif = json.loads(shell("check", f"./books/../{name}", "--format", "sarif").stdout)

    assert "file=books/a b%2Cc%3Ad%25e.yaml,line=" in github
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "books/a%20b%2Cc%3Ad%25e.yaml", "uriBaseId": "%SRCROOT%"}


def test_a_file_elsewhere_is_named_by_its_whole_path(shell: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("else") / "a.yaml"
    file.write_text(WRONG)

    sarif = json.loads(shell("check", str(file), "--format", "sarif").stdout)

    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": file.as_uri()}


def test_annotations_are_one_line_each_whatever_stands_in_the_document(shell: Any) -> None:
    fills(shell, a=SOUND.replace("start: slow", 'start: "a\\n::warning::b%0A"'))

    done = shell("check", "books", "--format", "github")

    lines = done.stdout.splitlines()
    assert all(re.match(r"::(error|warning|notice) file=books/a\.yaml,line=\d+,", line) for line in lines)
    assert not any(line.startswith("::warning::b") for line in lines)
    assert "%250A" in done.stdout


def test_a_place_with_several_lines_is_annotated_without_columns(shell: Any) -> None:
    fills(shell, a=SOUND.replace("title: Find out why the page is slow", "title:\n  - one\n  - two"))

    (line,) = shell("check", "books", "--format", "github").stdout.splitlines()

    assert line.startswith("::error file=books/a.yaml,line=3,endLine=4,title=RB113::")


def test_json_tells_fixes_and_what_is_suppressed(shell: Any) -> None:
    fills(shell, suppressed=SUPPRESSED, wrong=WRONG)

    found = {
        (each["file"], each["code"]): each for each in json.loads(shell("check", "books", "--format", "json").stdout)
    }

    assert found["books/suppressed.yaml", "RB208"]["suppressed"] == "the mobile team needs it"
    assert found["books/wrong.yaml", "RB208"]["suppressed"] is None
    fix = found["books/wrong.yaml", "RB203"]["fix"]
    (edit,) = fix["edits"]
    assert fix["description"] == 'write "database" instead of "databse"'
    assert WRONG[edit["start"] : edit["end"]] == "databse"


def test_the_page_of_a_code_is_printed(shell: Any) -> None:
    done = shell("check", "--explain", "rb301")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"# RB301: {CODES['RB301']}\n")
    assert "## Wrong" in done.stdout
    assert "## Right" in done.stdout


def test_a_code_that_does_not_exist_has_no_page(shell: Any) -> None:
    done = shell("check", "--explain", "RB999")

    assert done.returncode == 2
    assert "error: there is no code 'RB999'" in done.stderr


def test_many_files_are_checked_side_by_side_and_told_in_their_order(shell: Any) -> None:
    fills(shell, **{f"a{number:03}": (WRONG if number % 3 == 0 else SUPPRESSED) for number in range(120)})

    done = shell("check", "books", "--format", "json")

    found = json.loads(done.stdout)
    assert done.returncode == 78
    assert [each["file"] for each in found] == sorted(each["file"] for each in found)
    assert len({each["file"] for each in found}) == 120
    assert len([each for each in found if each["suppressed"]]) == 80


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_told_on_a_terminal_and_leaves_no_trace(monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    now = 0.0
    progress = Progress(4, screen, lambda: now)
    progress.next("a.yaml")
    assert screen.getvalue() == "", "nothing is said in the first moment"
    now = 2.0
    progress.next("b\x1b.yaml")
    progress.next("c.yaml")
    progress.next("d.yaml")
    assert screen.getvalue().startswith("\r\x1b[Kchecked 2 of 4 files: b")
    assert screen.getvalue().count("checked") == 1, "it is not drawn for each file"
    assert "b\x1b" not in screen.getvalue(), "names are shown without what a terminal would do"
    progress.clear()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_progress_is_for_a_terminal_only() -> None:
    into = io.StringIO()
    now = 0.0
    progress = Progress(4, into, lambda: now)
    now = 2.0
    progress.next("a.yaml")
    progress.clear()
    assert into.getvalue() == ""


def fixed(shell: Any, *arguments: str, name: str = "books/wrong.yaml") -> tuple[Any, str]:
    done = shell("check", *arguments)
    return done, (shell.folder / name).read_bytes().decode()


RIGHT = WRONG.replace("databse", "database").replace("typ:", "type:")


def test_fixes_are_written_and_told_and_the_rest_is_reported(shell: Any) -> None:
    fills(shell, wrong=WRONG)

    done, text = fixed(shell, "--fix", "books")

    assert text == RIGHT
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == [
        'fixed books/wrong.yaml:10:16: [RB203] write "database" instead of "databse"',
        'fixed books/wrong.yaml:14:5: [RB111] write "type" instead of "typ"',
    ]
    assert "warning[RB208]" in done.stdout


def test_a_diff_shows_what_would_be_fixed_and_writes_nothing(shell: Any) -> None:
    fills(shell, wrong=WRONG)

    for arguments in (("--diff",), ("--fix", "--dry-run"), ("--fix", "--diff")):
        done, text = fixed(shell, *arguments, "books")
        assert text == WRONG
        assert done.returncode == 78
        assert done.stdout.startswith("--- a/books/wrong.yaml\n+++ b/books/wrong.yaml\n@@ ")
        assert "-      - {else: databse}\n+      - {else: database}\n" in done.stdout
        assert done.stderr == "2 fixes would be made\n"


def test_the_diff_is_one_that_patch_takes(shell: Any) -> None:
    import subprocess

    fills(shell, wrong=WRONG.rstrip("\n"))
    done, _ = fixed(shell, "--diff", "books")

    patched = subprocess.run(
        ["git", "apply", "-"], input=done.stdout, text=True, check=False, cwd=shell.folder, capture_output=True
    )

    assert patched.stderr == ""
    assert (shell.folder / "books/wrong.yaml").read_text() == RIGHT.rstrip("\n")


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_line_ends_comments_and_permissions_stay(shell: Any, change: Callable[[str], str]) -> None:
    comment = "{else: databse}   # the database, then"
    before = change(WRONG.replace("{else: databse}", comment))
    fills(shell, wrong=before)
    file = shell.folder / "books/wrong.yaml"
    file.chmod(0o640)

    _, text = fixed(shell, "--fix", "books")

    assert text == before.replace("databse", "database").replace("typ:", "type:")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [each.name for each in file.parent.iterdir()] == ["wrong.yaml"]


def test_what_one_fix_brings_to_light_is_fixed_too(shell: Any) -> None:
    broken = WRONG.replace("ask: Is the page slow?", "title: {{ inputs.name }}\n    ask: Is the page slow?")
    fills(shell, wrong=broken)

    done, text = fixed(shell, "--fix", "books")

    assert text == RIGHT.replace("ask: Is the page slow?", 'title: "{{ inputs.name }}"\n    ask: Is the page slow?')
    assert [line.split("[")[1][:5] for line in done.stdout.splitlines() if line.startswith("fixed")] == [
        "RB107",
        "RB203",
        "RB111",
    ]


def test_a_fix_that_makes_it_worse_is_not_written(shell: Any) -> None:
    # Where the name is known, what it is compared with turns out to be wrong, twice.
    worse = SOUND.replace("ask: Is the page slow?", "probe: tcp.connect\n    with: {host: a, port: 1}").replace(
        "when: answer", "when: conect > 1 or connect < 2"
    )
    fills(shell, wrong=worse)

    done, text = fixed(shell, "--fix", "books")

    assert text == worse
    assert "fixed" not in done.stdout


def test_nothing_is_fixed_that_was_not_named(shell: Any) -> None:
    done = shell("check", "--fix")

    assert done.returncode == 2
    assert "say which files or directories to fix" in done.stderr


def test_a_link_that_leads_out_of_what_was_named_is_not_followed(
    shell: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "wrong.yaml"
    outside.write_text(WRONG)
    (shell.folder / "books").mkdir()
    (shell.folder / "books/wrong.yaml").symlink_to(outside)

    for named in ("books", "books/wrong.yaml"):
        done = shell("check", "--fix", named)
        assert outside.read_text() == WRONG
        assert done.returncode == 78
        assert f"error: books/wrong.yaml is a link to {outside}, outside of what was given" in done.stderr


def test_a_link_within_what_was_named_stays_a_link(shell: Any) -> None:
    fills(shell, wrong=WRONG)
    (shell.folder / "books/other.yaml").symlink_to("wrong.yaml")

    fixed(shell, "--fix", "books/other.yaml")

    assert (shell.folder / "books/other.yaml").is_symlink()
    assert (shell.folder / "books/wrong.yaml").read_text() == RIGHT


def test_a_runbook_that_comes_with_the_package_is_not_fixed_by_name(shell: Any) -> None:
    done = shell("check", "--fix", "high-latency")

    assert (done.returncode, done.stderr) == (0, "")


def test_with_other_formats_the_fixes_are_told_on_standard_error(shell: Any) -> None:
    fills(shell, wrong=WRONG)

    done, _ = fixed(shell, "--fix", "books", "--format", "json")

    assert [each["code"] for each in json.loads(done.stdout)] == ["RB208"]
    assert len(done.stderr.splitlines()) == 2


def test_a_diff_has_no_other_format(shell: Any) -> None:
    fills(shell, wrong=WRONG)

    done = shell("check", "--diff", "books", "--format", "sarif")

    assert done.returncode == 2
    assert "a diff is no sarif" in done.stderr


def test_a_diff_shows_no_secret(shell: Any) -> None:
    fills(
        shell,
        wrong=WRONG.replace(
            "start: slow", "inputs:\n  dsn: {type: secret, default: hunter2hunter2}\nstart: slow"
        ).replace("typ:", "description: postgresql://app:hunter3hunter3@db/app\n    typ:"),
    )

    done, _ = fixed(shell, "--diff", "books")

    assert "+    type: bool" in done.stdout
    assert "hunter" not in done.stdout


WARNED = """\
runbook: warned
title: Is the port open?
inputs:
  # {comment}
  unused: {{type: string, default: x}}
start: look
steps:
  look:
    probe: tcp.connect
    with: {{host: 127.0.0.1, port: 1}}
    branches:
      - {{else: end}}
    on_error:
      - {{else: end, finding: closed}}
findings:
  closed: {{level: critical, title: Closed, resolution: fix}}
resolutions:
  fix: {{title: Fix it, steps: [Look]}}
"""


def test_a_warning_fails_a_strict_check_unless_a_comment_says_why_it_may_stay(shell: Any) -> None:
    shell.write("warned.yaml", WARNED.format(comment="of no use"))
    assert shell("check", "warned.yaml").returncode == 0
    done = shell("check", "--strict", "warned.yaml")
    assert done.returncode == 78
    assert "warning[RB208]" in done.stdout
    assert shell("check", "--strict", "--format", "json", "warned.yaml").returncode == 78
    assert shell("check", "--strict", "--fix", "--diff", "warned.yaml").returncode == 78
    shell.write("warned.yaml", WARNED.format(comment="runbook: ignore[RB208] because the next version needs it"))
    assert shell("check", "--strict", "warned.yaml").returncode == 0


def test_an_input_that_another_document_reads_from_another_variable_is_told(shell: Any) -> None:
    text = WARNED.format(comment="runbook: ignore[RB208] because the next version needs it")
    shell.write("warned.yaml", text)
    shell.write("other.yaml", text.replace("runbook: warned", "runbook: other").replace("default: x", "env: X"))
    done = shell("check", "warned.yaml", "other.yaml")
    assert done.stdout.count("warning[RB219]") == 2
    assert 'input "unused" is read from no variable, and is read from the variable X in other' in done.stdout
