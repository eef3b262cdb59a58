"""Slack's deliveries: signed within these minutes, and mapped to threads, days, files, channels and people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.registry import receive
from connectors.slack.settings import SlackConnection
from connectors.slack.webhooks import _EVENTS, NOT_READ
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, Invalidation, Scope, look_around
from tests.emulators.slack import SIGNING_SECRET, signature

NOW = 1_772_442_100
CONNECTION = SlackConnection(id="acme", source="slack", token=SecretStr("t"), webhook_secret=SecretStr(SIGNING_SECRET))
TS, DAY = "1772442000.000100", "days/2026-03-02"
ROOT, ROOT_DAY = "1764666000.000200", "days/2025-12-02"


def receive_event(event: dict[str, Any], **envelope: Any) -> Event:
    body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": event} | envelope).encode()
    return receive(CONNECTION, signature(body, NOW), body, NOW)


def names(event: Event) -> set[str]:
    return {change.document_id.removeprefix("slack:acme/C1/") for change in event.invalidations}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"ts": TS, "text": "hello"}, {DAY}),
        ({"ts": TS, "thread_ts": ROOT, "text": "late"}, {f"threads/{ROOT}", ROOT_DAY}),
        ({"subtype": "thread_broadcast", "ts": TS, "thread_ts": ROOT}, {f"threads/{ROOT}", ROOT_DAY}),
        ({"subtype": "bot_message", "ts": TS, "bot_id": "B1"}, {DAY}),
        ({"subtype": "file_share", "ts": TS, "files": [{"id": "F1"}]}, {DAY, "files/F1"}),
        (
            {"subtype": "message_changed", "ts": "1", "message": {"ts": TS}, "previous_message": {"ts": TS}},
            {DAY, f"threads/{TS}"},
        ),
        (
            {"subtype": "message_changed", "message": {"ts": ROOT, "thread_ts": ROOT, "reply_count": 2}},
            {f"threads/{ROOT}", ROOT_DAY},
        ),
        (
            {"subtype": "message_deleted", "deleted_ts": TS, "previous_message": {"ts": TS, "thread_ts": ROOT}},
            {f"threads/{ROOT}", DAY, ROOT_DAY},
        ),
        ({"subtype": "message_deleted", "deleted_ts": TS}, {DAY, f"threads/{TS}", ""}),
        ({"subtype": "message_replied", "message": {"ts": ROOT, "reply_count": 1}}, {f"threads/{ROOT}", ROOT_DAY}),
    ],
)
def test_a_message_points_to_its_thread_day_and_files(event: dict[str, Any], expected: set[str]) -> None:
    received = receive_event({"type": "message", "channel": "C1", "channel_type": "channel"} | event)
    assert names(received) == expected
    assert {change.unit for change in received.invalidations} == {"C1"}


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ({"type": "file_shared", "file_id": "F1", "channel_id": "C1"}, [("document", "C1", "slack:acme/C1/files/F1")]),
        ({"type": "channel_rename", "channel": {"id": "C1", "name": "new"}}, [("units", "C1", "")]),
        ({"type": "channel_archive", "channel": "C1"}, [("units", "C1", "")]),
        ({"type": "group_archive", "channel": "C1"}, [("units", "C1", "")]),
        (
            {"type": "message", "subtype": "channel_convert_to_private", "channel": "C1", "ts": TS},
            [("units", "C1", ""), ("memberships", "", "")],
        ),
        ({"type": "message", "subtype": "channel_name", "channel": "C1", "ts": TS}, [("units", "C1", "")]),
        ({"type": "message", "subtype": "group_leave", "channel": "C1", "ts": TS}, [("memberships", "", "")]),
        ({"type": "app_mention", "channel": "C1", "ts": TS}, [("document", "C1", f"slack:acme/C1/{DAY}")]),
        ({"type": "file_change", "file_id": "F1", "file": {"id": "F1"}}, [("document", "", "slack:acme/*/files/F1")]),
        ({"type": "channel_shared", "channel": "C1"}, [("units", "C1", ""), ("memberships", "", "")]),
        ({"type": "channel_history_changed", "channel": "C1", "latest": TS}, [("unit", "C1", "")]),
        (
            {"type": "channel_id_changed", "old_channel_id": "C1", "new_channel_id": "C2"},
            [("units", "C1", ""), ("units", "C2", "")],
        ),
        ({"type": "subteam_members_changed", "subteam_id": "S1"}, [("memberships", "", "")]),
        ({"type": "team_join", "user": {"id": "U1"}}, [("memberships", "", "")]),
    ],
)
def test_files_channels_and_people(event: dict[str, Any], changes: list[tuple[Scope, str, str]]) -> None:
    received = receive_event(event)
    assert received.invalidations == tuple(Invalidation(*one) for one in changes)
    assert (received.id, received.kind.partition(".")[0]) == ("Ev1", event["type"])


def test_events_that_slack_left_out_are_made_up_for() -> None:
    """https://docs.slack.dev/reference/events/app_rate_limited"""
    body = json.dumps({"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1518467820}).encode()
    assert receive(CONNECTION, signature(body, NOW), body, NOW).invalidations == (Invalidation("unit"),)


def test_the_address_is_confirmed() -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "old"}).encode()
    event = receive(CONNECTION, signature(body, NOW), body, NOW)
    assert (event.answer, event.invalidations) == ({"challenge": "3eZbrw1a"}, ())
    assert event.ignored


@pytest.mark.parametrize("kind", ["reaction_added", "from_the_future", "tokens_revoked", "file_created", "im_open"])
def test_what_is_not_read_is_named(kind: str) -> None:
    event = receive_event({"type": kind})
    assert (event.invalidations, bool(event.ignored)) == ((), True)


