"""Settings of a connection of Notion."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.settings import Connection


class NotionConnection(Connection):
    source: Literal["notion"]
    base_url: str = "https://api.notion.com"
    files_url: str | None = Field(
        default=None, pattern=r"^https?://", description="Where files are stored; follows from `base_url`"
    )
    readers: tuple[str, ...] = Field(
        default=("workspace",),
        description="Who may read the connection's pages, because Notion's API does not tell: 'workspace', "
        "'public' or e-mail addresses",
    )
    block_comments: bool = Field(
        default=False,
        description="Whether comments on single blocks are read beside those on pages: a request for every block",
    )
