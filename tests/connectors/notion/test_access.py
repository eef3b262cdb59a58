from __future__ import annotations

import httpx
import pytest
from starlette.responses import JSONResponse

from connectors.contract import Membership, UnreadableGroup
from connectors.errors import SourceError, TransientError
from connectors.notion import access
from connectors.notion.client import NotionClient
from connectors.notion.settings import NotionConnection
from tests.emulators.notion import Fault, Notion, as_httpx, refusal


def answering(answer: Fault) -> httpx.MockTransport:
    """A server that says the same to everything."""
    return httpx.MockTransport(lambda request: as_httpx(answer()))


ADA = {"id": "u-ada", "type": "person", "name": "Ada", "person": {"email": "ada@acme.test"}}


@pytest.mark.parametrize(
    ("named", "tokens"),
    [
        (("workspace",), ("group:acme-notion:workspace",)),
        (("public",), ("public",)),
        (("Ada@Acme.test", " bob@acme.test "), ("user:ada@acme.test", "user:bob@acme.test")),
        (("workspace", "workspace", ""), ("group:acme-notion:workspace",)),
        ((" public ", " "), ("public",)),
        (("ada@acme.test", "workspace", "public"), ("user:ada@acme.test", "group:acme-notion:workspace", "public")),
        ((), ()),
    ],
)
def test_readers(connection: NotionConnection, named: tuple[str, ...], tokens: tuple[str, ...]) -> None:
    assert access.readers(connection.model_copy(update={"readers": named})) == tokens


def test_people_of_the_workspace_are_members_and_bots_are_not(notion: Notion, connection: NotionConnection) -> None:
    client = NotionClient(connection, notion.transport())
    assert list(access.memberships(connection, client)) == [
        Membership("workspace", "ada@acme.test"),
        Membership("workspace", "bob@acme.test"),
    ]


@pytest.mark.parametrize(
    "user",
    [
        {"id": "u", "type": "bot", "person": {"email": "bot@acme.test"}},
        {"id": "u", "type": "person", "name": "Guest"},
        {"id": "u", "type": "person", "person": {"email": ""}},
        {"id": "u", "type": "person", "person": None},
        {"id": "u"},
    ],
)
def test_who_is_no_member(connection: NotionConnection, user: dict[str, object]) -> None:
    answer = {"object": "list", "results": [user, ADA], "has_more": False}
    client = NotionClient(connection, answering(lambda: JSONResponse(answer)))
    assert list(access.memberships(connection, client)) == [Membership("workspace", "ada@acme.test")]


def test_names_of_people_and_bots_by_id(connection: NotionConnection) -> None:
    bot = {"id": "b", "type": "bot", "name": "Headrace"}
    answer = {"object": "list", "results": [ADA, bot, {"id": "x", "name": ""}, {"id": "y"}], "has_more": False}
    client = NotionClient(connection, answering(lambda: JSONResponse(answer)))
    assert access.names(client) == {"u-ada": "Ada", "b": "Headrace"}


@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (503, "service_unavailable")])
def test_names_are_not_taken_for_empty_where_the_server_fails(
    connection: NotionConnection, status: int, code: str
) -> None:
    client = NotionClient(connection, answering(lambda: refusal(status, code)))
    with pytest.raises(SourceError):
        access.names(client)


def test_nobody_is_asked_for_where_no_reader_is_the_workspace(notion: Notion, connection: NotionConnection) -> None:
    client = NotionClient(connection, notion.transport())
    assert list(access.memberships(connection.model_copy(update={"readers": ("a@b.test",)}), client)) == []
    assert client.requests == 0


def test_names_are_empty_for_an_integration_that_may_not_see_users(
    notion: Notion, connection: NotionConnection
) -> None:
    notion.answers["users"] = lambda: refusal(403, "restricted_resource")
    assert access.names(NotionClient(connection, notion.transport())) == {}


def test_a_workspace_whose_people_are_refused_cannot_be_told(connection: NotionConnection) -> None:
    client = NotionClient(connection, answering(lambda: refusal(403, "restricted_resource")))
    (found,) = access.memberships(connection, client)
    assert isinstance(found, UnreadableGroup)
    assert found.group == "workspace"


def test_a_workspace_whose_people_cannot_be_read_for_now_is_an_error(connection: NotionConnection) -> None:
    client = NotionClient(connection, answering(lambda: refusal(503, "service_unavailable")))
    with pytest.raises(TransientError):
        list(access.memberships(connection, client))
