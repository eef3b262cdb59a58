"""Slack's Events API: verified, and mapped to where to look again.

https://docs.slack.dev/apis/events-api · https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import ValidationError

from connectors.contract import in_any_unit
from connectors.settings import Connection
from connectors.slack.payloads import EventEnvelope, MessagePlace, SlackEvent
from connectors.slack.render.messages import NOISE
from connectors.slack.timestamps import day_of, ts_key
from connectors.webhooks import (
    DeliveryRefused,
    DeliveryUnreadable,
    Event,
    Invalidation,
    content_id,
    look_around,
    parse_object,
    verify_signature,
)

OLDEST = 300
"""Seconds between a delivery's signature and its arrival, either way; Slack's own advice against replays."""

_MEMBERSHIPS = Invalidation("memberships")
_TAKES_AWAY = ("file_deleted", "file_unshared")

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
class _SlackDelivery:
    """An event of a connection; `authorized` are the users on whose behalf the app receives it, its own among them."""

    connection: str
    event: SlackEvent
    authorized: frozenset[str]

    @property
    def channel(self) -> str:
        if not self.event.channel:
            raise _NoChannelError
        return self.event.channel

    def document(self, name: str, channel: str = "") -> Invalidation:
        """One document of a channel, by the rest of its id."""
        channel = channel or self.channel
        return Invalidation("document", channel, f"slack:{self.connection}/{channel}/{name}")

    def thread(self, ts: str) -> Invalidation:
        return self.document(f"threads/{ts}")


Invalidations: TypeAlias = tuple[Invalidation, ...]


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.registry.receive`."""
    _verify(connection, headers, body, now)
    try:
        envelope = EventEnvelope.model_validate(parse_object(body))
    except ValidationError as error:
        raise DeliveryUnreadable(f"the delivery is not as documented: {error!r}") from error
    kind, body_id = envelope.type, content_id(body)
    if kind == "url_verification":
        # Slack tries the address once, and wants to read this back.
        return Event(body_id, kind, ignored="Slack tries the address", answer={"challenge": envelope.challenge})
    if kind == "app_rate_limited":
        # Slack has left events out: what they were about is looked for in all channels.
        return Event(body_id, kind, (Invalidation("unit"),))
    if kind != "event_callback":
        return Event(body_id, kind or "unknown", ignored=f"the delivery type {kind!r} is not known")
    return _parse_event(connection, envelope, envelope.event_id or body_id)


