"""Drive's push: channels that are opened and renewed, and notifications that prove themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connectors.contract import PushChannels
from connectors.drive.account import DriveConnector
from connectors.drive.push_channels import LIFETIME, channel_token, feed_of, new_channel_id
from connectors.drive.settings import DriveConnection
from connectors.registry import receive
from connectors.webhooks import DeliveryRefused, Invalidation
from tests.emulators.drive import BASE_URL, TOKEN, GoogleDrive, transport

SECRET = "secret"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
CONNECTION = DriveConnection(
    id="acme",
    source="drive",
    token=SecretStr(TOKEN),
    base_url=BASE_URL,
    webhook_secret=SecretStr(SECRET),
    webhook_url="https://headrace.test/webhooks/acme",
)


def notification(feed: str = "user", state: str = "change", number: str = "7", **headers: str) -> dict[str, str]:
    channel = new_channel_id(feed)
    return {
        "x-goog-channel-id": channel,
        "x-goog-channel-token": channel_token(SECRET, channel),
        "x-goog-resource-state": state,
        "x-goog-message-number": number,
    } | headers


@pytest.mark.parametrize(
    ("feed", "changes"),
    [("user", (Invalidation("units"), Invalidation("unit"))), ("0ADrive", (Invalidation("unit", "0ADrive"),))],
)
@pytest.mark.parametrize("state", ["add", "change", "remove", "trash", "untrash", "update"])
def test_a_notification_says_in_which_units_to_look(feed: str, changes: tuple[Invalidation, ...], state: str) -> None:
    headers = notification(feed, state)
    event = receive(CONNECTION, headers, b"", 0.0)
    assert event.invalidations == changes
    assert event.id == f"{headers['x-goog-channel-id']} 7"


def test_the_opening_of_a_channel_says_nothing() -> None:
    event = receive(CONNECTION, notification(state="sync"), b"", 0.0)
    assert (event.invalidations, event.kind, bool(event.ignored)) == ((), "sync", True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        notification(**{"x-goog-channel-token": "guess"}),
        notification() | {"x-goog-channel-id": new_channel_id("user")},
    ],
)
def test_a_token_of_another_channel_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(DeliveryRefused):
        receive(CONNECTION, headers, b"", 0.0)


def test_without_a_secret_everything_is_refused() -> None:
    with pytest.raises(DeliveryRefused, match="webhook_secret"):
        receive(CONNECTION.model_copy(update={"webhook_secret": None}), notification(), b"", 0.0)


@pytest.mark.parametrize(
    "change", [{"x-goog-resource-state": ""}, {"x-goog-resource-state": "new"}, {"x-goog-message-number": "soon"}]
)
def test_what_cannot_be_read_of_a_notification_says_that_something_changed(change: dict[str, str]) -> None:
    event, later = (receive(CONNECTION, notification("0ADrive", **change), b"", now) for now in (1.0, 2.0))
    assert event.invalidations == later.invalidations == (Invalidation("unit", "0ADrive"),)
    assert event.id != later.id


def test_a_channel_of_another_form_stands_for_everything() -> None:
    headers = notification() | {"x-goog-channel-id": "older", "x-goog-channel-token": channel_token(SECRET, "older")}
    assert receive(CONNECTION, headers, b"", 0.0).invalidations == (Invalidation("units"), Invalidation("unit"))


def test_a_channel_tells_its_feed() -> None:
    assert feed_of(new_channel_id("0ADrive")) == "0ADrive"
    assert feed_of("somebody-elses") is None
    assert len(new_channel_id("0" * 33)) <= 64
    assert new_channel_id("user") != new_channel_id("user")


def test_channels_are_opened_kept_renewed_and_stopped(drive: GoogleDrive) -> None:
    drive.shared_drive("Shared", drive="0ADrive")
    connector = DriveConnector(CONNECTION, transport(drive))
    assert isinstance(connector, PushChannels)
    kept = connector.renew_channels({}, NOW)
    assert set(kept) == {"user", "0ADrive"}
    opened = [*drive.channels.open.values()]
    assert [one["driveId"] for one in opened] == [None, "0ADrive"]
    assert {one["address"] for one in opened} == {"https://headrace.test/webhooks/acme"}
    assert connector.renew_channels(kept, NOW + timedelta(days=1)) == kept
    later = connector.renew_channels(kept, NOW + LIFETIME)
    assert not {one["id"] for one in later.values()} & {one["id"] for one in kept.values()}
    assert set(drive.channels.open) == {one["id"] for one in later.values()}, "the others are stopped"
    connector.close()


def test_nothing_is_watched_without_an_address(drive: GoogleDrive) -> None:
    connector = DriveConnector(CONNECTION.model_copy(update={"webhook_url": None}), transport(drive))
    assert (connector.renew_channels({}, NOW), drive.channels.open, drive.asked_for) == ({}, {}, [])
    connector.close()


def test_a_drive_that_cannot_be_watched_is_left_to_syncs(drive: GoogleDrive) -> None:
    drive.has_feed = False
    connector = DriveConnector(CONNECTION, transport(drive))
    assert connector.renew_channels({}, NOW) == {}
    connector.close()
