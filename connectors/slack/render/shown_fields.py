"""What of each block and element people see, in the order in which they read it. https://docs.slack.dev/reference/block-kit

The API gives more than is shown: ids, sizes of images, whole file objects, words for layout. Of kinds that are not
known here every text is taken for shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.slack.payloads import BlockNode, BlockValue

_INPUT = ("placeholder", "initial_value")
_MENU = ("placeholder", "initial_option", "initial_options")
_LIST = ("placeholder", "options", "option_groups")

SHOWN_FIELDS: dict[str, tuple[str, ...]] = {
    "actions": ("elements",),
    "alert": ("text",),
    "button": ("text",),
    "card": ("title", "subtitle", "body", "subtext", "hero_image", "actions"),
    "carousel": ("elements",),
    "channels_select": ("placeholder", "initial_channel"),
    "checkboxes": ("options",),
    "container": ("title", "rich_text_title", "subtitle", "child_blocks"),
    "context": ("elements",),
    "context_actions": ("elements",),
    "conversations_select": ("placeholder", "initial_conversation"),
    "datepicker": ("placeholder", "initial_date"),
    "datetimepicker": ("placeholder", "initial_date_time"),
    "divider": (),
    "email_text_input": _INPUT,
    "external_select": _MENU,
    "feedback_buttons": ("positive_button", "negative_button"),
    "file": ("file",),
    "file_input": (),
    "icon": (),
    "icon_button": ("text",),
    "image": ("title", "alt_text"),
    "input": ("label", "element", "hint"),
    "markdown": ("text",),
    "multi_channels_select": ("placeholder", "initial_channels"),
    "multi_conversations_select": ("placeholder", "initial_conversations"),
    "multi_external_select": _MENU,
    "multi_static_select": _LIST,
    "multi_users_select": ("placeholder", "initial_users"),
    "number_input": _INPUT,
    "option": ("text", "description"),
    "option_group": ("label", "options"),
    "overflow": ("options",),
    "plain_text_input": _INPUT,
    "plan": ("title", "tasks"),
    "radio_buttons": ("options",),
    "rich_text_input": _INPUT,
    "section": ("text", "fields", "accessory"),
    "share_shortcut": ("title", "description", "button_label"),
    "static_select": _LIST,
    "task_card": ("title", "details", "output", "sources"),
    "timepicker": ("placeholder", "initial_time"),
    "url_text_input": _INPUT,
    "users_select": ("placeholder", "initial_user"),
    "video": ("title", "description", "author_name", "provider_name", "alt_text"),
    "workflow_button": ("text",),
}

KIND_IN_FIELD = {
    "initial_option": "option",
    "initial_options": "option",
    "negative_button": "button",
    "option_groups": "option_group",
    "options": "option",
    "positive_button": "button",
    "tasks": "task_card",
}
"""What the objects of a field are that do not say so themselves."""

USER_FIELDS = frozenset({"initial_user", "initial_users"})
CHANNEL_FIELDS = frozenset({"initial_channel", "initial_channels"})
CONVERSATION_FIELDS = frozenset({"initial_conversation", "initial_conversations"})
"""Fields that hold ids, which people see as names; a conversation is a channel, or somebody."""

_TEXT_FIELDS = (
    "title",
    "text",
    "label",
    "alt_text",
    "description",
    "details",
    "fields",
    "elements",
    "rows",
    "accessory",
)
"""Where blocks carry text, in reading order."""
_HIDDEN = frozenset(
    {
        "channels",
        "color",
        "confirm",
        "fallback",
        "filter",
        "icon",
        "range",
        "slack_file",
        "source",
        "status",
        "style",
        "type",
        "value",
    }
)
_HIDDEN_ENDS = ("id", "_ids", "url", "value", "_urls", "_participants", "_ts", "_type", "_style", "_color")


def shown_fields(block: BlockNode, kind: str) -> Iterator[str]:
    """Names of the fields of a block that people see; of an unknown kind, of all that can hold their words."""
    if kind in SHOWN_FIELDS:
        yield from SHOWN_FIELDS[kind]
        return
    yield from _TEXT_FIELDS
    yield from (name for name in block if name not in _TEXT_FIELDS and not _is_hidden(name, block.value(name)))


def _is_hidden(name: str, value: BlockValue) -> bool:
    is_address = isinstance(value, str) and value.startswith(("https://", "http://"))
    return is_address or name in _HIDDEN or name.endswith(_HIDDEN_ENDS)
