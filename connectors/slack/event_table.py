"""Which events an app subscribes to, and which scopes Slack wants for each.

`manifest.yaml` beside this is an app with these events and with the scopes of the table of parts. Some events are sent
for channels of the types whose scope the app has: any of theirs is enough.

https://docs.slack.dev/reference/events
"""

from __future__ import annotations

from collections.abc import Mapping

_CHANNELS = ("channels:read", "groups:read")

SUBSCRIPTIONS: Mapping[str, tuple[str, ...]] = {
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.mpim": ("mpim:history",),
    "channel_archive": ("channels:read",),
    "channel_created": ("channels:read",),
    "channel_deleted": ("channels:read",),
    "channel_history_changed": ("channels:history", "groups:history", "mpim:history"),
    "channel_id_changed": (*_CHANNELS, "mpim:read"),
    "channel_left": ("channels:read",),
    "channel_rename": ("channels:read",),
    "channel_shared": _CHANNELS,
    "channel_unarchive": ("channels:read",),
    "channel_unshared": _CHANNELS,
    "file_change": ("files:read",),
    "file_deleted": ("files:read",),
    "file_public": ("files:read",),
    "file_shared": ("files:read",),
    "file_unshared": ("files:read",),
    "group_archive": ("groups:read",),
    "group_deleted": ("groups:read",),
    "group_history_changed": ("groups:history",),
    "group_left": ("groups:read",),
    "group_rename": ("groups:read",),
    "group_unarchive": ("groups:read",),
    "member_joined_channel": _CHANNELS,
    "member_left_channel": _CHANNELS,
    "subteam_created": ("usergroups:read",),
    "subteam_members_changed": ("usergroups:read",),
    "subteam_self_added": ("usergroups:read",),
    "subteam_self_removed": ("usergroups:read",),
    "subteam_updated": ("usergroups:read",),
    "team_join": ("users:read",),
    "user_change": ("users:read",),
}
"""By the name under which an event is subscribed to: messages have one for each type of channel."""

TAKEN_ALL_THE_SAME: Mapping[str, str] = {
    "app_mention": "message.channels and its siblings tell the same",
    "shared_channel_invite_accepted": "wants conversations.connect:manage; channel_shared follows it",
    "team_access_granted": "sent to apps of a whole organisation only",
    "team_access_revoked": "sent to apps of a whole organisation only",
    "team_domain_change": "wants team:read; the next sync sees the new address",
}
"""Events that are read where an app has them, and that the manifest leaves out, with the reason."""

LISTS_SCOPE = "lists:read"
"""For rows of a List that Slack does not write out as a file."""
