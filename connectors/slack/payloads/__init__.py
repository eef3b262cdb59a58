"""What Slack answers, as far as it is read here.

https://docs.slack.dev/reference/objects · https://docs.slack.dev/reference/methods

Objects are read one by one, and field by field: one that is not as documented costs no other. Only the envelope of a
page has to be right, since a page that cannot be read is not an empty one.
"""

from connectors.slack.payloads.blocks import BlockNode, BlockValue, parse_blocks
from connectors.slack.payloads.events import EventEnvelope, SlackEvent
from connectors.slack.payloads.messages import (
    AttachmentField,
    Authored,
    FileShare,
    HuddleRoom,
    MessagePlace,
    SlackAttachment,
    SlackFile,
    SlackListItem,
    SlackMessage,
    is_root_fingerprint,
)
from connectors.slack.payloads.responses import (
    BotAnswer,
    ChannelAnswer,
    ChannelsAnswer,
    FileAnswer,
    FilesAnswer,
    ListItemsAnswer,
    MembersAnswer,
    MessagesAnswer,
    SlackAnswer,
    SlackRefusal,
    TeamsAnswer,
    UserAnswer,
    UsergroupsAnswer,
    UsersAnswer,
)
from connectors.slack.payloads.users import SlackBot, SlackChannel, SlackIdentity, SlackTeam, SlackUser, SlackUsergroup

__all__ = [
    "AttachmentField",
    "Authored",
    "BlockNode",
    "BlockValue",
    "BotAnswer",
    "ChannelAnswer",
    "ChannelsAnswer",
    "EventEnvelope",
    "FileAnswer",
    "FileShare",
    "FilesAnswer",
    "HuddleRoom",
    "ListItemsAnswer",
    "MembersAnswer",
    "MessagePlace",
    "MessagesAnswer",
    "SlackAnswer",
    "SlackAttachment",
    "SlackBot",
    "SlackChannel",
    "SlackEvent",
    "SlackFile",
    "SlackIdentity",
    "SlackListItem",
    "SlackMessage",
    "SlackRefusal",
    "SlackTeam",
    "SlackUser",
    "SlackUsergroup",
    "TeamsAnswer",
    "UserAnswer",
    "UsergroupsAnswer",
    "UsersAnswer",
    "is_root_fingerprint",
    "parse_blocks",
]
