"""Slack's Events API: verified, and mapped to where to look again.

https://docs.slack.dev/apis/events-api · https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connectors.settings import Connection
from connectors.slack.client import Payload, number
from connectors.slack.payloads import dicts
from connectors.slack.render.messages import NOISE, moment
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, Invalidation, content_id, signed

OLDEST = 300
"""Seconds between a delivery's signature and its arrival, either way; Slack's own advice against replays."""

FILES = "files"
"""In place of a channel, in the id of a file of which an event does not tell the channel."""

_MEMBERSHIPS = Invalidation("memberships")

_OTHERS = """
app_deleted app_home_opened app_installed app_requested assistant_thread_context_changed assistant_thread_started
call_rejected dnd_updated dnd_updated_user email_domain_changed emoji_changed entity_details_requested
file_comment_added file_comment_deleted file_comment_edited function_executed grid_migration_finished
grid_migration_started group_close group_open im_close im_created im_history_changed im_open invite_requested
link_shared message_metadata_deleted message_metadata_posted message_metadata_updated pin_added pin_removed
reaction_added reaction_removed resources_added resources_removed scope_denied scope_granted
shared_channel_invite_approved shared_channel_invite_declined shared_channel_invite_received
shared_channel_invite_requested star_added star_removed team_rename url_verification user_connection
user_huddle_changed user_resource_denied user_resource_granted user_resource_removed user_status_changed
workflow_deleted workflow_published workflow_step_deleted workflow_step_execute workflow_unpublished
"""
_CUT_OFF = "the token no longer works, which the next sync says"
NOT_READ = {
    **dict.fromkeys(_OTHERS.split(), "nothing that is read changes"),
    "app_uninstalled": _CUT_OFF,
    "app_uninstalled_team": _CUT_OFF,
    "file_created": "a file is read once it is shared",
    "tokens_revoked": _CUT_OFF,
    "user_profile_changed": "user_change tells the same",
}
"""Documented events about nothing that Headrace reads, with the reason."""


class _NoChannelError(Exception):
    """An event about a channel does not say which, as some that are documented."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    """An event, of a connection; `authorized` are the users for whom the app was told, the app's own among them."""

    connection: str
    event: Payload
    authorized: frozenset[str]

    @property
    def channel(self) -> str:
        channel = self.event.get("channel")
        if not channel:
            raise _NoChannelError
        return str(channel["id"] if isinstance(channel, dict) else channel)

    def document(self, name: str, channel: str = "") -> Invalidation:
        """One document of a channel, by the rest of its id."""
        channel = channel or self.channel
        return Invalidation("document", channel, f"slack:{self.connection}/{channel}/{name}")