@pytest.mark.parametrize("kind", ["member_joined_channel", "member_left_channel"])
def test_where_the_app_itself_comes_or_leaves_there_is_a_channel_more_or_less(kind: str) -> None:
    """https://docs.slack.dev/apis/events-api/#authorizations"""
    event = {"type": kind, "channel": "C1", "user": "U1", "channel_type": "C"}
    memberships, channel = Invalidation("memberships"), Invalidation("units", "C1")
    assert receive_event(event, authorizations=[{"user_id": "U2", "is_bot": True}]).invalidations == (memberships,)
    assert receive_event(event, authorizations=[{"user_id": "U1", "is_bot": True}]).invalidations == (
        channel,
        memberships,
    )
    assert receive_event(event).invalidations == (channel, memberships)
    assert receive_event(event, authorizations=[{"team_id": "T1", "is_bot": False}]).invalidations == (
        channel,
        memberships,
    )


@pytest.mark.parametrize(
    ("kind", "is_deleted"),
    [("channel_deleted", True), ("group_deleted", True), ("group_left", False), ("channel_archive", False)],
)
def test_a_channel_that_the_app_has_left_is_not_deleted(kind: str, is_deleted: bool) -> None:
    expected = Invalidation("units", "C1", unit_deleted=is_deleted)
    assert receive_event({"type": kind, "channel": "C1"}).invalidations == (expected,)


@pytest.mark.parametrize(("kind", "is_deleted"), [("file_deleted", True), ("file_unshared", False)])
def test_a_file_that_is_deleted_is_so_in_every_channel(kind: str, is_deleted: bool) -> None:
    (told,) = receive_event({"type": kind, "file_id": "F1", "channel_id": "C1"}).invalidations
    assert (told.document_id, told.deleted) == (f"slack:acme/{'*' if is_deleted else 'C1'}/files/F1", is_deleted)


@pytest.mark.parametrize("subtype", ["channel_join", "channel_topic", "pinned_item", "reminder_add"])
def test_notices_of_a_channel_are_no_messages(subtype: str) -> None:
    event = receive_event({"type": "message", "subtype": subtype, "channel": "C1", "ts": TS})
    assert {change.scope for change in event.invalidations} <= {"memberships"}


def test_direct_messages_are_nobodys_business() -> None:
    assert receive_event({"type": "message", "channel_type": "im", "channel": "D1", "ts": TS}).invalidations == ()


def test_no_event_is_both_read_and_not() -> None:
    assert not _EVENTS.keys() & NOT_READ.keys()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signature(b"{}", NOW, secret="wrong"),
        signature(b"{} ", NOW),
        signature(b"{}", NOW - 301),
        signature(b"{}", NOW + 301),
        signature(b"{}", NOW) | {"x-slack-request-timestamp": "soon"},
        signature(b"{}", NOW) | {"x-slack-signature": "v1=00"},
    ],
)
def test_a_wrong_or_old_signature_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(DeliveryRefused):
        receive(CONNECTION, headers, b"{}", NOW)


def test_without_a_secret_everything_is_refused() -> None:
    with pytest.raises(DeliveryRefused, match="webhook_secret"):
        receive(CONNECTION.model_copy(update={"webhook_secret": None}), signature(b"{}", NOW), b"{}", NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"\xff",
    ],
)
def test_what_is_signed_and_no_event_is_unreadable(body: bytes) -> None:
    with pytest.raises(DeliveryUnreadable):
        receive(CONNECTION, signature(body, NOW), body, NOW)


@pytest.mark.parametrize(
    ("body", "channel"),
    [
        (b'{"type": "event_callback"}', ""),
        (b'{"type": "event_callback", "event": {"type": "message", "channel": "C1"}}', "C1"),
        (b'{"type": "event_callback", "event": {"type": "message", "channel": "C1", "ts": "now"}}', "C1"),
        (b'{"type": "event_callback", "event": {"type": "file_shared"}}', ""),
        (b'{"type": "event_callback", "event": {"type": "file_shared", "channel_id": "C1"}}', "C1"),
        (b'{"type": "event_callback", "event": {"type": "file_change", "file": 5}}', ""),
        (b'{"type": "event_callback", "event": {"type": "file_change", "file_id": 5, "channel_id": "C1"}}', "C1"),
        (b'{"type": "event_callback", "event": {"type": "channel_rename", "channel": 5}}', ""),
        (b'{"type": "event_callback", "event": {"type": "message", "channel": [], "ts": {}}}', ""),
    ],
)
def test_an_event_that_does_not_tell_its_object_marks_its_channel(body: bytes, channel: str) -> None:
    assert receive(CONNECTION, signature(body, NOW), body, NOW).invalidations == look_around(channel)


@pytest.mark.parametrize("damaged", [{"thread_ts": 5}, {"files": "F1"}, {"subtype": {}}, {"previous_message": "x"}])
def test_an_event_that_tells_a_part_only_marks_its_channel_too(damaged: dict[str, Any]) -> None:
    received = receive_event({"type": "message", "channel": "C1", "ts": TS} | damaged)
    assert received.invalidations == (Invalidation("document", "C1", f"slack:acme/C1/{DAY}"), *look_around("C1"))


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "subtype": "bot_message", "ts": TS, "text": "pushed", "bot_id": "B1", "username": "github"},
        {"type": "message", "subtype": "channel_name", "ts": TS, "old_name": "random", "name": "watercooler"},
        {"type": "message", "subtype": "channel_convert_to_private", "ts": TS},
        {"type": "channel_history_changed", "latest": TS, "ts": TS, "event_ts": TS},
    ],
)
def test_documented_examples_that_name_no_channel_are_named_as_ignored(event: dict[str, Any]) -> None:
    received = receive_event(event)
    assert (received.invalidations, received.ignored) == ((), "it does not say which channel it is about")
