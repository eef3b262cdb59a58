"""The settings of a Slack connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from connectors.settings import Connection
from connectors.web_urls import WebUrl

_NEEDED = "the bot token of the app is needed (xoxb-…, under OAuth & Permissions)"


class SlackConnection(Connection):
    token_prefixes: ClassVar[tuple[str, ...]] = ("xox", "xapp-")
    unfit_tokens: ClassVar[Mapping[str, str]] = {
        "xapp-": f"is an app-level token, which opens sockets alone; {_NEEDED}",
        "xoxe-": f"is a refresh token; {_NEEDED}",
        "xoxc-": f"is the token of a browser's session; {_NEEDED}",
        "xoxd-": f"is the cookie of a browser's session; {_NEEDED}",
    }
    """https://docs.slack.dev/authentication/tokens/"""

    source: Literal["slack"]
    base_url: str = "https://slack.com/api"
    files_url: WebUrl | None = Field(default=None, description="Where files are stored; follows from `base_url`")
    bots: bool = Field(default=True, description="Whether messages of bots are read")
