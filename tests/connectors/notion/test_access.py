from __future__ import annotations

import httpx
import pytest
from pydantic import ValidationError
from starlette.responses import JSONResponse

from connectors.contract import Membership, UnreadableGroup
from connectors.errors import SourceError, TransientError
from connectors.notion import access
from connectors.notion.client import NotionClient
from connectors.notion.objects import NotionObject, Ref
from connectors.notion.settings import NotionConnection
from connectors.notion.source import connect
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
    assert access.readers(connection.model_copy(update={"readers": named}), []) == tokens


def named(own: str) -> NotionObject:
    return NotionObject(Ref("page", own), f"Title {own}", None, None, False, b"")


@pytest.mark.parametrize(
    ("path", "tokens"),
    [
        ("a", ("group:acme-notion:workspace",)),
        ("a/b", ("user:ada@acme.test",)),
        ("a/b/x/y", ("user:ada@acme.test",)),
        ("a/b/x/c/z", ("public",)),
        ("a/d", ()),
        ("b", ("user:ada@acme.test",)),
    ],
)
def test_the_nearest_page_of_the_map_decides(connection: NotionConnection, path: str, tokens: tuple[str, ...]) -> None:
    by_page = {"b": ("ada@acme.test",), "c": ("public",), "d": ()}
    mapped = connection.model_copy(update={"readers_by_page": by_page})
    assert access.readers(mapped, map(named, path.split("/"))) == tokens


def test_other_readers_have_another_fingerprint(connection: NotionConnection) -> None:
    maps: list[dict[str, object]] = [
        {},
        {"readers_by_page": {"b": ("ada@acme.test",)}},
        {"readers_by_page": {"b": ("bob@acme.test",)}},
        {"readers_by_page": {"c": ("ada@acme.test",)}},
        {"readers_by_page": {"b": ("ada@acme.test",)}, "readers": ("public",)},
    ]
    found = [access.readers_fingerprint(connection.model_copy(update=one)) for one in maps]
    assert len(set(found)) == len(maps)
    assert found[0] == access.readers_fingerprint(connection.model_copy(update={"readers": ("public",)})) == ""


@pytest.mark.parametrize("written", [{}, {"readers": None}])
def test_readers_must_be_written(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"is missing.*\[workspace\]"):
        NotionConnection.model_validate({"id": "acme", "source": "notion", "token": "t", **written})
    settings = {"id": "acme", "source": "notion", "token": "t", "readers": []}
    assert NotionConnection.model_validate(settings).readers == (), "nobody, where that is written"


BOARD = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.mark.parametrize(
    "written",
    [BOARD, BOARD.replace("-", ""), BOARD.upper(), f" https://www.notion.so/acme/Board-{BOARD.replace('-', '')}?pvs=4"],
)
def test_a_page_of_the_map_is_known_by_its_id_or_url(written: str) -> None:
    settings = {"id": "acme", "source": "notion", "token": "t", "readers": ["workspace"]}
    found = NotionConnection.model_validate({**settings, "readers_by_page": {written: ["ada@acme.test"]}})
    assert found.readers_by_page == {BOARD: ("ada@acme.test",)}
    with pytest.raises(ValidationError, match="twice"):
        NotionConnection.model_validate(
            {**settings, "readers_by_page": {written: [], f"https://www.notion.so/{BOARD.replace('-', '')}": []}}
        )


def test_what_is_no_page_is_said_so() -> None:
    settings = {"id": "acme", "source": "notion", "token": "t", "readers": [], "readers_by_page": {"Board": []}}
    with pytest.raises(ValidationError, match="'Board' is neither the id nor the URL"):
        NotionConnection.model_validate(settings)


def test_people_of_the_workspace_are_members_and_bots_are_not(notion: Notion, connection: NotionConnection) -> None:
    client = NotionClient(connection, notion.transport())
    assert list(access.memberships(connection, client, [])) == [
        Membership("workspace", "ada@acme.test"),
        Membership("workspace", "bob@acme.test"),
    ]


def test_accounts_are_told_once_the_workspace_was_asked_for_people(
    notion: Notion, connection: NotionConnection
) -> None:
    connector = connect(connection, notion.transport())
    assert list(connector.accounts()) == []
    list(connector.memberships())
    by_address = {one.emails[0]: one.name for one in connector.accounts() if one.emails[0]}
    assert by_address["ada@acme.test"] == ADA["name"]


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
    assert list(access.memberships(connection, client, [])) == [Membership("workspace", "ada@acme.test")]


def test_names_of_people_and_bots_by_id(connection: NotionConnection) -> None:
    bot = {"id": "b", "type": "bot", "name": "Headrace"}
    answer = {"object": "list", "results": [ADA, bot, {"id": "x", "name": ""}, {"id": "y"}], "has_more": False}
    client = NotionClient(connection, answering(lambda: JSONResponse(answer)))
    assert access.names(client) == {"u-ada": "Ada", "b": "Headrace"}


@pytest.mark.parametrize(
    ("status", "code"), [(401, "unauthorized"), (403, "restricted_resource"), (503, "service_unavailable")]
)
def test_names_are_not_taken_for_empty_where_the_server_fails(
    connection: NotionConnection, status: int, code: str
) -> None:
    client = NotionClient(connection, answering(lambda: refusal(status, code)))
    with pytest.raises(SourceError):
        access.names(client)


def test_nobody_is_asked_for_where_no_reader_is_the_workspace(notion: Notion, connection: NotionConnection) -> None:
    client = NotionClient(connection, notion.transport())
    nobody = connection.model_copy(update={"readers": ("a@b.test",)})
    assert list(access.memberships(nobody, client, [])) == []
    assert client.requests == 0
    mapped = nobody.model_copy(update={"readers_by_page": {"home": ("workspace",)}})
    assert len(list(access.memberships(mapped, client, []))) == 2


def test_a_workspace_whose_people_are_refused_cannot_be_told(connection: NotionConnection) -> None:
    client = NotionClient(connection, answering(lambda: refusal(403, "restricted_resource")))
    (found,) = access.memberships(connection, client, [])
    assert isinstance(found, UnreadableGroup)
    assert found.group == "workspace"
    assert "restricted_resource" in found.reason


def test_a_workspace_whose_people_cannot_be_read_for_now_is_an_error(connection: NotionConnection) -> None:
    client = NotionClient(connection, answering(lambda: refusal(503, "service_unavailable")))
    with pytest.raises(TransientError):
        list(access.memberships(connection, client, []))
