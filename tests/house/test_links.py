"""Every link of every page leads to a file that is there, and to a heading that is in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from docs.site.staging import pages
from tests.paths import ROOT

_MARKDOWN = MarkdownIt().enable("table")
_ELSEWHERE = re.compile(r"^(https?|mailto):")


def tokens(file: Path) -> Iterator[Token]:
    """Of a page in order, those inside of others too."""
    for token in _MARKDOWN.parse(file.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def links(file: Path) -> list[str]:
    found = (token.attrGet("href" if token.type == "link_open" else "src") for token in tokens(file))
    return [str(one) for one in found if one is not None]


@cache
def anchors(file: Path) -> set[str]:
    """Names of a page's headings, as GitHub makes them: https://github.com/gjtorikian/html-pipeline (toc filter)."""
    seen: Counter[str] = Counter()
    found = set()
    parsed = _MARKDOWN.parse(file.read_text(encoding="utf-8"))
    for heading, inline in pairwise(parsed):
        if heading.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


def problem(file: Path, link: str) -> str:
    """What is wrong with a link of a page; empty where nothing is."""
    path, _, anchor = link.partition("#")
    target = (file.parent / path).resolve() if path else file
    if not target.is_relative_to(ROOT):
        return f"{link}: outside of the repository"
    if not target.exists():
        return f"{link}: no such file"
    if anchor and (target.suffix != ".md" or anchor not in anchors(target)):
        return f"{link}: no such heading"
    return ""


@pytest.mark.parametrize("file", pages(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    own = [link for link in links(file) if not _ELSEWHERE.match(link)]
    assert [found for link in own if (found := problem(file, link))] == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    file = ROOT / "docs" / "operations.md"
    assert problem(file, "nowhere.md") == "nowhere.md: no such file"
    assert problem(file, "upgrade.md#nowhere") == "upgrade.md#nowhere: no such heading"
    assert problem(file, "../../outside.md") == "../../outside.md: outside of the repository"
    assert problem(file, "#alerts") == problem(file, "../README.md#how-it-works") == ""


def test_links_are_found_in_tables_and_lists() -> None:
    assert "sources/slack.md" in links(ROOT / "docs" / "README.md")
    assert len(links(ROOT / "docs" / "troubleshooting.md")) > 10


def test_no_page_names_the_host_of_a_package_registry() -> None:
    """Whoever mirrors packages has another one."""
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org")
    texts = {file: file.read_text(encoding="utf-8") for file in pages()}
    assert [file.name for file, text in texts.items() if any(host in text for host in hosts)] == []
