"""What `make mutants` reads names what there is."""

from pathlib import Path

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_each_module_and_its_tests_are_there() -> None:
    modules: dict[str, list[str]] = yaml.safe_load((HERE / "modules.yaml").read_text("utf-8"))
    named = [*modules, *(each for tests in modules.values() for each in tests)]
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_each_mutant_that_may_survive_is_of_one_of_them_and_has_a_reason() -> None:
    modules = yaml.safe_load((HERE / "modules.yaml").read_text("utf-8"))
    survivors = yaml.safe_load((HERE / "survivors.yaml").read_text("utf-8"))
    assert set(survivors) <= set(modules)
    assert all(each["why"] and each["was"] != each["now"] for listed in survivors.values() for each in listed)
