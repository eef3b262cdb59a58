"""Users, and the comments that they write."""

from __future__ import annotations

from connectors.notion.payloads.fields import OneOrMore, ParentRef
from connectors.notion.payloads.rich_text import RichText
from connectors.payloads import LenientPayload


class _Person(LenientPayload):
    email: str = ""


class _Bot(LenientPayload):
    workspace_name: str = ""


class NotionUser(LenientPayload):
    """https://developers.notion.com/reference/user; a group among people has a name too."""

    id: str = ""
    type: str = ""
    name: str = ""
    person: _Person = _Person()
    bot: _Bot = _Bot()


class _DisplayName(LenientPayload):
    resolved_name: str = ""


class _CommentAttachment(LenientPayload):
    category: str = ""


class NotionComment(LenientPayload):
    """https://developers.notion.com/reference/comment-object"""

    parent: ParentRef = None
    discussion_id: str = ""
    rich_text: RichText = ()
    attachments: OneOrMore[_CommentAttachment] = ()
    created_time: str = ""
    created_by: NotionUser = NotionUser()
    display_name: _DisplayName = _DisplayName()
