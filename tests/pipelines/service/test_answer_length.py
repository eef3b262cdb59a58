"""No answer over MCP is longer than what models take at once; what there is no room for comes with the next page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.model import Parent
from pipelines.chunking.tokens import estimate_tokens
from pipelines.retrieval.text_parts import MOST_TOKENS
from tests.pipelines.service.indexed import indexed, of
from tests.pipelines.service.serving import app_of, served
from tests.pipelines.service.test_agent_tasks import GITHUB, REPOSITORY
from tests.pipelines.service.test_mcp import connected, text_of

FOLDER = Parent(f"github:code/{REPOSITORY.id}/folder", "Folder")
IDS = [f"github:code/{REPOSITORY.id}/blob/{number:02}.md" for number in range(40)]
LONG = "a title of many words " * 100
SINCE = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(module_folder: Callable[[str], Path]) -> Iterator[str]:
    # Three files a commit: pages end within commits, too.
    files = [
        of(
            *(GITHUB, REPOSITORY, own, f"{number} {LONG}", f"https://x.test/{number}", "It."),
            updated_at=SINCE - timedelta(hours=number // 3),
            parents=(FOLDER,),
        )
        for number, own in enumerate(IDS)
    ]
    with (
        indexed(module_folder("length"), [(GITHUB, REPOSITORY, files)]) as services,
        served(app_of(services)) as address,
    ):
        yield address


@pytest.mark.parametrize(
    ("tool", "asked", "entries", "following"),
    [
        ("browse", {"container": FOLDER.id, "limit": 200}, "children", {"next_offset": "offset"}),
        ("recent_changes", {"limit": 100}, "changes", {"next_cursor": "cursor"}),
    ],
)
def test_long_lists_come_in_parts_and_whole(
    url: str, tool: str, asked: dict[str, Any], entries: str, following: dict[str, str]
) -> None:
    pages = asyncio.run(all_pages(url, tool, asked, following))
    assert len(pages) > 1
    assert sorted(one["id"] for page in pages for one in page[entries]) == IDS


async def all_pages(url: str, tool: str, asked: dict[str, Any], following: dict[str, str]) -> list[dict[str, Any]]:
    ((told, argument),) = following.items()
    pages: list[dict[str, Any]] = []
    async with connected(url, person="ada@example.com") as client:
        while not pages or told in pages[-1]:
            more = {argument: pages[-1][told]} if pages else {}
            answer = await client.call_tool(tool, asked | more)
            assert answer.structured_content
            assert estimate_tokens(text_of(answer)) <= MOST_TOKENS + 500, "the notice is beside the entries"
            pages.append(answer.structured_content)
    return pages
