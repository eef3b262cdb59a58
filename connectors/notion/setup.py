"""What a newcomer does at Notion to connect it. The guide has it with all variants."""

from __future__ import annotations

from connectors.setup import Setup

SETUP = Setup(
    steps="Open https://www.notion.so/profile/integrations, New integration, Internal. Leave the capabilities that "
    "read content, comments, and user information with e-mail addresses. Copy the secret (ntn_…), and connect the "
    "integration to the pages at the top of what is to be read.",
    variable="NOTION_TOKEN",
    written=(("readers", "workspace"),),
    guide="docs/sources/notion.md",
)
