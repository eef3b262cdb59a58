"""Slack's Events API: verified, and mapped to where to look again.

https://docs.slack.dev/apis/events-api · https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

from connectors.connection import Connection
from connectors.events import Change, DeliveryRefused, DeliveryUnreadable, Event, content_id, signed
from connectors.slack.client import Payload, number
from connectors.slack.render import moment

OLDEST = 300
"""Seconds between a delivery's signature and its arrival, either way; Slack's own advice against replays."""

Changes: TypeAlias = tuple[Change, ...]

_CONVERTED = "channel_convert_to_"
"""Subtypes of the messages with which Slack tells that a channel became private or public."""

_UNITS = Change("units")
_MEMBERSHIPS = Change("memberships")

_OTHERS = """
app_deleted app_home_opened app_installed app_mention app_requested app_uninstalled app_uninstalled_team
assistant_thread_context_changed assistant_thread_started call_rejected channel_history_changed channel_id_changed
dnd_updated dnd_updated_user email_domain_changed emoji_changed entity_details_requested file_comment_added
file_comment_deleted file_comment_edited function_executed grid_migration_finished grid_migration_started
group_close group_history_changed group_open im_close im_created im_history_changed im_open
invite_requested link_shared message_metadata_deleted message_metadata_posted message_metadata_updated pin_added
pin_removed reaction_added reaction_removed resources_added resources_removed scope_denied scope_granted
shared_channel_invite_accepted shared_channel_invite_approved shared_channel_invite_declined
shared_channel_invite_received shared_channel_invite_requested star_added star_removed subteam_self_added
subteam_self_removed team_access_granted team_access_revoked team_domain_change team_rename tokens_revoked
url_verification user_connection user_huddle_changed user_resource_denied user_resource_granted
user_resource_removed user_status_changed workflow_deleted workflow_published workflow_step_deleted
workflow_step_execute workflow_unpublished
"""
NOT_READ = dict.fromkeys(_OTHERS.split(), "nothing that is read changes")
"""Documented events about nothing that Headrace reads."""


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.events.receive`."""
    _verify(connection, headers, body, now)
    envelope = _parsed(body)
    kind = str(envelope.get("type") or "")
    if kind == "url_verification":
        # Slack tries the address once, and wants to read this back.
        return Event(
            content_id(body), kind, ignored="Slack tries the address", answer={"challenge": envelope.get("challenge")}
        )
    if kind == "app_rate_limited":
        return Event(content_id(body), kind, ignored="Slack holds events back; the next sync finds what they told")
    if kind != "event_callback":
        return Event(content_id(body), kind or "unknown", ignored=f"the delivery type {kind!r} is not known")
    return _event(connection, envelope, content_id(body))


