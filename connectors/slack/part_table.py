"""What a sync asks Slack for, and which scope each part needs. https://docs.slack.dev/reference/scopes"""

from __future__ import annotations

from connectors.source_parts import Part

PUBLIC_CHANNELS = Part(
    "public channels", "channels:read", "public channels are not found", "conversations.list (public_channel)"
)
PRIVATE_CHANNELS = Part(
    "private channels", "groups:read", "private channels are not found", "conversations.list (private_channel)"
)
GROUP_MESSAGES = Part("group messages", "mpim:read", "group direct messages are not found", "conversations.list (mpim)")
HISTORY = Part(
    "history",
    "channels:history, groups:history, mpim:history",
    "what is said in channels is not found",
    "conversations.history",
)
REPLIES = Part(
    "replies", "channels:history, groups:history, mpim:history", "threads are not found", "conversations.replies"
)
FILES = Part("files", "files:read", "files are not found", "files.list, files.info, a download")
MEMBERS = Part("members", "groups:read, mpim:read", "nobody sees what is in private channels", "conversations.members")
PEOPLE = Part(
    "people",
    "users:read, users:read.email",
    "people keep their ids in place of their names, and nobody can be recognised",
    "users.list",
)
USER_GROUPS = Part(
    "user groups", "usergroups:read", "user groups keep their ids in place of their names", "usergroups.list"
)
BOTS = Part("bots", "users:read", "integrations keep their ids in place of their names", "bots.info")

CHANNEL_KINDS = {"public_channel": PUBLIC_CHANNELS, "private_channel": PRIVATE_CHANNELS, "mpim": GROUP_MESSAGES}
"""Parts by Slack's types of channels. Each is asked for by itself, since each needs a scope of its own. Group direct
messages are among them only where the app was invited."""
PARTS = (*CHANNEL_KINDS.values(), HISTORY, REPLIES, FILES, MEMBERS, PEOPLE, USER_GROUPS, BOTS)
BY_NAME = {part.name: part for part in PARTS}
