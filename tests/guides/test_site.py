"""The documentation as a site: no link leads nowhere, no reader's browser is sent elsewhere, no page is out of date."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import html

from docs.site.__main__ import REFERENCE, build
from docs.site.staging import pages
from pipelines.settings import Settings
from tests.guides.fences import page
from tests.paths import ROOT

LOADED = "//script/@src | //link[@rel='stylesheet' or @rel='preload' or contains(@rel, 'icon')]/@href | //img/@src"
MADE_BY = "it is out of date: run `make reference`"


@pytest.fixture(scope="module")
def site(module_folder: Callable[[str], Path]) -> Path:
    """As `make docs` builds it. A warning is an error there."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("zensical is not installed: run `make setup`")
    folder = module_folder("site")
    assert build(folder) == 0
    return folder / "site"


def test_every_page_is_on_the_site_and_loads_nothing_from_elsewhere(site: Path) -> None:
    built = list(site.rglob("*.html"))
    assert len(built) >= len(pages())
    for file in built:
        loaded = [str(one) for one in html.parse(str(file)).xpath(LOADED)]
        assert [one for one in loaded if "//" in one] == [], file
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert "url(http" not in styles
    assert "@import" not in styles


def test_the_manifests_are_shown_in_their_pages(site: Path) -> None:
    for name, word in (
        ("slack", "usergroups:read"),
        ("github", "pull_request_review_thread"),
        ("google-drive", "auth/drive"),
    ):
        shown = html.parse(str(site / "docs" / "sources" / f"{name}.html")).getroot().text_content()
        assert word in shown
        assert "--8<--" not in shown


def test_every_page_is_in_the_menu() -> None:
    menu = str(tomllib.loads(page("docs/zensical.toml").read_text())["project"]["nav"])
    assert [str(one) for file in pages() if f"'{(one := file.relative_to(ROOT))}'" not in menu] == []


@pytest.mark.parametrize("name", REFERENCE)
def test_a_reference_page_is_as_the_code_says(name: str) -> None:
    assert REFERENCE[name]() == page(f"docs/reference/{name}").read_text(encoding="utf-8"), MADE_BY


def test_every_setting_says_what_it_means() -> None:
    text = page("docs/reference/settings.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.endswith("|  |")] == []
    assert all(f"`{name}`" in text for name in Settings.model_fields if name != "directory")
