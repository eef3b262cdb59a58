"""The settings of a Slack connection."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.settings import Connection


class SlackConnection(Connection):
    source: Literal["slack"]
    base_url: str = "https://slack.com/api"
    files_url: str | None = Field(
        default=None, pattern=r"^https?://", description="Where files are stored; follows from `base_url`"
    )
    bots: bool = Field(default=True, description="Whether messages of bots are read")