def _verify(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> None:
    sent = headers.get("x-slack-request-timestamp", "")
    message = b"v0:" + sent.encode(errors="replace") + b":" + body
    verify_signature(connection, message, headers.get("x-slack-signature", ""), scheme="v0=")
    if len(sent) > 12 or not sent.isascii() or not sent.isdigit() or abs(now - int(sent)) > OLDEST:
        raise DeliveryRefused("X-Slack-Request-Timestamp is missing, or not of these minutes")


def _parse_event(connection: Connection, envelope: EventEnvelope, event_id: str) -> Event:
    event = envelope.event
    if not event:
        return Event(event_id, "event_callback", look_around())
    name = f"{event.type}.{event.subtype}" if event.subtype else event.type
    if event.type not in _EVENTS:
        return Event(event_id, name, ignored=NOT_READ.get(event.type, f"the event {event.type!r} is not known"))
    authorized = frozenset(one.user_id for one in envelope.authorizations if one.user_id)
    try:
        invalidations = _invalidations(_SlackDelivery(connection.id, event, authorized))
    except _NoChannelError:
        return Event(event_id, name, ignored="it does not say which channel it is about")
    ignored = "" if invalidations else "nothing that is read changes"
    found = Event(event_id, name, tuple(dict.fromkeys(invalidations)), ignored)
    return found.withdrawing() if event.deleted_ts or event.type in _TAKES_AWAY else found


def _invalidations(delivery: _SlackDelivery) -> Invalidations:
    """Where to look: around what it is about as well, where something of an event cannot be read."""
    event = delivery.event
    around = look_around(event.channel or event.channel_id)
    try:
        found = _EVENTS[event.type](delivery)
    except _NoChannelError:
        if not event.is_damaged:
            raise
        return around
    except (ValueError, OverflowError):  # it is Slack's, and does not tell what it is about
        return around
    return (*found, *around) if found and event.is_damaged else found


def _message(delivery: _SlackDelivery) -> Invalidations:
    """A message that came, changed or went, or one by which Slack tells the channel of itself."""
    event = delivery.event
    if event.channel_type in ("im", "app_home"):
        return ()
    if event.subtype in _NOTICES:
        return _NOTICES[event.subtype](delivery)
    if event.subtype in NOISE:
        return ()
    # `message_replied`, which comes without its subtype, tells of the root in `message`.
    versions = [version for version in (event.message, event.previous_message) if version]
    if event.deleted_ts:
        return _deleted_message(delivery, event.deleted_ts, versions)
    if versions:
        return _changed_message(delivery, versions)
    return tuple(_places(delivery, event))


def _changed_message(delivery: _SlackDelivery, versions: Sequence[MessagePlace]) -> Invalidations:
    """The places of a message as it is and as it was."""
    places = [place for version in versions for place in _places(delivery, version)]
    # What changes or goes may be a root, although the event need not say so.
    return (*places, *(delivery.thread(version.ts) for version in versions if not version.thread_ts))


def _deleted_message(delivery: _SlackDelivery, ts: str, versions: Sequence[MessagePlace]) -> Invalidations:
    own_day = tuple(_places(delivery, MessagePlace(ts=ts)))
    if versions:
        return (*own_day, *_changed_message(delivery, versions))
    # Without the message itself, it may have been a reply to any thread of the channel.
    return (*own_day, Invalidation("unit", delivery.channel), delivery.thread(ts))


def _places(delivery: _SlackDelivery, message: MessagePlace) -> Iterator[Invalidation]:
    """The thread and the day of a message, and its files. A root takes both: a first reply takes it out of its day,
    and the last one to go puts it back. Raises ValueError for a time that is none."""
    ts_key(message.ts)
    root = message.thread_ts or message.ts
    if message.thread_ts or message.reply_count:
        yield delivery.thread(root)
    yield delivery.document(f"days/{day_of(root)}")
    yield from (delivery.document(f"files/{file.id}") for file in message.files if file.id)


def _file(delivery: _SlackDelivery) -> Invalidations:
    """An event says where a file is shared as it happens; when the file changes or goes, it need not.

    https://docs.slack.dev/reference/events/file_deleted · https://docs.slack.dev/reference/events/file_unshared
    """
    event = delivery.event
    file, is_deleted = _required(event.file_id or event.file, "file_id"), event.type == "file_deleted"
    channels = [event.channel_id] if event.channel_id else event.channel_ids
    if not channels or is_deleted:  # in each channel, whichever of them it names
        anywhere = in_any_unit("slack", delivery.connection, f"files/{file}")
        return (Invalidation("document", "", anywhere, deleted=is_deleted),)
    return tuple(delivery.document(f"files/{file}", channel) for channel in channels)


def _unit(delivery: _SlackDelivery) -> Invalidations:
    return (Invalidation("unit", delivery.channel),)


def _channel(delivery: _SlackDelivery) -> Invalidations:
    return (Invalidation("units", delivery.channel),)


def _channel_deleted(delivery: _SlackDelivery) -> Invalidations:
    return (Invalidation("units", delivery.channel, unit_deleted=True),)


def _changed_visibility(delivery: _SlackDelivery) -> Invalidations:
    return (Invalidation("units", delivery.channel), _MEMBERSHIPS)


def _new_channel_id(delivery: _SlackDelivery) -> Invalidations:
    event = delivery.event
    ids = (_required(event.old_channel_id, "old_channel_id"), _required(event.new_channel_id, "new_channel_id"))
    return tuple(Invalidation("units", channel) for channel in ids)


def _all_units(delivery: _SlackDelivery) -> Invalidations:
    return (Invalidation("units"), _MEMBERSHIPS)


def _member(delivery: _SlackDelivery) -> Invalidations:
    """Where it is the app that came or left, there is a channel more or less."""
    is_app = _required(delivery.event.user, "user") in delivery.authorized or not delivery.authorized
    return (*((Invalidation("units", delivery.channel),) if is_app else ()), _MEMBERSHIPS)


def _people(delivery: _SlackDelivery) -> Invalidations:
    """Names of people are part of texts that were read already; those keep the old name until they change."""
    return (_MEMBERSHIPS,)


def _required(value: str, name: str) -> str:
    if not value:
        raise ValueError(f"`{name}` is missing")
    return value


InvalidationRule: TypeAlias = Callable[[_SlackDelivery], Invalidations]

_NOTICES: Mapping[str, InvalidationRule] = {
    **dict.fromkeys(("channel_convert_to_private", "channel_convert_to_public"), _changed_visibility),
    **dict.fromkeys(("channel_join", "channel_leave", "group_join", "group_leave"), _people),
    **dict.fromkeys(("channel_name", "group_name"), _channel),
}
"""Messages by which Slack tells the channel of itself, for apps that take no other events."""

_EVENTS: Mapping[str, InvalidationRule] = {
    **dict.fromkeys(("message", "app_mention"), _message),
    **dict.fromkeys(("file_change", "file_deleted", "file_public", "file_shared", "file_unshared"), _file),
    **dict.fromkeys(("channel_history_changed", "group_history_changed"), _unit),
    **dict.fromkeys(("channel_shared", "channel_unshared"), _changed_visibility),
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
    "channel_id_changed": _new_channel_id,
    **dict.fromkeys(("channel_deleted", "group_deleted"), _channel_deleted),
    **dict.fromkeys(
        (
            "channel_archive",
            "channel_created",
            "channel_left",
            "channel_rename",
            "channel_unarchive",
            "group_archive",
            "group_left",
            "group_rename",
            "group_unarchive",
        ),
        _channel,
    ),
}
