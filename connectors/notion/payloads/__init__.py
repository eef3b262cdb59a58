"""What Notion's API answers, as far as it is read here.

https://developers.notion.com/reference/intro · versions 2025-09-03 and 2022-06-28
"""

from __future__ import annotations

from connectors.notion.payloads.blocks import BlockContent, FileLink, NotionBlock
from connectors.notion.payloads.deliveries import EventData, NotionDelivery, NotionHandshake
from connectors.notion.payloads.objects import (
    DatabaseColumn,
    NotionDatabase,
    NotionPage,
    database_of,
    page_of,
    parse_object,
    url_of,
)
from connectors.notion.payloads.properties import DateSpan, PropertyValue, SelectOption
from connectors.notion.payloads.responses import NotionError, NotionList
from connectors.notion.payloads.rich_text import RichTextRun, plain
from connectors.notion.payloads.users import NotionComment, NotionUser

__all__ = [
    "BlockContent",
    "DatabaseColumn",
    "DateSpan",
    "EventData",
    "FileLink",
    "NotionBlock",
    "NotionComment",
    "NotionDatabase",
    "NotionDelivery",
    "NotionError",
    "NotionHandshake",
    "NotionList",
    "NotionPage",
    "NotionUser",
    "PropertyValue",
    "RichTextRun",
    "SelectOption",
    "database_of",
    "page_of",
    "parse_object",
    "plain",
    "url_of",
]
