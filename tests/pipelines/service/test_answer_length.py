"""No answer over MCP is longer than what models take at once; what there is no room for comes with the next page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.model import Parent
from pipelines.chunking.tokens import estimate_tokens
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.retrieval.text_parts import MOST_TOKENS
from pipelines.services import Services
from pipelines.settings import AssistantSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.service.serving import app_of, served
from tests.pipelines.service.test_agent_tasks import GITHUB, REPOSITORY, of
from tests.pipelines.service.test_mcp import connected, text_of

FOLDER = Parent(f"github:code/{REPOSITORY.id}/folder", "Folder")
IDS = [f"github:code/{REPOSITORY.id}/blob/{number:02}.md" for number in range(40)]
LONG = "a title of many words " * 100
SINCE = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    return True


@pytest.fixture(scope="module")
def url(module_folder: Callable[[str], Path]) -> Iterator[str]:
    people = AssistantSettings(id="people", api_key=SecretStr("people-key"))
    settings = Settings(directory=module_folder("length"), assistants=(people,), connections=(GITHUB,))
    source = MemorySource(listed=[REPOSITORY])
    for number, own in enumerate(IDS):
        # Three files a commit: pages end within commits, too.
        committed, title = SINCE - timedelta(hours=number // 3), f"{number} {LONG}"
        url = f"https://x.test/{number}"
        source.put(of(GITHUB, REPOSITORY, own, title, url, "It.", updated_at=committed, parents=(FOLDER,)))
    with Services(settings, FakeEmbedder()) as services:
        services.catalog.units.replace_listing(GITHUB.id, GITHUB.source, [REPOSITORY])
        sync_unit(services, GITHUB, source, REPOSITORY)
        publish(services)
        with served(app_of(services)) as address:
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
