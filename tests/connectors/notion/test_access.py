from __future__ import annotations

import httpx
import pytest

from connectors.contract import Membership
from connectors.notion import access
from connectors.notion.client import NotionClient
from connectors.notion.settings import NotionConnection
from tests.connectors.notion.conftest import Notion, refused


@pytest.mark.parametrize(
    ("named", "tokens"),
    [
        (("workspace",), ("group:acme-notion:workspace",)),
        (("public",), ("public",)),
        (("Ada@Acme.test", " bob@acme.test "), ("user:ada@acme.test", "user:bob@acme.test")),
        (("workspace", "workspace", ""), ("group:acme-notion:workspace",)),
        ((), ()),
    ],
)
def test_readers(connection: NotionConnection, named: tuple[str, ...], tokens: tuple[str, ...]) -> None:
    assert access.readers(connection.model_copy(update={"readers": named})) == tokens


def test_people_of_the_workspace_are_members_and_bots_are_not(notion: Notion, connection: NotionConnection) -> None:
    client = NotionClient(connection, httpx.MockTransport(notion))
    assert list(access.memberships(connection, client)) == [
        Membership("workspace", "ada@acme.test"),
        Membership("workspace", "bob@acme.test"),
    ]


def test_nobody_is_asked_for_where_no_reader_is_the_workspace(notion: Notion, connection: NotionConnection) -> None:
    client = NotionClient(connection, httpx.MockTransport(notion))
    assert list(access.memberships(connection.model_copy(update={"readers": ("a@b.test",)}), client)) == []
    assert client.requests == 0


def test_names_are_empty_for_an_integration_that_may_not_see_users(
    notion: Notion, connection: NotionConnection
) -> None:
    notion.answers["users"] = lambda request: refused(403, "restricted_resource")
    assert access.names(NotionClient(connection, httpx.MockTransport(notion))) == {}
