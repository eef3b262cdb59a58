"""The example's own decisions: who reads, what a webhook points at, what an error of Linear's means."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr

from connectors.contract import (
    Checkpoint,
    Connector,
    Cursor,
    Deleted,
    EmptyGroup,
    Failed,
    Item,
    ListingEntry,
    Membership,
)
from connectors.errors import AccessDenied, AuthenticationFailed, InvalidResponse, RateLimited, SourceError
from connectors.model import Document, Unit
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Invalidation

if TYPE_CHECKING:
    from headrace_linear.emulator import LinearEmulator
    from headrace_linear.settings import LinearConnection

ISSUE = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def linear(importable: None) -> LinearEmulator:
    from headrace_linear.emulator import LinearEmulator

    return LinearEmulator()


@pytest.fixture
def connection(importable: None) -> LinearConnection:
    from headrace_linear.emulator import TOKEN, WEBHOOK_SECRET
    from headrace_linear.settings import LinearConnection

    return LinearConnection(
        id="acme",
        source="linear",
        token=SecretStr(TOKEN),
        base_url="http://linear.test",
        webhook_secret=SecretStr(WEBHOOK_SECRET),
    )


def opened(connection: LinearConnection, linear: LinearEmulator) -> closing[Connector]:
    from headrace_linear.source import connect

    return closing(connect(connection, httpx.MockTransport(linear.answer)))


def read(connection: LinearConnection, linear: LinearEmulator, cursor: Cursor | None = None, at: int = 0) -> list[Item]:
    with opened(connection, linear) as connector:
        return list(connector.read(list(connector.units())[at], cursor))


def cursor_of(items: list[Item]) -> Cursor:
    assert isinstance(items[-1], Checkpoint)
    return items[-1].cursor


def test_guests_see_only_their_teams_and_strangers_no_private_one(
    connection: LinearConnection, linear: LinearEmulator
) -> None:
    ada, gil, old = linear.user("Ada"), linear.user("Gil", guest=True), linear.user("Old", active=False)
    mill = linear.team("MILL", "Mill", ada, gil, old)
    board = linear.team("BOARD", "Board", ada, visibility="private")
    half_open = linear.team("HALF", "Half", visibility="restricted")
    with opened(connection, linear) as connector:
        readers = {unit.id: unit.readers for unit in connector.units()}
        members = set(connector.memberships())
    assert readers == {
        mill: ("group:acme:workspace", f"group:acme:{mill}"),
        board: (f"group:acme:{board}",),
        half_open: (f"group:acme:{half_open}",),
    }
    assert members == {
        Membership("workspace", ada),
        Membership(mill, ada),
        Membership(mill, gil),
        Membership(board, ada),
        EmptyGroup(half_open),
    }


def test_a_comment_that_touches_no_issue_is_found(connection: LinearConnection, linear: LinearEmulator) -> None:
    team = linear.team("MILL", "Mill")
    first, _ = linear.issue(team, "Pump"), linear.issue(team, "Wheel")
    before = read(connection, linear)
    linear.comment(first, "Oil it.")
    after = read(connection, linear, cursor_of(before))
    (changed,) = [item for item in after if isinstance(item, Document) and "Oil it." in str(item.content)]
    assert changed.id == f"linear:acme/{first}"
    linear.comments[first].clear()  # deleted: no time tells of it
    with opened(connection, linear) as connector:
        listed = [one for one in connector.listing(next(connector.units())) if isinstance(one, ListingEntry)]
    (entry,) = [one for one in listed if one.document_id == changed.id]
    assert entry.fingerprint != changed.fingerprint


def test_an_archived_issue_is_gone(connection: LinearConnection, linear: LinearEmulator) -> None:
    team = linear.team("MILL", "Mill")
    issue = linear.issue(team, "Pump")
    before = read(connection, linear)
    linear.archive(issue)
    assert Deleted(f"linear:acme/{issue}") in read(connection, linear, cursor_of(before))
    with opened(connection, linear) as connector:
        assert list(connector.listing(next(connector.units()))) == []
        assert connector.unit_of(f"linear:acme/{issue}") is None


def test_an_issue_that_moved_keeps_its_id(connection: LinearConnection, linear: LinearEmulator) -> None:
    mill, board = linear.team("MILL", "Mill"), linear.team("BOARD", "Board")
    issue = linear.issue(mill, "Pump")
    before = read(connection, linear, at=1)
    linear.edit(issue, team={"id": board}, identifier="BOARD-1")
    moved = [item for item in read(connection, linear, cursor_of(before), at=1) if isinstance(item, Document)]
    assert [(item.id, item.unit) for item in moved] == [(f"linear:acme/{issue}", board)]
    with opened(connection, linear) as connector:
        assert connector.unit_of(f"linear:acme/{issue}") == board
        assert list(connector.fetch(Unit(mill, "Mill"), [f"linear:acme/{issue}"])) == [Deleted(f"linear:acme/{issue}")]


@pytest.mark.parametrize(
    "broken", [{"updatedAt": "yesterday"}, {"title": None}, {"comments": 7}, {"createdAt": 7.5e99}]
)
def test_an_odd_issue_costs_its_neighbours_nothing(
    connection: LinearConnection, linear: LinearEmulator, broken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    team = linear.team("MILL", "Mill")
    odd, _ = linear.issue(team, "Pump"), linear.issue(team, "Wheel")
    whole = linear.answer

    def answer(request: httpx.Request) -> httpx.Response:
        found = json.loads(whole(request).content)
        for node in found["data"].get("issues", {}).get("nodes", ()):
            node |= broken if node["id"] == odd else {}
        return httpx.Response(200, json=found)

    monkeypatch.setattr(linear, "answer", answer)
    items = read(connection, linear)
    assert [item.title for item in items if isinstance(item, Document)] == ["Wheel"]
    assert [item.document_id for item in items if isinstance(item, Failed)] == [f"linear:acme/{odd}"]


@pytest.mark.parametrize(
    ("status", "code", "headers", "expected"),
    [
        (400, "RATELIMITED", {"retry-after": "7"}, RateLimited),
        (400, "RATELIMITED", {"x-ratelimit-requests-reset": "4102444800000"}, RateLimited),
        (401, "AUTHENTICATION_ERROR", {}, AuthenticationFailed),
        (200, "AUTHENTICATION_ERROR", {}, AuthenticationFailed),
        (200, "FORBIDDEN", {}, AccessDenied),
        (200, "INTERNAL_SERVER_ERROR", {}, InvalidResponse),
    ],
)
def test_errors_beside_the_data_are_what_they_mean(
    importable: None, status: int, code: str, headers: dict[str, str], expected: type[SourceError]
) -> None:
    from headrace_linear.client import graphql_error
    from headrace_linear.emulator import refusal

    response = refusal(status, code, "no", **headers)
    response.request = httpx.Request("POST", "http://linear.test/graphql")
    error = graphql_error(response)
    assert type(error) is expected
    if isinstance(error, RateLimited):
        assert error.retry_after is not None
        assert error.retry_after >= 7


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("Issue", {"id": ISSUE, "teamId": "T1"}, (Invalidation("document", "T1", f"linear:acme/{ISSUE}"),)),
        ("Comment", {"id": "c", "issueId": ISSUE}, (Invalidation("document", "", f"linear:acme/{ISSUE}"),)),
        ("Comment", {"id": "c", "projectUpdateId": "p"}, ()),
        ("User", {"id": "u"}, (Invalidation("memberships"),)),
        ("Cycle", {"id": "y"}, ()),
    ],
)
def test_webhooks_point_at_what_changed(
    connection: LinearConnection,
    linear: LinearEmulator,
    kind: str,
    data: dict[str, Any],
    expected: tuple[Invalidation, ...],
) -> None:
    from headrace_linear.webhooks import receive

    headers, body = linear.delivery(kind, "update", data)
    event = receive(connection, headers, body, time.time())
    assert event.invalidations == expected
    assert event.id == headers["linear-delivery"]
    assert bool(event.ignored) is not bool(expected)


def test_webhooks_are_refused_that_are_old_or_of_somebody_else(
    connection: LinearConnection, linear: LinearEmulator
) -> None:
    from headrace_linear.webhooks import receive

    headers, body = linear.delivery("Issue", "update", {"id": ISSUE, "teamId": "T1"}, at=1_000.0)
    assert receive(connection, headers, body, 1_059.0)
    for now in (1_061.0, 939.0):
        with pytest.raises(DeliveryRefused, match="older than a minute"):
            receive(connection, headers, body, now)
    with pytest.raises(DeliveryRefused, match="signature"):
        receive(connection, headers, body + b" ", 1_000.0)
    headers, body = linear.delivery("Issue", "update", {"teamId": "T1"}, at=1_000.0)
    with pytest.raises(DeliveryUnreadable, match="not as documented"):
        receive(connection, headers, body, 1_000.0)
