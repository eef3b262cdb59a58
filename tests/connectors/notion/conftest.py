"""The emulated Notion in place of the network, with small pages, changes hours apart, and two people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Checkpoint, Item, ObjectItem, PartState
from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect
from tests.emulators.notion import BASE_URL, TOKEN, Notion

START = datetime(2026, 1, 1, tzinfo=UTC)


def without_parts(items: Iterable[Item]) -> list[ObjectItem | Checkpoint]:
    """Items but for the states of parts."""
    return [item for item in items if not isinstance(item, PartState)]


@pytest.fixture
def notion() -> Iterator[Notion]:
    """Listings have several pages; half an hour lies between a change and a read."""
    notion = Notion(page_size=3, clock=START, step=timedelta(hours=2), idle=timedelta(minutes=30))
    notion.person("Ada", "u-ada")
    notion.person("Bob", "u-bob")
    yield notion
    assert notion.strayed == [], "the token left for another host"


@pytest.fixture
def connection() -> NotionConnection:
    return NotionConnection.model_validate(
        {"id": "acme-notion", "source": "notion", "token": TOKEN, "base_url": BASE_URL, "readers": ["workspace"]}
    )


@pytest.fixture
def connector(notion: Notion, connection: NotionConnection) -> NotionConnector:
    return connect(connection, notion.transport())
