from __future__ import annotations

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.notion.client import API_VERSION, NotionClient
from connectors.notion.objects import Ref
from connectors.notion.payloads import parse_object
from connectors.notion.settings import NotionConnection
from tests.emulators.notion import TOKEN, Fault, Notion, as_httpx, block, refusal

PAGE_REF = Ref("page", "p")
PAGE = {"object": "page", "id": "p", "parent": {"type": "workspace"}, "properties": {}}


def client_of(connection: NotionConnection, answer: Fault) -> NotionClient:
    return NotionClient(connection, httpx.MockTransport(lambda request: as_httpx(answer())))


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (429, "rate_limited", RateLimited),
        (409, "conflict_error", Unavailable),
        (500, "internal_server_error", Unavailable),
        (503, "service_unavailable", Unavailable),
        (504, "gateway_timeout", Unavailable),
        (200, "service_unavailable", Unavailable),
        (401, "unauthorized", AuthenticationFailed),
        (403, "restricted_resource", AccessDenied),
        (404, "object_not_found", NotFound),
        (400, "validation_error", NotFound),
        (400, "missing_version", RequestRejected),
    ],
)
def test_errors_by_their_code(
    connection: NotionConnection, status: int, code: str, expected: type[SourceError]
) -> None:
    client = client_of(connection, lambda: refusal(status, code, "said so"))
    with pytest.raises(expected) as raised:
        client.retrieve(PAGE_REF)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("code", ["rate_limited", "conflict_error", "service_unavailable"])
def test_transient_errors_are_tried_again(connection: NotionConnection, code: str) -> None:
    answers = iter([refusal(429 if code == "rate_limited" else 409, code), JSONResponse(PAGE)])
    assert client_of(connection, lambda: next(answers)).retrieve(PAGE_REF) == parse_object(PAGE)


def test_retry_after_is_kept(connection: NotionConnection) -> None:
    client = client_of(connection, lambda: refusal(429, "rate_limited", **{"retry-after": "500"}))
    with pytest.raises(RateLimited) as raised:
        client.me()
    assert raised.value.retry_after == 500
    assert client.requests == 1  # longer than anybody waits


@pytest.mark.parametrize("body", ["[]", "{", '{"results": 1}', '{"results": [1]}', "<html>"])
def test_answers_that_are_no_listing(connection: NotionConnection, body: str) -> None:
    with pytest.raises(InvalidResponse):
        list(client_of(connection, lambda: Response(body)).users())


def test_listings_are_read_to_the_end_in_get_and_post(notion: Notion, connection: NotionConnection) -> None:
    notion.add_page("p", None, *(block("paragraph", str(at)) for at in range(8)))
    for at in range(7):
        notion.add_page(f"q{at}")
    client = NotionClient(connection, notion.transport())
    assert [one.id for one in client.children("p")] == [f"p.{at}" for at in range(8)]
    assert sum(len(page.items) for page in client.search()) == 8
    assert notion.paths() == {"blocks/p/children": 3, "search": 3}
    assert {request.headers["notion-version"] for request in notion.requests} == {API_VERSION}
    assert {request.headers["authorization"] for request in notion.requests} == {f"Bearer {TOKEN}"}


def test_a_pagination_loop_is_not_taken_for_a_whole_listing(connection: NotionConnection) -> None:
    again = {"results": [{"id": "x"}], "has_more": True, "next_cursor": "same"}
    client = client_of(connection, lambda: JSONResponse(again))
    with pytest.raises(InvalidResponse, match="pagination loop: cursor repeated"):
        list(client.users())


@pytest.mark.parametrize(("status", "code"), [(400, "validation_error"), (404, "object_not_found")])
@pytest.mark.parametrize(("times", "comes"), [(1, True), (2, True), (3, False)])
def test_a_listing_whose_cursor_is_refused_begins_again(
    notion: Notion, connection: NotionConnection, status: int, code: str, times: int, comes: bool
) -> None:
    notion.add_page("p", None, *(block("paragraph", str(at)) for at in range(8)))
    notion.cursor_faults = [lambda: refusal(status, code, "The start_cursor provided is invalid.")] * times
    client = NotionClient(connection, notion.transport())
    if comes:
        assert [one.id for one in client.children("p")] == [f"p.{at}" for at in range(8)]
    else:
        with pytest.raises(Unavailable, match="blocks/p/children"):
            client.children("p")


def test_a_cursor_without_more_ends_the_listing(connection: NotionConnection) -> None:
    last = {"results": [], "has_more": False, "next_cursor": "stale"}
    client = client_of(connection, lambda: JSONResponse(last))
    assert list(client.users()) == []
    assert client.requests == 1
