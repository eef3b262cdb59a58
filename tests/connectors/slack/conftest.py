"""The emulated Slack in place of the network, with a channel, two people and a guest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.responses import Response

from connectors.contract import Checkpoint, Cursor, Item, ListingEntry, PartState, Window
from connectors.model import Document, Unit
from connectors.slack.payloads import SlackMessage
from connectors.slack.settings import SlackConnection
from connectors.slack.source import SlackConnector, connect
from tests.emulators.slack import BASE_URL, TOKEN, Slack

CONNECTION = SlackConnection(id="acme", source="slack", token=SecretStr(TOKEN), base_url=BASE_URL)


@pytest.fixture
def slack() -> Slack:
    """Histories have no cursors: pages are asked for by time."""
    workspace = Slack(cursors=False)
    workspace.channel("C1", "general")
    for number, (name, more) in enumerate({"ada": {}, "bo": {}, "guest": {"is_restricted": True}}.items(), start=1):
        workspace.person(f"U{number}", name, **more)
    return workspace


def open_connector(slack: Slack) -> SlackConnector:
    return connect(CONNECTION, slack.transport())


@pytest.fixture
def connector(slack: Slack) -> Iterator[SlackConnector]:
    opened = open_connector(slack)
    yield opened
    opened.close()


def parse_message(fields: dict[str, Any]) -> SlackMessage:
    """A message of which a test gives only what it is about."""
    return SlackMessage.model_validate({"ts": "1772355600.000100"} | fields)


def id_of(item: Item) -> str:
    """The id of the object that an item is about; empty for what is about none."""
    if isinstance(item, Checkpoint | PartState):
        return ""
    return item.id if isinstance(item, Document) else item.document_id


def without_states(items: Iterable[Item]) -> list[Item]:
    """Without what is told of parts, which is most tests' business in no way."""
    return [item for item in items if not isinstance(item, PartState)]


def read_items(
    connector: SlackConnector, unit: Unit, cursor: Cursor | None = None, window: Window | None = None
) -> list[Item]:
    return without_states(connector.read(unit, cursor, window))


def list_entries(connector: SlackConnector, unit: Unit) -> list[ListingEntry]:
    return [entry for entry in connector.listing(unit) if isinstance(entry, ListingEntry)]


def text_of(document: Document) -> str:
    assert isinstance(document.content, str)
    return document.content


def reply(status: int, body: Any, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(content, status, headers)