Invalidations: TypeAlias = tuple[Invalidation, ...]


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.webhooks.receive`."""
    _verify(connection, headers, body, now)
    envelope = _parsed(body)
    kind = str(envelope.get("type") or "")
    if kind == "url_verification":
        # Slack tries the address once, and wants to read this back.
        return Event(
            content_id(body), kind, ignored="Slack tries the address", answer={"challenge": envelope.get("challenge")}
        )
    if kind == "app_rate_limited":
        # Slack has left events out: whatever they told is looked for in all channels.
        return Event(content_id(body), kind, (Invalidation("unit"),))
    if kind != "event_callback":
        return Event(content_id(body), kind or "unknown", ignored=f"the delivery type {kind!r} is not known")
    return _event(connection, envelope, content_id(body))


def _verify(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> None:
    if not connection.webhook_secret or not connection.webhook_secret.get_secret_value():
        raise DeliveryRefused(f"{connection.id} has no `webhook_secret`")
    sent = headers.get("x-slack-request-timestamp", "")
    if len(sent) > 12 or not sent.isascii() or not sent.isdigit() or abs(now - int(sent)) > OLDEST:
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
        delivery = _Delivery(connection.id, event, _authorized(envelope))
        changes = tuple(dict.fromkeys(_EVENTS[kind](delivery)))
    except _NoChannelError:
        return Event(event_id, name, ignored="it does not say which channel it is about")
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise DeliveryUnreadable(f"{name}: the payload is not as documented: {error!r}") from error
    return Event(event_id, name, changes, ignored="" if changes else "nothing that is read changes")


def _authorized(envelope: Payload) -> frozenset[str]:
    return frozenset(str(one["user_id"]) for one in dicts(envelope.get("authorizations")) if one.get("user_id"))


def _message(delivery: _Delivery) -> Invalidations:
    """A message that came, changed or went, in `message` and `previous_message` where these are given.

    `message_replied`, which comes without its subtype, tells of the root in `message`.
    """
    event, subtype = delivery.event, str(delivery.event.get("subtype") or "")
    if event.get("channel_type") in ("im", "app_home"):
        return ()
    if subtype in _NOTICES or subtype in NOISE:
        return _NOTICES.get(subtype, _nothing)(delivery)
    told = [one for one in (event.get("message"), event.get("previous_message")) if isinstance(one, dict)]
    gone = event.get("deleted_ts")
    places = [place for one in told or ([] if gone else [event]) for place in _places(delivery, one)]
    if gone:
        places += _places(delivery, {"ts": gone})
        # Where the message itself is not told it may have been a reply, to whichever thread.
        places += [] if told else [Invalidation("unit", delivery.channel)]
    # What changes or goes may be a root, although the event need not say so.
    roots = [str(one["ts"]) for one in told or ([{"ts": gone}] if gone else []) if not one.get("thread_ts")]
    return (*places, *(delivery.document(f"threads/{root}") for root in roots))


def _places(delivery: _Delivery, message: Payload) -> Iterator[Invalidation]:
    """The thread and the day of a message, and its files. A root takes both: a first reply takes it out of its day,
    and the last one to go puts it back."""
    ts, root = str(message["ts"]), str(message.get("thread_ts") or message["ts"])
    number(ts)
    if root != ts or message.get("thread_ts") or message.get("reply_count"):
        yield delivery.document(f"threads/{root}")
    yield delivery.document(f"days/{moment(root).date()}")
    for file in message.get("files") or ():
        if isinstance(file, dict) and file.get("id"):
            yield delivery.document(f"files/{file['id']}")


def _file(delivery: _Delivery) -> Invalidations:
    """Where a file is shared is told when it is; when it changes, only files.info knows."""
    event = delivery.event
    file = str(event.get("file_id") or event["file"]["id"])
    channels = [event["channel_id"]] if event.get("channel_id") else event.get("channel_ids") or ()
    told = tuple(delivery.document(f"files/{file}", str(channel)) for channel in channels)
    return told or (Invalidation("document", "", f"slack:{delivery.connection}/{FILES}/{file}"),)


def _nothing(delivery: _Delivery) -> Invalidations:
    return ()


def _unit(delivery: _Delivery) -> Invalidations:
    return (Invalidation("unit", delivery.channel),)


def _channel(delivery: _Delivery) -> Invalidations:
    return (Invalidation("units", delivery.channel),)


def _shared_anew(delivery: _Delivery) -> Invalidations:
    return (Invalidation("units", delivery.channel), _MEMBERSHIPS)


def _other_id(delivery: _Delivery) -> Invalidations:
    return tuple(Invalidation("units", str(delivery.event[name])) for name in ("old_channel_id", "new_channel_id"))


def _all_units(delivery: _Delivery) -> Invalidations:
    return (Invalidation("units"), _MEMBERSHIPS)


def _member(delivery: _Delivery) -> Invalidations:
    """Where it is the app that came or left, there is a channel more or less."""
    own = str(delivery.event["user"]) in delivery.authorized or not delivery.authorized
    return (*((Invalidation("units", delivery.channel),) if own else ()), _MEMBERSHIPS)


def _people(delivery: _Delivery) -> Invalidations:
    """Names of people stand in texts that were read already; those keep the old name until they change."""
    return (_MEMBERSHIPS,)


Mapped: TypeAlias = Callable[[_Delivery], Invalidations]

_NOTICES: Mapping[str, Mapped] = {
    **dict.fromkeys(("channel_convert_to_private", "channel_convert_to_public"), _shared_anew),
    **dict.fromkeys(("channel_join", "channel_leave", "group_join", "group_leave"), _people),
    **dict.fromkeys(("channel_name", "group_name"), _channel),
}
"""Messages by which Slack tells the channel of itself, for apps that take no other events."""

_EVENTS: Mapping[str, Mapped] = {
    **dict.fromkeys(("message", "app_mention"), _message),
    **dict.fromkeys(("file_change", "file_deleted", "file_public", "file_shared", "file_unshared"), _file),
    **dict.fromkeys(("channel_history_changed", "group_history_changed"), _unit),
    **dict.fromkeys(("channel_shared", "channel_unshared"), _shared_anew),
    **dict.fromkeys(
        ("shared_channel_invite_accepted", "team_access_granted", "team_access_revoked", "team_domain_change"),
        _all_units,
    ),
    **dict.fromkeys(("member_joined_channel", "member_left_channel"), _member),
    **dict.fromkeys(
        (
            "subteam_created",
            "subteam_members_changed",
            "subteam_self_added",
            "subteam_self_removed",
            "subteam_updated",
            "team_join",
            "user_change",
        ),
        _people,
    ),
    "channel_id_changed": _other_id,
    **dict.fromkeys(
        (
            "channel_archive",
            "channel_created",
            "channel_deleted",
            "channel_left",
            "channel_rename",
            "channel_unarchive",
            "group_archive",
            "group_deleted",
            "group_left",
            "group_rename",
            "group_unarchive",
        ),
        _channel,
    ),
}
