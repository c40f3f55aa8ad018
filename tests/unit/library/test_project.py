"""Where the documents of a project are found: one rule, wherever in the project one stands."""

import os
from pathlib import Path

import pytest

from runbook_engine.library import Library, project


def folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


def test_the_nearest_directory_upwards_with_runbooks_or_a_repository_is_the_root(tmp_path: Path) -> None:
    folders(
        tmp_path, "shop/runbooks/policy", "shop/src/api", "shop/other/.git", "shop/other/deep", "shop/tool/runbooks/x"
    )
    assert project(tmp_path / "shop/src/api") == tmp_path / "shop"
    assert project(tmp_path / "shop/runbooks/policy") == tmp_path / "shop"
    assert project(tmp_path / "shop/other/deep") == tmp_path / "shop/other"
    assert project(tmp_path / "shop/tool/runbooks/x") == tmp_path / "shop/tool"


def test_a_work_tree_of_git_is_a_root_too(tmp_path: Path) -> None:
    folders(tmp_path, "shop/src")
    (tmp_path / "shop/.git").write_text("gitdir: /elsewhere\n")
    assert project(tmp_path / "shop/src") == tmp_path / "shop"


def test_without_either_it_is_the_directory_itself(tmp_path: Path) -> None:
    folders(tmp_path, "lone/deep")
    assert project(tmp_path / "lone/deep") == tmp_path / "lone/deep"


@pytest.mark.skipif(not hasattr(os, "chown") or os.getuid() != 0, reason="only root gives files away")
def test_what_lies_above_and_belongs_to_somebody_else_is_not_taken(tmp_path: Path) -> None:
    folders(tmp_path, "shared/runbooks", "shared/mine/deep")
    assert project(tmp_path / "shared/mine/deep") == tmp_path / "shared"
    os.chown(tmp_path / "shared/runbooks", 12345, 12345)
    assert project(tmp_path / "shared/mine/deep") == tmp_path / "shared/mine/deep"
    assert project(tmp_path / "shared") == tmp_path / "shared", "who stands in it has chosen it"


def test_the_library_has_the_path_of_the_environment_then_the_project_then_what_is_shipped(tmp_path: Path) -> None:
    folders(tmp_path, "shop/runbooks", "shop/src", "team")
    library = Library.default({"RUNBOOK_PATH": str(tmp_path / "team")}, tmp_path / "shop/src")
    assert library.directories[:2] == (tmp_path / "team", tmp_path / "shop/runbooks")
    assert len(library.directories) == 3
