"""The site is built without a warning, and asks nothing of the network."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from tests.docs.blocks import DOCS

ROOT = DOCS.parent


def build(config: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(config), "--site-dir", str(site)],
        cwd=ROOT,
        env={
            **os.environ,
            "NO_MKDOCS_2_WARNING": "1",
            "http_proxy": "http://127.0.0.1:1",
            "https_proxy": "http://127.0.0.1:1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Asked(HTMLParser):
    """What a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "img", "iframe", "source", "video"} and given.get("src"):
            self.urls.append(given["src"] or "")
        if tag == "link" and given.get("href"):
            self.urls.append(given["href"] or "")


@cache
def pages(site: Path) -> tuple[Path, ...]:
    return tuple(site.rglob("*.html"))


def fetched(site: Path) -> Iterator[tuple[Path, str]]:
    for page in pages(site):
        asked = Asked()
        asked.feed(page.read_text("utf-8"))
        yield from ((page, url) for url in asked.urls)


def test_every_page_is_built(site: Path) -> None:
    built = {each.relative_to(site).as_posix() for each in pages(site)}
    for file in DOCS.rglob("*.md"):
        place = file.relative_to(DOCS).with_suffix("")
        expected = place.parent if place.name == "index" else place
        assert (expected / "index.html").as_posix() in built


def test_a_browser_fetches_nothing_from_elsewhere(site: Path) -> None:
    found = list(fetched(site))
    assert len(found) > 100
    assert [(page, url) for page, url in found if urlsplit(url).netloc] == []
    styles = [
        match for each in site.rglob("*.css") for match in re.findall(r"url\(['\"]?(https?:[^)]+)", each.read_text())
    ]
    assert styles == []
    # The theme draws such diagrams with a program from elsewhere.
    assert [page for page in pages(site) if 'class="mermaid"' in page.read_text("utf-8")] == []


def test_what_a_browser_fetches_is_part_of_the_site(site: Path) -> None:
    for page, url in fetched(site):
        path = urlsplit(url).path
        # The page for what does not exist is shown at any depth.
        here = site / path.lstrip("/") if page.name == "404.html" else page.parent / path
        assert here.exists(), (page, url)


def test_a_link_to_a_heading_that_does_not_exist_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[Nowhere](#nowhere)\n")
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    nav = text.index("nav:")
    (tmp_path / "mkdocs.yml").write_text(text[:nav] + text[text.index("validation:") :])

    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")

    assert done.returncode != 0
    assert "#nowhere" in done.stderr


def test_every_page_but_those_of_codes_stands_in_the_navigation() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    listed = set(re.findall(r"[\w/-]+\.md", str(nav)))
    there = {each.relative_to(DOCS).as_posix() for each in DOCS.rglob("*.md")}
    assert {each for each in there - listed if not re.match(r"reference/diagnostics/RB\d{3}\.md", each)} == set()