def _verify(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> None:
    if not connection.webhook_secret or not connection.webhook_secret.get_secret_value():
        raise DeliveryRefused(f"{connection.id} has no `webhook_secret`")
    sent = headers.get("x-slack-request-timestamp", "")
    if not sent.isascii() or not sent.isdigit() or abs(now - int(sent)) > OLDEST:
        raise DeliveryRefused("X-Slack-Request-Timestamp is missing, or not of these minutes")
    version, _, signature = headers.get("x-slack-signature", "").partition("=")
    message = b"v0:" + sent.encode() + b":" + body
    if version != "v0" or not signed(connection.webhook_secret.get_secret_value(), message, signature):
        raise DeliveryRefused("the signature does not fit the body")


def _parsed(body: bytes) -> Payload:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DeliveryUnreadable(f"not JSON: {type(error).__name__}") from error
    if not isinstance(envelope, dict):
        raise DeliveryUnreadable("not a JSON object")
    return envelope


def _event(connection: Connection, envelope: Payload, body_id: str) -> Event:
    event_id = str(envelope.get("event_id") or body_id)
    event = envelope.get("event")
    if not isinstance(event, dict):
        raise DeliveryUnreadable("event_callback without an event")
    kind = str(event.get("type") or "unknown")
    name = f"{kind}.{event['subtype']}" if event.get("subtype") else kind
    if kind not in _EVENTS:
        return Event(event_id, name, ignored=NOT_READ.get(kind, f"the event {kind!r} is not known"))
    try:
        changes = tuple(dict.fromkeys(_EVENTS[kind](connection.id, event)))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise DeliveryUnreadable(f"{name}: the payload is not as documented: {error!r}") from error
    return Event(event_id, name, changes, ignored="" if changes else "nothing that is read changes")


def _message(connection: str, event: Payload) -> Changes:
    """A message that came, changed or went: its thread and its day, for a root belongs to one of the two.

    `message_replied` tells of the root, which lies in `message`.
    """
    if str(event.get("channel_type")) == "im":
        return ()
    versions = [event.get("message"), event.get("previous_message")]
    told = [one for one in versions if isinstance(one, dict)] or ([] if event.get("deleted_ts") else [event])
    channel = str(event["channel"])
    if str(event.get("subtype")).startswith(_CONVERTED):
        return (Change("units", channel),)
    places = [place for one in told for place in _places(connection, channel, one)]
    if deleted := event.get("deleted_ts"):
        places += _places(connection, channel, {"ts": str(deleted)})
    return tuple(places)


def _places(connection: str, channel: str, message: Payload) -> list[Change]:
    ts = str(message["ts"])
    number(ts)
    root = str(message.get("thread_ts") or ts)
    alone = root == ts and not message.get("thread_ts") and not message.get("reply_count")
    threads = [] if alone else [_document(connection, channel, f"threads/{root}")]
    files = [file for file in message.get("files") or () if isinstance(file, dict) and file.get("id")]
    # A first reply takes the root out of its day, and the last one to go puts it back.
    days = dict.fromkeys((moment(ts).date(), moment(root).date()))
    names = [*(f"days/{day}" for day in days), *(f"files/{file['id']}" for file in files)]
    return [*threads, *(_document(connection, channel, name) for name in names)]


def _file(connection: str, event: Payload) -> Changes:
    file = str(event.get("file_id") or event["file"]["id"])
    if channel := event.get("channel_id") or next(iter(event.get("channel_ids") or ()), None):
        return (_document(connection, str(channel), f"files/{file}"),)
    # Events on the messages that share a file name the channel too; what those do not tell, a reconcile finds.
    return ()


def _document(connection: str, channel: str, name: str) -> Change:
    return Change("document", channel, f"slack:{connection}/{channel}/{name}")


def _channel(connection: str, event: Payload) -> Changes:
    channel = event["channel"]
    return (Change("units", str(channel["id"] if isinstance(channel, dict) else channel)),)


def _member(connection: str, event: Payload) -> Changes:
    return (_MEMBERSHIPS,)


def _person(connection: str, event: Payload) -> Changes:
    """Names of people stand in texts that were read already; those keep the old name until they change."""
    return (_MEMBERSHIPS,)


def _joined(connection: str, event: Payload) -> Changes:
    """The app itself may have been invited: then there is a channel more."""
    return (_UNITS, _MEMBERSHIPS)


_EVENTS: Mapping[str, Callable[[str, Payload], Changes]] = {
    "message": _message,
    **dict.fromkeys(
        ("file_change", "file_created", "file_deleted", "file_public", "file_shared", "file_unshared"), _file
    ),
    **dict.fromkeys(
        (
            "channel_archive",
            "channel_created",
            "channel_deleted",
            "channel_left",
            "channel_rename",
            "channel_shared",
            "channel_unarchive",
            "channel_unshared",
            "group_archive",
            "group_deleted",
            "group_left",
            "group_rename",
            "group_unarchive",
        ),
        _channel,
    ),
    "member_joined_channel": _joined,
    "member_left_channel": _member,
    **dict.fromkeys(("subteam_created", "subteam_members_changed", "subteam_updated"), _member),
    **dict.fromkeys(("team_join", "user_change", "user_profile_changed"), _person),
}
