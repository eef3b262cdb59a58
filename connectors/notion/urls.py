"""Notion's ids in the URLs that people copy, and the URLs of pages that are told by their ids. Pure."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

NOTION_SITE = "https://www.notion.so"
_ID = re.compile(r"(?:.*-)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")


def ids_in_url(url: str) -> list[str]:
    """Ids, dashed as in the API: of the page that is open beside another (`p`), then at the ends of the path's parts,
    the last one first.

    >>> ids_in_url("https://www.notion.so/acme/Plan-0f1e2d3c4b5a69788796a5b4c3d2e1f0?pvs=4")
    ['0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0']
    """
    parts = urlsplit(url)
    named = [*parse_qs(parts.query).get("p", []), *reversed(parts.path.split("/"))]
    found = map(_ID.fullmatch, named)
    return ["-".join(one.groups()) for one in found if one]


def page_url(own: str) -> str:
    """Where people open a page or database.

    >>> page_url("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")
    'https://www.notion.so/0f1e2d3c4b5a69788796a5b4c3d2e1f0'
    """
    return f"{NOTION_SITE}/{own.replace('-', '')}"


def absolute_url(link: str) -> str:
    """A link as it stands in a text: those to other pages are paths at Notion.

    >>> absolute_url("/0f1e2d3c4b5a69788796a5b4c3d2e1f0#a1")
    'https://www.notion.so/0f1e2d3c4b5a69788796a5b4c3d2e1f0#a1'
    """
    return f"{NOTION_SITE}{link}" if link.startswith("/") and not link.startswith("//") else link
