"""What a newcomer does at Slack to connect it. The guide has it with all variants."""

from __future__ import annotations

from pathlib import Path

from connectors.setup import Setup

SETUP = Setup(
    steps="Open https://api.slack.com/apps, Create New App, From a manifest, and paste what stands below. Install the "
    "app, copy the Bot User OAuth Token (xoxb-…), and invite @headrace to the channels that are to be read.",
    manifest=Path(__file__).with_name("manifest.yaml"),
    variable="SLACK_TOKEN",
    guide="docs/sources/slack.md",
)
