"""Lists of what has changed, page by page, over MCP: the files of one commit all have one time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.service.indexed import indexed, of
from tests.pipelines.service.serving import app_of, served
from tests.pipelines.service.test_agent_tasks import GITHUB, REPOSITORY, Agent
from tests.pipelines.service.test_mcp import connected

COMMITTED = datetime(2026, 11, 25, 9, tzinfo=UTC)
OF_ONE_COMMIT = 7
IDS = [f"github:code/77/blob/{number}.md" for number in range(OF_ONE_COMMIT + 2)]
"""In the order in which they changed: one after the commit, its files, and one before."""


def time_of(number: int) -> datetime:
    return COMMITTED + timedelta(seconds=1 if number == 0 else -1 if number > OF_ONE_COMMIT else 0)


@pytest.fixture(scope="module")
def url(module_folder: Callable[[str], Path]) -> Iterator[str]:
    files = [
        of(GITHUB, REPOSITORY, own, f"File {number}", f"https://x.test/{number}", "It.", updated_at=time_of(number))
        for number, own in enumerate(IDS)
    ]
    with (
        indexed(module_folder("changes"), [(GITHUB, REPOSITORY, files)]) as services,
        served(app_of(services)) as address,
    ):
        yield address


@pytest.mark.parametrize("limit", [1, 2, 3, OF_ONE_COMMIT + 1, len(IDS)])
@pytest.mark.parametrize("until", [None, (COMMITTED + timedelta(milliseconds=1)).isoformat()])
def test_each_page_goes_on_where_the_one_before_has_ended(url: str, limit: int, until: str | None) -> None:
    async def all_pages() -> list[list[str]]:
        pages: list[list[str]] = []
        async with connected(url, person="ada@example.com") as client:
            more: dict[str, Any] = {"until": until} if until else {}
            while True:
                found = await Agent(client).call("recent_changes", limit=limit, **more)
                pages.append([one["id"] for one in found["changes"]])
                if "next_cursor" not in found:
                    return pages
                more["cursor"] = found["next_cursor"]

    expected = IDS[1:] if until else IDS
    assert asyncio.run(all_pages()) == [expected[at : at + limit] for at in range(0, len(expected), limit)]


@pytest.mark.parametrize("cursor", ["yesterday", "2026-11-25T09:00:00~1", "2026-11-25T09:00:00+00:00", "~1", "x~-1"])
def test_a_cursor_that_was_not_given_out_is_said_to_be_none(url: str, cursor: str) -> None:
    async def asked() -> Any:
        async with connected(url, person="ada@example.com") as client:
            return await Agent(client).call("recent_changes", cursor=cursor)

    assert asyncio.run(asked()).startswith("cursor: ")
