"""What the demo, the tests and CI install is pinned, and fits what the package asks for."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+))? \\\n(?P<hashes>(?:    --hash=\S+(?: \\)?\n)+)",
    re.MULTILINE,
)
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pins(name: str) -> Mapping[str, list[str]]:
    """The versions of each package in a lock; several where they differ by Python or platform."""
    found: dict[str, list[str]] = {}
    for each in PINNED.finditer((ROOT / "requirements" / name).read_text("utf-8")):
        found.setdefault(canonicalize_name(each["name"]), []).append(each["version"])
    return found


def wanted(*extras: str) -> Iterator[Requirement]:
    """What the package asks for with extras, those of its own within each other."""
    texts = [*PROJECT["dependencies"], *(text for each in extras for text in PROJECT["optional-dependencies"][each])]
    for requirement in map(Requirement, texts):
        if requirement.name == PROJECT["name"]:
            yield from wanted(*requirement.extras)
        else:
            yield requirement


@pytest.mark.parametrize(
    ("lock", "extras"), [("lab.txt", ["lab"]), ("dev.txt", ["lab", "dev"]), ("lowest.txt", ["lab", "dev"])]
)
def test_a_lock_has_a_version_of_everything_that_the_package_asks_for(lock: str, extras: list[str]) -> None:
    locked = pins(lock)
    lacking = [
        str(each)
        for each in wanted(*extras)
        if not any(each.specifier.contains(one) for one in locked.get(canonicalize_name(each.name), ()))
    ]
    assert lacking == [], "`make lock` makes the lock anew"


@pytest.mark.parametrize("lock", ["lab.txt", "dev.txt", "lowest.txt", "mutants.txt"])
def test_every_line_of_a_lock_has_a_version_and_hashes(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    rest = "".join(line + "\n" for line in PINNED.sub("", text).splitlines() if not line.lstrip().startswith("#"))
    assert rest.strip() == ""


@pytest.mark.parametrize("lock", ["lab.txt", "dev.txt", "lowest.txt"])
def test_the_package_is_built_by_what_is_locked(lock: str) -> None:
    assert "hatchling" in pins(lock)


def test_what_makes_mutants_leaves_the_packages_of_the_tests_as_they_are() -> None:
    tested = pins("dev.txt")
    assert {name: one for name, one in pins("mutants.txt").items() if tested.get(name, one) != one} == {}


def test_the_demo_installs_what_the_tests_have_run_with() -> None:
    tested = pins("dev.txt")
    assert {name: versions for name, versions in pins("lab.txt").items() if tested.get(name) != versions} == {}


def test_the_lowest_versions_are_those_that_the_package_says() -> None:
    locked = pins("lowest.txt")
    higher = []
    for each in wanted("lab", "notify", "lsp"):
        (low,) = [one.version for one in each.specifier if one.operator == ">="]
        if not any(one == low or one.startswith(f"{low}.") for one in locked[canonicalize_name(each.name)]):
            higher.append(f"{each}: {', '.join(locked[canonicalize_name(each.name)])}")
    assert higher == [], "nothing is known of versions below those that are tested"


def test_a_release_runs_what_a_change_runs_and_builds_from_the_lock() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert "bash .ci/run" in runs
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"\bmake (\w+)", "\n".join(runs)):
        assert re.search(rf"^{target}: ", makefile, re.MULTILINE)
    assert "--require-hashes --requirement requirements/dev.txt" in makefile
